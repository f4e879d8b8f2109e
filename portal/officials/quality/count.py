"""Kindergartens of high quality beside the year's target, by area, nature and grade; with an area, its kindergartens."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.coverage import quality
from enrollment.places.areas import NATURES, Area, all_areas
from enrollment.places.grades import code_list
from enrollment.reports.tables.catalogue import official_report_of
from enrollment.reports.tables.report import Question, Table, read
from portal.officials import pages
from portal.officials.scope import DECIDERS, READERS, area_name, my_area_or_404, my_areas
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, city_day, clock, db


def area_of_page() -> Area | None:
    """The area of `?area=`; 404 outside the actor's scope.  None for all areas that the actor may see."""
    code = request.args.get("area")
    return my_area_or_404(code) if code else None


def table_of_page(code: str, area: Area | None, how: str) -> Table:
    """A report about the area or all areas that the actor may see."""
    question = Question(db(), chosen_year(), actor(), clock(), area=area.code if area else None)
    return read(official_report_of(code), question, how=how)


@pages.get("/quality", endpoint="quality")
@desk("officials", *READERS)
def quality_page() -> ResponseReturnValue:
    mine, area = my_areas(), area_of_page()
    shown = [area] if area else mine
    found = quality.figures(db(), city_day(), chosen_year(), areas=[each.code for each in shown])
    return render_template(
        "officials/quality.html",
        figures=found,
        whole_city=area is None and len(mine) == len(all_areas(db())),
        area=area,
        areas=mine,
        area_name=area_name,
        natures=NATURES,
        grades=[each for each in code_list.all_grades(db()) if each.high_quality],
        year=chosen_year(),
        may_change=actor().is_any(*DECIDERS),
    )


@pages.get("/quality/files/<code>.<form>")
@desk("officials", *READERS)
def quality_file(code: str, form: str) -> ResponseReturnValue:
    """A report about the area of `?area=`, or about all areas that the actor may see, as XLSX or CSV."""
    area = area_of_page()
    about = area_name(area) if area else _("我能看到的全部区域")
    answer: Response = report_views.file(table_of_page(code, area, "file"), form, scope=f"{about} {chosen_year()}")
    return answer
