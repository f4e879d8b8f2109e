"""Two guardians' acts on one offer in two transactions at once: the outcome is that of one order or of the other.

`tests.domain.every_act.at_once` derives both orders from the table of single acts, and walks them one after the other; here
they meet at the real locks.
"""

import itertools

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.errors import Refused
from enrollment.maintenance import invariants
from enrollment.offers import irrevocable_acts, offers, withdrawals
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_rows import Offer, OfferState
from tests.domain.every_act import at_once
from tests.domain.every_act.decision_tables import DECLINE_WAITS, OF_OFFERS, WITHDRAWAL_WAITS, expected
from tests.domain.every_act.family_in_state import bring_offer_to, drawn_families
from tests.support.servers import KeptRows

pytestmark = pytest.mark.long

STATES = (OfferState.OFFERED, OfferState.CONFIRMED, DECLINE_WAITS, WITHDRAWAL_WAITS)


def act(town, name, who):
    by, now = town.people[who], town.now
    acts = {
        "confirm": lambda s: offers.confirm(s, town.offer_id, wait=False, by=by, now=now),
        "wait": lambda s: offers.confirm(s, town.offer_id, wait=True, by=by, now=now),
        "decline": lambda s: offers.decline(s, town.offer_id, by=by, now=now),
        "withdraw": lambda s: withdrawals.withdraw(s, town.ana.id, by=by, now=now),
        "consent": lambda s: withdrawals.withdraw_consent(s, by=by, now=now),
        "agree": lambda s: irrevocable_acts.agree(s, town.act_id, by=by, now=now),
        "object": lambda s: irrevocable_acts.object_to(s, town.act_id, text="", by=by, now=now),
        "take_back": lambda s: irrevocable_acts.take_back(s, town.act_id, by=by, now=now),
    }
    return acts[name]


def left(engine, town):
    """The stage of the application, the state of its offer, who proposed what waits, whether a dispute holds it."""
    with Session(engine) as session:
        assert list(invariants.find_violations(session)) == []
        stage, held = session.execute(
            select(Application.stage, Application.on_hold).where(Application.id == town.ana.id)
        ).one()
        state = session.scalar(select(Offer.state).where(Offer.id == town.offer_id))
        waits = session.execute(
            select(JointDecision.kind, JointDecision.proposed_by).where(
                JointDecision.application_id == town.ana.id, JointDecision.state == DecisionState.WAITING
            )
        ).all()
        return stage, state, held, tuple(map(tuple, waits))


@pytest.mark.parametrize("state", STATES)
def test_two_acts_at_once_are_two_acts_in_one_order(race, now, state):
    town = drawn_families(race.town(now))
    bring_offer_to(town, state)
    town.session.commit()
    with race.engine.connect() as connection:
        kept = KeptRows(connection)
    mothers, fathers = (
        [
            name
            for name in at_once.OFFER_ACTS[:-1]
            if at_once.changes(expected(OF_OFFERS, state, name, "in time", who)[0])
        ]
        for who in at_once.GUARDIANS
    )
    for mine, yours in itertools.product(mothers, fathers):
        ways = []
        for order in ((("mother", mine), ("father", yours)), (("father", yours), ("mother", mine))):
            for who, name in order:
                with Session(race.engine) as session:
                    try:
                        act(town, name, who)(session)
                        session.commit()
                    except Refused:
                        session.rollback()
            ways.append(left(race.engine, town))
            restore(race.engine, kept)
        said = race.crossing(act(town, mine, "mother"), act(town, yours, "father"))
        assert all(not isinstance(each, Exception) or isinstance(each, Refused) for each in said), (mine, yours, said)
        assert left(race.engine, town) in ways, (state, mine, yours, said)
        restore(race.engine, kept)


def restore(engine, kept) -> None:
    with engine.connect() as connection:
        kept.restore(connection)
