"""Reports about the work of the review: what waits, how it goes on, and where registers say something else."""

import uuid
from collections.abc import Collection

from sqlalchemy import func, select

from enrollment.applications.application_rows import Application
from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.registers.answer_rows import RegisterAnswer, is_current
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import today
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.report import PLACE, Column, Kind, Place, Question, Report, Row, Width
from enrollment.reports.tables.review import OF_AN_APPLICATION
from enrollment.review import leases
from enrollment.review.queue import task_groups
from enrollment.review.queue.due_dates import review_times
from enrollment.review.queue.filters import Group
from enrollment.season.facts import Fact, Ground

N = Kind.NUMBER
IN_WORK = tuple(group for group in Group if group != Group.DONE)


def _queue(question: Question):
    """The applications of the queue with their group, of the year and the kindergartens of the question."""
    task = task_groups.group_of(review_times(question.session, now=question.now))
    return (
        select(task.label("task"), PLACE)
        .select_from(Application)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(
            *task_groups.in_queue(question.session, by=question.by, now=question.now),
            Application.year == question.year,
            question.here(),
        )
    )


def _differing(question: Question, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, ...]]:
    """The facts for which a register says something else, by application."""
    found = (
        select(RegisterAnswer.application_id, RegisterAnswer.fact)
        .join(Application, Application.id == RegisterAnswer.application_id)
        .where(Application.id.in_(application_ids), RegisterAnswer.answer == "differs", is_current())
        .order_by(RegisterAnswer.application_id, RegisterAnswer.fact)
    )
    facts: dict[uuid.UUID, tuple[str, ...]] = {}
    for application_id, fact in question.session.execute(found):
        facts[application_id] = (*facts.get(application_id, ()), fact)
    return facts


def _worklist(question: Question) -> list[Row]:
    times = review_times(question.session, now=question.now)
    open_now = (
        _queue(question)
        .join(Child, Child.id == Application.child_id)
        .outerjoin(Account, Account.id == Application.reviewer_id)
        .add_columns(
            Application.id, Application.registration_code, Child.name, Application.level, Application.submitted_at,
            Application.opened_at, Account.name.label("holder"), leases.until().label("until"),
        )
        .order_by(Application.submitted_at, Application.id)
    )  # fmt: skip
    rows = [row for row in question.session.execute(open_now) if row.task != Group.DONE]
    differing, claims = (
        _differing(question, [row.id for row in rows]),
        _claims(question, [row.id for row in rows]),
    )
    listed = [
        (
            row.registration_code, row.name, row.level, row.task, differing.get(row.id, ()), row.submitted_at,
            row.opened_at, times.due(row.submitted_at), _holder(row, question), claims.get(row.id, ()),
        )
        for row in rows
    ]  # fmt: skip
    order = list(Group)
    return sorted(listed, key=lambda row: order.index(Group(row[3])))


def _claims(question: Question, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, ...]]:
    """The grounds that each of these families claims, in the order of their codes."""
    found = select(Claim.application_id, Claim.ground).where(Claim.application_id.in_(application_ids))
    claimed: dict[uuid.UUID, set[str]] = {}
    for application_id, ground in question.session.execute(found):
        claimed.setdefault(application_id, set()).add(ground)
    return {each: tuple(ground for ground in Ground if ground in grounds) for each, grounds in claimed.items()}


def _holder(row, question: Question) -> str | None:
    return row.holder if row.until is not None and row.until > question.now else None


WORKLIST = Report(
    "worklist",
    (
        *OF_AN_APPLICATION, Column("level", Kind.CODE, "level"), Column("group", Kind.CODE, "queue_group"),
        Column("differs", Kind.CODE, "fact document"), Column("submitted_at", Kind.MOMENT),
        Column("opened_at", Kind.MOMENT), Column("due", Kind.MOMENT), Column("holder"),
        Column("claims", Kind.CODE, "ground", sensitive=True),
    ),
    _worklist,
    widest=Width.AREA,
)  # fmt: skip


def _progress(question: Question) -> list[Row]:
    """One line for each kindergarten; the minutes are the median from taking an application to settling it."""
    times = review_times(question.session, now=question.now)
    minutes = {place: int(median) for place, median in question.session.execute(_median_minutes(question))}
    counted = _queue(question).add_columns(func.count(), func.min(Application.submitted_at))
    overdue = func.count().filter(times.due_today(), Application.opened_at.is_(None))
    grouped = counted.add_columns(overdue).group_by("task", Kindergarten.id)
    found: dict[Place, dict[Group, tuple]] = {}
    for row in question.session.execute(grouped.order_by(Kindergarten.sort_key)):
        found.setdefault(row.place, {})[Group(row.task)] = tuple(row[2:])
    rows = []
    for place, groups in found.items():
        number = {group: groups[group][0] if group in groups else 0 for group in Group}
        waiting = [groups[group][1] for group in IN_WORK if group in groups]
        rows.append(
            (
                place, sum(number.values()), number[Group.NEW], sum(number[group] for group in task_groups.TO_OPEN),
                number[Group.AGREES], number[Group.RETURNED], number[Group.ANSWERED], number[Group.SECOND],
                number[Group.DONE], sum(groups[group][2] for group in IN_WORK if group in groups),
                (today(question.now) - today(min(waiting))).days if waiting else None, minutes.get(place.id),
            )
        )  # fmt: skip
    return rows


def _median_minutes(question: Question):
    before = func.lag(MoveMade.at).over(partition_by=MoveMade.application_id, order_by=MoveMade.number)
    made = (
        select(Kindergarten.id.label("kindergarten"), MoveMade.move, MoveMade.at, before.label("taken"))
        .join(Application, Application.id == MoveMade.application_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(
            Application.year == question.year, question.here(),
            MoveMade.move.in_(("take", "confirm", "send_back", "refuse")),
        )
        .subquery()
    )  # fmt: skip
    minutes = func.extract("epoch", made.c.at - made.c.taken) / 60
    return (
        select(made.c.kindergarten, func.round(func.percentile_cont(0.5).within_group(minutes)))
        .where(made.c.move != "take", made.c.at > made.c.taken)
        .group_by(made.c.kindergarten)
    )


PROGRESS = Report(
    "progress",
    (
        Column("kindergarten", Kind.PLACE),
        *(
            Column(code, N, total=True)
            for code in ("received", "not_looked_at", "to_open", "agrees", "returned", "answered", "second", "done", "overdue")
        ),
        Column("oldest_days", N), Column("median_minutes", N),
    ),
    _progress,
    parts=(("received", ("to_open", "agrees", "returned", "second", "done")),),
    line_each=True,
)  # fmt: skip


def _disagreements(question: Question) -> list[Row]:
    found = (
        select(Application.id, Application.registration_code, Child.name, RegisterAnswer, VerifiedFact, EvidencePage.document)
        .select_from(RegisterAnswer)
        .join(Application, Application.id == RegisterAnswer.application_id)
        .join(Child, Child.id == Application.child_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(
            VerifiedFact,
            (VerifiedFact.application_id == Application.id) & (VerifiedFact.fact == RegisterAnswer.fact),
        )
        .outerjoin(EvidencePage, EvidencePage.id == VerifiedFact.page_id)
        .where(
            Application.year == question.year, question.here(), RegisterAnswer.answer == "differs", is_current(),
            *task_groups.in_queue(question.session, by=question.by, now=question.now),
        )
        .order_by(Application.registration_code, RegisterAnswer.fact)
    )  # fmt: skip
    rows = question.session.execute(found).all()
    claimed = claimed_facts_of(question.session, {row.id for row in rows})
    return [
        (
            row.registration_code, row.name, answer.fact, (answer.fact, _claimed(claimed[row.id], answer.fact)),
            (answer.fact, answer.value), answer.register, answer.at, answer.disputed_at,
            verdict.source if verdict is not None and verdict.outcome == "verified" else None,
            row.document, "open" if verdict is None else verdict.outcome,
        )
        for row, answer, verdict in ((row, row.RegisterAnswer, row.VerifiedFact) for row in rows)
    ]  # fmt: skip


def _claimed(facts: dict, fact: str) -> object:
    return facts.get(Fact(fact)) if fact in set(Fact) else None


DISAGREEMENTS = Report(
    "disagreements",
    (
        *OF_AN_APPLICATION, Column("fact", Kind.CODE, "fact document"), Column("declared", Kind.FACT, names=True),
        Column("in_register", Kind.FACT, names=True), Column("register", Kind.CODE, "register"),
        Column("asked_at", Kind.MOMENT), Column("disputed_at", Kind.MOMENT),
        Column("source", Kind.CODE, "report_fact_source"), Column("paper", Kind.CODE, "document", sensitive=True),
        Column("verdict", Kind.CODE, "report_fact_verdict"),
    ),
    _disagreements,
    widest=Width.AREA,
)  # fmt: skip
