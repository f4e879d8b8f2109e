"""What the simulated people of the demo city do after its clock moved."""

from typing import Any

from enrollment.chances import estimates
from enrollment.ground.accounts import SYSTEM
from enrollment.season import rounds
from portal.demo import season, story
from portal.jobs.handlers.ask_registers import ask_registers
from portal.jobs.handlers.run_round import answers_are_due
from portal.jobs.runner import Work, handles
from portal.web.unit_of_work import services


@handles("demo_people_act", queue="bulk")
def demo_people_act(work: Work) -> dict:
    """At the draw all reviews are done; before answers are due the other families have answered.

    The registers have had days to answer whoever applied since, and silence has become an answer: what does this at its
    ticks, does it now.
    """
    step: str = work.args["step"]
    result: dict[str, Any] = {}
    with work.session() as session:
        now = work.now(session)
        for found in rounds.of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
        estimates.ask(session, why=f"demo:{work.job_id}", now=now)
    result |= ask_registers(work)
    if step in ("draw", "result", "confirmation"):
        result["reviewed"] = story.finish_reviews(
            services().engine, now, lambda done, of: work.progress(done, of, "review")
        )
    if step == "confirmation":
        result["answered"] = story.finish_answers(
            services().engine, now, lambda done, of: work.progress(done, of, "answers")
        )
    return result | answers_are_due(work)
