"""Uploaded evidence pages for the reviewing clerk, decrypted and with a watermark."""

import uuid

from flask import Response
from flask.typing import ResponseReturnValue

from enrollment.eligibility import evidence
from enrollment.ground import audit
from enrollment.review import review
from portal.staff import pages
from portal.web.evidence_files import SANDBOX, WatermarkError, inline_picture, watermark_text, watermarked
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/applications/<uuid:application_id>/papers/<uuid:page_id>/pictures/<int:number>")
@desk("staff")
def paper_picture(application_id: uuid.UUID, page_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """A sheet of a PDF as a picture, so that it is read beside the facts and not in another program."""
    review.find(db(), application_id, by=actor())
    sheet = evidence.picture(db(), application_id, page_id, number)
    _note_view(application_id, page_id, sheet=number)
    return inline_picture(watermarked(sheet.media_type, sheet.content, watermark_text()), page_id.hex[:8])


@pages.get("/applications/<uuid:application_id>/papers/<uuid:page_id>")
@desk("staff")
def paper(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    review.find(db(), application_id, by=actor())
    page = evidence.page_content(db(), application_id, page_id)
    _note_view(application_id, page_id)
    try:
        content = watermarked(page.media_type, page.content, watermark_text())
    except WatermarkError:
        return Response(status=415)
    is_picture = page.media_type.startswith("image/")
    return Response(
        content,
        mimetype=page.media_type,
        headers={
            "Content-Disposition": f'{"inline" if is_picture else "attachment"}; filename="{page_id.hex[:8]}.{"webp" if is_picture else "pdf"}"',
            "Content-Security-Policy": SANDBOX,
            "Cache-Control": "no-store",
        },
    )


def _note_view(application_id: uuid.UUID, page_id: uuid.UUID, **more: int) -> None:
    audit.record(
        db(),
        "view_evidence",
        "application",
        application_id,
        by=actor(),
        now=clock(),
        reason="review",
        page=str(page_id),
        **more,
    )
