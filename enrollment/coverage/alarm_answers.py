"""What an area answers to an alarm of its shares: who does what until when.  Answers are kept; the newest one counts."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.areas import Area

LONGEST_MEASURE = 200
LONGEST_OWNER = 40


class ShareKind(StrEnum):
    """One of the two shares."""

    PUBLIC = "public"
    INCLUSIVE = "inclusive"


class AlarmAnswer(Base):
    """`year` is the calendar year whose target is missed or will be."""

    __tablename__ = "alarm_answer"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))
    share: Mapped[str]
    year: Mapped[int]
    owner: Mapped[str]
    measure: Mapped[str]
    due_on: Mapped[dt.date]
    answered_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("share IN ('" + "','".join(ShareKind) + "')", name="known_share"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="sane_year"),
        CheckConstraint(f"length(owner) BETWEEN 1 AND {LONGEST_OWNER}", name="owner_named"),
        CheckConstraint(f"length(measure) BETWEEN 1 AND {LONGEST_MEASURE}", name="measure_named"),
        Index("ix_alarm_answer__of_area", "year", "area_code", "share", "answered_at"),
    )


def answer(
    session: Session,
    area: str,
    share: ShareKind,
    year: int,
    *,
    owner: str,
    measure: str,
    due_on: dt.date,
    by: Actor,
    now: dt.datetime,
) -> AlarmAnswer:
    """Say who does what until when.  Refuses `alarm_not_yours`, `alarm_owner_missing`, `alarm_measure_missing`, texts that
    are too long, and `alarm_due_date`."""
    if session.get(Area, area) is None:
        raise NotFound(area)
    if not (by.is_any(Role.CITY_OFFICIAL) or (by.is_any(Role.AREA_OFFICIAL) and area in by.areas)):
        raise Refused("alarm_not_yours")
    owner, measure = owner.strip(), measure.strip()
    if not owner:
        raise Refused("alarm_owner_missing", "owner")
    if len(owner) > LONGEST_OWNER:
        raise Refused("alarm_text_too_long", "owner", most=LONGEST_OWNER)
    if not measure:
        raise Refused("alarm_measure_missing", "measure")
    if len(measure) > LONGEST_MEASURE:
        raise Refused("alarm_text_too_long", "measure", most=LONGEST_MEASURE)
    if due_on < today(now):
        raise Refused("alarm_due_date", "due_on")
    made = AlarmAnswer(
        area_code=area,
        share=share,
        year=year,
        owner=owner,
        measure=measure,
        due_on=due_on,
        answered_by=by.account_id,
        answered_at=now,
    )
    session.add(made)
    session.flush()
    told: dict[str, Any] = {"area": area, "share": share, "year": year, "due_on": due_on.isoformat()}
    audit.record(session, "answer_alarm", "coverage_answer", made.id, by=by, now=now, **told)
    return made


def newest(session: Session, year: int) -> dict[tuple[str, str], AlarmAnswer]:
    """The newest answer by area and share, to the alarms of a year."""
    found = (
        select(AlarmAnswer)
        .where(AlarmAnswer.year == year)
        .ext(distinct_on(AlarmAnswer.area_code, AlarmAnswer.share))
        .order_by(AlarmAnswer.area_code, AlarmAnswer.share, AlarmAnswer.answered_at.desc())
    )
    return {(each.area_code, each.share): each for each in session.scalars(found)}
