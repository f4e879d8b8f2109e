"""Cases 申诉/争议: disputes between guardians, appeals, and disability admissions under Article 17."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed

KINDS = ("guardians_dispute", "appeal", "disability", "register_dispute")


class Case(Base):
    """An open case has a clock: `due_at`.  A guardians' dispute puts the application on neutral hold."""

    __tablename__ = "case_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    child_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    text: Mapped[str] = mapped_column(Sealed("case_file.text"))
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),)
