"""The chances on the pages of wishes: asked once for a page, for the wishes as it shows them."""

from collections.abc import Sequence

from enrollment.applications import wishes
from enrollment.applications.applications import Application
from enrollment.chances import family_chances
from enrollment.chances.family_chances import Chances
from enrollment.eligibility.wish_candidates import Candidate, Finder
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round
from portal.web.unit_of_work import clock, db


def wished(application: Application, round_: Round, shown: Sequence[Programme], siblings: Sequence[Application] = ()):
    """These programmes as the page lists them, and their chances; none where nothing is wished for."""
    finder = Finder(db(), application, round_.id)
    listed = finder.seen(shown)
    told = (
        family_chances.of_family(db(), application, round_, finder, listed, siblings, now=clock()) if listed else None
    )
    return listed, told


def kept(
    application: Application, round_: Round | None, siblings: Sequence[Application] = ()
) -> tuple[list[Candidate], Chances | None]:
    """The same for the wishes that are kept for a round; nothing without a round, or once its list is frozen."""
    if round_ is None or round_.stage not in family_chances.STILL_CHANGING:
        return [], None
    return wished(
        application, round_, [each.programme for each in wishes.of(db(), application.id, round_.id)], siblings
    )
