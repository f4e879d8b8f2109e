"""Announcing an admission year, by two city officials who sign the same calendar; closing it after its last step."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField

from enrollment.draw.unserved import explanations
from enrollment.ground.accounts import Account, Role
from enrollment.ground.errors import NotFound
from enrollment.maintenance import season_end as ending
from enrollment.season import rounds, season_lifecycle
from enrollment.season.calendar import Season, SeasonStage
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.officials.scope import READERS
from portal.officials.season.calendar import conflict_words
from portal.officials.years import chosen_season
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class AnnounceForm(OfficialForm):
    """`digest` is that of the calendar that the page showed."""

    digest = HiddenField()
    accept_warnings = BooleanField(_l("我已看过上面的提醒，仍然公布"))


class EndForm(OfficialForm):
    """`digest` is that of the list of children without a place which the page showed."""

    digest = HiddenField()


def _season_or_404() -> Season:
    season = chosen_season()
    if season is None:
        raise NotFound
    return season


@pages.get("/season/announcement")
@desk("officials", *READERS)
def announcement() -> ResponseReturnValue:
    season = _season_or_404()
    return _announcement_page(season, AnnounceForm(formdata=None, digest=season_lifecycle.digest_of(season)))


def _announcement_page(season: Season, form: OfficialForm) -> ResponseReturnValue:
    signed = season_lifecycle.signatures_of(db(), season)
    return render_template(
        "officials/season_announcement.html",
        season=season,
        form=form,
        digest=season_lifecycle.digest_of(season),
        rounds=rounds.rounds_of_year(db(), season.year),
        signatures=[(db().get_one(Account, one.account_id).name, one.signed_at) for one in signed],
        warnings=[conflict_words(warning) for warning in season_lifecycle.warnings(db(), season, now=clock())]
        if season.stage == SeasonStage.PREPARATION
        else [],
        signed_by_me=any(one.account_id == actor().account_id for one in signed),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.post("/season/announcement")
@desk("officials", Role.CITY_OFFICIAL)
def announce_season() -> ResponseReturnValue:
    season, form = _season_or_404(), AnnounceForm()
    if form.validate_on_submit():
        with refusals_in(form):
            count = season_lifecycle.announce(
                db(),
                season.year,
                digest=form.digest.data or "",
                accept_warnings=bool(form.accept_warnings.data),
                by=actor(),
                now=clock(),
            )
            if count < season_lifecycle.SIGNATURES_NEEDED:
                flash(_("您已签署，还需要另一位市级工作人员签署才会公布。"))
            else:
                flash(_("%(year)s 招生年度已公布，家长、园所和公众现在看得到日程。", year=season.year))
            return redirect(url_for("officials.season"), 303)
    form.digest.data = season_lifecycle.digest_of(season)
    return _announcement_page(season, form)


@pages.get("/season/close")
@desk("officials", *READERS)
def season_end() -> ResponseReturnValue:
    return _end_page(_season_or_404(), EndForm())


def _end_page(season: Season, form: EndForm) -> ResponseReturnValue:
    found = explanations.ending(db(), season.year)
    signed = ending.signatures_of(db(), season.year, found)
    form.digest.data = found.digest
    return render_template(
        "officials/season_end.html",
        season=season,
        form=form,
        found=found,
        signatures=[(db().get_one(Account, one.account_id).name, one.signed_at) for one in signed],
        signed_by_me=any(one.account_id == actor().account_id for one in signed),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.post("/season/close")
@desk("officials", Role.CITY_OFFICIAL)
def close_season() -> ResponseReturnValue:
    season, form = _season_or_404(), EndForm()
    if form.validate_on_submit():
        with refusals_in(form):
            season = ending.close(db(), season.year, by=actor(), now=clock(), seen=form.digest.data or None)
            if season.closed_at is None:
                flash(_("您已签署没有学位的孩子名单，还需要另一位市级工作人员签署才会结束。"))
            else:
                flash(_("%(year)s 招生年度已结束，内容仍然可以查阅。", year=season.year))
            return redirect(url_for("officials.season"), 303)
    return _end_page(season, form)
