"""Joint decisions: an irrevocable act of one guardian waits until the others agree or object, or a stated time passes.

This module reads and writes the rows and finds the other guardians.  `irrevocable_acts` decides when to propose, end and
carry out the acts; a new kind of act needs a member of `DecisionKind` and a function there.  While an act waits, the
offer stays live and its place is not free.

Locks: applications, then offers, then these rows (`applications/units.py`).
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.ground.city_time import format_time
from enrollment.offers.joint_decision_rows import WAITING_DECISIONS, DecisionKind, DecisionState, JointDecision
from enrollment.offers.offer_rows import ANSWERABLE, EXPECTED, LIVE, Offer
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.review.case_rows import Case

REMIND_BEFORE = dt.timedelta(hours=6)
"""How long before silence lets an act take effect the guardians are reminded."""

RENEWED = "hold_ended"
"""The reason of an act that ended because its whole period starts anew, as another act, after a dispute."""


def others_of(session: Session, application_ids: Collection[uuid.UUID], *, by: Actor) -> set[uuid.UUID]:
    """The active accounts of all guardians of these applications' children, without the actor's."""
    found = (
        select(Guardian.account_id)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .join(Application, Application.child_id == Guardianship.child_id)
        .join(Account, Account.id == Guardian.account_id)
        .where(
            Application.id.in_(application_ids),
            Guardianship.accepted_at.is_not(None),
            Account.disabled_at.is_(None),
            Guardian.account_id != by.account_id,
        )
    )
    return set(session.scalars(found))


def waiting_for(session: Session, application_id: uuid.UUID) -> JointDecision | None:
    """The waiting decision about this application, or None."""
    known = WAITING_DECISIONS.ahead(session, application_id)
    if known is not None:
        return known[0] if known else None
    found = select(JointDecision).where(
        JointDecision.application_id == application_id, JointDecision.state == DecisionState.WAITING
    )
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def state_seen(session: Session, offer: Offer) -> str:
    """What an answer depends on: the offer, its state, and the decision that waits.  A page sends back what it has shown."""
    waiting = waiting_for(session, offer.application_id)
    return f"{offer.id}:{offer.state}:{waiting.act_id if waiting else ''}"


def rows_of(session: Session, act_id: uuid.UUID, *, lock: bool = False) -> Sequence[JointDecision]:
    """The rows of an act, ordered by application; with `lock` locked until the end of the transaction."""
    found = select(JointDecision).where(JointDecision.act_id == act_id).order_by(JointDecision.application_id)
    found = found.execution_options(populate_existing=True)
    return session.scalars(found.with_for_update() if lock else found).all()


def offer_waits():
    """SQL condition: a waiting decision will end the enclosing query's offer, at the latest when its answer is due.

    A decision that was proposed after the answer was due does not prevent the expiry.
    """
    waiting = select(JointDecision.id).where(
        JointDecision.offer_id == Offer.id,
        JointDecision.state == DecisionState.WAITING,
        JointDecision.takes_effect_at <= Offer.answer_by,
    )
    return waiting.exists()


def due(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """The ids of the acts whose waiting time is over.

    An act that a dispute about one of the children has interrupted is not due, also after the dispute: its period starts
    anew (`to_renew`).
    """
    found = select(JointDecision.act_id).where(
        JointDecision.state == DecisionState.WAITING,
        JointDecision.takes_effect_at <= now,
        JointDecision.act_id.not_in(_disputed()),
        JointDecision.act_id.not_in(_interrupted()),
    )
    return list(session.scalars(found.distinct().order_by(JointDecision.act_id)))


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Remind the guardians, once, of acts that silence lets take effect soon.  Returns how many acts there are now.

    A short act is not reminded of: its first message has just come.
    """
    soon = select(JointDecision.act_id).where(
        JointDecision.state == DecisionState.WAITING,
        JointDecision.takes_effect_at > now,
        JointDecision.takes_effect_at <= now + REMIND_BEFORE,
        JointDecision.takes_effect_at - JointDecision.proposed_at > 2 * REMIND_BEFORE,
        JointDecision.act_id.not_in(_disputed()),
        JointDecision.act_id.not_in(_interrupted()),
    )
    found = session.scalars(soon.distinct().order_by(JointDecision.act_id)).all()
    for act_id in found:
        rows = rows_of(session, act_id)
        proposer = actor_of(session.get_one(Account, rows[0].proposed_by))
        due = format_time(rows[0].takes_effect_at)
        _tell(session, f"{rows[0].kind}_reminder", rows, by=proposer, now=now, due=due)
    return len(found)


def to_renew(session: Session) -> list[uuid.UUID]:
    """The ids of the waiting acts that a dispute has interrupted and that no dispute pauses any more."""
    found = select(JointDecision.act_id).where(
        JointDecision.act_id.in_(_interrupted()), JointDecision.act_id.not_in(_disputed())
    )
    return list(session.scalars(found.distinct().order_by(JointDecision.act_id)))


def place_is_confirmed(session: Session, row: JointDecision) -> bool:
    """Whether the place that the act would give up was confirmed before the act was proposed, and is still."""
    offer = session.get(Offer, row.offer_id) if row.offer_id else None
    return offer is not None and offer.state in EXPECTED


def is_paused(session: Session, act_id: uuid.UUID) -> bool:
    """Whether the time of a waiting act does not count: a dispute pauses it, or has interrupted it."""
    paused = select(JointDecision.id).where(
        JointDecision.act_id == act_id,
        or_(JointDecision.act_id.in_(_disputed()), JointDecision.act_id.in_(_interrupted())),
    )
    return session.scalar(paused.limit(1)) is not None


def history(session: Session, application_id: uuid.UUID) -> Sequence[JointDecision]:
    """All decisions about this application, the newest first."""
    found = select(JointDecision).where(JointDecision.application_id == application_id)
    return session.scalars(found.order_by(JointDecision.proposed_at.desc(), JointDecision.id)).all()


def _disputed() -> Select[uuid.UUID]:
    """The waiting acts about an application that is on hold."""
    waiting = JointDecision.state == DecisionState.WAITING
    return select(JointDecision.act_id).join(Application).where(Application.on_hold, waiting)


def _interrupted() -> Select[uuid.UUID]:
    """The waiting acts that were proposed before or during a hold that has ended."""
    waiting = JointDecision.state == DecisionState.WAITING
    held = select(JointDecision.act_id).join(Case, Case.application_id == JointDecision.application_id)
    return held.where(waiting, Case.hold_ended_at > JointDecision.proposed_at)


def propose(
    session: Session,
    kind: DecisionKind,
    offers: dict[uuid.UUID, uuid.UUID | None],
    takes_effect_at: dt.datetime,
    *,
    by: Actor,
    now: dt.datetime,
    paused: bool = False,
) -> uuid.UUID:
    """Store an act for these applications, each with the offer that it ends, and notify all guardians.

    The message about an act that a dispute pauses names no time.  The caller holds the locks and has ended decisions that
    waited before.  Returns the act's id.
    """
    act_id = uuid.uuid4()
    for application_id, offer_id in offers.items():
        session.add(
            JointDecision(
                act_id=act_id, kind=kind, application_id=application_id, offer_id=offer_id, agreed_by=[],
                proposed_by=by.account_id, proposed_at=now, takes_effect_at=takes_effect_at,
            )
        )  # fmt: skip
        audit.record(session, f"propose_{kind}", "application", application_id, by=by, now=now, joint=str(act_id))
    session.flush()
    # A new version of the row, without a change: a confirmation in one statement that waits for the lock sees it
    # (`statements/confirmation.py`), and the service then treats it as an objection.
    written = update(Application).where(Application.id.in_(offers)).values(version=Application.version)
    session.execute(written, execution_options={"synchronize_session": False})
    args = {"act": str(act_id)}
    jobs.enqueue(session, "joint_decisions_due", args, key=f"joint:{act_id}", now=now, due=takes_effect_at)
    if paused:
        _tell(session, f"{kind}_proposed_in_dispute", rows_of(session, act_id), by=by, now=now)
    else:
        _tell(session, f"{kind}_proposed", rows_of(session, act_id), by=by, now=now, due=format_time(takes_effect_at))
    return act_id


def end(
    session: Session,
    rows: Sequence[JointDecision],
    state: DecisionState,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str | None = None,
) -> None:
    """End the rows of an act.  All guardians are notified if it had no effect; otherwise the effect notifies them.

    An act that starts anew (`RENEWED`) has one message, the one of its successor.
    """
    ids = [row.id for row in rows]
    ended = update(JointDecision).where(JointDecision.id.in_(ids))
    session.execute(ended.values(state=state, ended_at=now, ended_by=by.account_id, reason=reason))
    for row in rows:
        details = {"joint": str(row.act_id), "state": state}
        audit.record(
            session, f"end_{row.kind}", "application", row.application_id, by=by, now=now, reason=reason, **details
        )
        session.expire(row)
    without_effect = state in (DecisionState.OBJECTED, DecisionState.TAKEN_BACK, DecisionState.VOID)
    if without_effect and reason != RENEWED:
        _tell(session, f"decision_{state}", rows, by=by, now=now)


def void_overtaken(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """Make decisions void whose offer can no longer be given up, or whose application got an offer meanwhile."""
    lives = select(Offer.id).where(Offer.application_id == JointDecision.application_id, Offer.state.in_(LIVE))
    gone = select(Offer.id).where(Offer.id == JointDecision.offer_id, Offer.state.not_in(ANSWERABLE))
    found = select(JointDecision.act_id).where(
        JointDecision.state == DecisionState.WAITING,
        or_(gone.exists(), and_(JointDecision.offer_id.is_(None), lives.exists())),
    )
    for act_id in session.scalars(found.distinct().order_by(JointDecision.act_id)).all():
        rows = [row for row in rows_of(session, act_id, lock=True) if row.state == DecisionState.WAITING]
        end(session, rows, DecisionState.VOID, by=by, now=now, reason="place_changed")


def agree(session: Session, rows: Sequence[JointDecision], *, by: Actor) -> None:
    """Record that this guardian agrees; the caller checks whether all have agreed."""
    ids = [row.id for row in rows if by.account_id not in row.agreed_by]
    added = func.array_append(JointDecision.agreed_by, by.account_id)
    session.execute(update(JointDecision).where(JointDecision.id.in_(ids)).values(agreed_by=added))
    for row in rows:
        session.expire(row)


def _tell(
    session: Session, kind: str, rows: Sequence[JointDecision], *, by: Actor, now: dt.datetime, **params: str
) -> None:
    ids = [row.application_id for row in rows]
    found = session.execute(select(Application.id, Application.child_id).where(Application.id.in_(ids)))
    children = {row.id: row.child_id for row in found}
    told = [
        Notification(
            children[row.application_id],
            row.application_id,
            f"{kind}:{row.act_id}",
            params | {"holds_place": row.offer_id is not None},
        )
        for row in rows
    ]
    notify_guardians_each(session, kind, told, now=now, by=by)
