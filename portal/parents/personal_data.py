"""Everything held about a family: what it is, a file with all of it, and consent taken back."""

import io
import json
import zipfile

from flask import Response, render_template
from flask_babel import gettext as _

from enrollment.applications import mandates
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.vault import masked
from enrollment.people import consents, guardians
from enrollment.reports import personal_data
from portal.letters import personal_data as letter
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.unavailable import letters_wait
from portal.parents import pages
from portal.text.audit_acts import act_words
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, house


@pages.get("/account", endpoint="account")
@pages.get("/data")
@desk("parents")
def data_page():
    guardian = guardians.guardian_of(db(), by=actor())
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
    """A zip: a document to read (HTML and PDF), the same as data, and each uploaded page as a file."""
    records = personal_data.gather(db(), by=actor(), now=clock())
    plain = personal_data.plain_values(db(), records, by=actor(), now=clock())
    shown = letter.document(db(), records, made_at=clock(), demo=house().config.demo)
    name = _("资料")
    try:
        printed = letter.as_pdf(shown)
    except PdfUnavailable as stands:
        return letters_wait(stands)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.html", letter.as_page(shown))
        archive.writestr(f"{name}.pdf", printed)
        archive.writestr("data.json", json.dumps(plain, ensure_ascii=False, indent=2))
        for file, content in personal_data.files(db(), by=actor(), now=clock()):
            # pictures and PDFs are packed already
            archive.writestr(f"papers/{file}", content, compress_type=zipfile.ZIP_STORED)
    answer = Response(packed.getvalue(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer
