"""The search for a kindergarten to wish for: the finder with the family's own priority, way and chance."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import applications, wishes
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.eligibility.wish_candidates import MOST_BY_CHANCE, Candidate, Finder, Shares
from enrollment.season.rounds import Round
from portal.parents import chances, pages
from portal.parents.form_pages import application_of, bound_with, flash_saved_edit, form_page, times_of
from portal.parents.wishes import WishesForm, came_from, closed_page, open_round, wishes_view
from portal.text.area_names import area_names
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.finder import cards, question, tiles
from portal.web.unit_of_work import actor, clock, db


@pages.get("/applications/<uuid:application_id>/wishes/add")
@desk("parents", allows_helper=True)
def find_wish(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = WishesForm(formdata=None)
    form.note_versions(application)
    return _finder(application, form)


def _finder(application: Application, form: WishesForm) -> ResponseReturnValue:
    round_ = times_of(application).open
    if round_ is None:
        return closed_page(application)
    asked = question.read(level=application.level)
    finder = Finder(db(), application, round_.id)
    found = finder.search(asked.question, page=asked.page, shares=_shares(application, round_, finder))
    listed = [wish.programme_id for wish in wishes.of(db(), application.id, round_.id)]
    return form_page(
        "wish_finder",
        "wishes",
        application,
        form,
        round=round_,
        asked=asked,
        found=found,
        odds=chances.chances_of_found(application, round_, finder, found.items, bound_with(application)),
        last=cards.last_year(round_.year),
        areas=area_names(db()),
        tiles=tiles.template(),
        sorted_by=finder.sorted_by,
        estimated=chances.are_estimated(round_),
        most_by_chance=MOST_BY_CHANCE,
        rank_of={programme_id: rank for rank, programme_id in enumerate(listed, 1)},
    )


@pages.get("/applications/<uuid:application_id>/wishes/add/pins")
@desk("parents", allows_helper=True)
def wish_pins(application_id: uuid.UUID) -> ResponseReturnValue:
    """The points of the list for the map, as the public finder gives them."""
    application = application_of(application_id)
    round_ = open_round(application)
    finder = Finder(db(), application, round_.id)
    asked = question.read(level=application.level).question
    listed = finder.pins(asked, shares=_shares(application, round_, finder))
    return jsonify(cards.points_of(listed, finder.start))


def _shares(application: Application, round_: Round, finder: Finder) -> Shares:
    """The family's chance at each candidate of the finder, to sort by."""

    def shares(listed: Sequence[Candidate]) -> list[float | None]:
        found = chances.chances_of_found(application, round_, finder, listed, bound_with(application))
        return [None if each is None else each.chance.value for each in found]

    return shares


@pages.get("/wish")
@desk("parents")
def wish_for() -> ResponseReturnValue:
    """From a kindergarten's page for everybody to that of the child that may wish now.

    Without such a child, and with several, it leads home, and the browser keeps the kindergarten, so that it is found again.
    """
    mine = [each for each in applications.list_own(db(), by=actor()) if each.stage in LIVE_STAGES]
    choosing = [each for each in mine if times_of(each).open is not None]
    code = request.args.get("code", "")[:20]
    if len(choosing) != 1 or not code:
        return _kept_for_later(code, several=len(choosing) > 1)
    return redirect(url_for("parents.wish_kindergarten", application_id=choosing[0].id, code=code), 303)


def _kept_for_later(code: str, *, several: bool) -> ResponseReturnValue:
    answer = redirect(url_for("parents.home"), 303)
    kept = question.with_kept(code, True)
    if code and kept.startswith(code):
        flash(
            _("这所已收藏。请先选是哪个孩子，再到志愿里找到它。")
            if several
            else _("这所已收藏。填到志愿那一页时，在收藏里找到它。")
        )
        question.keep(answer, kept)
    return answer


@pages.post("/applications/<uuid:application_id>/wishes/add")
@desk("parents", allows_helper=True)
def add_wish(application_id: uuid.UUID) -> ResponseReturnValue:
    """Add a kindergarten as the last wish, and go on where the button stood: at its card in the finder, or at the list."""
    application = application_of(application_id)
    form = WishesForm()
    wanted = parse_uuid(request.form.get("add", ""))
    if form.validate_on_submit() and wanted is not None:
        with refusals_in(form):
            round_ = open_round(application)
            mine = [wish.programme_id for wish in wishes.of(db(), application_id, round_.id)]
            wishes.set_wishes(
                db(), application_id, round_.id, [*mine, wanted], by=actor(), now=clock(), **form.versions()
            )
            flash(_("已加为第 %(n)s 志愿。", n=len(mine) + 1))
            flash_saved_edit(application)
            return redirect(_next(application_id, len(mine) + 1 < round_.max_wishes), 303)
        if form.newer is not None:
            return wishes_view(form, application, shown=_with(wanted, application))
    return wishes_view(form, application)


def _next(application_id: uuid.UUID, more: bool) -> str:
    stay = request.form.get("stay", "")
    if stay and more:
        kept: dict[str, Any] = request.args.to_dict(flat=False)
        return url_for("parents.find_wish", application_id=application_id, **kept, _anchor=f"k-{stay}")
    return url_for("parents.wishes_page", application_id=application_id, **came_from())


def _with(added: uuid.UUID, application: Application) -> list[uuid.UUID]:
    """The saved list as it is now, with one more; unchanged if it holds it or is full."""
    round_ = times_of(application).open
    saved = [wish.programme_id for wish in wishes.of(db(), application.id, round_.id)] if round_ else []
    may_add = round_ is not None and len(saved) < round_.max_wishes and added not in saved
    return [*saved, added] if may_add else saved
