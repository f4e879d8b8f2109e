"""The table of what was asked for about accounts of staff and officials, and the second person who agreed."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed


class Change(StrEnum):
    """What widens somebody's rights, and so needs two people.  A role is taken away, and an account disabled, by one."""

    ADD = "add"
    GRANT = "grant"
    ENABLE = "enable"
    RESET = "reset"


class AccountChange(Base):
    """One change that was asked for.  `name` is kept until the account is opened.

    `setup_digest` is that of the code with which the person sets a password and a second factor; only its digest is kept.
    """

    __tablename__ = "account_change"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    change: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    login: Mapped[str]
    name: Mapped[str | None] = mapped_column(Sealed("account_change.name"))
    role: Mapped[str | None]
    kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    reason: Mapped[str]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]
    agreed: Mapped[bool | None]
    setup_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    setup_until: Mapped[dt.datetime | None]
    setup_tries: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("change IN ('" + "','".join(Change) + "')", name="known_change"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
        CheckConstraint("account_id IS NULL OR (asked_by <> account_id)", name="not_for_oneself"),
        CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (agreed IS NULL)",
            name="decided_whole",
        ),
        CheckConstraint("(change = 'add') OR account_id IS NOT NULL", name="about_an_account"),
        Index(
            "uq_account_change__one_open", "login", "change", unique=True, postgresql_where=text("decided_at IS NULL")
        ),
    )
