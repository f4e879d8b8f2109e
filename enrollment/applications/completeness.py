"""What an application must have before it can be handed in, and what would only help."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.people import consents, household_rows
from enrollment.people.guardians import guardian_of

PARTS = ("consent", "guardian", "child", "household", "grounds", "evidence", "wishes")


@dataclass(frozen=True)
class Missing:
    """A page to go back to, and the code of what is missing there."""

    part: str
    item: str


def missing(session: Session, application: Application, *, by: Actor) -> list[Missing]:
    """What still stops the submission, in the order of the pages.  A paper that is not there stops nothing:
    nobody shall lose a deadline to a photo; the ground just cannot be verified without it."""
    gaps = []
    if consents.live(session, consents.CHILD_DATA, by=by) is None:
        gaps.append(Missing("consent", "consent"))
    guardian = guardian_of(session, by=by)
    if guardian is None or not guardian.id_number:
        gaps.append(Missing("guardian", "guardian"))
    household = household_rows.of(session, application.id)
    if household is None or household.hukou_kind is None:
        gaps.append(Missing("household", "hukou"))
    if household is None or (household.home_area is None and not household.home_outside):
        gaps.append(Missing("household", "home"))
    if session.scalar(select(Wish.rank).where(Wish.application_id == application.id).limit(1)) is None:
        gaps.append(Missing("wishes", "wishes"))
    return gaps


def require(session: Session, application: Application, *, by: Actor) -> None:
    """Refuse `consent_needed` or `not_complete`, naming the first gap and how many there are."""
    gaps = missing(session, application, by=by)
    if gaps and gaps[0].part == "consent":
        raise Refused("consent_needed", field="consent")
    if gaps:
        raise Refused("not_complete", field=gaps[0].part, first=gaps[0].item, n=len(gaps))
