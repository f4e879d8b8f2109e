"""What the draw room asked for.  Each is one transaction that ends the job as well, so none can happen twice."""

import uuid

from sqlalchemy.orm import Session

from enrollment.draw import draws, replay, runs, snapshot
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.season import rounds
from portal.jobs.runner import Work, handles


def asked_by(session: Session, work: Work) -> Actor:
    """The official whose click it was, with the roles of this moment."""
    return actor_of(session.get_one(Account, uuid.UUID(work.args["by"])))


@handles("freeze_round")
def freeze_round(work: Work) -> None:
    with work.closing() as (session, told):
        frozen = snapshot.freeze(
            session,
            uuid.UUID(work.args["round"]),
            by=asked_by(session, work),
            now=work.now(session),
            beacon_name=work.args["beacon_name"],
            progress=work.progress,
        )
        told |= {"number": frozen.number, "commitment": frozen.commitment}


@handles("enter_seed")
def enter_seed(work: Work) -> None:
    with work.closing() as (session, told):
        draw = draws.set_seed(
            session,
            rounds.one(session, uuid.UUID(work.args["round"])).year,
            beacon=work.args["beacon"],
            ceremony=work.args["ceremony"],
            by=asked_by(session, work),
            now=work.now(session),
            progress=work.progress,
        )
        told |= {"seed": draw.seed}


@handles("publish_run")
def publish_run(work: Work) -> None:
    with work.closing() as (session, told):
        run_id, now = uuid.UUID(work.args["run"]), work.now(session)
        told["offers"] = runs.publish_signed(
            session, run_id, by=asked_by(session, work), now=now, progress=work.progress
        )


@handles("replay_round")
def replay_round(work: Work) -> None:
    """The run that it starts is a job of its own, as every run is."""
    with work.closing() as (session, told):
        by, now = asked_by(session, work), work.now(session)
        told["run"] = str(replay.start(session, uuid.UUID(work.args["round"]), by=by, now=now).id)
