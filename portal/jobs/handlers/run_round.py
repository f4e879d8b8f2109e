"""The draw's background work: a run in three short transactions, the daily replay, reminders and silence."""

import uuid
from typing import Any

from enrollment.draw import execution, replay
from enrollment.offers import answer_deadlines
from portal.jobs.runner import Work, handles


@handles("run_round")
def run_round(work: Work) -> dict:
    """Read, let the engine work outside any transaction, save; a replay that two people approved is then published.

    A transaction counts only while this worker holds the job: a worker that woke up late saves and publishes nothing.
    """
    run_id = uuid.UUID(work.args["run"])
    with work.session() as session:
        task = execution.read(session, run_id)
    computed = execution.compute(task, progress=work.progress)
    with work.session() as session:
        run = execution.save(session, run_id, computed, now=work.now(session))
        told: dict[str, Any] = {"state": run.state, "digest": run.digest}
    with work.session() as session:
        told["published"] = replay.publish_if_approved(session, run_id, now=work.now(session))
    return told


@handles("replay_rounds")
def replay_rounds(work: Work) -> dict:
    """Under a standing approval, free places go to the next in line every morning."""
    with work.session() as session:
        return {"started": len(replay.start_daily(session, now=work.now(session)))}


@handles("answers_due")
def answers_are_due(work: Work) -> dict:
    """Remind who has a day left; end what was reminded and stayed unanswered."""
    with work.session() as session:
        reminded = answer_deadlines.remind_due(session, now=work.now(session))
    with work.session() as session:
        return {"reminded": reminded, "ended": answer_deadlines.expire_due(session, now=work.now(session))}
