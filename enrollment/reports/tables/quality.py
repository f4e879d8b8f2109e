"""Reports for officials: kindergartens of high quality, and readiness for the national assessment."""

from enrollment.coverage import quality, readiness
from enrollment.coverage.readiness import Measure
from enrollment.places import scope
from enrollment.places.areas import all_areas
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width

N = Kind.NUMBER


def areas_of(question: Question) -> list[str]:
    """The areas that the report is about: those that the actor may see, or one of them."""
    mine = [
        area.code
        for area in all_areas(question.session)
        if scope.may_see_all(question.by) or area.code in question.by.areas
    ]
    return mine if question.area is None else [code for code in mine if code == question.area]


def _high_quality(question: Question) -> list[Row]:
    found = quality.figures(question.session, question.day, question.year, areas=areas_of(question))
    return [(row.name, row.area, row.nature, row.grades, row.since, row.children, row.places) for row in found.rows]


HIGH_QUALITY = Report(
    "high_quality",
    (
        Column("kindergarten"), Column("area", Kind.AREA), Column("nature", Kind.CODE, "nature"),
        Column("grades", Kind.GRADES), Column("since", Kind.DAY), Column("children", N, total=True),
        Column("places", N, total=True),
    ),
    _high_quality,
    narrowest=Width.AREA,
)  # fmt: skip


def verdict(measure: Measure) -> str:
    """A code of the words `readiness_verdict`."""
    return {True: "met", False: "not_met", None: "open"}[measure.met]


def _readiness(question: Question) -> list[Row]:
    mine = set(areas_of(question))
    return [
        (
            area.code, measure.indicator, measure.text, measure.indicator, verdict(measure), measure.part, measure.whole,
            measure.short if measure.whole else None, measure.as_of,
            tuple((each.lack, {"n": each.n}) for each in measure.missing),
        )
        for area in readiness.of_areas(question.session, question.day, question.year)
        if area.code in mine
        for measure in area.measures
    ]  # fmt: skip


READINESS = Report(
    "readiness",
    (
        Column("area", Kind.AREA), Column("indicator", Kind.CODE, "readiness_indicator"), Column("value"),
        Column("standard", Kind.CODE, "readiness_standard"), Column("verdict", Kind.CODE, "readiness_verdict"),
        Column("part", N), Column("whole", N), Column("short", N), Column("as_of", Kind.DAY),
        Column("lacks", Kind.REMARKS, "readiness_lack"),
    ),
    _readiness,
    narrowest=Width.AREA,
)  # fmt: skip


def _kindergartens(question: Question) -> list[Row]:
    return [
        (
            row.name, row.area, row.nature, row.children, row.classes, row.within, row.roll_of, row.teachers, row.carers,
            row.staff_of,
        )
        for area in areas_of(question)
        for row in readiness.kindergartens(question.session, question.day, area)
    ]  # fmt: skip


READINESS_ROWS = Report(
    "readiness_rows",
    (
        Column("kindergarten"), Column("area", Kind.AREA), Column("nature", Kind.CODE, "nature"),
        Column("children", N, total=True), Column("classes", N, total=True), Column("within_norm", N, total=True),
        Column("roll_of", Kind.DAY), Column("teachers", N, total=True), Column("carers", N, total=True),
        Column("staff_of", Kind.DAY),
    ),
    _kindergartens,
    narrowest=Width.AREA,
)  # fmt: skip
