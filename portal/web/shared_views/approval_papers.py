"""The fields that name an approval 批文, and its file; at the desks of kindergartens and of officials."""

import uuid

from flask import Response
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length, Optional

from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import Approval
from portal.web.evidence_files import SANDBOX, WatermarkError, watermark_text, watermarked
from portal.web.forms import CivilDate, PageForm
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import PHOTO_OR_PDF, UploadField


class ApprovalFields(PageForm):
    """A form whose numbers may rest on an approval: its document number, its date and perhaps its file."""

    paper_number = StringField(_l("文号"), [Length(max=60)])
    paper_date = CivilDate(_l("批文日期"), [Optional()])
    paper_file = UploadField(_l("批文的照片或 PDF（可以不传）"), kinds=PHOTO_OR_PDF)

    def approval(self) -> Approval:
        content = self.paper_file.data.read() if self.paper_file.data else None
        return Approval(self.paper_number.data or "", self.paper_date.data, content or None)


def approval_file(paper_id: uuid.UUID) -> Response:
    """The file of an approval with the viewer's watermark."""
    page = papers.file_of(db(), paper_id, by=actor(), now=clock())
    try:
        content = watermarked(page.media_type, page.content, watermark_text())
    except WatermarkError:
        return Response(status=415)
    shown, ending = ("inline", "webp") if page.media_type.startswith("image/") else ("attachment", "pdf")
    headers = {
        "Content-Disposition": f'{shown}; filename="{paper_id.hex[:8]}.{ending}"',
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "no-store",
    }
    return Response(content, mimetype=page.media_type, headers=headers)
