"""Report about children with a disability whose admission an education authority decides (Art. 17), for its officials."""

import uuid
from collections.abc import Collection

from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.ground.city_time import today
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.quality import areas_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width
from enrollment.review.case_rows import Case, CaseKind, CaseOutcome, SupportDecision


def _step(case: Case, question: Question) -> str:
    """A code of the words `report_support_step`."""
    if case.settled_at is not None:
        return "withdrawn" if case.outcome == CaseOutcome.WITHDRAWN else "decided"
    return "late" if case.due_at < question.now else "open"


def _support_cases(question: Question) -> list[Row]:
    found = (
        select(Case, Application.child_id, Application.registration_code, Kindergarten.name, Kindergarten.area_code)
        .join(Application, Application.id == Case.application_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(
            Case.kind == CaseKind.DISABILITY,
            Application.year == question.year,
            Kindergarten.area_code.in_(areas_of(question)),
        )
        .order_by(Case.settled_at.is_not(None), Case.due_at, Case.id)
    )
    listed = question.session.execute(found).all()
    refused = _not_admitted(question, {row.child_id for row in listed})
    return [
        (
            code, area, kindergarten, _step(case, question), case.opened_at, case.due_at,
            (today(case.settled_at or question.now) - today(case.opened_at)).days, case.assessed_on,
            "yes" if case.plan else "no", case.decision, case.settled_at,
            sum(each.id != case.id for each in refused.get(child_id, ())),
        )
        for case, child_id, code, kindergarten, area in listed
    ]  # fmt: skip


def _not_admitted(question: Question, child_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Case]]:
    """The cases of these children, of any year, that did not end with a place at the kindergarten they named."""
    found = (
        select(Application.child_id, Case)
        .join(Application, Application.id == Case.application_id)
        .where(Application.child_id.in_(child_ids), Case.kind == CaseKind.DISABILITY, Case.settled_at.is_not(None))
    )
    cases: dict[uuid.UUID, list[Case]] = {}
    for child_id, case in question.session.execute(found):
        if case.decision in (SupportDecision.ELSEWHERE, SupportDecision.NOT_ADMITTED):
            cases.setdefault(child_id, []).append(case)
    return cases


SUPPORT_CASES = Report(
    "support_cases",
    (
        Column("code"), Column("area", Kind.AREA), Column("kindergarten"),
        Column("step", Kind.CODE, "report_support_step"), Column("asked_at", Kind.MOMENT), Column("due", Kind.MOMENT),
        Column("days", Kind.NUMBER), Column("assessed_on", Kind.DAY), Column("support_plan", Kind.CODE, "report_yes_no"),
        Column("decision", Kind.CODE, "support_decision"), Column("answered_at", Kind.MOMENT),
        Column("not_admitted_before", Kind.NUMBER),
    ),
    _support_cases,
    narrowest=Width.AREA,
    for_deciders=True,
)  # fmt: skip
