"""Reports about kindergartens: one line for each, and the places that are still free."""

from collections.abc import Iterable

from sqlalchemy import func, select

from enrollment.ground.city_time import today
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.reports.tables.places import OF_A_PROGRAMME, place_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row
from enrollment.results import free_places
from enrollment.season import holidays

N = Kind.NUMBER
MOST_WORKING_DAYS = 5
"""A place that is free for longer while children wait for it is a matter of the area."""


def _units(question: Question) -> Iterable[Row]:
    planned = (
        select(func.sum(Programme.places))
        .where(
            Programme.kindergarten_id == Kindergarten.id,
            Programme.year == question.year,
            Programme.state == ProgrammeState.APPROVED,
        )
        .scalar_subquery()
    )
    found = select(Kindergarten, planned).where(question.here()).order_by(Kindergarten.sort_key, Kindergarten.id)
    for each, places in question.session.execute(found):
        yield (
            place_of(each), each.code, each.area_code, each.nature, each.run_by, "yes" if each.attached else "no",
            each.licensed_classes, places, each.fee, each.phone, each.address, each.closed_on,
        )  # fmt: skip


UNITS = Report(
    "units",
    (
        Column("kindergarten", Kind.PLACE), Column("school_code"), Column("area", Kind.AREA),
        Column("nature", Kind.CODE, "nature"), Column("run_by"), Column("attached", Kind.CODE, "report_yes_no"),
        Column("licensed", N, total=True), Column("places", N, total=True), Column("fee", N), Column("phone"),
        Column("address"), Column("closed_on", Kind.DAY),
    ),
    _units,
    line_each=True,
)  # fmt: skip


def _vacancies(question: Question) -> list[Row]:
    working = holidays.of_year(question.session, question.year)
    found = free_places.query(question.year).where(question.here())
    return [
        (
            place_of(kindergarten), level, n, at, (question.day - today(at)).days if at else None, waits, last,
            "yes" if at and waits and working.working_day_after(today(at), MOST_WORKING_DAYS) < question.day else "no",
        )
        for kindergarten, level, n, at, waits, last in question.session.execute(found)
    ]  # fmt: skip


VACANCIES = Report(
    "vacancies",
    (
        *OF_A_PROGRAMME, Column("free", N, total=True), Column("free_since", Kind.MOMENT), Column("days", N),
        Column("waiting", N, total=True), Column("last_called", Kind.MOMENT),
        Column("too_long", Kind.CODE, "report_yes_no"),
    ),
    _vacancies,
)  # fmt: skip
