"""Search for kindergartens, and a page for each with places, fee, location and the last cut-offs."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from enrollment.ground.errors import NotFound
from enrollment.places import finder, kindergartens
from enrollment.places.areas import LEVELS, NATURES
from enrollment.results import cut_offs
from enrollment.season import calendar
from portal.public import pages
from portal.text import ledger_entries
from portal.text.area_names import area_names
from portal.text.words import word
from portal.web.guards import public
from portal.web.unit_of_work import clock, db


class FinderForm(FlaskForm):
    """A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    q = StringField(_l("园名、拼音、街道"))
    area = SelectField(_l("区域"), validate_choice=False)
    nature = SelectField(_l("性质"), validate_choice=False)
    level = SelectField(_l("今年招生"), validate_choice=False)

    def set_choices(self) -> None:
        everywhere, any_nature, any_level = ("", _l("全部区域")), ("", _l("不限")), ("", _l("不限"))
        self.area.choices = [everywhere, *area_names(db()).items()]
        self.nature.choices = [any_nature, *((code, word("nature", code)) for code in NATURES)]
        self.level.choices = [any_level, *((code, word("level", code)) for code in LEVELS)]


def this_year() -> int | None:
    season = calendar.current_season(db(), clock())
    return season.year if season else None


@pages.get("/kindergartens")
@public
def kindergarten_list() -> ResponseReturnValue:
    form = FinderForm(request.args)
    form.set_choices()
    year = this_year()
    found = finder.search(
        db(),
        words=(form.q.data or "")[:80],
        area=form.area.data or None,
        nature=form.nature.data or None,
        level=form.level.data or None,
        year=year if form.level.data else None,
        page=request.args.get("page", 1, int),
    )
    offered = finder.programmes_offered(db(), [k.id for k in found.items], year) if year else {}
    return render_template("public/kindergartens.html", form=form, found=found, offered=offered, year=year)


@pages.get("/kindergartens/<code>")
@public
def kindergarten_page(code: str) -> ResponseReturnValue:
    kindergarten = kindergartens.by_code(db(), code)
    if kindergarten is None:
        raise NotFound
    year = this_year()
    offered = finder.programmes_offered(db(), [kindergarten.id], year).get(kindergarten.id, []) if year else []
    return render_template(
        "public/kindergarten.html",
        kindergarten=kindergarten,
        offered=offered,
        year=year,
        sites=finder.other_sites(db(), kindergarten),
        served=finder.service_area_names(db(), kindergarten.id),
        lines=cut_offs.published_of(db(), kindergarten.id),
        grounds=ledger_entries.grounds,
    )
