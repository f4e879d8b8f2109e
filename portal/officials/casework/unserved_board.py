"""The board of children without a place: who they are, where they live, who looks after them, how each ends."""

import uuid
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, TextAreaField

from enrollment.draw.central import central_runs
from enrollment.draw.unserved import board, explanations, officers
from enrollment.draw.unserved.board import Board
from enrollment.draw.unserved.entries import BoardState
from enrollment.draw.unserved.kept_entries import LEFT_TO_DO
from enrollment.draw.unserved.rows import Explanation
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from portal.officials import pages
from portal.officials.forms import ActForm, OfficialForm
from portal.officials.scope import DECIDERS, READERS, area_names, my_areas
from portal.officials.years import chosen_season
from portal.text.numbers import number_or, whole_number
from portal.web.forms import PageForm, coded_choices, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.finder import tiles
from portal.web.unit_of_work import actor, clock, db


class TogetherForm(OfficialForm):
    """An act on the chosen children: another officer, or the same reason for all.  `chosen` are ids with versions."""

    act = RadioField(
        _l("对选中的孩子"), choices=[("assign", _l("交给另一位专员")), ("explain", _l("写明为什么没有学位"))],
        default="assign",
    )  # fmt: skip
    officer = SelectField(_l("专员"), validate_choice=False)
    code = SelectField(_l("原因"), choices=[("", _l("请选择")), *coded_choices("unserved_explanation", Explanation)])
    text = TextAreaField(_l("说明（家庭会看到）"))

    def offer(self, found: Board) -> None:
        self.officer.choices = [("", _("请选择")), *((str(each), name) for each, name in found.assignable)]

    @property
    def seen(self) -> dict[uuid.UUID, int]:
        """The chosen children, each with the version that the page showed."""
        pairs = (each.partition(":") for each in request.form.getlist("chosen"))
        found = ((parse_uuid(each), number_or(n, None)) for each, _colon, n in pairs)
        return {key: number for key, number in found if key is not None and number is not None}


def year_or_404() -> int:
    season = chosen_season()
    if season is None:
        raise NotFound
    return season.year


def _asked() -> dict[str, Any]:
    """What the address asks for; anything else counts as not asked."""
    area, state = request.args.get("area"), request.args.get("state")
    known = {*BoardState, LEFT_TO_DO}
    return {
        "area": area if area in {each.code for each in my_areas()} else None,
        "state": state if state in known else None,
        "officer": parse_uuid(request.args.get("officer")),
        "page": request.args.get("page", 1, type=whole_number),
    }


@pages.get("/unplaced", endpoint="unplaced")
@desk("officials", *READERS)
def unserved_children() -> ResponseReturnValue:
    return board_page()


def board_page(form: TogetherForm | None = None, central: PageForm | None = None) -> ResponseReturnValue:
    season, asked = chosen_season(), _asked()
    found = board.listing(db(), season.year, by=actor(), **asked) if season else None
    form = form or TogetherForm(formdata=None)
    if season and found:
        audit.record(db(), "view", "unplaced", season.year, by=actor(), now=clock(), area=asked["area"])
        form.offer(found)
    return render_template(
        "officials/unplaced.html",
        found=found,
        asked=asked,
        kept={name: value for name, value in asked.items() if value is not None and name != "page"},
        form=form,
        central=central or ActForm(formdata=None),
        run=central_runs.newest_run(db(), season.year) if season else None,
        may_start=actor().is_any(Role.CITY_OFFICIAL),
        may_act=actor().is_any(*DECIDERS),
        me=actor().account_id,
        view="map" if request.args.get("view") == "map" and actor().is_any(*DECIDERS) else "list",
        map_tiles=tiles.template(),
        area_names=area_names(),
    )


@pages.get("/unplaced/pins")
@desk("officials", *DECIDERS)
def unserved_pins() -> ResponseReturnValue:
    """The homes of the children of this page, in the order of the list; looking at them is recorded."""
    found = board.listing(db(), year_or_404(), by=actor(), **_asked())
    audit.record(db(), "view", "unserved_homes", year_or_404(), by=actor(), now=clock())
    points = [each.point for each in found.rows]
    return jsonify(
        lon=[None if each is None else round(each.longitude * 10_000) for each in points],
        lat=[None if each is None else round(each.latitude * 10_000) for each in points],
        nature="c" * len(points),
        start=None,
    )


@pages.post("/unplaced/together")
@desk("officials", *DECIDERS, step_up=True)
def act_together() -> ResponseReturnValue:
    form, year = TogetherForm(), year_or_404()
    form.officer.choices = []
    form.validate_on_submit()
    form.officer.errors = []
    with refusals_in(form):
        if form.act.data == "explain":
            done, stayed = explanations.explain_many(
                db(), year, form.seen, form.code.data or "", form.text.data or "", by=actor(), now=clock()
            )
            flash(_("%(n)s 个孩子已写明原因。", n=done))
        else:
            to = parse_uuid(form.officer.data)
            counts = officers.assign(db(), year, form.seen, to, by=actor(), now=clock())
            stayed = counts["changed"] + counts["left"]
            flash(_("%(n)s 个孩子已交给新的专员。", n=counts["moved"]))
        if stayed:
            flash(_("%(n)s 个孩子在您打开页面以后有变化，没有改动，请再看一下。", n=stayed))
        kept: dict[str, Any] = request.args.to_dict()
        return redirect(url_for("officials.unplaced", **kept), 303)
    return board_page(form)
