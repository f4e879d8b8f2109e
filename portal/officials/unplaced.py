"""Children without a place, and central placement."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from allocation.coverage import Coverage
from enrollment.coverage import shares
from enrollment.coverage.counts import Definition
from enrollment.draw import central_placement, unplaced
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.season import calendar
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.scope import READERS, area_names, my_areas
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db


@pages.get("/unplaced", endpoint="unplaced")
@desk("officials", *READERS)
def unplaced_children() -> ResponseReturnValue:
    return _page(ActForm())


def _page(form: PageForm) -> ResponseReturnValue:
    season = calendar.current_season(db(), clock())
    area = request.args.get("area") or None
    if area not in {each.code for each in my_areas()}:
        area = None
    found, may_act = None, actor().is_any(Role.CITY_OFFICIAL)
    proposed = central_placement.waiting(db(), season.year) if season else []
    if season:
        page = request.args.get("page", 1, type=int)
        found = unplaced.listing(db(), season.year, by=actor(), area=area, page=page)
        audit.record(db(), "view", "unplaced", season.year, by=actor(), now=clock(), area=area)
    return render_template(
        "officials/unplaced.html",
        found=found,
        area=area,
        form=form,
        proposed=proposed,
        shares=_shares(season.year) if season and proposed else None,
        sent=central_placement.counts(db(), season.year)[1] if season else 0,
        may_act=may_act,
        area_names=area_names(),
    )


def _shares(year: int) -> tuple[Coverage, Coverage]:
    """The city's coverage after the intake, and after the proposed central placement."""
    after_intake = shares.city_shares(db(), Definition(city_day()), year=year).city.after
    return after_intake, central_placement.effect(db(), year, after_intake)


@pages.post("/unplaced/propose")
@desk("officials", Role.CITY_OFFICIAL)
def propose_central() -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            number = central_placement.propose(db(), _year(), by=actor(), now=clock())
            flash(_("为 %(n)s 个孩子找到了空学位，请看过再发送。", n=number))
            return redirect(url_for("officials.unplaced"), 303)
    return _page(form)


@pages.post("/unplaced/send")
@desk("officials", Role.CITY_OFFICIAL)
def send_central() -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            number = central_placement.send(db(), _year(), by=actor(), now=clock())
            flash(_("已向 %(n)s 个家庭发出统筹安排，等待答复。", n=number))
            return redirect(url_for("officials.unplaced"), 303)
    return _page(form)


def _year() -> int:
    season = calendar.current_season(db(), clock())
    if season is None:
        raise NotFound
    return season.year
