"""The personal data of a family: overview, download of all data, consents."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import mandates
from enrollment.applications.guardian_access import access_codes
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.people import consents, guardians, sign_on_bindings
from enrollment.reports import data_packages
from portal.letters.preparing import FAMILIES, file_of, waiting_page
from portal.parents import pages
from portal.parents.people.unreachable import unreachable_number
from portal.text.audit_acts import act_words
from portal.text.words import language
from portal.web.authentication import own_account
from portal.web.guards import desk
from portal.web.unit_of_work import account_id, actor, clock, db, services


@pages.get("/account", endpoint="account")
@pages.get("/data")
@desk("parents")
def data_page() -> ResponseReturnValue:
    guardian = guardians.guardian_of(db(), by=actor())
    package = data_packages.of(db(), by=actor())
    sign_on, mine = services().config.single_sign_on, own_account()
    return render_template(
        "parents/personal_data.html",
        package=package,
        unreachable=unreachable_number(),
        packing=data_packages.read(db(), by=actor()) if package and package.made_at is None else None,
        guardian=guardian,
        sign_in_phone=mask_phone(mine.phone or "") if mine else "",
        sign_on=sign_on.named(language()) if sign_on else "",
        bound=sign_on_bindings.of_account(db(), account_id()) if sign_on else None,
        access_code=access_codes.live_code(db(), account_id(), now=clock()),
        shown=mask(guardian.id_number, keep_start=4) if guardian else "",
        phone=mask_phone(guardian.phone) if guardian else "",
        mandates=[_mandate_summary(mandate) for mandate in mandates.of_guardian(db(), by=actor())],
        given={consents.CHILD_DATA: consents.current_consent(db(), consents.CHILD_DATA, by=actor())},
        agreed=consents.registers_of(db(), account_id()),
        registers=tuple(consents.Register),
    )


def _mandate_summary(mandate: Mandate) -> dict:
    """A mandate for its guardian: the helper, the state, and the acts under it."""
    acts = mandates.acts_under(db(), mandate)
    return {
        "mandate": mandate,
        "helper": db().get_one(Account, mandate.helper_id).name,
        "live": mandate.ended_at is None and mandate.ends_at > clock(),
        "acts": [{"what": act_words(entry.act), "when": entry.at} for entry in acts],
    }


@pages.post("/data/download")
@desk("parents")
def download_data() -> ResponseReturnValue:
    """Have the zip packed; the page that waits for it gives it."""
    data_packages.ask(db(), language=language(), by=actor(), now=clock())
    return redirect(url_for("parents.packed_data"), 303)


@pages.get("/data/package.zip")
@desk("parents")
def packed_data() -> ResponseReturnValue:
    package = data_packages.read(db(), by=actor())
    waiting = waiting_page(
        package, frame=FAMILIES, back=url_for("parents.data_page", _anchor="download"), back_text=_("我的资料"),
        if_failed=_("请回到“我的资料”，重新按“下载”。"),
    )  # fmt: skip
    return waiting if waiting is not None else file_of(package.content or b"", "my-data.zip", "application/zip")
