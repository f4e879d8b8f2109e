"""Query the registers in batches.  No transaction is open while a register answers."""

import contextlib
import uuid
from collections.abc import Iterator

from sqlalchemy import Engine

from enrollment.applications import register_answers
from enrollment.eligibility import register_questions
from enrollment.review.roll_register import answers_from_roll
from portal.config import Config
from portal.demo import register_records
from portal.gateways.registers import Registers
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services

BATCH = 500


@contextlib.contextmanager
def registers(config: Config, engine: Engine) -> Iterator[Registers | None]:
    """The client of the registers; in the demo without a gateway, of test registers on this machine; else None."""
    if config.register_url:
        yield Registers(config.register_url, config.register_token)
    elif config.demo:
        with register_records.stand_in(engine) as test_registers:
            yield test_registers
    else:
        yield None


@job_handler("ask_registers", queue="bulk")
def ask_registers(job: JobRun) -> dict:
    """Query all applications that wait for an answer, or only the one in `args`.

    A register that cannot be reached is queried again by a later job.
    """
    with job.session() as session:
        only = uuid.UUID(job.args["application"]) if "application" in job.args else None
        ids = register_answers.to_ask(session, now=job.now(session), only=only)
    if not ids:
        return {"asked": 0}
    with registers(services().config, services().engine) as outside:
        for start in range(0, len(ids), BATCH):
            _ask(job, ids[start : start + BATCH], outside)
            job.progress(min(start + BATCH, len(ids)), len(ids))
    return {"asked": len(ids)}


def _ask(job: JobRun, ids: list[uuid.UUID], outside: Registers | None) -> None:
    with job.session() as session:
        questions = register_questions.questions_about(session, ids)
        answers = answers_from_roll(session, [one for one in questions if one.register == "roll"])
    if outside is not None:
        answers += outside.ask(one for one in questions if one.register != "roll")
    with job.session() as session:
        register_answers.note(session, answers, now=job.now(session))
