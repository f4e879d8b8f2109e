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
from portal.officials.planning.words import money, percent
from portal.text.formats import moment
from portal.text.words import word


def of(plan: MeasurePlan, figures: PlanFigures, measures: Sequence[Measure], areas: Mapping[str, str]) -> bytes:
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
            each.cost, each.yearly, first + figures.starts[each.code], first + figures.starts[each.code] + each.lead_years,
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
