"""What the officials' desk of the demo city opens with: a plan and a study of the laboratory, which the workers compute.

Nothing of them is kept ready: they are asked as an official would ask, and the planner and the laboratory find the answers
in the background, after the city can be used.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.laboratory import studies
from enrollment.laboratory.studies import Comparison
from enrollment.places.measures.rows import MeasureKind
from enrollment.planning import plans
from enrollment.planning.question import ENDING, Question
from enrollment.season.rounds import Round, RoundKind
from portal.demo import people, season
from portal.text.words import word

PLAN, STUDY = "示例：三年内每个区都到线", "示例：一所一所报，还是排个序"
QUESTION = Question(public=5_100, covered=8_200, deadline=season.YEAR + 2, most={ENDING: 0, MeasureKind.TO_PUBLIC: 5})
"""Both targets of the city in each area, three Septembers from now, without a limit of money; with few kindergartens that turn public,
so that something is built."""

DRAWS = 50


def request(session: Session, *, now: dt.datetime) -> None:
    """Ask for both.  The study comes first: it takes seconds, and the search for a plan may take minutes."""
    official = people.actor(session, "city1")
    main = (
        select(Round.id).where(Round.year == season.YEAR, Round.kind == RoundKind.MAIN).order_by(Round.number).limit(1)
    )
    variants = studies.first_variants(
        Comparison.ONE_WISH, lambda code: word("laboratory_start", code, in_language="zh")
    )
    study = studies.create(session, STUDY, session.scalars(main).one(), variants, draws=DRAWS, by=official, now=now)
    studies.request(session, study.id, version=study.version, by=official, now=now)
    plan = plans.create(session, PLAN, QUESTION, by=official, now=now)
    plans.request(session, plan.id, version=plan.version, by=official, now=now)
