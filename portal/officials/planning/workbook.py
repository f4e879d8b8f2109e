"""A plan as a workbook: the question with its proof, the measures, children by area and year, money by year."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xlsxwriter
from flask_babel import gettext as _

from enrollment.places.measures.rows import Measure
from enrollment.places.spreadsheets import write_text
from enrollment.planning.plan_rows import MeasurePlan
from portal.officials.planning.figures import PlanFigures
from portal.officials.planning.simulated import Simulated
from portal.officials.planning.words import money, percent
from portal.text.formats import moment
from portal.text.words import word


def of(
    plan: MeasurePlan,
    figures: PlanFigures,
    simulated: Simulated | None,
    measures: Sequence[Measure],
    areas: Mapping[str, str],
) -> bytes:
    """The workbook; with a simulation, two more sheets have the rows of the page's tables."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "bg_color": "#E6F1F3", "border": 1})
    first = figures.problem.first_year
    _sheet(book, bold, _("方案"), [_("项目"), _("内容")], _about(plan, figures))
    head = [
        _("编号"),
        _("措施"),
        _("种类"),
        _("区域"),
        _("学位"),
        _("一次性投入（万元）"),
        _("每年（万元）"),
        _("开始"),
        _("招生"),
    ]
    _sheet(book, bold, _("措施"), head, (
        [
            each.code, each.name, word("measure_kind", each.kind), areas.get(each.area_code, each.area_code), each.places,
            _("已在建") if each.code in figures.decided else each.cost, each.yearly, first + figures.starts[each.code],
            figures.opens[each.code],
        ]
        for each in measures
    ))  # fmt: skip
    head = [
        _("区域"), _("9 月"), _("公办"), _("普惠性民办"), _("其他民办"), _("没座位"), _("公办占比"), _("普惠覆盖率"),
        _("公办还差"), _("普惠还差"),
    ]  # fmt: skip
    rows = ([areas.get(code, code) or _("全市"), *more] for code, *more in figures.table())
    _sheet(book, bold, _("各区各年"), head, rows)
    spent = zip(figures.years, figures.plan.spent, strict=True)
    _sheet(book, bold, _("每年的钱"), [_("年"), _("万元")], ([year, one] for year, one in spent))
    if simulated:
        _simulated(book, bold, simulated, {each.code: each.name for each in measures}, areas)
    book.close()
    return content.getvalue()


def _sheet(book: Any, bold: Any, title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.add_worksheet(title[:31])
    sheet.freeze_panes(1, 0)
    for index, name in enumerate(head):
        write_text(sheet, 0, index, name, bold)
        sheet.set_column(index, index, max(12, 2 * len(name) + 2))
    for line, row in enumerate(rows, start=1):
        for index, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(line, index, value)
            else:
                write_text(sheet, line, index, str(value))


def _simulated(book: Any, bold: Any, simulated: Simulated, names: Mapping[str, str], areas: Mapping[str, str]) -> None:
    head = [
        _("区域"), _("9 月"), _("数字"), _("规划的"), _("重算的"), _("区间下端"), _("区间上端"), _("什么都不做"), _("一致吗"),
    ]  # fmt: skip
    _sheet(book, bold, _("规划和重算"), head, (
        [
            areas.get(row.area, row.area) or _("全市"), row.year, word("plan_figure", row.figure),
            *(each / 100 if row.is_share else each for each in (row.planned, row.mean, row.low, row.high)),
            "" if row.before is None else row.before, _("差得比区间多") if row.parts else _("一致"),
        ]
        for row in simulated.rows()
    ))  # fmt: skip
    head = [
        _("编号"),
        _("措施"),
        _("招生"),
        _("每年 9 月的学位"),
        _("规划的"),
        _("重算的"),
        _("区间下端"),
        _("区间上端"),
        _("招得满吗"),
    ]
    _sheet(book, bold, _("招不招得满"), head, (
        [
            one.code, names.get(one.code, one.code), one.since, one.places, one.planned, one.mean, one.low, one.high,
            _("招不满") if one.is_short else _("招得到"),
        ]
        for one in simulated.measures
    ))  # fmt: skip


def _about(plan: MeasurePlan, figures: PlanFigures) -> Iterable[list[str]]:
    question = figures.question
    yield [_("名字"), plan.name]
    yield [_("公办占比到"), f"{percent(question.public)}%"]
    yield [_("普惠覆盖率到"), f"{percent(question.covered)}%"]
    yield [_("最晚"), _("%(year)s 年 9 月", year=question.deadline)]
    yield [_("每年最多花"), money(question.budget) if question.budget is not None else _("不限")]
    yield [_("五年总花费"), money(figures.plan.money)]
    gap = figures.gap
    yield [_("离已证明的最省最多差"), money(gap) if gap is not None else _("没证明完")]
    yield [_("用普通算术核对"), _("对") if not figures.faults else _("不对")]
    yield [_("名册日期"), figures.basis.on.isoformat()]
    yield [_("求解器"), figures.result["solver"]]
    yield [_("模型摘要"), figures.result["digest"]]
    if plan.solved_at:
        yield [_("算完"), moment(plan.solved_at, True)]
