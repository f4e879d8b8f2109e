"""The review 资格审核 of one application: a clerk takes it, verifies facts, confirms it or sends it back.

The clerks of the first wish's kindergarten verify the facts once, for all wishes and areas.  Clerks of other
kindergartens have no access.  See also `refusals`, `review_queue` and `bulk_confirmation`.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, exists, false, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, register_answers
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts, rules_in_round
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import fact_values
from enrollment.season.document_kinds import PROVES, Document
from enrollment.season.facts import Fact
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

SOURCES = ("paper", "register", "roll", "staff")
LONGEST_NOTE = 500


@dataclass(frozen=True)
class Finding:
    """A clerk's finding about one fact: verified with its value, or (without a value) declined with a reason.

    A verified fact has a reason too if no page supports it although a register differs.
    """

    fact: Fact
    value: Any | None = None
    reason: str | None = None
    source: str = "paper"

    @property
    def outcome(self) -> str:
        return "declined" if self.value is None else "verified"


@dataclass(frozen=True)
class Ask:
    """One item that the family is asked to correct: a fact, a document or `other`, with a note that says what to do."""

    item: str
    note: str


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
        .with_for_update(of=Application)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("application")
    return found


def in_hand(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """The application, locked, that this clerk has taken.  Refuses `not_in_your_hands`."""
    application = locked(session, application_id, by=by)
    if application.stage != Stage.IN_REVIEW or application.reviewer_id != by.account_id:
        raise Refused("not_in_your_hands")
    return application


def take(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Application:
    """Assign the application to this clerk; only one clerk can have it.  Taking it again changes nothing.

    Refuses `taken_by_another`, `review_not_open` and `move_not_possible`.
    """
    application = locked(session, application_id, by=by)
    if application.stage == Stage.IN_REVIEW:
        if application.reviewer_id == by.account_id:
            return application
        raise Refused("taken_by_another")
    over = session.scalar(select(registration_over(now)).where(Application.id == application_id))
    if not over and not opens_early(session, application.review_kindergarten_id, now=now):
        raise Refused("review_not_open")
    _hand_over(session, application, by=by, now=now)
    return application


def _hand_over(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    if not lifecycle.can(application, "take"):
        raise Refused("move_not_possible", move="take", stage=application.stage)
    application.reviewer_id, application.taken_at = by.account_id, now
    lifecycle.make(session, application, "take", by=by, now=now)


def release(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Put the application back into the queue.  A head or an official may do this for an application of any clerk.

    Refuses `not_in_your_hands` and `refusal_is_proposed`.
    """
    application = locked(session, application_id, by=by)
    mine = application.reviewer_id == by.account_id
    if not mine and not by.is_any(Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise Refused("not_in_your_hands")
    refuse_while_refusal_is_open(session, application_id)
    lifecycle.make(session, application, "release", by=by, now=now)


def verify(
    session: Session, application_id: uuid.UUID, findings: Iterable[Finding], *, by: Actor, now: dt.datetime
) -> None:
    """Store the clerk's finding about each fact; a later finding replaces the earlier one, and the audit keeps both.

    A finding that no uploaded page supports is stored as a decision of the staff, and needs a reason if a register differs.
    Refuses `not_in_your_hands`, `declined_without_reason`, `verified_without_a_page`, `fact_value_not_understood`.
    """
    in_hand(session, application_id, by=by)
    on_paper = facts_on_paper(session, [application_id])
    answers = register_answers.answers_of(session, application_id)
    for finding in findings:
        answer = answers.get(finding.fact)
        differs = answer is not None and answer.answer == "differs"
        supported = _with_its_source(
            finding, has_page=(application_id, finding.fact) in on_paper, register_differs=differs
        )
        record_finding(session, application_id, supported, by=by, now=now)


def facts_on_paper(session: Session, ids: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, Fact]]:
    """The facts of these applications that at least one uploaded page may prove."""
    found = select(EvidencePage.application_id, EvidencePage.document).where(
        EvidencePage.application_id.in_(ids), EvidencePage.removed_at.is_(None)
    )
    pages = session.execute(found.distinct())
    return {(application_id, fact) for application_id, document in pages for fact in PROVES[Document(document)]}


def _with_its_source(finding: Finding, *, has_page: bool, register_differs: bool) -> Finding:
    if finding.source != "paper" or has_page:
        return finding
    if register_differs and finding.value is not None and not (finding.reason or "").strip():
        raise Refused("verified_without_a_page", field=finding.fact.value, fact=finding.fact.value)
    return replace(finding, source="staff")


def record_finding(
    session: Session, application_id: uuid.UUID, finding: Finding, *, by: Actor, now: dt.datetime
) -> None:
    """Store one finding.  The caller holds the application's lock, and has checked that it is in this actor's scope."""
    if finding.value is not None:
        fact_values.check(session, finding.fact, finding.value)
    elif not (finding.reason or "").strip():
        raise Refused("declined_without_reason", field=finding.fact.value, fact=finding.fact.value)
    if finding.source not in SOURCES:
        raise Refused("unknown_source", field=finding.fact.value, source=finding.source)
    found = {
        "outcome": finding.outcome,
        "value": finding.value,
        "reason": (finding.reason or "").strip()[:LONGEST_NOTE] or None,
        "source": finding.source,
        "account_id": by.account_id,
        "at": now,
    }
    note = insert(VerifiedFact).values(application_id=application_id, fact=finding.fact.value, **found)
    session.execute(note.on_conflict_do_update(index_elements=["application_id", "fact"], set_=found))
    audit.record(
        session,
        "verify",
        "application",
        application_id,
        by=by,
        now=now,
        fact=finding.fact.value,
        outcome=finding.outcome,
        source=finding.source,
    )


def facts_still_open(session: Session, application_id: uuid.UUID) -> list[Fact]:
    """The claimed facts without a finding."""
    settled = set(session.scalars(select(VerifiedFact.fact).where(VerifiedFact.application_id == application_id)))
    return [fact for fact in claimed_facts(session, application_id) if fact.value not in settled]


def confirm(
    session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime, facts: Iterable[Finding] = ()
) -> None:
    """Finish the review: every claimed fact is verified or declined.  A declined fact does not refuse the application.

    Refuses `facts_still_open` (with the number), `refusal_is_proposed`, and what `verify` refuses.
    """
    application = in_hand(session, application_id, by=by)
    refuse_while_refusal_is_open(session, application_id)
    verify(session, application_id, facts, by=by, now=now)
    still_open = facts_still_open(session, application_id)
    if still_open:
        raise Refused("facts_still_open", field=still_open[0].value, n=len(still_open))
    lifecycle.make(session, application, "confirm", by=by, now=now)
    notify_guardians(session, "review_confirmed", [application.id], now=now, by=by)


def send_back(
    session: Session, application_id: uuid.UUID, items: Iterable[Ask], *, by: Actor, now: dt.datetime
) -> None:
    """Ask the family to correct the named items.  Refuses `nothing_named` and `item_without_a_note`."""
    application = in_hand(session, application_id, by=by)
    refuse_while_refusal_is_open(session, application_id)
    asked = list(items)
    if not asked:
        raise Refused("nothing_named", field="items")
    for ask in asked:
        if not ask.note.strip():
            raise Refused("item_without_a_note", field=f"note-{ask.item}", item=ask.item)
        session.add(
            ReturnedItem(
                application_id=application_id,
                item=ask.item,
                note=ask.note.strip()[:LONGEST_NOTE],
                asked_at=now,
                asked_by=by.account_id,
            )
        )
    lifecycle.make(session, application, "send_back", by=by, now=now)
    notify_guardians(session, "review_returned", [application.id], now=now, by=by, n=len(asked))


def open_items(session: Session, application_id: uuid.UUID) -> list[ReturnedItem]:
    """The returned items that the family has not answered yet."""
    return list(
        session.scalars(
            select(ReturnedItem)
            .where(ReturnedItem.application_id == application_id, ReturnedItem.answered_at.is_(None))
            .order_by(ReturnedItem.asked_at, ReturnedItem.item)
        )
    )


def refuse_while_refusal_is_open(session: Session, application_id: uuid.UUID) -> None:
    """Refuse `refusal_is_proposed` while a proposal to refuse the application is undecided."""
    waiting = exists().where(RefusalProposal.application_id == application_id, RefusalProposal.decided_at.is_(None))
    if session.scalar(select(waiting)):
        raise Refused("refusal_is_proposed")
