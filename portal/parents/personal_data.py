"""The personal data of a family: overview, download of all data, consents."""

import io
import json
import zipfile

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from enrollment.applications import mandates
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.people import consents, guardians
from enrollment.reports import personal_data
from portal.parents import pages
from portal.text.audit_acts import act_words
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/account", endpoint="account")
@pages.get("/data")
@desk("parents")
def data_page() -> ResponseReturnValue:
    guardian = guardians.guardian_of(db(), by=actor())
    return render_template(
        "parents/personal_data.html",
        guardian=guardian,
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
    """A zip: `data.json` with every row about the family, and each uploaded page as a file."""
    plain = personal_data.export(db(), by=actor(), now=clock())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(plain, ensure_ascii=False, indent=2, default=str))
        for name, content in personal_data.uploaded_files(db(), by=actor(), now=clock()):
            archive.writestr(f"papers/{name}", content)
    answer = Response(packed.getvalue(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer
