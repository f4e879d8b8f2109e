"""A move of home after the deadline 搬家: one request for the address, the area and the facts that rest on them.

Letters, distances and central placement use the home of today.  Priority counts the home on the day of the deadline: the
facts follow only a family that had moved by then, and stay as they were found for one that moved later.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import deadlines
from enrollment.applications.application_rows import Application
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.corrections import corrected_values
from enrollment.corrections.corrected_values import Values
from enrollment.eligibility import claims, households
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, today
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import Household
from enrollment.review import review
from enrollment.review.correction_rows import CorrectionKind, CorrectionRequest
from enrollment.review.review import Finding
from enrollment.season.facts import Fact

MOVED_ON = "moved_on"
COUNTS = "counts_for_priority"
ABOUT_THE_MOVE = (MOVED_ON, COUNTS)
"""Values of a request beside the columns of the household."""

HOME = ("home_area", "home_outside", "home_street", "home_community", "home_estate", "home_address")
COLUMNS = (*HOME, "home_owned", "residence_permit_area", "hukou_kind", "hukou_area", "hukou_street")

FACTS = (
    Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED, Fact.RESIDENCE_PERMIT_AREA, Fact.HUKOU_AREA, Fact.HUKOU_KIND,
    Fact.HUKOU_STREET,
)  # fmt: skip
"""The facts that may change with a home."""


def of_household(household: Household | None) -> Values:
    return {column: getattr(household, column, None) for column in COLUMNS}


def change_of_home(
    session: Session, application: Application, typed: Mapping[str, Any], *, now: dt.datetime
) -> tuple[Values, Values]:
    """The columns that a move changes, when the family moved, and whether its priority follows, before and after.

    Refuses `moved_on_missing`, `moved_on_in_future`, `home_address_missing`, `move_changes_nothing`, and what
    `households.checked` refuses.
    """
    moved_on = typed[MOVED_ON]
    if moved_on is None:
        raise Refused("moved_on_missing", field=MOVED_ON)
    if moved_on > today(now):
        raise Refused("moved_on_in_future", field=MOVED_ON)
    before = of_household(households.household_of(session, application.id))
    values = households.checked(session, {column: typed[column] for column in COLUMNS}, today(now))
    after = {column: values[column] for column in COLUMNS}
    if not after["home_address"]:
        raise Refused("home_address_missing", field="home_address")
    changed = [column for column in COLUMNS if before[column] != after[column]]
    if not set(changed) & set(HOME):
        raise Refused("move_changes_nothing", field="home_address")
    counts = moved_on <= _deadline_day(session, application, now=now)
    before_all = {MOVED_ON: None, COUNTS: None} | {column: before[column] for column in changed}
    return before_all, {MOVED_ON: moved_on.isoformat(), COUNTS: counts} | {column: after[column] for column in changed}


def _deadline_day(session: Session, application: Application, *, now: dt.datetime) -> dt.date:
    last = deadlines.of(session, application, now=now).last
    return last.closes_at.astimezone(CHENGDU).date() if last is not None else dt.date.max


def counts(request: CorrectionRequest) -> bool:
    """Whether the request is of a family that had moved by the deadline, so that facts and priority follow."""
    return request.kind == CorrectionKind.MOVE and bool(corrected_values.after_of(request)[COUNTS])


def apply(
    session: Session, request: CorrectionRequest, application: Application, *, by: Actor, now: dt.datetime
) -> None:
    """Store the new home, and the facts that follow from it if it counts.  The caller holds the application's lock.

    Refuses `correction_outdated`, and `move_waits_for_review` while facts are open that rest on the earlier home.
    """
    before, after = corrected_values.before_of(request), corrected_values.after_of(request)
    household = session.get_one(Household, application.id, with_for_update=True, populate_existing=True)
    columns = [column for column in after if column not in ABOUT_THE_MOVE]
    if any(getattr(household, column) != before[column] for column in columns):
        raise Refused("correction_outdated")
    claimed_before = claimed_facts(session, application.id)
    if not after[COUNTS] and _open_facts(session, application, claimed_before):
        raise Refused("move_waits_for_review")
    for column in columns:
        setattr(household, column, after[column])
    household.home_longitude = household.home_latitude = None
    if {"hukou_kind", "hukou_area"} & set(columns):
        household.hukou_since = None
    household.version += 1
    session.flush()
    households.note_dwelling(session, household)
    session.flush()
    if after[COUNTS]:
        claims.follow_household(session, application, household, now=now)
        _find_facts(session, request, application, claimed_before, by=by, now=now)


def _open_facts(session: Session, application: Application, claimed: Mapping[Fact, Any]) -> list[Fact]:
    """The claimed facts of the home that nobody has found yet; they rest on the home at the deadline."""
    return [
        fact for fact in FACTS if fact in claimed and session.get(VerifiedFact, (application.id, fact.value)) is None
    ]


def _find_facts(
    session: Session,
    request: CorrectionRequest,
    application: Application,
    claimed_before: Mapping[Fact, Any],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """A finding for each fact that the new home changes; the paper of the request proves it."""
    claimed = claimed_facts(session, application.id)
    for fact in FACTS:
        value = claimed.get(fact)
        if value == claimed_before.get(fact):
            continue
        reason = request.answer if value is None else None
        review.record_finding(
            session, application.id, Finding(fact, value, reason=reason, source="correction"), by=by, now=now
        )
    session.flush()
