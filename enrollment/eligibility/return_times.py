"""How long a family has to complete what a clerk sent back: as long as the clerk chose, else until the review ends; at least the
hours of the policy.

No list is frozen before: the last moment that a family reads is true.  Afterwards the application takes part with what was
verified.
"""

import datetime as dt
import functools
import uuid
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.returned_items import RETURNED_ITEMS, ReturnedItem
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import calendar, policy_approval, seasons
from enrollment.season.rules import RETURN_HOURS


def answer_until(session: Session, application: Application, *, returned_at: dt.datetime) -> dt.datetime:
    """The last moment to answer a return of this time: the one that the clerk chose, else that of the policy and the review."""
    chosen = [each.answer_by for each in RETURNED_ITEMS.of(session, application.id) if each.asked_at == returned_at]
    if chosen and (latest := max((each for each in chosen if each is not None), default=None)) is not None:
        return latest
    area = session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == application.review_kindergarten_id))
    return _later(returned_at + least_time(session, application.year, area), review_ends(session, application.year))


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """A returned application that nobody has handed in again; `until` is when the answer is due."""

    application_id: uuid.UUID
    child_id: uuid.UUID
    version: int
    year: int
    level: str
    returned_at: dt.datetime
    until: dt.datetime


def open_returns(session: Session, *, now: dt.datetime) -> list[OpenReturn]:
    """The returned applications that no dispute holds, by id, read at once; `until` as `answer_until` says it."""
    chosen = (
        select(func.max(ReturnedItem.answer_by))
        .where(ReturnedItem.application_id == Application.id, ReturnedItem.asked_at == Application.returned_at)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Application.id,
            Application.child_id,
            Application.version,
            Application.year,
            Application.level,
            Application.returned_at,
            Kindergarten.area_code,
            chosen.label("chosen"),
        )
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Application.stage == Stage.RETURNED, Application.on_hold.is_(False), Application.returned_at <= now)
        .order_by(Application.id)
    ).all()
    ends = functools.cache(lambda year: review_ends(session, year))
    least = functools.cache(lambda year, area: least_time(session, year, area))
    found = []
    for row in rows:
        until = row.chosen
        if until is None:
            until = _later(row.returned_at + least(row.year, row.area_code), ends(row.year))
        found.append(OpenReturn(row.id, row.child_id, row.version, row.year, row.level, row.returned_at, until))
    return found


def _later(least: dt.datetime, ends: dt.datetime | None) -> dt.datetime:
    return least if ends is None else max(least, ends)


def review_ends(session: Session, year: int) -> dt.datetime | None:
    """The end of the step `review` of the calendar; None without a calendar."""
    season = seasons.of_year(session, year)
    return calendar.spans(season)["review"][1] if season is not None else None


def latest_answer(session: Session, year: int, returned: Select[uuid.UUID], *, now: dt.datetime) -> dt.datetime | None:
    """The last of the moments to answer that has not passed; None where there is none.

    `returned` are applications of this year that wait for their families.  Of those without a moment that the clerk chose,
    only what was sent back in the last hours of the policy can end later than the review: older ones are not read.
    """
    ends = review_ends(session, year)
    bound = _later(now, ends)
    its_items = (ReturnedItem.application_id == Application.id) & (ReturnedItem.asked_at == Application.returned_at)
    last_chosen = (
        returned.with_only_columns(func.max(ReturnedItem.answer_by), maintain_column_froms=True)
        .join(ReturnedItem, its_items)
        .where(ReturnedItem.answer_by > now)
    )
    of_policy = returned.where(~exists().where(its_items, ReturnedItem.answer_by.is_not(None)))
    last_returns = (
        of_policy.with_only_columns(
            Kindergarten.area_code, func.max(Application.returned_at), maintain_column_froms=True
        )
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Application.returned_at > bound - _most_time(session, year))
        .group_by(Kindergarten.area_code)
    )
    moments = [session.scalar(last_chosen)]
    moments += [at + least_time(session, year, area) for area, at in session.execute(last_returns) if at is not None]
    if ends is not None and ends > now and session.scalar(of_policy.limit(1)) is not None:
        moments.append(ends)
    return max((each for each in moments if each is not None and each > now), default=None)


def _most_time(session: Session, year: int) -> dt.timedelta:
    """The longest time that the policies in force give a family at least."""
    policies = policy_approval.policies_in_force(session, year).values()
    return dt.timedelta(hours=max((RETURN_HOURS, *(policy_approval.rules_of(each).return_hours for each in policies))))


def least_time(session: Session, year: int, area: str | None) -> dt.timedelta:
    """What a family of this area has at least."""
    policy = policy_approval.policy_in_force(session, year, area) if area else None
    return dt.timedelta(hours=policy_approval.rules_of(policy).return_hours if policy else RETURN_HOURS)
