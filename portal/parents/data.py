"""Everything held about a family: what it is, a file with all of it, and consent taken back."""

import io
import json
import zipfile

from flask import Response, render_template

from enrollment.families import consents, mandates, own_data, people
from enrollment.families.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.vault import masked
from portal.act_words import act_words
from portal.guards import desk
from portal.parents import pages
from portal.work import actor, clock, db


@pages.get("/account", endpoint="account")
@pages.get("/data")
@desk("parents")
def data_page():
    guardian = people.guardian_of(db(), by=actor())
    return render_template(
        "parents/data.html",
        guardian=guardian,
        shown=masked(guardian.id_number, keep_start=4) if guardian else "",
        phone=masked(guardian.phone, keep_start=3) if guardian else "",
        helped=[_helped(mandate) for mandate in mandates.of_guardian(db(), by=actor())],
        given={kind: consents.live(db(), kind, by=actor()) for kind in consents.KINDS},
    )


def _helped(mandate: Mandate) -> dict:
    """A mandate as its guardian sees it: who, how, until when, and what was done."""
    acts = mandates.acts_under(db(), mandate)
    return {
        "mandate": mandate,
        "helper": db().get_one(Account, mandate.helper_id).name,
        "live": mandate.ended_at is None and mandate.ends_at > clock(),
        "acts": [{"what": act_words(entry.act), "when": entry.at} for entry in acts],
    }


@pages.post("/data/download")
@desk("parents")
def download_data():
    """A zip: `data.json` with every row about the family, and each uploaded page as a file."""
    plain = own_data.gather(db(), by=actor(), now=clock())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(plain, ensure_ascii=False, indent=2, default=str))
        for name, content in own_data.files(db(), by=actor(), now=clock()):
            archive.writestr(f"papers/{name}", content)
    answer = Response(packed.getvalue(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer
