"""The yearly statistics return 统计年报 of an area, and the two shares beside those of the year before, as of 1 September.

The return counts the rows of the roll; its sum must be the one that the two shares count (`Table.unequal`).
Its columns are documented in `docs/reports.md`.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import or_, select

from enrollment.coverage import counts, newest_rolls, shares
from enrollment.coverage.counts import PARENT
from enrollment.coverage.indicator import Definition
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.ground.identity import EIGHTEEN_DIGITS, check
from enrollment.places.areas import CLASS_NORM
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_change_rows import number_on
from enrollment.places.roll_rows import BY_A_MOVE, SCHOOL_AGE, RollChild, RollClass, on_roll_condition, school_year_of
from enrollment.places.staffing import counts as staff_counts
from enrollment.reports.tables.places import place_of
from enrollment.reports.tables.quality import areas_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width

N = Kind.NUMBER
AGES = ("age_2", "age_3", "age_4", "age_5", "age_6")
SEXES = {"m": "boys", "f": "girls"}


def reference_day(question: Question) -> dt.date:
    """1 September of the year; before it, today."""
    return min(question.day, dt.date(question.year, 9, 1))


def age_group(school_from: int | None, school_year: int) -> str:
    """A code of `AGES` by the age on 31 August; the first holds younger, the last older children."""
    if school_from is None:
        return "age_unknown"
    age = SCHOOL_AGE - (school_from - school_year)
    return f"age_{min(max(age, 2), SCHOOL_AGE)}"


def sex_in(number: str | None, day: dt.date) -> str:
    """`boys`, `girls`, or `sex_unknown` for a number that does not contain it."""
    for kind in EIGHTEEN_DIGITS if number else ():
        try:
            return SEXES[check(kind, number or "", today=day).sex or ""]
        except (Refused, KeyError):
            continue
    return "sex_unknown"


def _children(question: Question, on: dt.date) -> dict[uuid.UUID, Counter[str]]:
    """For each kindergarten: children by age and sex, classes, and classes within their norm."""
    newest = newest_rolls.query(on, _areas(question))
    found = (
        select(
            RollClass.kindergarten_id, RollClass.id, RollClass.level, RollClass.kept_as, number_on(on).label("number")
        )
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(question.here(), counts.open_condition(on))
    )
    classes = question.session.execute(found).all()
    garden_of = {row.id: row.kindergarten_id for row in classes}
    sizes = Counter({row.id: row.number for row in classes if row.kept_as == "count"})
    sums: dict[uuid.UUID, Counter[str]] = {}
    for row in classes:
        line = sums.setdefault(row.kindergarten_id, Counter())
        if row.kept_as == "count":
            line.update(children=row.number, sex_unknown=row.number, age_unknown=row.number)
    children = (
        select(RollChild.class_id, RollChild.id_number, RollChild.school_from)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .join(newest, newest_rolls.condition(newest))
        .where(
            question.here(),
            counts.open_condition(on),
            on_roll_condition(on),
            newest_rolls.for_school_condition(newest.c.year).is_not(True),
        )
    )
    year = school_year_of(on)
    for class_id, number, school_from in question.session.execute(children):
        sizes[class_id] += 1
        sums[garden_of[class_id]].update(["children", sex_in(number, on), age_group(school_from, year)])
    for row in classes:
        if sizes[row.id] and row.level != Level.NURSERY:
            norm = CLASS_NORM.get(row.level, CLASS_NORM[Level.MIDDLE])
            sums[row.kindergarten_id].update(classes=1, within_norm=sizes[row.id] <= norm)
        elif sizes[row.id]:
            sums[row.kindergarten_id].update(nursery=sizes[row.id])
    return sums


def _areas(question: Question) -> list[str] | None:
    return None if question.area is None else [question.area]


def _movement(question: Question, on: dt.date) -> dict[uuid.UUID, Counter[str]]:
    """Who came and left in the year up to the day, by sex and age, of children kept by name.

    A move within the kindergarten is neither: it ends one row and begins another of the same child, so that what it
    ended is taken from those who came.
    """
    since = a_year_before(on) + dt.timedelta(days=1)
    came, left = RollChild.entered_on.between(since, on), RollChild.left_on.between(since, on)
    found = (
        select(
            RollClass.kindergarten_id, RollChild.id_number, RollChild.school_from, came, left, RollChild.leave_reason
        )
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(question.here(), RollChild.left_on.is_distinct_from(RollChild.entered_on), or_(came, left))
    )
    year, sums = school_year_of(on), dict[uuid.UUID, Counter[str]]()
    for place, number, school_from, has_come, has_left, reason in question.session.execute(found):
        line, kinds = sums.setdefault(place, Counter()), (sex_in(number, on), age_group(school_from, year))
        if has_come:
            line.update(_flow(CAME, kinds))
        if has_left and reason in BY_A_MOVE:
            line.subtract(_flow(CAME, kinds))
        elif has_left:
            line.update(_flow(LEFT, kinds))
    return sums


CAME, LEFT = "came", "left"


def _flow(flow: str, kinds: Iterable[str]) -> list[str]:
    return [flow, *(f"{flow}_{kind}" for kind in kinds)]


def a_year_before(day: dt.date) -> dt.date:
    return dt.date(day.year - 1, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _statistics(question: Question) -> Iterable[Row]:
    on = reference_day(question)
    children, movement, earlier = _children(question, on), _movement(question, on), _children_earlier(question, on)
    staff = staff_counts.newest_query(on)
    found = (
        select(Kindergarten, counts.nature_column(), staff.c.teachers, staff.c.carers)
        .outerjoin(PARENT, PARENT.id == Kindergarten.parent_id)
        .outerjoin(staff, staff.c.kindergarten_id == Kindergarten.id)
        .where(question.here(), counts.open_condition(on))
        .order_by(Kindergarten.sort_key, Kindergarten.id)
    )
    for kindergarten, nature, teachers, carers in question.session.execute(found):
        of_it, moved = children.get(kindergarten.id, Counter()), movement.get(kindergarten.id, Counter())
        staff_of_it = None if teachers is None and carers is None else (teachers or 0) + (carers or 0)
        yield (
            place_of(kindergarten), nature, *(of_it[code] for code in COUNTED), earlier[kindergarten.code],
            *(moved[code] for code in FLOWS), teachers, carers, staff_of_it, None, of_it["classes"], of_it["within_norm"], None,
        )  # fmt: skip


def _children_earlier(question: Question, on: dt.date) -> Counter[str]:
    """The children of each kindergarten, by its code, a year before the day, as the two shares count them."""
    day, found = a_year_before(on), Counter[str]()
    within, areas = question.here(), _areas(question)
    for row in counts.count(question.session, day, day.year, by_kindergarten=True, within=within, areas=areas).now:
        found[row.place] += row.children.number
    return found


BY_SEX, BY_AGE = (*SEXES.values(), "sex_unknown"), (*AGES, "age_unknown")
COUNTED = ("children", "nursery", *BY_SEX, *BY_AGE)
FLOWS = tuple(code for flow in (CAME, LEFT) for code in _flow(flow, (*BY_SEX, *BY_AGE)))


def _as_the_shares_count(question: Question) -> Mapping[str, int]:
    on = reference_day(question)
    snapshot = counts.count(question.session, on, question.year, within=question.here(), areas=_areas(question))
    return {"children": sum(row.children.number for row in snapshot.now)}


STATISTICS = Report(
    "statistics",
    (
        Column("kindergarten", Kind.PLACE), Column("nature", Kind.CODE, "nature"),
        *(Column(code, N, total=True) for code in (*COUNTED, "earlier_children", *FLOWS, "teachers", "carers", "staff")),
        Column("children_per_staff", N, share_of=("children", "staff")),
        *(Column(code, N, total=True) for code in ("classes", "within_norm")),
        Column("within_share", Kind.SHARE, share_of=("within_norm", "classes")),
    ),
    _statistics,
    parts=(
        ("children", BY_SEX), ("children", BY_AGE), ("staff", ("teachers", "carers")),
        *((flow, tuple(_flow(flow, kinds)[1:])) for flow in (CAME, LEFT) for kinds in (BY_SEX, BY_AGE)),
    ),
    same_as=_as_the_shares_count,
    line_each=True,
    widest=Width.AREA,
)  # fmt: skip


def _shares(question: Question) -> Iterable[Row]:
    """A year earlier is the same day, so that both stand at the same point of the school year."""
    on, mine = reference_day(question), set(areas_of(question))
    now, before = (
        {line.code: line.now for line in shares.city_shares(question.session, Definition(day), year=day.year).areas}
        for day in (on, a_year_before(on))
    )
    for code, line in now.items():
        if code in mine:
            earlier = before[code]
            yield (
                code, line.all, line.public, None, line.public + line.inclusive, None,
                earlier.all, earlier.public, None, earlier.public + earlier.inclusive, None,
            )  # fmt: skip


def _one_year(before: str) -> tuple[Column, ...]:
    whole, public, both = f"{before}children", f"{before}public", f"{before}inclusive"
    return (
        Column(whole, N, total=True),
        Column(public, N, total=True), Column(f"{public}_share", Kind.SHARE, share_of=(public, whole)),
        Column(both, N, total=True), Column(f"{both}_share", Kind.SHARE, share_of=(both, whole)),
    )  # fmt: skip


SHARES = Report(
    "two_shares",
    (Column("area", Kind.AREA), *_one_year(""), *_one_year("earlier_")),
    _shares,
    narrowest=Width.AREA,
)
