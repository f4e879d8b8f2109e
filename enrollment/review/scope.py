"""Which applications a person may review, from when on, and their locks.

The clerks of the first wish's kindergarten verify the facts once, for all wishes and areas.  Clerks of other
kindergartens have no access.
"""

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, exists, false, or_, select, true
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.returned_items import RefusalProposal
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

REVIEWERS = (Role.CLERK, Role.HEAD)
SECOND_PEOPLE = (Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)
"""Who may decide about a proposed refusal."""


def within(by: Actor) -> ColumnElement[bool]:
    """SQL condition: the applications whose review is in this actor's scope."""
    if by.is_any(Role.CITY_OFFICIAL):
        return true()
    mine: list[ColumnElement[bool]] = []
    if by.is_any(Role.CLERK, Role.HEAD):
        mine.append(Application.review_kindergarten_id.in_(by.kindergartens))
    if by.is_any(Role.AREA_OFFICIAL):
        here = select(Kindergarten.id).where(Kindergarten.area_code.in_(by.areas))
        mine.append(Application.review_kindergarten_id.in_(here))
    return or_(*mine) if mine else false()


def office_of(session: Session, application: Application) -> Office:
    """Whose staff and officials review the application: those of `within`."""
    here = select(Kindergarten.area_code).where(Kindergarten.id == application.review_kindergarten_id)
    return Office(area=session.scalar(here), kindergarten=application.review_kindergarten_id)


def registration_over(now: dt.datetime) -> ColumnElement[bool]:
    """SQL condition: no wish of the application is in a round that is still open for changes."""
    still_open = exists().where(
        Wish.application_id == Application.id,
        Wish.round_id == Round.id,
        Round.stage == RoundStage.OPEN,
        Round.closes_at > now,
    )
    return ~still_open


def opens_early(session: Session, kindergarten_id: uuid.UUID | None, *, now: dt.datetime) -> bool:
    """Whether the policy of the kindergarten's area allows review while families may still change the application."""
    area = session.scalar(select(Kindergarten.area_code).where(Kindergarten.id == kindergarten_id))
    still_open = session.scalars(select(Round).where(Round.stage == RoundStage.OPEN, Round.closes_at > now))
    return area is not None and any(rules_in_round(session, one, area).review_opens_early for one in still_open)


def find(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """An application to view.  NotFound outside the actor's kindergartens and areas.  The caller audits the view."""
    found = session.scalar(select(Application).where(Application.id == application_id, within(by)))
    if found is None:
        raise NotFound("application")
    return found


def locked(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    found = session.scalar(
        select(Application)
        .where(Application.id == application_id, within(by))
        .with_for_update(of=Application, key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("application")
    return found


def refuse_while_refusal_is_open(session: Session, application_id: uuid.UUID) -> None:
    """Refuse `refusal_is_proposed` while a proposal to refuse the application is undecided."""
    waiting = exists().where(RefusalProposal.application_id == application_id, RefusalProposal.decided_at.is_(None))
    if session.scalar(select(waiting)):
        raise Refused("refusal_is_proposed")
