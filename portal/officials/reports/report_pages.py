"""The list of reports, and each report from the city down to a kindergarten, as a page and as files.

A report that adds up has a line for each area, then for each kindergarten.  Names of children are shown of one kindergarten
at a time, to officials who decide there; the audit trail records it.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from enrollment.places import kindergartens, scope
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables import area_sums, widths
from enrollment.reports.tables.catalogue import OFFICIAL_REPORTS, REPORTS, grouped, official_report_of, report_of
from enrollment.reports.tables.report import Kind, Question, Report, Table
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.reports.returns import returns_of_page
from portal.officials.scope import DECIDERS, READERS, area_name, my_area_or_404, my_areas
from portal.officials.years import chosen_year
from portal.web.forms import parse_uuid
from portal.web.guards import desk
from portal.web.shared_views import report_exports, report_views
from portal.web.unit_of_work import actor, clock, db


@dataclass(frozen=True)
class Asked:
    """What a page is about: all areas that the official may see, one of them, or a kindergarten of it."""

    area: Area | None
    here: Kindergarten | None

    @property
    def words(self) -> str:
        if self.here is not None:
            return self.here.name
        if self.area is not None:
            return area_name(self.area)
        return _("全市") if scope.may_see_all(actor()) else _("我能看到的全部区域")

    def question(self) -> Question:
        here = self.here.id if self.here else None
        area = self.area.code if self.area and not self.here else None
        return Question(db(), chosen_year(), actor(), clock(), here, area)


def kindergarten_of_page() -> Kindergarten:
    """The kindergarten of `?at=`, an id or a school code; 404 without one or outside the actor's scope."""
    typed = request.values.get("at", "")
    wanted: uuid.UUID | None = parse_uuid(typed)
    if wanted is None:
        found = kindergartens.by_code(db(), typed)
        wanted = found.id if found else abort(404)
    return scope.kindergarten_in_scope(db(), wanted, by=actor())


def _asked() -> Asked:
    if request.args.get("at"):
        here = kindergarten_of_page()
        return Asked(here.area, here)
    code = request.args.get("area")
    mine = my_areas()
    area = my_area_or_404(code) if code else (mine[0] if len(mine) == 1 else None)
    return Asked(area, None)


def _report(code: str) -> Report:
    report = official_report_of(code)
    if report.for_deciders and not actor().is_any(*DECIDERS):
        abort(404)
    return report


def _table(report: Report, asked: Asked, how: str) -> Table:
    return widths.read_at(report, asked.question(), how=how, decides=actor().is_any(*DECIDERS))


@pages.get("/reports")
@desk("officials", *READERS)
def reports() -> ResponseReturnValue:
    decides = actor().is_any(*DECIDERS)
    found = [each for each in (*OFFICIAL_REPORTS.values(), *REPORTS.values()) if decides or not each.for_deciders]
    values = report_exports.listed() if decides else {"asked": ()}
    return render_template("officials/reports.html", groups=grouped(found), year=chosen_year(), **values)


@pages.get("/reports/<code>")
@desk("officials", *READERS)
def report_page(code: str) -> ResponseReturnValue:
    report, asked = _report(code), _asked()
    values: dict[str, Any] = {
        "report": report,
        "year": chosen_year(),
        "asked": asked,
        "areas": my_areas(),
        "area_name": area_name,
    }
    if not widths.allows(report, asked.question().width):
        return render_template("officials/report_choice.html", gardens=_gardens(report, asked), **values)
    table = _table(report, asked, "page")
    rows = _with_links(table, code)
    return render_template(
        "officials/report.html", table=table, head=report_views.head(table), rows=rows,
        foot=report_views.foot(table), numbers=report_views.numbers(table), unequal=report_views.unequal(table),
        altered=report_views.altered(table, rows), gardens=_gardens(report, asked), with_names=table.report.has_names, **_counting(report, table),
        **returns_of_page(code, asked.question().area, table), **values,
    )  # fmt: skip


def _counting(report: Report, table: Table) -> dict[str, Any]:
    """Of a report of the city whose sums are kept: which areas are missing, whether it is being counted, and whether the reader may ask."""
    kept = table.report.columns[-1].code == "counted_at"
    return {
        "kept": kept,
        "missing": report_views.missing(table),
        "counting": kept and area_sums.is_counting(db(), report.code, chosen_year()),
        "may_count": actor().is_any(*DECIDERS),
    }


@pages.post("/reports/<code>/count")
@desk("officials", *DECIDERS)
def count_report(code: str) -> ResponseReturnValue:
    """Let a worker count a report of the city now."""
    report = _report(code)
    if report.code not in area_sums.KEPT:
        abort(404)
    if ActForm().validate_on_submit():
        area_sums.ask(db(), report.code, chosen_year(), by=actor(), now=clock())
        flash(_("正在逐区统计，一两分钟后刷新本页。"))
    return redirect(url_for("officials.report_page", code=code), 303)


def _with_links(table: Table, code: str) -> list[list[Any]]:
    """The cells of the page; an area or a kindergarten leads to what its line is the sum of."""
    rows = report_views.cells(table)
    for place, column in enumerate(table.report.columns):
        if column.kind not in (Kind.AREA, Kind.PLACE):
            continue
        for shown, row in zip(rows, table.rows, strict=True):
            if row[place] is not None:
                asked = {"area": row[place]} if column.kind == Kind.AREA else {"at": row[place].id}
                target = url_for("officials.report_page", code=code, **asked)
                shown[place] = Markup('<a href="{}">{}</a>').format(target, shown[place])
    return rows


def _gardens(report: Report, asked: Asked) -> list[Kindergarten]:
    """The kindergartens of the area of a page, to open the report of one."""
    if asked.area is None or asked.here is not None or report.narrowest != widths.Width.KINDERGARTEN:
        return []
    found = select(Kindergarten).where(Kindergarten.area_code == asked.area.code, scope.scope_condition(actor()))
    return list(db().scalars(found.order_by(Kindergarten.sort_key, Kindergarten.id)))


@pages.get("/reports/<code>/file.<form>")
@desk("officials", *READERS)
def report_file(code: str, form: str) -> ResponseReturnValue:
    """A file without names: of a kindergarten whose rows have names it leads to the page that asks a second person."""
    report, asked = _report(code), _asked()
    if asked.here is not None and report.has_names and actor().is_any(*DECIDERS):
        return redirect(url_for("officials.ask_report_export", code=report_of(code).code, at=asked.here.id), 303)
    answer: Response = report_views.file(_table(report, asked, "file"), form, scope=f"{asked.words} {chosen_year()}")
    return answer
