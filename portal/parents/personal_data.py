"""The personal data of a family: overview, download of all data, consents."""

from flask import Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from enrollment.applications import mandates
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account, require_oneself
from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.people import consents, guardians, sign_on_bindings
from enrollment.reports import data_packages
from portal.letters import data_package
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.preparing import letters_wait
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
        packing=data_packages.progress(db(), package) if package else None,
        guardian=guardian,
        sign_in_phone=mask_phone(mine.phone or "") if mine else "",
        sign_on=sign_on.named(language()) if sign_on else "",
        bound=sign_on_bindings.of_account(db(), account_id()) if sign_on else None,
        shown=mask(guardian.id_number, keep_start=4) if guardian else "",
        phone=mask_phone(guardian.phone) if guardian else "",
        mandates=[_mandate_summary(mandate) for mandate in mandates.of_guardian(db(), by=actor())],
        given={kind: consents.current_consent(db(), kind, by=actor()) for kind in consents.KINDS},
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
    """The zip at once, or packed by a job where that would take long."""
    require_oneself(actor())
    if data_packages.is_long(db(), by=actor()):
        data_packages.ask(db(), language=language(), by=actor(), now=clock())
        return redirect(url_for("parents.data_page", _anchor="download"), 303)
    contents = data_package.read(db(), by=actor(), now=clock(), demo=services().config.demo)
    try:
        return _zip(data_package.pack(contents))
    except PdfUnavailable as unavailable:
        return letters_wait(unavailable)


@pages.get("/data/package.zip")
@desk("parents")
def packed_data() -> ResponseReturnValue:
    return _zip(data_packages.read(db(), by=actor()))


def _zip(content: bytes) -> Response:
    answer = Response(content, mimetype="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
