"""The zip of a family's data: a document to read as HTML and PDF, the same as data, and the files that it uploaded."""

import datetime as dt
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.reports import personal_data
from portal.letters import pdf_renderer
from portal.letters import personal_data as letter


@dataclass(frozen=True)
class Contents:
    """Everything that goes into the zip, read; packing it needs no database."""

    data: dict[str, Any]
    shown: dict[str, Any]
    files: list[tuple[str, bytes]]


def read(session: Session, *, by: Actor, now: dt.datetime, demo: bool) -> Contents:
    """In the language of the moment.  Refuses `only_the_guardian`."""
    records = personal_data.export(session, by=by, now=now)
    return Contents(
        personal_data.plain_values(session, records, by=by, now=now),
        letter.document(session, records, made_at=now, demo=demo),
        list(personal_data.uploaded_files(session, by=by, now=now)),
    )


def pack(contents: Contents) -> bytes:
    """The zip.  Raises PdfUnavailable."""
    printed, name = pdf_renderer.draw(letter.as_letter(contents.shown)), _("资料")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.html", letter.as_page(contents.shown))
        archive.writestr(f"{name}.pdf", printed)
        archive.writestr("data.json", json.dumps(contents.data, ensure_ascii=False, indent=2))
        for file, content in contents.files:  # pictures and PDFs are compressed already
            archive.writestr(f"papers/{file}", content, compress_type=zipfile.ZIP_STORED)
    return packed.getvalue()
