"""The board of children without a place as the database keeps it: the children, their numbers, and what changed since."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class UnservedChange(Base):
    """An application that may stand otherwise on the board since it was counted; without one, all of the year.

    Rows are only added by triggers (migration 0131) and deleted by `kept_entries.refresh`, so nobody waits for somebody else.
    """

    __tablename__ = "unserved_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    year: Mapped[int]
    application_id: Mapped[uuid.UUID | None]

    __table_args__ = (Index("ix_unserved_change__year", "year"),)


class UnservedEntry(Base):
    """A child of the board.  `position` is that of its state, so that an index gives a page in order; `officer_id` is who looks
    after it, assigned or not.  `code` is the registration code, ordered by its bytes."""

    __tablename__ = "unserved_entry"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    year: Mapped[int]
    area: Mapped[str | None]
    state: Mapped[str]
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(collation="C"))
    officer_id: Mapped[uuid.UUID | None]

    __table_args__ = (
        Index("ix_unserved_entry__board", "year", "position", "code"),
        Index("ix_unserved_entry__area", "year", "area", "position", "code"),
        Index("ix_unserved_entry__officer", "year", "officer_id", "position", "code"),
    )


class UnservedCount(Base):
    """How many children of the board an officer has in an area and a state."""

    __tablename__ = "unserved_count"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    year: Mapped[int]
    area: Mapped[str | None]
    state: Mapped[str]
    officer_id: Mapped[uuid.UUID | None]
    n: Mapped[int]

    __table_args__ = (Index("ix_unserved_count__year", "year"),)
