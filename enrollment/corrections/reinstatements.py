"""Reinstating an application 恢复申请 that was refused wrongly, for instance after an appeal in the family's favour.

Two officials agree.  The application goes back into the review, so that it takes part only with facts that were verified; one
that was never handed in is a draft again, which its family hands in.  Before publication a frozen list of it is outdated; after publication the child stands on the board of children without a
place, and can enter the next round.
"""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select, true
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle, units
from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.lifecycle import LIVE_STAGES, MoveMade
from enrollment.applications.notifications import NO_CODE, notify_guardians
from enrollment.applications.returned_items import RefusalProposal
from enrollment.corrections.decisions import lock_unpublished_rounds
from enrollment.draw import snapshot
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.random_codes import typed_registration_code
from enrollment.ground.signatures import Proposed, Signature
from enrollment.people.household_rows import Household
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import duplicate_verdicts, refusals
from enrollment.season.calendar import Season, keep_open

SUBJECT = "reinstate_application"
DECIDERS = (Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)
LONGEST_REASON = 500

_REVIEWS = select(Kindergarten.area_code).where(Kindergarten.id == Application.review_kindergarten_id)
_HOME = select(Household.home_area).where(Household.application_id == Application.id)
_AREA = func.coalesce(_REVIEWS.correlate(Application).scalar_subquery(), _HOME.correlate(Application).scalar_subquery())
"""SQL expression: the area that decides, from the reviewing kindergarten or, before the hand-in, from the home, as for a case."""

_YEAR_IS_CLOSED = exists().where(Season.year == Application.year, Season.closed_at.is_not(None))


@dataclass(frozen=True)
class Reinstatement:
    """An application that was refused, its refusal, and the first signature under its reinstatement, if there is one.

    `was_a_draft`: it was not handed in when it was refused as a duplicate, and is a draft again after the reinstatement.
    """

    application: Application
    refusal: RefusalProposal | None
    proposed: Proposed | None
    was_a_draft: bool
    year_is_closed: bool

    @property
    def is_possible(self) -> bool:
        return self.application.stage == Stage.REFUSED and not self.year_is_closed

    @property
    def stamp(self) -> str:
        """What the page showed: nobody signs second under a reason that this person has not read."""
        return f"{self.application.version}-{self.proposed.by.hex if self.proposed else ''}"


def find(session: Session, application_id: uuid.UUID, *, by: Actor) -> Reinstatement:
    """An application in the official's areas, refused or reinstated meanwhile.  NotFound elsewhere."""
    return _of(session, _found(session, application_id, by=by))


def may_sign(session: Session, application_id: uuid.UUID, *, by: Actor) -> bool:
    """Whether this official may sign a reinstatement of the application: refused, in a year that is not closed."""
    mine = _refused(by).where(Application.id == application_id)
    return by.is_any(*DECIDERS) and session.scalar(mine) is not None


def find_code(session: Session, code: str, *, by: Actor) -> Reinstatement | None:
    """The refused application with this registration code, in the official's areas."""
    if not by.is_any(*DECIDERS):
        raise NotFound("application")
    refused = _refused(by).where(Application.registration_code == typed_registration_code(code))
    found = session.scalars(refused).one_or_none()
    return _of(session, found) if found is not None else None


def waiting(session: Session, *, by: Actor) -> list[Reinstatement]:
    """What waits for the second signature in the official's areas, the oldest first; nothing for who decides nothing."""
    if not by.is_any(*DECIDERS):
        return []
    signed = _refused(by).join(Signature, (Signature.subject == SUBJECT) & (Signature.subject_id == Application.id))
    rows = session.scalars(signed.where(signatures.waits(Office(area=_AREA))).order_by(Signature.signed_at)).unique()
    found = (_of(session, application) for application in rows)
    return [each for each in found if each.proposed is not None]


def reinstate(
    session: Session, application_id: uuid.UUID, *, seen: str | None = None, reason: str, by: Actor, now: dt.datetime
) -> bool:
    """Sign the reinstatement, with a reason.  The second signature puts the application back into the review; a draft back to
    its family.

    Returns whether it is back; then every guardian is told.  A verdict that the child was entered twice is taken back with
    it.  `seen` is the `stamp` of the page; raises Stale for an older one.  Refuses `application_not_refused`, `say_why`,
    `season_is_closed`, `signed_already`, `draw_at_work` while a draw works on one of its rounds, and `number_of_another_child`.
    """
    application = _locked(session, application_id, by=by)
    found = _of(session, application)
    if not found.is_possible:
        raise Refused("application_not_refused")
    if seen is not None and seen != found.stamp:
        raise Stale()
    why = " ".join(reason.split())[:LONGEST_REASON]
    if not why:
        raise Refused("say_why", field="reason")
    digest, office = _digest(application), _office(session, application)
    people = signatures.sign(session, SUBJECT, application.id, digest, office=office, by=by, now=now, note=why)
    if people < signatures.NEEDED or found.proposed is None:
        audit.record(session, "propose_reinstatement", "application", application.id, by=by, now=now, reason=why)
        return False
    _put_back(session, found, found.proposed, why, by=by, now=now)
    return True


def _put_back(
    session: Session, found: Reinstatement, first: Proposed, reason: str, *, by: Actor, now: dt.datetime
) -> None:
    application = found.application
    rounds = lock_unpublished_rounds(session, application)
    if found.refusal is not None and found.refusal.rule == "duplicate":
        duplicate_verdicts.take_back(
            session, application.child_id, first_by=first.by, first_at=first.at, reason=reason, by=by, now=now
        )
    move = "reinstate_draft" if found.was_a_draft else "reinstate"
    lifecycle.make(session, application, move, by=by, now=now, reason=reason)
    for round_ in rounds:
        snapshot.mark_outdated(session, round_.id, now=now)
    wished = session.scalar(select(exists().where(Wish.application_id == application.id)))
    code = application.registration_code or NO_CODE
    if found.was_a_draft:
        _tell_draft(session, application, code, by=by, now=now)
    else:
        kind = "application_reinstated_late" if wished and not rounds else "application_reinstated"
        notify_guardians(session, kind, [application.id], now=now, by=by, code=code)


def _tell_draft(session: Session, application: Application, code: str, *, by: Actor, now: dt.datetime) -> None:
    """Nothing was handed in: the family is told until when it can be, or that this registration is over."""
    times = deadlines.of(session, application, now=now)
    round_ = times.open or times.coming
    if round_ is None:
        notify_guardians(session, "application_reinstated_draft_late", [application.id], now=now, by=by, code=code)
    else:
        due = format_time(round_.closes_at)
        kind = "application_reinstated_draft"
        notify_guardians(session, kind, [application.id], now=now, by=by, code=code, due=due)


def _was_a_draft(session: Session, application: Application) -> bool:
    """Whether it was not handed in when it was refused as a duplicate: then nobody has said that it is complete."""
    last = select(MoveMade.before).where(MoveMade.application_id == application.id, MoveMade.after == Stage.REFUSED)
    return session.scalar(last.order_by(MoveMade.number.desc()).limit(1)) == Stage.DRAFT


def _locked(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """The application, locked with its family and with those whose duplicate it was said to be, in a year that stays open."""
    application = _found(session, application_id, by=by)
    child_id = application.child_id
    if application.stage == Stage.REFUSED:
        keep_open(session, application.year)
    others = duplicate_verdicts.children_it_went_to(session, child_id)
    theirs = select(Application.id).where(Application.child_id.in_(others), Application.stage.in_(LIVE_STAGES))
    units.lock_families(session, [application_id, *(session.scalars(theirs) if others else ())])
    return _found(session, application_id, by=by)


def _found(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """The application as it is now.  NotFound for who decides nothing, and outside the official's areas."""
    mine = _within(by).where(Application.id == application_id)
    found = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
    if found is None or not by.is_any(*DECIDERS):
        raise NotFound("application")
    return found


def _within(by: Actor) -> Select[Application]:
    return select(Application).where(true() if by.is_any(Role.CITY_OFFICIAL) else _AREA.in_(by.areas))


def _refused(by: Actor) -> Select[Application]:
    """Those that can be reinstated: no review goes on in a closed year, and no family is answered in it."""
    return _within(by).where(Application.stage == Stage.REFUSED, ~_YEAR_IS_CLOSED)


def _office(session: Session, application: Application) -> Office:
    """Who decides: officials of the city, and of the area of `_AREA`."""
    return Office(area=session.scalar(select(_AREA).select_from(Application).where(Application.id == application.id)))


def _of(session: Session, application: Application) -> Reinstatement:
    digest, office = _digest(application), _office(session, application)
    signed = signatures.signatures_of(session, SUBJECT, application.id, digest, office=office)
    proposed = signatures.proposed_by(session, signed[0], reason=signed[0].note or "") if signed else None
    is_over = session.scalar(select(_YEAR_IS_CLOSED).select_from(Application).where(Application.id == application.id))
    return Reinstatement(
        application, refusals.refusal_of(session, application.id), proposed, _was_a_draft(session, application),
        bool(is_over),
    )  # fmt: skip


def _digest(application: Application) -> str:
    """Of this refusal: another one later needs two signatures of its own."""
    at = application.decided_at.timestamp() if application.decided_at is not None else None
    return hashlib.sha256(f"reinstate {application.id} {at}".encode()).hexdigest()
