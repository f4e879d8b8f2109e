"""The table of possible duplicates: pairs of children who may be the same child, with the decision."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"


VERDICTS = tuple(Verdict)


class DuplicateHint(Base):
    """Two children with similar data, or two rows that are one child according to a family.

    The row belongs to the unordered pair and stays, so a decided pair never opens again.  `same` needs a second person
    before it takes effect; `different` is decided by one.  A correction of two people that removes a duplicate is the
    verdict `same`, also where the pair was judged `different` before.
    """

    __tablename__ = "duplicate_hint"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    # no foreign keys: their locks would deadlock two transactions that correct the two children of a pair
    child_a: Mapped[uuid.UUID]
    child_b: Mapped[uuid.UUID] = mapped_column(index=True)
    found_at: Mapped[dt.datetime]
    verdict: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(Sealed("duplicate_hint.reason"))
    first_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    first_at: Mapped[dt.datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    __table_args__ = (
        UniqueConstraint("child_a", "child_b"),
        CheckConstraint("child_a < child_b", name="pair_in_order"),
        CheckConstraint("verdict IN ('" + "','".join(VERDICTS) + "')", name="known_verdict"),
        CheckConstraint("decided_by IS NULL OR verdict = 'different' OR decided_by <> first_by", name="second_person"),
        CheckConstraint("decided_at IS NULL OR verdict IS NOT NULL", name="decided_has_a_verdict"),
        Index("ix_duplicate_hint__open", "found_at", postgresql_where=text("decided_at IS NULL")),
    )
