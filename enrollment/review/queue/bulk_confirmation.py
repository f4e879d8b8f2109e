"""Bulk confirmation of the applications for which the registers match every claimed fact.

The applications are drawn as a fixed selection with a random sample.  The sample is opened first; a fault there takes the
application out for good, as a clerk then reads it, and enlarges the sample.  The act then looks at each application once more: one that was changed, taken or
contradicted meanwhile stays for a clerk and is named, and all others are confirmed.
"""

import datetime as dt
import secrets
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, RegisterState, Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.registers.comparison import matched, note_states
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.errors import NotFound, Refused
from enrollment.people.person_rows import Child
from enrollment.review import findings, leases, notes
from enrollment.review.findings import Found
from enrollment.review.queue.bulk_rows import BulkItem, BulkOutcome, BulkSelection
from enrollment.review.queue.task_groups import fault_in_sample, in_queue, waits_for_second
from enrollment.review.scope import within

WAITING = (Stage.SUBMITTED, Stage.IN_REVIEW)
"""The stages in which an application waits for a clerk: with one, if nobody has it or the time of who has it is over."""

MOST_AT_ONCE = 500
SAMPLE_PERCENT, SMALLEST_SAMPLE, MORE_AFTER_A_FAULT = 5, 3, 3


@dataclass(frozen=True)
class SelectedLine:
    """One application of a selection as a page shows it."""

    application_id: uuid.UUID
    registration_code: str | None
    child_name: str
    year: int
    level: str
    sampled: bool
    opened_at: dt.datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Selection:
    """A selection with its lines, those of the sample first."""

    row: BulkSelection
    lines: list[SelectedLine]

    @property
    def sample(self) -> list[SelectedLine]:
        return [line for line in self.lines if line.sampled]

    @property
    def still_to_open(self) -> int:
        return sum(line.opened_at is None for line in self.sample)

    @property
    def counts(self) -> Counter[str]:
        return Counter(line.outcome for line in self.lines if line.outcome is not None)


def sample_size(number: int) -> int:
    """How many of `number` applications have to be opened first."""
    return min(max(SMALLEST_SAMPLE, -(-number * SAMPLE_PERCENT // 100)), number)


def draw(session: Session, *, by: Actor, now: dt.datetime) -> BulkSelection:
    """Draw the next applications on which all registers agree, at most `MOST_AT_ONCE`, the oldest first.

    An open selection of this person stays: another would put a smaller sample in the place of an enlarged one.  Refuses `nothing_agrees`.
    """
    begun = open_selection(session, by=by)
    if begun is not None:
        return begun
    agree = (
        *in_queue(session, by=by, now=now),
        Application.register_state == RegisterState.AGREES,
        Application.returned_at.is_(None),
        ~Application.on_hold,
        ~waits_for_second(),
        ~fault_in_sample(),
        leases.is_free(by, now),
    )
    first = select(Application.id, Application.version).where(*agree)
    found = session.execute(first.order_by(Application.submitted_at, Application.id).limit(MOST_AT_ONCE)).all()
    ids = [row.id for row in found]
    ready = set(session.scalars(select(Application.id).where(Application.id.in_(ids), matched())))
    note_states(session, [each for each in ids if each not in ready])
    rows = [row for row in found if row.id in ready]
    if not rows:
        raise Refused("nothing_agrees")
    selection = BulkSelection(account_id=by.account_id, drawn_at=now)
    session.add(selection)
    session.flush()
    sample = set(secrets.SystemRandom().sample([row.id for row in rows], sample_size(len(rows))))
    items = [
        {"selection_id": selection.id, "application_id": row.id, "version": row.version, "sampled": row.id in sample}
        for row in rows
    ]
    write_rows(session, insert(BulkItem), items)
    audit.record(
        session, "draw_selection", "bulk_selection", selection.id, by=by, now=now, number=len(rows), sample=len(sample)
    )
    return selection


def open_selection(session: Session, *, by: Actor) -> BulkSelection | None:
    """The newest selection of this person that is not confirmed yet."""
    mine = select(BulkSelection).where(BulkSelection.account_id == by.account_id, BulkSelection.confirmed_at.is_(None))
    return session.scalars(mine.order_by(BulkSelection.drawn_at.desc()).limit(1)).first()


def find(session: Session, selection_id: uuid.UUID, *, by: Actor) -> Selection:
    """A selection of this person with its lines.  NotFound for anybody else's."""
    row = session.get(BulkSelection, selection_id)
    if row is None or row.account_id != by.account_id:
        raise NotFound("bulk_selection")
    lines = session.execute(
        select(
            Application.id,
            Application.registration_code,
            Child.name,
            Application.year,
            Application.level,
            BulkItem.sampled,
            BulkItem.opened_at,
            BulkItem.outcome,
        )
        .join(BulkItem, BulkItem.application_id == Application.id)
        .join(Child, Child.id == Application.child_id)
        .where(BulkItem.selection_id == selection_id)
        .order_by(BulkItem.sampled.desc(), Application.submitted_at, Application.id)
    )
    return Selection(row, [SelectedLine(*line) for line in lines])


def open_sample(
    session: Session, selection_id: uuid.UUID, application_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> None:
    """Note that this person opens an application of the sample."""
    item = _item(session, selection_id, application_id, by=by)
    item.opened_at = item.opened_at or now
    session.flush()


def report_fault(
    session: Session, selection_id: uuid.UUID, application_id: uuid.UUID, *, text: str, by: Actor, now: dt.datetime
) -> None:
    """The sample shows a fault: a clerk reads the application, with `text` as a note, and three more have to be opened.

    Refuses `note_missing`.
    """
    item = _item(session, selection_id, application_id, by=by)
    if item.outcome is not None:
        return
    notes.add(session, application_id, text, by=by, now=now)
    item.opened_at, item.outcome = item.opened_at or now, BulkOutcome.FAULT
    others = select(BulkItem.application_id).where(
        BulkItem.selection_id == selection_id, ~BulkItem.sampled, BulkItem.outcome.is_(None)
    )
    unseen = list(session.scalars(others.order_by(BulkItem.application_id)))
    more = secrets.SystemRandom().sample(unseen, min(MORE_AFTER_A_FAULT, len(unseen)))
    session.execute(
        update(BulkItem)
        .where(BulkItem.selection_id == selection_id, BulkItem.application_id.in_(more))
        .values(sampled=True)
    )
    session.flush()
    audit.record(session, "sample_fault", "application", application_id, by=by, now=now)


def confirm(session: Session, selection_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Counter[str]:
    """Confirm the applications of a selection that are as they were listed.  Returns the outcomes; each item keeps its own.

    Each fact is stored as verified with the claimed value and its register as the source.  Repeating the act changes
    nothing.  Refuses `sample_not_opened` with the number.
    """
    row = session.get(BulkSelection, selection_id, with_for_update=True, populate_existing=True)
    if row is None or row.account_id != by.account_id:
        raise NotFound("bulk_selection")
    items = list(session.scalars(select(BulkItem).where(BulkItem.selection_id == selection_id)))
    if row.confirmed_at is None:
        unopened = sum(item.sampled and item.opened_at is None for item in items)
        if unopened:
            raise Refused("sample_not_opened", n=unopened)
        _confirm(session, [item for item in items if item.outcome is None], by=by, now=now)
        row.confirmed_at = now
        session.flush()
    return Counter(item.outcome for item in items if item.outcome is not None)


def _confirm(session: Session, items: list[BulkItem], *, by: Actor, now: dt.datetime) -> None:
    """What a colleague has had for too long goes on as if the colleague had given it back."""
    version = {item.application_id: item.version for item in items}
    mine = select(Application.id).where(Application.id.in_(version), within(by), leases.is_free(by, now))
    locked = list(
        session.scalars(mine.order_by(Application.id).with_for_update(of=Application, key_share=True, skip_locked=True))
    )
    ready = set(session.scalars(select(Application.id).where(Application.id.in_(locked), matched())))
    now_at = select(
        Application.id,
        Application.version,
        Application.stage,
        within(by),
        fault_in_sample().label("fault"),
        waits_for_second().label("waits"),
    ).where(Application.id.in_(version))
    current = {row.id: row for row in session.execute(now_at)}
    for item in items:
        row = current.get(item.application_id)
        if row is None or not row[3]:
            item.outcome = BulkOutcome.ELSEWHERE
        elif row.stage in WAITING and item.application_id not in locked:
            item.outcome = BulkOutcome.TAKEN
        elif row.stage not in WAITING or row.version != item.version:
            item.outcome = BulkOutcome.CHANGED
        elif row.waits:  # a colleague proposed a refusal, or a finding that a second person looks at
            item.outcome = BulkOutcome.TAKEN
        elif row.fault:  # in the selection of a colleague
            item.outcome = BulkOutcome.FAULT
        else:
            fits = item.application_id in ready
            item.outcome = BulkOutcome.CONFIRMED if fits else BulkOutcome.DISAGREES
    session.flush()
    ids = [item.application_id for item in items if item.outcome == BulkOutcome.CONFIRMED]
    if ids:
        for lapsed in [each for each in ids if current[each].stage == Stage.IN_REVIEW]:
            application = session.get_one(Application, lapsed, populate_existing=True)
            lifecycle.make(session, application, "release", by=by, now=now, reason=leases.IDLE)
        note_matches(session, ids, by=by, now=now)
        lifecycle.make_many(session, ids, "take", by=by, now=now, reviewer_id=by.account_id, taken_at=now)
        lifecycle.make_many(session, ids, "confirm", by=by, now=now)
        notify_guardians(session, "review_confirmed", ids, now=now, by=by)


def _item(session: Session, selection_id: uuid.UUID, application_id: uuid.UUID, *, by: Actor) -> BulkItem:
    """An item of the sample of this person's open selection, locked."""
    selection = session.get(BulkSelection, selection_id)
    item = session.get(BulkItem, (selection_id, application_id), with_for_update=True, populate_existing=True)
    if selection is None or selection.account_id != by.account_id or item is None or not item.sampled:
        raise NotFound("bulk_item")
    if selection.confirmed_at is not None:
        raise Refused("decided_already")
    return item


def note_matches(session: Session, ids: Collection[uuid.UUID], *, by: Actor, now: dt.datetime) -> None:
    """Verify each claimed fact that a register matches, except facts that already have a clerk's finding."""
    answers = select(RegisterAnswer.application_id, RegisterAnswer.fact, RegisterAnswer.register).where(
        RegisterAnswer.application_id.in_(ids), RegisterAnswer.answer == "matches"
    )
    register = {(row.application_id, row.fact): row.register for row in session.execute(answers)}
    settled = select(VerifiedFact.application_id, VerifiedFact.fact).where(VerifiedFact.application_id.in_(ids))
    known = {(row.application_id, row.fact) for row in session.execute(settled)}
    found = (
        Found(application_id, fact.value, value, source="roll" if of_fact == "roll" else "register")
        for application_id, facts in claimed_facts_of(session, ids).items()
        for fact, value in facts.items()
        if (of_fact := register.get((application_id, fact.value))) is not None
        and (application_id, fact.value) not in known
    )
    findings.store_many(session, found, by=by, now=now)
    audit.record_many(session, "verify", "application", {one: {"by": "registers"} for one in ids}, by=by, now=now)
