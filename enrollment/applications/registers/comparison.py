"""How the registers' answers compare with what a family claims: as SQL conditions, and as a state for the queue."""

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, case, column, exists, null, or_, select, update, values
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, RegisterState
from enrollment.applications.claim_rows import Claim
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.registers.answer_rows import RegisterAnswer, is_current
from enrollment.ground.sealed.codes import KeyedCode
from enrollment.people.person_rows import PARENTS, Guardianship
from enrollment.season.facts import FACTS_OF_GROUND, Fact

_ASKED = values(column("ground", KeyedCode), column("fact", KeyedCode), name="asked").data(
    [
        (ground.value, fact.value)
        for ground, facts in FACTS_OF_GROUND.items()
        for fact in facts
        if fact is not Fact.HUKOU_STREET  # the family may leave the street empty, and the register supplies it
    ]
)

_answer_of = is_current()
speaks_against = and_(
    _answer_of, RegisterAnswer.fact.in_([fact.value for fact in Fact]), RegisterAnswer.answer == "differs"
)
_agrees = and_(_answer_of, RegisterAnswer.answer == "matches", RegisterAnswer.disputed_at.is_(None))


def matched() -> ColumnElement[bool]:
    """SQL condition: registers match every claimed fact and the birth date, no answer is disputed, no hold exists, and a
    parent is among the guardians: a clerk looks at the paper of anybody else who acts for a child."""
    unmatched_claim = exists(
        select(Claim.ground)
        .join(_ASKED, _ASKED.c.ground == Claim.ground)
        .where(
            Claim.application_id == Application.id,
            ~exists().where(_agrees, RegisterAnswer.fact == _ASKED.c.fact).correlate(Application, _ASKED),
        )
        .correlate(Application)
    )
    disputed = exists().where(_answer_of, RegisterAnswer.disputed_at.is_not(None))
    born = exists().where(_agrees, RegisterAnswer.fact == Fact.BORN.value)
    by_parent = exists().where(
        Guardianship.child_id == Application.child_id,
        Guardianship.accepted_at.is_not(None),
        Guardianship.relation.in_(PARENTS),
    )
    return and_(~unmatched_claim, ~exists().where(speaks_against), ~disputed, born, by_parent, ~Application.on_hold)


def note_states(session: Session, application_ids: Collection[uuid.UUID]) -> None:
    """Store the state of the applications among these that wait for a decision, from the answers as they are now."""
    waiting = (
        select(Application.id)
        .where(Application.id.in_(application_ids), Application.stage.in_(AWAITING_DECISION))
        .order_by(Application.id)
    )
    ids = list(session.scalars(waiting.with_for_update(key_share=True)))
    against = or_(exists().where(speaks_against), exists().where(_answer_of, RegisterAnswer.disputed_at.is_not(None)))
    state = case(
        (against, RegisterState.DIFFERS.value),
        (matched(), RegisterState.AGREES.value),
        (exists().where(_answer_of), RegisterState.SILENT.value),
        else_=null(),
    )
    session.execute(
        update(Application)
        .where(Application.id.in_(ids))
        .values(register_state=state)
        .execution_options(synchronize_session=False)
    )
    for application in list(session.identity_map.values()):
        if isinstance(application, Application) and application.id in set(ids):
            session.expire(application, ["register_state"])
