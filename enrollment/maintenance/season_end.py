"""The end of an admission year: no round is under way, no family waits for the answer to a case, and every child has a place or
a reason in words.

Children who end without a place are a list with their reasons.  Two officials of the city sign it, and the second signature
closes the year; a list that changed in between has to be signed again by both.
"""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.draw.central import central_list
from enrollment.draw.unserved import explanations
from enrollment.draw.unserved.explanations import Ending
from enrollment.ground import signatures
from enrollment.ground.accounts import CITY, Actor
from enrollment.ground.errors import Refused
from enrollment.ground.signatures import Signature
from enrollment.review.case_rows import ABOUT_THE_CHILD, Case
from enrollment.season import season_lifecycle
from enrollment.season.calendar import Season

SUBJECT = "season_end"
SIGNATURES_NEEDED = 2


def close(session: Session, year: int, *, by: Actor, now: dt.datetime, seen: str | None = None) -> Season:
    """Close the year, or sign the list of the children without a place as the first of two.

    `seen` is the digest of the list that the page showed.  Refuses `round_under_way` with the name of a round whose wishes
    wait for a result or whose run is not finished, or neither signed nor set aside, `cases_still_open` with `n`, `children_without_a_word` with `n`, `explanations_changed`,
    `signed_already`, and what `season_lifecycle.may_close` refuses.
    """
    session.get(Season, year, with_for_update=True)  # nobody starts or signs a run of it meanwhile
    under_way = central_list.round_under_way(session, year, central=True) or central_list.undecided_run(session, year)
    season = season_lifecycle.may_close(session, year, under_way=under_way, by=by, now=now)
    waiting = open_cases(session, year)
    if waiting:
        raise Refused("cases_still_open", n=waiting)
    found = explanations.ending(session, year)
    if found.without_a_word:
        raise Refused("children_without_a_word", n=found.without_a_word)
    if seen is not None and seen != found.digest:
        raise Refused("explanations_changed")
    if found.explained and _sign(session, year, found, by=by, now=now) < SIGNATURES_NEEDED:
        return season
    return season_lifecycle.close(session, season, by=by, now=now)


def open_cases(session: Session, year: int) -> int:
    """How many families of the year wait for the answer to an appeal, a transfer or another case about their child."""
    found = select(func.count()).select_from(Case).join(Application, Application.id == Case.application_id)
    waiting = (Case.settled_at.is_(None), Case.kind.in_(ABOUT_THE_CHILD))
    return session.scalar(found.where(Application.year == year, *waiting)) or 0


def _sign(session: Session, year: int, found: Ending, *, by: Actor, now: dt.datetime) -> int:
    return signatures.sign(
        session, SUBJECT, season_lifecycle.subject_id(year), found.digest, office=CITY, by=by, now=now
    )


def signatures_of(session: Session, year: int, found: Ending) -> list[Signature]:
    """The signatures under the list as it is now."""
    return signatures.signatures_of(session, SUBJECT, season_lifecycle.subject_id(year), found.digest, office=CITY)
