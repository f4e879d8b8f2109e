"""Readiness for the national assessment of pre-school education in counties 县域学前教育普及普惠督导评估.

Five of its indicators can be computed from the data of this portal.  Each is compared in whole children, classes or
teachers, never with a rounded figure.  A verdict is open (`met` is None) where missing data could change it.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Integer, Subquery, case, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.coverage import counts, newest_rolls, shares
from enrollment.coverage.counts import PARENT
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import CoverageLine
from enrollment.ground.classifications import Level
from enrollment.places.areas import CLASS_NORM
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.population.rows import AreaBirths
from enrollment.places.roll import RollClass, school_year_of
from enrollment.places.staffing import counts as staff_counts

SOURCE = "教督〔2020〕1号"
"""县域学前教育普及普惠督导评估办法 of the Ministry of Education, 18 February 2020."""

COUNT_IS_OLD_AFTER = dt.timedelta(days=365)


class Indicator(StrEnum):
    """The indicators, in the order of every table."""

    ENROLMENT = "enrolment"
    INCLUSIVE = "inclusive"
    PUBLIC = "public"
    CLASS_SIZE = "class_size"
    TEACHERS = "teachers"


PERCENT = {Indicator.ENROLMENT: 85, Indicator.INCLUSIVE: 80, Indicator.PUBLIC: 50, Indicator.CLASS_SIZE: 85}
"""The least percentage of each share."""

CHILDREN_OF_A_TEACHER = 15
AGES = (3, 4, 5)


class Lack(StrEnum):
    """What is missing for a figure: births of cohorts, rolls of kindergartens, their staff counts, or newer ones."""

    BIRTHS = "births"
    ROLL = "roll"
    STAFF = "staff"
    OLD_STAFF = "old_staff"


@dataclass(frozen=True)
class Missing:
    """`n` cohorts or kindergartens that lack something."""

    lack: Lack
    n: int


@dataclass(frozen=True)
class Measure:
    """One indicator of an area: `part` of `whole`, as of a day, and what is missing."""

    indicator: Indicator
    part: int
    whole: int
    as_of: dt.date | None
    missing: tuple[Missing, ...] = ()

    @property
    def reaches(self) -> bool:
        if self.indicator == Indicator.TEACHERS:
            return CHILDREN_OF_A_TEACHER * self.part >= self.whole
        return 100 * self.part >= PERCENT[self.indicator] * self.whole

    @property
    def above_all(self) -> bool:
        """Whether more children are in kindergarten than were born here: only gross enrolment can be above 100 %, where
        children moved in after their birth or come from another area."""
        return self.indicator == Indicator.ENROLMENT and 0 < self.whole < self.part

    @property
    def met(self) -> bool | None:
        """None without data, and where what is missing could turn the verdict.

        Births that are missing enlarge the whole, so nothing is said.  Rolls and staff counts that are missing could only
        add teachers or enrolled children; of the shares they could change everything, as of class sizes.
        """
        lacks = {each.lack for each in self.missing} - {Lack.OLD_STAFF}
        if not self.whole or Lack.BIRTHS in lacks:
            return None
        if not lacks:
            return self.reaches
        only_grows = self.indicator == Indicator.ENROLMENT or (
            self.indicator == Indicator.TEACHERS and Lack.ROLL not in lacks
        )
        return True if only_grows and self.reaches else None

    @property
    def short(self) -> int:
        """Children, classes or teachers that `part` lacks for the standard."""
        if self.indicator == Indicator.TEACHERS:
            return max(-(-self.whole // CHILDREN_OF_A_TEACHER) - self.part, 0)
        return max(-(-PERCENT[self.indicator] * self.whole // 100) - self.part, 0)

    @property
    def text(self) -> str:
        """As printed: `85.21%`, `1 : 14.2`; a dash without data.  Never rounded across the standard."""
        if not self.whole or (self.indicator == Indicator.TEACHERS and not self.part):
            return "—"
        if self.indicator == Indicator.TEACHERS:
            tenths = -(-10 * self.whole // self.part)
            return f"1 : {tenths // 10}.{tenths % 10}"
        hundredths = 10_000 * self.part // self.whole
        return f"{hundredths // 100}.{hundredths % 100:02d}%"


@dataclass(frozen=True)
class AreaReadiness:
    code: str
    measures: tuple[Measure, ...]

    @property
    def met(self) -> int:
        """How many indicators are met."""
        return sum(measure.met is True for measure in self.measures)


@dataclass(frozen=True)
class KindergartenReadiness:
    """What a kindergarten contributes: its children and classes without nursery classes, classes within the norm, staff."""

    id: uuid.UUID
    code: str
    name: str
    area: str
    nature: str
    attached: bool
    children: int
    classes: int
    within: int
    roll_of: dt.date | None
    teachers: int | None
    carers: int | None
    staff_of: dt.date | None


def cohorts(on: dt.date) -> tuple[int, ...]:
    """The school years of birth of the children who are three to five in the school year of a day."""
    return tuple(school_year_of(on) - 1 - age for age in AGES)


def of_areas(session: Session, on: dt.date, year: int) -> list[AreaReadiness]:
    """The five indicators of every area, in the areas' order."""
    figures = shares.city_shares(session, Definition(on), year=year)
    births, sums = _births(session, on), _sums(session, on)
    return [_of_area(line, on, births.get(line.code, {}), sums.get(line.code)) for line in figures.areas]


def kindergartens(session: Session, on: dt.date, area: str) -> list[KindergartenReadiness]:
    """The open kindergartens of an area, in the order of their names."""
    each = _by_kindergarten(on, area)
    found = select(*(column for column in each.c if column.name != "sort_key")).order_by(each.c.sort_key)
    return [KindergartenReadiness(*row) for row in session.execute(found)]


@dataclass(frozen=True)
class _Sums:
    """What the kindergartens of an area say together."""

    classes: int
    within: int
    teachers: int
    roll_of: dt.date | None
    staff_of: dt.date | None
    without_roll: int
    without_staff: int
    with_old_staff: int


def _of_area(
    line: CoverageLine, on: dt.date, births: Mapping[int, tuple[int, dt.date]], sums: _Sums | None
) -> AreaReadiness:
    now = line.now
    sums = sums or _Sums(0, 0, 0, None, None, 0, 0, 0)
    unborn = len(cohorts(on)) - len(births)
    no_births = (Missing(Lack.BIRTHS, unborn),) if unborn else ()
    no_roll = (Missing(Lack.ROLL, sums.without_roll),) if sums.without_roll else ()
    no_staff = (Missing(Lack.STAFF, sums.without_staff),) if sums.without_staff else ()
    old_staff = (Missing(Lack.OLD_STAFF, sums.with_old_staff),) if sums.with_old_staff else ()
    population = sum(children for children, _vintage in births.values()) if not unborn else 0
    return AreaReadiness(
        line.code,
        (
            Measure(Indicator.ENROLMENT, now.all, population, sums.roll_of, (*no_births, *no_roll)),
            Measure(Indicator.INCLUSIVE, now.public + now.inclusive, now.all, sums.roll_of, no_roll),
            Measure(Indicator.PUBLIC, now.public, now.all, sums.roll_of, no_roll),
            Measure(Indicator.CLASS_SIZE, sums.within, sums.classes, sums.roll_of, no_roll),
            Measure(Indicator.TEACHERS, sums.teachers, now.all, sums.staff_of, (*no_roll, *no_staff, *old_staff)),
        ),
    )


def _births(session: Session, on: dt.date) -> dict[str, dict[int, tuple[int, dt.date]]]:
    """The newest number of each cohort by area, with the day of the register."""
    newest = (
        select(AreaBirths)
        .where(
            AreaBirths.school_year.in_(cohorts(on)),
            AreaBirths.vintage <= on,
            # a year that had not ended on the day of the register is not a year of births
            AreaBirths.vintage >= func.make_date(AreaBirths.school_year + 1, 9, 1),
        )
        .ext(distinct_on(AreaBirths.area_code, AreaBirths.school_year))
        .order_by(AreaBirths.area_code, AreaBirths.school_year, AreaBirths.vintage.desc())
    )
    found: dict[str, dict[int, tuple[int, dt.date]]] = defaultdict(dict)
    for row in session.scalars(newest):
        found[row.area_code][row.school_year] = row.children, row.vintage
    return found


def _sums(session: Session, on: dt.date) -> dict[str, _Sums]:
    each = _by_kindergarten(on, None)
    has_children = each.c.children > 0
    found = select(
        each.c.area,
        cast(func.sum(each.c.classes), Integer),
        cast(func.sum(each.c.within), Integer),
        cast(func.coalesce(func.sum(each.c.teachers).filter(has_children), 0), Integer),
        func.min(each.c.roll_of),
        func.min(each.c.staff_of).filter(has_children),
        func.count().filter(each.c.roll_of.is_(None)),
        func.count().filter(has_children, each.c.teachers.is_(None)),
        func.count().filter(has_children, each.c.staff_of < on - COUNT_IS_OLD_AFTER),
    ).group_by(each.c.area)
    return {area: _Sums(*rest) for area, *rest in session.execute(found)}


def _by_kindergarten(on: dt.date, area: str | None) -> Subquery:
    """A row for each open kindergarten, also without a roll or a staff count."""
    areas: Sequence[str] | None = None if area is None else [area]
    newest, staff = newest_rolls.query(on, areas), staff_counts.newest_query(on)
    listed = counts.by_class_query(on, areas)
    children = counts.children_column(newest, listed, on)
    classes = (
        select(RollClass.kindergarten_id, RollClass.level, RollClass.as_of, children.label("children"))
        .join(newest, newest_rolls.condition(newest))
        .outerjoin(listed, listed.c.class_id == RollClass.id)
        .subquery("classes")
    )
    norm = case(CLASS_NORM, value=classes.c.level, else_=CLASS_NORM[Level.MIDDLE])
    counted = classes.c.level != Level.NURSERY, classes.c.children > 0
    rolls = (
        select(
            classes.c.kindergarten_id,
            func.sum(classes.c.children).filter(*counted).label("children"),
            func.count().filter(*counted).label("classes"),
            func.count().filter(*counted, classes.c.children <= norm).label("within"),
            func.max(classes.c.as_of).label("roll_of"),
        )
        .group_by(classes.c.kindergarten_id)
        .subquery("rolls")
    )
    found = (
        select(
            Kindergarten.id, Kindergarten.code, Kindergarten.name, Kindergarten.area_code.label("area"),
            counts.nature_column().label("nature"), Kindergarten.attached,
            cast(func.coalesce(rolls.c.children, 0), Integer).label("children"),
            cast(func.coalesce(rolls.c.classes, 0), Integer).label("classes"),
            cast(func.coalesce(rolls.c.within, 0), Integer).label("within"),
            rolls.c.roll_of, staff.c.teachers, staff.c.carers, staff.c.day.label("staff_of"), Kindergarten.sort_key,
        )
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .outerjoin(rolls, rolls.c.kindergarten_id == Kindergarten.id)
        .outerjoin(staff, staff.c.kindergarten_id == Kindergarten.id)
        .where(counts.open_condition(on))
    )  # fmt: skip
    return (found if area is None else found.where(Kindergarten.area_code == area)).subquery("each")
