"""The row of an uploaded file, stored encrypted from the upload until it is imported or given up."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed

KINDS = (
    "kindergartens",
    "programmes",
    "roll",
    "service-areas",
    "births",
    "area-history",
    "estates",
    "named-places",
    "measures",
    "staff",
)


class ImportState(StrEnum):
    """`waiting`: being checked.  `checked` and `faulty`: what the check found.  `applying`: confirmed and being written."""

    WAITING = "waiting"
    CHECKED = "checked"
    FAULTY = "faulty"
    APPLYING = "applying"
    DONE = "done"


class ImportFile(Base):
    """`content` is encrypted, and deleted after the import, a discard, or a day.

    `report` is the JSON of the changes or of the faults.  `fault_list` (CSV) and `marked` (the own workbook with its
    faults marked) are for download.  `job_id` is the job that checks or writes.
    """

    __tablename__ = "import_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    name: Mapped[str]
    year: Mapped[int]
    digest: Mapped[str]
    state: Mapped[str] = mapped_column(default=ImportState.WAITING, server_default=ImportState.WAITING)
    job_id: Mapped[uuid.UUID | None]
    content: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "import_file.content", "file": True}
    )
    report: Mapped[str | None] = mapped_column(Sealed("import_file.report"), deferred=True)
    fault_list: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "import_file.fault_list", "file": True}
    )
    marked: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "import_file.marked", "file": True}
    )
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("state IN ('" + "','".join(ImportState) + "')", name="known_state"),
        CheckConstraint("(done_at IS NULL) = (summary IS NULL)", name="done_with_a_summary"),
        Index("ix_import_file__made_by", "made_by", "made_at"),
    )
