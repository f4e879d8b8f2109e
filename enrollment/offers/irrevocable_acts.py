"""Acts of one guardian that cannot be undone: giving up a place, and withdrawing after the deadline.

If the children concerned have one guardian, the act takes effect at once.  Otherwise it waits (`joint_decisions`) until
every other guardian has agreed or `takes_effect_at` has passed.  An objection, or the proposer, ends it without effect.
An act that takes effect is recorded as the proposer's.  Only then is the place free and the next replay requested.

During a dispute's hold no such act can be proposed, except withdrawing consent; that waits for the end of the dispute.
When the hold ends, an act that waited starts its whole period anew (`renew_after_holds`).

The rules for families are in `docs/policy.md`.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle, submission, units
from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground import jobs
from enrollment.ground.accounts import SYSTEM, Account, Actor, actor_of, require_oneself
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import joint_decisions, offer_lifecycle
from enrollment.offers.arrivals import days
from enrollment.offers.deadline_pauses import extend_after_pauses
from enrollment.offers.joint_decision_rows import DecisionKind, DecisionState, JointDecision
from enrollment.offers.offer_rows import ANSWERABLE, EXPECTED, Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.review import cases
from enrollment.season.round_rows import get_round
from enrollment.season.rules import DECISION_HOURS

Offers = Mapping[uuid.UUID, uuid.UUID | None]
"""Applications of an act, each with the offer that the act ends."""


def decide(
    session: Session, kind: DecisionKind, offers: Offers, *, by: Actor, now: dt.datetime, of_consent: bool = False
) -> None:
    """Do the act, or propose it to the other guardians.  If another guardian proposed the same act, this is an agreement.

    The caller holds the locks of applications and offers.  `of_consent`: the act follows from withdrawing consent, which
    is never refused; during a hold it waits.  Refuses `on_hold` to other acts during a hold, and `decision_waits` if a
    place is to be given up while a withdrawal waits.
    """
    disputed = is_disputed(session, offers)
    if disputed and not of_consent:
        raise Refused("on_hold")
    for act_id in _waiting_acts(session, offers):
        rows = _waiting_rows(session, act_id)
        if _ended_with_its_proposer(session, rows, now=now):
            continue
        if rows[0].kind == kind:
            _agree(session, rows, by=by, now=now)
            return
        if kind == DecisionKind.DECLINE:
            raise Refused("decision_waits")
        joint_decisions.end(session, rows, DecisionState.VOID, by=by, now=now, reason="replaced")
    if joint_decisions.others_of(session, offers, by=by) or disputed:
        due = _takes_effect_at(session, offers, now)
        joint_decisions.propose(session, kind, dict(offers), due, by=by, now=now, paused=disputed)
    else:
        EFFECTS[kind](session, offers, by=by, now=now)


def waits_until(session: Session, offers: Offers, *, by: Actor, now: dt.datetime) -> dt.datetime | None:
    """When the act would take effect; None if at once, because there is no other guardian.

    During a hold no time is known (`is_disputed`).
    """
    if joint_decisions.others_of(session, offers, by=by) and not is_disputed(session, offers):
        return _takes_effect_at(session, offers, now)
    return None


def is_disputed(session: Session, application_ids: Collection[uuid.UUID]) -> bool:
    """Whether a dispute keeps one of these applications on hold."""
    held = select(Application.id).where(Application.id.in_(application_ids), Application.on_hold)
    return session.scalar(held.limit(1)) is not None


def agree(session: Session, act_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> DecisionState:
    """Another guardian agrees.  Returns how the act stands then: `VOID` if its proposer is no guardian any more.

    Refuses `decision_is_over`, and `own_decision` to the one who proposed it.
    """
    rows = _locked(session, act_id, by=by)
    if rows[0].proposed_by == by.account_id:
        raise Refused("own_decision")
    _refuse_in_dispute(session, rows)
    if not _ended_with_its_proposer(session, rows, now=now):
        _agree(session, rows, by=by, now=now)
    return _state(session, act_id)


def object_to(session: Session, act_id: uuid.UUID, *, text: str, by: Actor, now: dt.datetime) -> DecisionState:
    """Another guardian objects: the act ends without effect, and an officer settles the dispute.

    Returns `VOID` if its proposer is no guardian any more: then there is nobody to settle it with.  Refuses `decision_is_over`, and `own_decision` to the one who proposed it.
    """
    rows = _locked(session, act_id, by=by)
    if rows[0].proposed_by == by.account_id:
        raise Refused("own_decision")
    if not _ended_with_its_proposer(session, rows, now=now):
        _object(session, rows, text, by=by, now=now)
    return _state(session, act_id)


def take_back(session: Session, act_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """The proposer takes the act back.  Refuses `decision_is_over`, and `not_your_decision` to the other guardians."""
    rows = _locked(session, act_id, by=by)
    if rows[0].proposed_by != by.account_id:
        raise Refused("not_your_decision")
    joint_decisions.end(session, rows, DecisionState.TAKEN_BACK, by=by, now=now)


def stop(session: Session, application_ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime) -> None:
    """End waiting acts after the place was confirmed: the actor's own are taken back, another guardian's objected to."""
    for act_id in _waiting_acts(session, application_ids):
        rows = _waiting_rows(session, act_id)
        if rows[0].proposed_by == by.account_id:
            joint_decisions.end(session, rows, DecisionState.TAKEN_BACK, by=by, now=now)
        elif not _ended_with_its_proposer(session, rows, now=now):
            _object(session, rows, "", by=by, now=now)


def take_effect(session: Session, act_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Carry out an act whose waiting time is over.  Returns whether it took effect.  Safe to repeat."""
    if act_id not in joint_decisions.due(session, now=now):
        return False
    _lock(session, act_id)
    rows = _waiting_rows(session, act_id)
    if not rows or act_id not in joint_decisions.due(session, now=now):
        return False
    if _ended_with_its_proposer(session, rows, now=now):
        return False
    _carry_out(session, rows, DecisionState.EFFECTIVE, by=SYSTEM, now=now)
    return True


def renew_after_holds(session: Session, *, now: dt.datetime) -> int:
    """Start the acts anew that a dispute has interrupted: with their whole period and a new message to every guardian.

    An act ends without effect if its proposer does not care for the children any more.  Returns how many acts there were.
    Safe to repeat.
    """
    renewed = 0
    for act_id in joint_decisions.to_renew(session):
        _lock(session, act_id)
        rows = _waiting_rows(session, act_id)
        if rows and act_id in joint_decisions.to_renew(session):
            _renew(session, rows, now=now)
            renewed += 1
    return renewed


def _renew(session: Session, rows: Sequence[JointDecision], *, now: dt.datetime) -> None:
    if _ended_with_its_proposer(session, rows, now=now):
        return
    kind, offers = DecisionKind(rows[0].kind), {row.application_id: row.offer_id for row in rows}
    proposer = actor_of(session.get_one(Account, rows[0].proposed_by))
    for offer_id in offers.values():
        if offer_id:
            extend_after_pauses(session, now=now, offer_id=offer_id)
    joint_decisions.end(session, rows, DecisionState.VOID, by=SYSTEM, now=now, reason=joint_decisions.RENEWED)
    joint_decisions.propose(session, kind, offers, _takes_effect_at(session, offers, now), by=proposer, now=now)


def _ended_with_its_proposer(session: Session, rows: Sequence[JointDecision], *, now: dt.datetime) -> bool:
    """End an act without effect whose proposer does not care for all its children any more.  Returns whether it ended.

    Silence agrees only to the act of a guardian.
    """
    proposer = actor_of(session.get_one(Account, rows[0].proposed_by))
    children = [session.get_one(Application, row.application_id) for row in rows]
    if len(units.in_care(session, children, by=proposer)) == len(children):
        return False
    joint_decisions.end(session, rows, DecisionState.VOID, by=SYSTEM, now=now, reason="proposer_has_left")
    return True


def answer(session: Session, move: str, offers: Sequence[Offer], *, by: Actor, now: dt.datetime) -> None:
    """Make this move for each offer, and notify every guardian of it.  The caller holds the offers' locks."""
    told = [
        Notification(each.child_id, each.application_id, f"{move}:{number}", _told(session, each, now))
        for each in offers
        for number in [offer_lifecycle.make(session, each, move, by=by, now=now)]
    ]
    notify_guardians_each(session, f"answer_{move}", told, now=now, by=by)


def _told(session: Session, offer: Offer, now: dt.datetime) -> dict[str, str]:
    """When the answer was given, and until when the child of a place that was taken is expected."""
    arrival = days.arrival_of(session, offer) if offer.state in EXPECTED else None
    due = {} if arrival is None else {"arrive_by": format_time(arrival.due_at)}
    return {"at": format_time(now), **due}


def _decline(session: Session, offers: Offers, *, by: Actor, now: dt.datetime) -> None:
    declined = _offers(session, offers)
    answer(session, "decline", declined, by=by, now=now)
    _ask_for_replay(session, declined, now)


def _withdraw(session: Session, offers: Offers, *, by: Actor, now: dt.datetime) -> None:
    """Withdraw the application and give up its place; one message covers both."""
    given_up = _offers(session, offers)
    for each in given_up:
        offer_lifecycle.make(session, each, "decline", by=by, now=now, reason="withdrawn")
    holding = {each.application_id for each in given_up}
    for application_id in offers:
        application = session.get_one(Application, application_id, populate_existing=True)
        times = deadlines.of(session, application, now=now)
        if times.open is None and not given_up:
            deadlines.before_the_freeze(session, times)  # a freeze under way reads the application as it was
        submission.take_out(session, application, by=by, now=now)
        told = Notification(
            application.child_id, application.id, f"withdrawn:{application.version}",
            {
                "code": application.registration_code or "", "at": format_time(now),
                "holds_place": application_id in holding,
            },
        )  # fmt: skip
        notify_guardians_each(session, "withdrawn_finally", [told], now=now, by=by)
    _ask_for_replay(session, given_up, now)


EFFECTS: dict[DecisionKind, Callable[..., None]] = {DecisionKind.DECLINE: _decline, DecisionKind.WITHDRAW: _withdraw}
"""What each kind of act does.  The functions are called with the session and `Offers`, `by=` and `now=`."""


def _ask_for_replay(session: Session, freed: Sequence[Offer], now: dt.datetime) -> None:
    """Enqueue the replay in the same transaction, so that the job cannot run before the place is free."""
    if freed:
        jobs.enqueue(session, "replay_rounds", key=f"replay_rounds:{freed[0].id}", now=now)


def _carry_out(
    session: Session, rows: Sequence[JointDecision], state: DecisionState, *, by: Actor, now: dt.datetime
) -> None:
    kind, offers = DecisionKind(rows[0].kind), {row.application_id: row.offer_id for row in rows}
    proposer = actor_of(session.get_one(Account, rows[0].proposed_by))
    if kind == DecisionKind.WITHDRAW and _is_over(session, offers):
        joint_decisions.end(session, rows, DecisionState.VOID, by=by, now=now, reason="application_is_over")
        return
    joint_decisions.end(session, rows, state, by=by, now=now)
    EFFECTS[kind](session, offers, by=proposer, now=now)


def _is_over(session: Session, application_ids: Collection[uuid.UUID]) -> bool:
    """Whether one of the applications was refused or removed as a duplicate while its withdrawal waited."""
    found = (session.get_one(Application, each, populate_existing=True) for each in application_ids)
    return not all(lifecycle.can(each, "withdraw") for each in found)


def _agree(session: Session, rows: Sequence[JointDecision], *, by: Actor, now: dt.datetime) -> None:
    if rows[0].proposed_by == by.account_id:
        return
    joint_decisions.agree(session, rows, by=by)
    proposer = actor_of(session.get_one(Account, rows[0].proposed_by))
    others = joint_decisions.others_of(session, [row.application_id for row in rows], by=proposer)
    if others <= set(rows[0].agreed_by) and not is_disputed(session, [row.application_id for row in rows]):
        _carry_out(session, rows, DecisionState.AGREED, by=by, now=now)


def _object(session: Session, rows: Sequence[JointDecision], text: str, *, by: Actor, now: dt.datetime) -> None:
    """End the act for all its children, and open a dispute for those in the care of the objecting guardian."""
    joint_decisions.end(session, rows, DecisionState.OBJECTED, by=by, now=now)
    children = [session.get_one(Application, row.application_id) for row in rows]
    for application in units.in_care(session, children, by=by):
        cases.open_objection(session, application.id, text=text, by=by, now=now)


def _locked(session: Session, act_id: uuid.UUID, *, by: Actor) -> Sequence[JointDecision]:
    """The waiting rows of an act about a child of this guardian, locked together with their applications and offers."""
    require_oneself(by)
    rows = joint_decisions.rows_of(session, act_id)
    ids = [row.application_id for row in rows]
    involved = joint_decisions.others_of(session, ids, by=SYSTEM) if ids else set()
    if by.account_id not in involved:
        raise NotFound("decision")
    _lock(session, act_id)
    waiting = _waiting_rows(session, act_id)
    if not waiting:
        raise Refused("decision_is_over")
    return waiting


def _state(session: Session, act_id: uuid.UUID) -> DecisionState:
    return DecisionState(joint_decisions.rows_of(session, act_id)[0].state)


def _lock(session: Session, act_id: uuid.UUID) -> None:
    rows = joint_decisions.rows_of(session, act_id)
    units.lock_families(session, [row.application_id for row in rows])
    ids = [row.offer_id for row in rows if row.offer_id]
    session.execute(select(Offer.id).where(Offer.id.in_(ids)).order_by(Offer.id).with_for_update())


def _waiting_acts(session: Session, application_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    found = (joint_decisions.waiting_for(session, each) for each in application_ids)
    return sorted({row.act_id for row in found if row is not None})


def _waiting_rows(session: Session, act_id: uuid.UUID) -> list[JointDecision]:
    rows = joint_decisions.rows_of(session, act_id, lock=True)
    return [row for row in rows if row.state == DecisionState.WAITING]


def _offers(session: Session, offers: Offers) -> list[Offer]:
    """The offers of an act that can still be given up, locked."""
    ids = [offer_id for offer_id in offers.values() if offer_id]
    found = select(Offer).where(Offer.id.in_(ids), Offer.state.in_(ANSWERABLE)).order_by(Offer.id)
    return list(session.scalars(found.with_for_update().execution_options(populate_existing=True)))


def _refuse_in_dispute(session: Session, rows: Sequence[JointDecision]) -> None:
    if is_disputed(session, [row.application_id for row in rows]):
        raise Refused("on_hold")


def _takes_effect_at(session: Session, offers: Offers, now: dt.datetime) -> dt.datetime:
    """The end of the area's waiting hours, or the earliest answer deadline of the offers if that is sooner."""
    places = _offers(session, offers)
    hours = [_hours(session, each) for each in places] or [DECISION_HOURS]
    answers_due = [each.answer_by for each in places if each.answer_by > now]
    return min([now + dt.timedelta(hours=max(hours)), *answers_due])


def _hours(session: Session, offer: Offer) -> int:
    area = session.scalars(
        select(Kindergarten.area_code)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .where(Programme.id == offer.programme_id)
    ).one()
    try:
        return rules_in_round(session, get_round(session, offer.round_id), area).decision_hours
    except Refused as refused:
        if refused.code != "area_without_policy":
            raise
        return DECISION_HOURS
