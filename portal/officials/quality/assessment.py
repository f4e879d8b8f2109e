"""Readiness for the national assessment: every area with five indicators, and one area with the rows behind them."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.coverage import readiness
from enrollment.coverage.readiness import SOURCE, Indicator
from enrollment.reports.tables.quality import verdict
from enrollment.results import letters
from enrollment.results.letters import Subject
from portal.letters.preparing import pdf_file, waiting_page
from portal.letters.readiness import readiness_file
from portal.officials import pages
from portal.officials.quality.count import area_of_page, table_of_page
from portal.officials.scope import READERS, area_name, my_area_or_404, my_areas
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, city_day, clock, db, services


@pages.get("/quality/readiness", endpoint="readiness")
@desk("officials", *READERS)
def readiness_page() -> ResponseReturnValue:
    found = {each.code: each for each in readiness.of_areas(db(), city_day(), chosen_year())}
    lines = [(area, found[area.code]) for area in my_areas()]
    return render_template(
        "officials/readiness.html",
        lines=lines,
        above=[area_name(area) for area, line in lines if any(each.above_all for each in line.measures)],
        indicators=tuple(Indicator),
        source=SOURCE,
        on=city_day(),
        area_name=area_name,
        verdict=verdict,
    )


@pages.get("/quality/readiness.pdf")
@desk("officials", *READERS)
def readiness_pdf() -> ResponseReturnValue:
    """One file of all units that the reader may see; with `?area=` one unit and its kindergartens."""
    area = area_of_page()
    found = {each.code: each for each in readiness.of_areas(db(), city_day(), chosen_year())}
    shown = [area] if area else my_areas()
    rows = readiness.kindergartens(db(), city_day(), area.code) if area else ()
    page = readiness_file(
        [(area_name(each), found[each.code]) for each in shown],
        rows,
        name=area_name(area) if area else _("%(n)s 个区域", n=len(shown)),
        cohorts=readiness.cohorts(city_day()),
        day=city_day(),
        on=clock(),
        demo=services().config.demo,
    )
    letter = letters.ask(db(), Subject(account_id=actor().account_id), page, now=clock())
    back = url_for("officials.readiness_of_an_area", area=area.code) if area else url_for("officials.readiness")
    waiting = waiting_page(letter, frame="layout.html", back=back, back_text=_("国家评估准备"))
    return waiting if waiting is not None else pdf_file(letter, f"{page.name}-{city_day()}")


@pages.get("/quality/readiness/<area>")
@desk("officials", *READERS)
def readiness_of_an_area(area: str) -> ResponseReturnValue:
    here = my_area_or_404(area)
    table = table_of_page("readiness_rows", here, "page")
    rows = report_views.cells(table)
    found = {each.code: each for each in readiness.of_areas(db(), city_day(), chosen_year())}
    return render_template(
        "officials/readiness_area.html",
        area=here,
        name=area_name(here),
        line=found[here.code],
        cohorts=readiness.cohorts(city_day()),
        source=SOURCE,
        on=city_day(),
        verdict=verdict,
        head=report_views.head(table),
        rows=rows,
        altered=report_views.altered(table, rows),
        foot=report_views.foot(table),
        numbers=report_views.numbers(table),
    )
