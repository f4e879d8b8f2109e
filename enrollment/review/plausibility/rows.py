"""The table of verdicts about hints of implausible values.  Rows are only added; the newest one of a basis counts."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed


class Hint(StrEnum):
    """What looks hardly plausible; the comment tells the values it rests on."""

    SIBLING_TOO_CLOSE = "sibling_too_close"  # born less than nine months after the elder sibling, and not on its day
    PARENT_TOO_YOUNG = "parent_too_young"  # a parent less than sixteen years older
    HUKOU_SINCE_OPENING = "hukou_since_opening"  # registered at the address only after registration had opened
    HOME_OTHER_AREA = "home_other_area"  # the written address names another area than the chosen one
    OWNED_WITH_LEASE = "owned_with_lease"  # says it owns the home, and sent a lease and no deed
    RENTED_WITH_DEED = "rented_with_deed"  # says it rents the home, and sent a deed
    PERMIT_ELSEWHERE = "permit_elsewhere"  # a residence permit of another area than the home
    SHARED_HOME = "shared_home"  # another family states the same dwelling
    SHARED_FILE = "shared_file"  # another family sent the same file, or a copy of it


PAIRS = frozenset({Hint.SHARED_HOME, Hint.SHARED_FILE})
"""Hints about two applications.  Their verdict belongs to the pair and is shown at both."""


class HintVerdict(StrEnum):
    EXPLAINED = "explained"
    DOUBTFUL = "doubtful"


class PlausibilityVerdict(Base):
    """A clerk's verdict.  `basis` is a blind index of the hint with the values it rests on, or with the pair of
    applications: a hint whose values have not changed stays answered, also after it was computed again."""

    __tablename__ = "plausibility_verdict"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    hint: Mapped[str]
    basis: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    verdict: Mapped[str]
    note: Mapped[str | None] = mapped_column(Sealed("plausibility_verdict.note"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("hint IN ('" + "','".join(Hint) + "')", name="known_hint"),
        CheckConstraint("verdict IN ('" + "','".join(HintVerdict) + "')", name="known_verdict"),
    )
