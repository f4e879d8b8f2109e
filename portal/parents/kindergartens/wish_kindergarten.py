"""The page of a kindergarten for a family that may wish for it: with its own priority, way and chance, and one tap to add it."""

import uuid
from dataclasses import dataclass

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from enrollment.applications import wishes
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.chances.family_chances import Odds
from enrollment.eligibility.wish_candidates import Candidate, Finder
from enrollment.ground.errors import NotFound
from enrollment.places import finder
from enrollment.places.programmes import Pool
from enrollment.season.rounds import Round
from portal.parents import chances, pages
from portal.parents.form_pages import application_of, bound_with, times_of
from portal.parents.wishes import WishesForm
from portal.web.guards import desk
from portal.web.shared_views.finder.kindergarten_page import shown
from portal.web.unit_of_work import db


@dataclass(frozen=True)
class Own:
    """What the page says of this child.  `rank` is that of its wish, None where it is none; `listed` counts its wishes."""

    candidate: Candidate
    odds: Odds | None
    round: Round
    rank: int | None
    listed: int

    @property
    def tier(self) -> int:
        return self.candidate.tiered.tier

    @property
    def is_full(self) -> bool:
        return self.listed >= self.round.max_wishes

    def may_use(self, pool: Pool) -> bool:
        """Whether the family claims a ground of these reserved places."""
        return not self.candidate.grounds.isdisjoint(pool.groups)


@pages.get("/applications/<uuid:application_id>/kindergartens/<code>")
@desk("parents", allows_helper=True)
def wish_kindergarten(application_id: uuid.UUID, code: str) -> ResponseReturnValue:
    """A kindergarten that cannot be wished for now has the page that it has for everybody."""
    application = application_of(application_id)
    kindergarten = finder.kindergarten_of_code(db(), code)
    if kindergarten is None:
        raise NotFound
    round_ = times_of(application).open if application.stage in LIVE_STAGES else None
    own_finder = Finder(db(), application, round_.id) if round_ else None
    candidate = own_finder.at(kindergarten.id) if own_finder else None
    if round_ is None or own_finder is None or candidate is None:
        return redirect(url_for("public.kindergarten_page", code=code), 303)
    listed = [wish.programme_id for wish in wishes.of(db(), application.id, round_.id)]
    own = Own(
        candidate,
        chances.chances_of_found(application, round_, own_finder, [candidate], bound_with(application))[0],
        round_,
        listed.index(candidate.programme.id) + 1 if candidate.programme.id in listed else None,
        len(listed),
    )
    form = WishesForm(formdata=None)
    form.note_versions(application)
    values = shown(kindergarten, [round_.year], level=application.level)
    return render_template("public/kindergarten.html", own=own, application=application, form=form, **values)
