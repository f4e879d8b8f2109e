"""Two plans side by side: the question, the figures, and the measures that only one of them takes or begins in another year."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import gettext as _

from enrollment.places.measures.rows import Measure
from enrollment.planning.plan_rows import MeasurePlan
from enrollment.planning.question import Question
from portal.officials.planning.figures import PlanFigures
from portal.officials.planning.words import money, percent
from portal.text.formats import grouped


@dataclass(frozen=True)
class Line:
    """What stands beside each other; `differs` where the two are not the same."""

    name: str
    values: tuple[str, str]

    @property
    def differs(self) -> bool:
        return self.values[0] != self.values[1]


@dataclass(frozen=True)
class Taken:
    """A measure with the year in which each of the two plans has its first children, None where it is not taken."""

    measure: Measure
    years: tuple[int | None, int | None]


@dataclass(frozen=True)
class Compared:
    """`figures` are None where no plan was found; `measures` are those that either of them takes, by code."""

    plans: Sequence[MeasurePlan]
    figures: Sequence[PlanFigures | None]
    measures: dict[str, Measure]

    @cached_property
    def asked(self) -> list[Line]:
        one, other = (Question.from_json(each.question) for each in self.plans)
        locked = tuple(_("%(n)s 条", n=len(each.locks)) for each in self.plans)
        return [
            Line(name, (first, second))
            for name, first, second in (
                (_("公办占比到"), f"{percent(one.public)}%", f"{percent(other.public)}%"),
                (_("普惠覆盖率到"), f"{percent(one.covered)}%", f"{percent(other.covered)}%"),
                (_("最晚"), *(_("%(year)s 年 9 月", year=each.deadline) for each in (one, other))),
                (_("每年最多花"), *(_("不限") if each.budget is None else money(each.budget) for each in (one, other))),
                (_("停办、合并最多"), *(_most(each) for each in (one, other))),
                (_("锁定的措施"), *locked),
            )
        ]

    @cached_property
    def found(self) -> list[Line]:
        """The figures; — where there is no plan."""
        rows = [list(_figures(each)) for each in self.figures]
        names = next((row for row in rows if row), [])
        return [Line(name, (_at(rows[0], place), _at(rows[1], place))) for place, (name, _value) in enumerate(names)]

    @cached_property
    def taken(self) -> list[Taken]:
        """Measures that only one plan takes, and those that begin in different years."""
        found = []
        for _code, measure in sorted(self.measures.items()):
            first, second = (self._year(each, measure) for each in self.figures)
            if first != second:
                found.append(Taken(measure, (first, second)))
        return found

    @property
    def alike(self) -> int:
        """How many measures both take in the same year."""
        return len(self.measures) - len(self.taken)

    @staticmethod
    def _year(figures: PlanFigures | None, measure: Measure) -> int | None:
        return figures.opens.get(measure.code) if figures else None


def _at(rows: list[tuple[str, str]], place: int) -> str:
    return rows[place][1] if place < len(rows) else "—"


def _most(question: Question) -> str:
    most: dict[str, Any] = question.most
    return _("%(n)s 所", n=most["ending"]) if "ending" in most else _("不限")


def _figures(figures: PlanFigures | None) -> Iterable[tuple[str, str]]:
    """At the year of the targets, as far as years are not summed up."""
    if figures is None:
        return
    city = figures.coverage(figures.plan.city[figures.deadline])
    yield _("总花费"), money(figures.plan.money)
    yield _("一次性投入"), money(figures.cost)
    yield _("最多的一年"), money(max(figures.plan.spent))
    yield _("离已证明的最省最多差"), money(figures.gap) if figures.gap is not None else _("没证明完")
    yield _("期限那年全市公办"), f"{city.public_share.text}%"
    yield _("期限那年全市普惠"), f"{city.inclusive_coverage.text}%"
    yield _("期限那年各区还差"), _("%(n)s 人", n=grouped(figures.short[figures.deadline]))
    yield _("没有座位的人次"), grouped(sum(figures.unseated))
    yield _("从哪年起都到线"), str(figures.met_from) if figures.met_from else "—"
    yield _("选中的措施"), _("%(n)s 条", n=len(figures.starts))
