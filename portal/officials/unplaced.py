"""Children without a place: nobody is forgotten."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from enrollment.draw import central, unplaced
from enrollment.ground import audit
from enrollment.ground.errors import NotFound
from enrollment.season import calendar
from portal.forms import PageForm, refusals_in
from portal.guards import desk
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.scope import READERS, area_names, my_areas
from portal.work import actor, clock, db


@pages.get("/unplaced", endpoint="unplaced")
@desk("officials", *READERS)
def unplaced_children():
    return _page(ActForm())


def _page(form: PageForm):
    season = calendar.current(db(), clock())
    area = request.args.get("area") or None
    if area not in {each.code for each in my_areas()}:
        area = None
    found = None
    if season:
        page = request.args.get("page", 1, type=int)
        found = unplaced.listing(db(), season.year, by=actor(), area=area, page=page)
        audit.record(db(), "view", "unplaced", season.year, by=actor(), now=clock(), area=area)
    return render_template(
        "officials/unplaced.html",
        found=found,
        area=area,
        form=form,
        proposed=central.waiting(db(), season.year) if season else [],
        sent=central.counts(db(), season.year)[1] if season else 0,
        may_act=actor().is_any("city_official"),
        area_names=area_names(),
    )


@pages.post("/unplaced/propose")
@desk("officials", "city_official")
def propose_central():
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            number = central.propose(db(), _year(), by=actor(), now=clock())
            flash(_("为 %(n)s 个孩子找到了附近的空学位，请看过再发送。", n=number))
            return redirect(url_for("officials.unplaced"), 303)
    return _page(form)


@pages.post("/unplaced/send")
@desk("officials", "city_official")
def send_central():
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            number = central.send(db(), _year(), by=actor(), now=clock())
            flash(_("已向 %(n)s 个家庭发出统筹安排，等待答复。", n=number))
            return redirect(url_for("officials.unplaced"), 303)
    return _page(form)


def _year() -> int:
    season = calendar.current(db(), clock())
    if season is None:
        raise NotFound
    return season.year
