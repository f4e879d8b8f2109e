"""The registers are asked here, in batches; no transaction stays open while they think."""

import uuid

from enrollment.applications import register_answers
from enrollment.eligibility import register_questions
from enrollment.review.roll_register import answers_from_roll
from portal.config import Config
from portal.gateways.registers import Registers
from portal.gateways.stand_ins import registers as stand_in
from portal.jobs.runner import Work, handles
from portal.web.unit_of_work import services

BATCH = 500


def client(config: Config) -> Registers | None:
    """The registers' gateway; in the demo, without one, the test register of this very process; else nobody to ask."""
    if config.register_url:
        return Registers(config.register_url, config.register_token)
    return Registers(stand_in.standing()) if config.demo else None


@handles("ask_registers", queue="bulk")
def ask_registers(work: Work) -> dict:
    """Ask about everybody who waits, once, or about the one application of `args`.  A register that cannot be reached is asked again at a later tick."""
    outside = client(services().config)
    with work.session() as session:
        only = uuid.UUID(work.args["application"]) if "application" in work.args else None
        ids = register_answers.to_ask(session, now=work.now(session), only=only)
    for start in range(0, len(ids), BATCH):
        with work.session() as session:
            questions = register_questions.questions_about(session, ids[start : start + BATCH])
            answers = answers_from_roll(session, [one for one in questions if one.register == "roll"])
        if outside is not None:
            answers += outside.ask(one for one in questions if one.register != "roll")
        with work.session() as session:
            register_answers.note(session, answers, now=work.now(session))
        work.progress(min(start + BATCH, len(ids)), len(ids))
    return {"asked": len(ids)}
