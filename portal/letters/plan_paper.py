"""A plan of measures on three pages, for a meeting and the files: what is decided, the measures with their money, and what it
rests on.  It says when the plan was searched and signed, not when it was printed: the same plan is the same paper."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from enrollment.places.measures.rows import Measure
from enrollment.planning.plan_rows import MeasurePlan
from enrollment.planning.question import Question
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text.formats import day, moment


def plan_paper_page(
    plan: MeasurePlan,
    figures: Any,
    simulated: Any,
    measures: Sequence[Measure],
    *,
    areas: Mapping[str, str],
    people: Mapping[uuid.UUID, str],
    question: Question,
    money: Any,
    percent: Any,
    round_name: Any,
    demo: bool,
) -> LetterPage:
    """What the paper says.  `figures` and `simulated` are those of the plan's page (None without a simulation); `money`,
    `percent` and `round_name` put numbers and names into words."""
    begins = [(figures.problem.first_year + figures.starts[each.code], each) for each in measures]
    return letter_page(
        "plan",
        "plan_paper",
        plan=plan,
        figures=figures,
        simulated=simulated,
        by_year=[(year, [each for begun, each in begins if begun == year]) for year in figures.years],
        names={each.code: each.name for each in measures},
        areas=areas,
        people=people,
        question=question,
        money=money,
        percent=percent,
        round_name=round_name,
        roll_of=day(figures.basis.on, year=True),
        searched=moment(plan.solved_at, year=True) if plan.solved_at else "—",
        digest=figures.result["digest"],
        demo=demo,
    )
