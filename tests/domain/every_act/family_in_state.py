"""A family with an application or an offer in any state, brought there by the services of the product."""

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Stage
from enrollment.ground.accounts import SYSTEM
from enrollment.offers import joint_decisions, offers, revocations, withdrawals
from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.offer_rows import OfferState
from enrollment.review import cases
from tests.domain.every_act.decision_tables import (
    DECLINE_WAITS,
    HELD,
    WITHDRAWAL_WAITS,
    WITHDRAWAL_WAITS_WITHOUT_PLACE,
    WITHDRAWN,
)


def families(town, *, alone: bool = False):
    """Ana has a mother, and a father unless she is `alone`; she can have a place at her second wish, and Ben one at her first."""
    town.good, town.plain = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    mother = town.family("李")
    town.ana = town.child("安娜", family=mother, wishes=[town.good, town.plain], submit=False)
    town.ben = town.child("本本", wishes=[town.good])
    father = None if alone else town.second_guardian(town.ana)
    helper = town.helper()
    town.people = {
        "mother": town.parent_of(town.ana),
        **({"father": father.actor} if father else {}),
        "helper": town.acting(helper, town.mandate_by_code(helper, mother.phone)),
        "clerk": town.clerk_of(town.plain),
        "official": town.city_pair()[0],
        "clock": SYSTEM,
        "stranger": town.parent_of(town.ben),
    }


def guardians_of(town):
    return [town.people[who] for who in ("mother", "father") if who in town.people]


def path_to(stage: str) -> list[str]:
    """Moves that lead a draft to a stage, each of one line of `MOVES`."""
    ways = {
        Stage.DRAFT: [],
        Stage.SUBMITTED: ["submit"],
        Stage.IN_REVIEW: ["submit", "take"],
        Stage.RETURNED: ["submit", "take", "send_back"],
        Stage.CONFIRMED: ["submit", "take", "confirm"],
        Stage.REFUSED: ["submit", "take", "refuse"],
        Stage.WITHDRAWN: ["submit", "withdraw"],
    }
    return ways[Stage(stage)]


def bring_application_to(town, stage):
    clerk, head = town.people["clerk"], town.head_of(town.plain)
    for move in path_to(stage):
        if move == "submit":
            town.submit(town.ana)
        elif move == "withdraw":
            town.withdraw(town.ana)
        else:  # the review needs the end of registration; the moves do not
            town.session.refresh(town.ana)
            town.ana.reviewer_id = clerk.account_id if move == "take" else town.ana.reviewer_id
            by = head if move == "refuse" else clerk
            lifecycle.make(town.session, town.ana, move, by=by, now=town.now)
    town.session.flush()


def drawn_families(town, *, alone: bool = False):
    """Both children took part in the draw, and Ana was offered a place."""
    families(town, alone=alone)
    town.submit(town.ana)
    town.drawn(town.ben, town.ana)
    return town


def bring_offer_to(town, state):
    mother = town.people["mother"]
    offer = town.offer_for(town.ana)
    town.offer_id, town.act_id = offer.id, None
    if state == OfferState.CONFIRMED:
        town.confirm(town.ana)
    elif state == OfferState.CONFIRMED_WAITING:
        town.confirm(town.ana, wait=True)
    elif state in (OfferState.ARRIVED, OfferState.NO_SHOW):
        town.confirm(town.ana)
        if state == OfferState.ARRIVED:
            arrival.mark_arrived(town.session, offer.id, by=town.people["clerk"], now=town.now)
        else:
            absences.mark_no_show(town.session, offer.id, by=town.people["clerk"], now=town.now, reason="没有来")
    elif state == OfferState.DECLINED:
        for by in guardians_of(town):
            offers.decline(town.session, offer.id, by=by, now=town.now)
    elif state == OfferState.EXPIRED:
        town.confirm(town.ben)
        town.silence()
    elif state == OfferState.SUPERSEDED:
        town.decline(town.ben)
        town.confirm(town.ana, wait=True)
        town.at(offer.answer_by)
        town.replay()
    elif state == OfferState.REVOKED:
        for by in town.city_pair():
            revocations.revoke(town.session, offer.id, by=by, now=town.now, reason="材料虚假")
    elif state == DECLINE_WAITS:
        offers.decline(town.session, offer.id, by=mother, now=town.now)
    elif state == WITHDRAWAL_WAITS:
        withdrawals.withdraw(town.session, town.ana.id, by=mother, now=town.now)
    elif state == WITHDRAWAL_WAITS_WITHOUT_PLACE:
        bring_offer_to(town, OfferState.DECLINED)
        withdrawals.withdraw(town.session, town.ana.id, by=mother, now=town.now)
    elif state == WITHDRAWN:
        for by in guardians_of(town):
            withdrawals.withdraw(town.session, town.ana.id, by=by, now=town.now)
    elif state == HELD:
        town.confirm(town.ana)
        cases.open_objection(town.session, town.ana.id, text="", by=mother, now=town.now)
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    town.act_id = waiting.act_id if waiting else town.ana.id  # where none waits, an id of no act
