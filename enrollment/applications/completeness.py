"""What an application must have before it can be handed in."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.applications import deadlines
from enrollment.applications.application_rows import WISHES, Application, Stage
from enrollment.applications.lifecycle import WITH_AUTHORITY
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.people import consents, documents, household_rows
from enrollment.people.guardians import guardian_of
from enrollment.people.household_rows import Household

PARTS = ("consent", "guardian", "child", "documents", "household", "grounds", "evidence", "wishes")


@dataclass(frozen=True)
class Missing:
    """The page on which something is missing, and the code of what is missing."""

    part: str
    item: str


def missing(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> list[Missing]:
    """What is still missing for a submission, in the order of the pages.

    A missing paper does not prevent a submission, so that nobody misses a deadline because of a photo; but the ground
    cannot be verified without it.
    """
    gaps = []
    if consents.current_consent(session, consents.CHILD_DATA, by=by) is None:
        gaps.append(Missing("consent", "consent"))
    guardian = guardian_of(session, by=by)
    if guardian is None or not guardian.id_number:
        gaps.append(Missing("guardian", "guardian"))
    if application.stage not in WITH_AUTHORITY and documents.question_is_due(session, application.child_id):
        gaps.append(Missing("documents", "entered_before"))
    gaps += household_gaps(household_rows.household_of(session, application.id))
    if not has_wish(session, application, now=now):
        gaps.append(Missing("wishes", "wishes"))
    return gaps


def has_wish(session: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether a wish takes part: for a draft one in the round that is open, or else was open last.

    Wishes of an earlier round that a draft still has take part in nothing.  What was handed in before took part with its own.
    """
    listed = WISHES.of(session, application.id)
    if application.stage != Stage.DRAFT or not listed:
        return bool(listed)
    round_ = deadlines.of(session, application, now=now).current
    return round_ is not None and any(wish.round_id == round_.id for wish in listed)


def household_gaps(household: Household | None) -> list[Missing]:
    """The answers about registration and home that are still missing for a submission."""
    known = {
        "hukou": household is not None and household.hukou_kind is not None,
        "home": household is not None and (household.home_area is not None or bool(household.home_outside)),
    }
    return [Missing("household", item) for item, there in known.items() if not there]


def require(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """Refuse `consent_needed` or `not_complete`, with the first missing item and the number of missing items."""
    gaps = missing(session, application, by=by, now=now)
    if gaps and gaps[0].part == "consent":
        raise Refused("consent_needed", field="consent")
    if gaps:
        raise Refused("not_complete", field=gaps[0].part, first=gaps[0].item, n=len(gaps))
