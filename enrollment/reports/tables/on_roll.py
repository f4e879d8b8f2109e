"""Reports about the roll: children by class, and how the classes will move up."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from enrollment.places import promotion, roll
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.areas import CLASS_NORM
from enrollment.places.class_promotion.sheet import ExceptionKind
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import CountState, RollCount
from enrollment.places.roll_rows import on_roll_condition
from enrollment.reports.tables import statistics
from enrollment.reports.tables.places import place_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width

N = Kind.NUMBER
OF_A_CLASS = (Column("kindergarten", Kind.PLACE), Column("level", Kind.CODE, "level"), Column("class"))


def _approvals(question: Question, day: dt.date) -> dict[uuid.UUID, str]:
    """The newest approval that a count in force of a class names; found from the approvals, which are few."""
    named = (
        select(RollCount.class_id, papers.in_words())
        .select_from(ApprovalPaper)
        .join(RollClass, RollClass.kindergarten_id == ApprovalPaper.kindergarten_id)
        .join(RollCount, (RollCount.class_id == RollClass.id) & (RollCount.paper_id == ApprovalPaper.id))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.school_year == question.school_year, question.here())
        .where(RollCount.state == CountState.IN_FORCE, RollCount.day <= day)
        .order_by(RollCount.day, RollCount.number)
    )
    return {class_id: said for class_id, said in question.session.execute(named)}


def _sexes_and_ages(question: Question, day: dt.date) -> dict[uuid.UUID, Counter[str]]:
    """For each class kept by name its children by sex and age.  Each sealed number is opened, so the city has none."""
    children = (
        select(RollChild.class_id, RollChild.id_number, RollChild.school_from)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.school_year == question.school_year, question.here(), on_roll_condition(day))
    )
    found: dict[uuid.UUID, Counter[str]] = {}
    if question.width != Width.CITY:
        for class_id, number, school_from in question.session.execute(children):
            told = (statistics.sex_in(number, day), statistics.age_group(school_from, question.school_year))
            found.setdefault(class_id, Counter()).update(told)
    return found


def _classes(question: Question) -> Iterator[Row]:
    day = roll.day_within(question.school_year, question.now)
    approvals, told = _approvals(question, day), _sexes_and_ages(question, day)
    for place, line in roll.class_lists(question.session, question.here(), question.school_year, day=day):
        norm = CLASS_NORM.get(line.level)
        over = max(line.children - norm, 0) if norm else 0
        of_it = told.get(line.id, Counter())
        if line.kept_as == "count":
            of_it = Counter(sex_unknown=line.children, age_unknown=line.children)
        yield (
            place_of(place), line.level, line.name, norm, line.children, over, line.kept_as, approvals.get(line.id),
            (place.parent or place).nature, *(of_it[code] for code in SEXES_AND_AGES),
        )  # fmt: skip


SEXES, AGES = (*statistics.SEXES.values(), "sex_unknown"), (*statistics.AGES, "age_unknown")
SEXES_AND_AGES = (*SEXES, *AGES)


ON_ROLL = Report(
    "on_roll",
    (
        *OF_A_CLASS, Column("norm", N), Column("children", N, total=True), Column("over_norm", N, total=True),
        Column("kept_as", Kind.CODE, "report_kept_as"), Column("approval"), Column("nature", Kind.CODE, "nature"),
        *(Column(code, N, total=True, below_city=True) for code in SEXES_AND_AGES),
    ),
    _classes,
    parts=(("children", SEXES), ("children", AGES)),
)  # fmt: skip


def _promotion(question: Question) -> Iterator[Row]:
    """Every class that will move up in the autumn of the question's year, as the roll stands today, and the new classes of
    the year's plan."""
    plans: dict[uuid.UUID, list[Programme]] = {}
    for programme in question.session.scalars(
        select(Programme)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == question.year, question.here())
        .order_by(Programme.level)
    ):
        plans.setdefault(programme.kindergarten_id, []).append(programme)
    here = select(Kindergarten).where(question.here()).order_by(Kindergarten.sort_key)
    for kindergarten in question.session.scalars(here).all():
        sheet = promotion.outlook(question.session, kindergarten.id, question.year - 1, by=question.by)
        place = place_of(kindergarten)
        steps, exceptions = (sheet.steps, sheet.exceptions) if sheet else ([], [])
        for step in steps:
            norm, moving = CLASS_NORM.get(step.to_level or ""), step.children - step.leavers
            asked = [each.kind for each in exceptions if each.class_name in (step.roll_class.name, step.to_name)]
            yield (
                place, step.roll_class.level, step.roll_class.name, step.to_level or "graduated",
                step.to_name if step.to_level else None, step.children, moving, step.leavers - len(step.staying),
                len(step.staying), asked.count(ExceptionKind.OF_SCHOOL_AGE), len(asked), norm,
                -(-moving // norm) if norm and step.to_level else 0, max(moving - norm, 0) if norm else 0,
                max(norm - moving, 0) if norm else None, None,
            )  # fmt: skip
        for programme in plans.get(kindergarten.id, ()):
            yield (
                place,
                None,
                None,
                programme.level,
                None,
                *(6 * (0,)),
                programme.class_norm,
                programme.planned_classes,
                0,
                None,
                programme.places,
            )


PROMOTION = Report(
    "promotion",
    (
        *OF_A_CLASS, Column("to_level", Kind.CODE, "level report_to_level"), Column("to_class"),
        *(Column(code, N, total=True) for code in ("children", "moving_up", "graduating", "staying", "over_age", "exceptions")),
        Column("norm", N), Column("classes_needed", N, total=True), Column("over_norm", N, total=True), Column("class_free", N, total=True),
        Column("plan", N, total=True),
    ),
    _promotion,
    parts=(("children", ("moving_up", "graduating", "staying")),),
    widest=Width.AREA,
)  # fmt: skip
