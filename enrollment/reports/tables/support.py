"""Report about children with a disability whose admission an education authority decides (Art. 17), for its officials."""

from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.ground.city_time import today
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.quality import areas_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width
from enrollment.review.case_rows import Case, CaseKind


def _step(case: Case, question: Question) -> str:
    """A code of the words `report_support_step`."""
    if case.settled_at is not None:
        return "decided"
    return "late" if case.due_at < question.now else "open"


def _support_cases(question: Question) -> list[Row]:
    found = (
        select(Case, Application.registration_code, Kindergarten.name, Kindergarten.area_code)
        .join(Application, Application.id == Case.application_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(
            Case.kind == CaseKind.DISABILITY,
            Application.year == question.year,
            Kindergarten.area_code.in_(areas_of(question)),
        )
        .order_by(Case.settled_at.is_not(None), Case.due_at, Case.id)
    )
    return [
        (
            code, area, kindergarten, _step(case, question), case.opened_at, case.due_at,
            (today(case.settled_at or question.now) - today(case.opened_at)).days, case.assessed_on, case.decision,
            case.settled_at,
        )
        for case, code, kindergarten, area in question.session.execute(found)
    ]  # fmt: skip


SUPPORT_CASES = Report(
    "support_cases",
    (
        Column("code"), Column("area", Kind.AREA), Column("kindergarten"),
        Column("step", Kind.CODE, "report_support_step"), Column("asked_at", Kind.MOMENT), Column("due", Kind.MOMENT),
        Column("days", Kind.NUMBER), Column("assessed_on", Kind.DAY), Column("decision", Kind.CODE, "support_decision"),
        Column("answered_at", Kind.MOMENT),
    ),
    _support_cases,
    narrowest=Width.AREA,
    for_deciders=True,
)  # fmt: skip
