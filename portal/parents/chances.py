"""Estimated chances on the wish pages, computed once per page for the wishes that it shows."""

from collections.abc import Sequence

from enrollment.applications import wishes
from enrollment.applications.applications import Application
from enrollment.chances import family_chances
from enrollment.chances.family_chances import Chances, Odds
from enrollment.eligibility.wish_candidates import Candidate, Finder
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round
from portal.web.unit_of_work import clock, db


def chances_of_programmes(
    application: Application, round_: Round, shown: Sequence[Programme], siblings: Sequence[Application] = ()
) -> tuple[list[Candidate], Chances | None]:
    """These programmes as candidates, and their estimated chances; None for the chances if there are no programmes."""
    finder = Finder(db(), application, round_.id)
    listed = finder.seen(shown)
    estimate = (
        family_chances.of_family(db(), application, round_, finder, listed, siblings, now=clock()) if listed else None
    )
    return listed, estimate


def chances_of_saved_wishes(
    application: Application, round_: Round | None, siblings: Sequence[Application] = ()
) -> tuple[list[Candidate], Chances | None]:
    """The same for the saved wishes of a round; empty without a round or after its list is frozen."""
    if round_ is None or round_.stage not in family_chances.STILL_CHANGING:
        return [], None
    return chances_of_programmes(
        application, round_, [each.programme for each in wishes.of(db(), application.id, round_.id)], siblings
    )


def are_estimated(round_: Round) -> bool:
    """Whether the families of a round are told chances."""
    return family_chances.is_told(db(), round_)


def chances_of_found(
    application: Application, round_: Round, finder: Finder, found: Sequence[Candidate], siblings: Sequence[Application]
) -> tuple[Odds | None, ...]:
    """The chance at each kindergarten that the finder shows."""
    return family_chances.of_candidates(db(), application, round_, finder, found, siblings)
