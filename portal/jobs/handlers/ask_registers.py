"""Query the registers in batches.  No transaction is open while a register answers."""

import uuid

from enrollment.applications import register_answers
from enrollment.eligibility import register_questions
from enrollment.review.roll_register import answers_from_roll
from portal.config import Config
from portal.gateways.registers import Registers
from portal.gateways.stand_ins import registers as stand_in
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services

BATCH = 500


def client(config: Config) -> Registers | None:
    """The client of the registers; in the demo without a gateway, of the stand-in in this process; else None."""
    if config.register_url:
        return Registers(config.register_url, config.register_token)
    return Registers(stand_in.stand_in_url()) if config.demo else None


@job_handler("ask_registers", queue="bulk")
def ask_registers(job: JobRun) -> dict:
    """Query all applications that wait for an answer, or only the one in `args`.

    A register that cannot be reached is queried again by a later job.
    """
    outside = client(services().config)
    with job.session() as session:
        only = uuid.UUID(job.args["application"]) if "application" in job.args else None
        ids = register_answers.to_ask(session, now=job.now(session), only=only)
    for start in range(0, len(ids), BATCH):
        with job.session() as session:
            questions = register_questions.questions_about(session, ids[start : start + BATCH])
            answers = answers_from_roll(session, [one for one in questions if one.register == "roll"])
        if outside is not None:
            answers += outside.ask(one for one in questions if one.register != "roll")
        with job.session() as session:
            register_answers.note(session, answers, now=job.now(session))
        job.progress(min(start + BATCH, len(ids)), len(ids))
    return {"asked": len(ids)}
