"""FAM kinds: each act of each person on an offer and an application in each state, in time, late and twice.

The tables say what happens, and who is told; the test walks them with the services of the product.
`python -m tests.domain.test_every_act_in_every_state` writes `docs/decisions.md` from them.

An outcome is the new state, `waits` (a joint decision), `unchanged`, or the code of the refusal.  Three things hold for
every line and stand in no table: whatever changes is told to every guardian with who did it, whatever does not change is
told to nobody, and no act leaves an impossible fact behind.
"""

import datetime as dt
import functools
from pathlib import Path

import pytest
from sqlalchemy import select

from enrollment.applications import applications, lifecycle, submission, wishes
from enrollment.applications.application_rows import STAGES, Application, Stage
from enrollment.applications.lifecycle import MOVES
from enrollment.draw import freed_places
from enrollment.eligibility import households
from enrollment.ground.accounts import SYSTEM, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import irrevocable_acts, joint_decisions, offers, revocations, withdrawals
from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import STATES, Offer, OfferState
from enrollment.season.round_rows import RoundStage
from tests.support.prepared import prepared
from tests.support.town_families import RENTED_IN_JINJIANG

PAGE = Path(__file__).parents[2] / "docs" / "decisions.md"

DECLINE_WAITS, WITHDRAWAL_WAITS = "decline waits", "withdrawal waits"
"""An offered place that the mother wants to give up; one whose application she wants to withdraw."""

OFFER_STATES = (*STATES, DECLINE_WAITS, WITHDRAWAL_WAITS)
OFFER_ACTS = ("confirm", "wait", "decline", "withdraw", "consent", "agree", "object", "take_back", "have_back")
TIMES = ("in time", "late")
APPLICATION_ACTS = ("submit", "edit", "wish", "withdraw", "apply_again", "consent")
ALONE_ACTS = ("decline", "withdraw", "consent")
PERIODS = ("open", "closed", "frozen")
OTHERS = ("helper", "clerk", "official", "clock", "stranger")

OF_OFFERS = """
offered | confirm | in time |  | offer confirmed | answer_confirm
offered | confirm | late |  | refused: answer_too_late |
offered | wait | in time |  | offer confirmed_waiting | answer_confirm_and_wait
offered | wait | late |  | refused: answer_too_late |
offered | decline |  |  | decline waits | decline_proposed
offered | withdraw |  |  | withdraw waits | withdraw_proposed
offered | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
offered | have_back |  |  | refused: offer_is_over |
confirmed | confirm | in time |  | unchanged |
confirmed | confirm | late |  | refused: answer_too_late |
confirmed | wait | in time |  | offer confirmed_waiting | answer_confirm_and_wait
confirmed | wait | late |  | refused: answer_too_late |
confirmed | decline |  |  | decline waits | decline_proposed
confirmed | withdraw |  |  | withdraw waits | withdraw_proposed
confirmed | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed | have_back |  |  | refused: offer_is_over |
confirmed_waiting | confirm |  |  | offer confirmed | answer_confirm
confirmed_waiting | wait | in time |  | unchanged |
confirmed_waiting | wait | late |  | refused: answer_too_late |
confirmed_waiting | decline |  |  | decline waits | decline_proposed
confirmed_waiting | withdraw |  |  | withdraw waits | withdraw_proposed
confirmed_waiting | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed_waiting | have_back |  |  | refused: offer_is_over |
arrived | confirm |  |  | refused: offer_is_over |
arrived | wait |  |  | refused: offer_is_over |
arrived | decline |  |  | refused: offer_is_over |
arrived | withdraw |  |  | refused: withdraw_after_arrival |
arrived | consent |  |  | unchanged | consent_withdrawn
arrived | have_back |  |  | refused: offer_is_over |
declined | confirm |  |  | refused: offer_is_over |
declined | wait |  |  | refused: offer_is_over |
declined | decline |  |  | refused: offer_is_over |
declined | withdraw |  |  | withdraw waits | withdraw_proposed
declined | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
declined | have_back | in time |  | offer confirmed | answer_take_back
declined | have_back | late |  | refused: answer_too_late |
expired | confirm |  |  | refused: offer_is_over |
expired | wait |  |  | refused: offer_is_over |
expired | decline |  |  | refused: offer_is_over |
expired | withdraw |  |  | withdraw waits | withdraw_proposed
expired | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
expired | have_back |  |  | refused: offer_is_over |
superseded | confirm |  |  | refused: offer_is_over |
superseded | wait |  |  | refused: offer_is_over |
superseded | decline |  |  | refused: offer_is_over |
superseded | withdraw |  |  | withdraw waits | withdraw_proposed
superseded | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
superseded | have_back |  |  | refused: offer_is_over |
no_show | confirm |  |  | refused: offer_is_over |
no_show | wait |  |  | refused: offer_is_over |
no_show | decline |  |  | refused: offer_is_over |
no_show | withdraw |  |  | withdraw waits | withdraw_proposed
no_show | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
no_show | have_back |  |  | refused: offer_is_over |
revoked | confirm |  |  | refused: offer_is_over |
revoked | wait |  |  | refused: offer_is_over |
revoked | decline |  |  | refused: offer_is_over |
revoked | withdraw |  |  | withdraw waits | withdraw_proposed
revoked | consent |  |  | withdraw waits | consent_withdrawn, withdraw_proposed
revoked | have_back |  |  | refused: offer_is_over |
decline waits | confirm | in time | mother | offer confirmed; nothing waits any more | answer_confirm, decision_taken_back
decline waits | confirm | in time | father | offer confirmed; nothing waits any more; on hold, case opened | answer_confirm, decision_objected, on_hold
decline waits | confirm | late |  | refused: answer_too_late |
decline waits | wait | in time | mother | offer confirmed_waiting; nothing waits any more | answer_confirm_and_wait, decision_taken_back
decline waits | wait | in time | father | offer confirmed_waiting; nothing waits any more; on hold, case opened | answer_confirm_and_wait, decision_objected, on_hold
decline waits | wait | late |  | refused: answer_too_late |
decline waits | decline |  | mother | unchanged |
decline waits | decline |  | father | offer declined; nothing waits any more | answer_decline
decline waits | withdraw |  |  | withdraw waits | decision_void, withdraw_proposed
decline waits | consent |  |  | withdraw waits | consent_withdrawn, decision_void, withdraw_proposed
decline waits | agree |  | mother | refused: own_decision |
decline waits | agree |  | father | offer declined; nothing waits any more | answer_decline
decline waits | object |  | mother | refused: own_decision |
decline waits | object |  | father | nothing waits any more; on hold, case opened | decision_objected, on_hold
decline waits | take_back |  | mother | nothing waits any more | decision_taken_back
decline waits | take_back |  | father | refused: not_your_decision |
decline waits | have_back |  |  | refused: offer_is_over |
withdrawal waits | confirm | in time | mother | offer confirmed; nothing waits any more | answer_confirm, decision_taken_back
withdrawal waits | confirm | in time | father | offer confirmed; nothing waits any more; on hold, case opened | answer_confirm, decision_objected, on_hold
withdrawal waits | confirm | late |  | refused: answer_too_late |
withdrawal waits | wait | in time | mother | offer confirmed_waiting; nothing waits any more | answer_confirm_and_wait, decision_taken_back
withdrawal waits | wait | in time | father | offer confirmed_waiting; nothing waits any more; on hold, case opened | answer_confirm_and_wait, decision_objected, on_hold
withdrawal waits | wait | late |  | refused: answer_too_late |
withdrawal waits | decline |  |  | refused: decision_waits |
withdrawal waits | withdraw |  | mother | unchanged |
withdrawal waits | withdraw |  | father | application withdrawn; offer declined; nothing waits any more | withdrawn_finally
withdrawal waits | consent |  | mother | unchanged | consent_withdrawn
withdrawal waits | consent |  | father | application withdrawn; offer declined; nothing waits any more | consent_withdrawn, withdrawn_finally
withdrawal waits | agree |  | mother | refused: own_decision |
withdrawal waits | agree |  | father | application withdrawn; offer declined; nothing waits any more | withdrawn_finally
withdrawal waits | object |  | mother | refused: own_decision |
withdrawal waits | object |  | father | nothing waits any more; on hold, case opened | decision_objected, on_hold
withdrawal waits | take_back |  | mother | nothing waits any more | decision_taken_back
withdrawal waits | take_back |  | father | refused: not_your_decision |
withdrawal waits | have_back |  |  | refused: offer_is_over |
"""

OF_A_SINGLE_GUARDIAN = """
offered | decline |  |  | offer declined | answer_decline
offered | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
offered | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
confirmed | decline |  |  | offer declined | answer_decline
confirmed | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
confirmed | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
confirmed_waiting | decline |  |  | offer declined | answer_decline
confirmed_waiting | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
confirmed_waiting | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
arrived | decline |  |  | refused: offer_is_over |
arrived | withdraw |  |  | refused: withdraw_after_arrival |
arrived | consent |  |  | unchanged | consent_withdrawn
declined | decline |  |  | refused: offer_is_over |
declined | withdraw |  |  | application withdrawn | withdrawn_finally
declined | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
expired | decline |  |  | refused: offer_is_over |
expired | withdraw |  |  | application withdrawn | withdrawn_finally
expired | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
superseded | decline |  |  | refused: offer_is_over |
superseded | withdraw |  |  | application withdrawn; offer declined | withdrawn_finally
superseded | consent |  |  | application withdrawn; offer declined | consent_withdrawn, withdrawn_finally
no_show | decline |  |  | refused: offer_is_over |
no_show | withdraw |  |  | application withdrawn | withdrawn_finally
no_show | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
revoked | decline |  |  | refused: offer_is_over |
revoked | withdraw |  |  | application withdrawn | withdrawn_finally
revoked | consent |  |  | application withdrawn | consent_withdrawn, withdrawn_finally
"""

OF_APPLICATIONS = """
draft | submit | open |  | application submitted | application_submitted
draft | submit | closed or frozen |  | refused: registration_closed |
draft | edit | open |  | changed |
draft | edit | closed or frozen |  | refused: registration_closed |
draft | wish | open |  | changed |
draft | wish | closed or frozen |  | refused: registration_closed |
draft | withdraw | open |  | application withdrawn | withdrawn_until
draft | withdraw | closed or frozen |  | application withdrawn | application_withdrawn
draft | apply_again |  |  | unchanged |
draft | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
draft | consent | closed or frozen |  | application withdrawn | application_withdrawn, consent_withdrawn
submitted | submit |  |  | unchanged |
submitted | edit | open |  | changed | application_changed
submitted | edit | closed or frozen |  | refused: registration_closed |
submitted | wish | open |  | changed | application_changed
submitted | wish | closed or frozen |  | refused: registration_closed |
submitted | withdraw | open |  | application withdrawn | withdrawn_until
submitted | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
submitted | apply_again |  |  | unchanged |
submitted | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
submitted | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
in_review | submit |  |  | unchanged |
in_review | edit | open |  | application submitted | application_changed
in_review | edit | closed or frozen |  | refused: registration_closed |
in_review | wish | open |  | application submitted | application_changed
in_review | wish | closed or frozen |  | refused: registration_closed |
in_review | withdraw | open |  | application withdrawn | withdrawn_until
in_review | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
in_review | apply_again |  |  | unchanged |
in_review | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
in_review | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
returned | submit | open or closed |  | application submitted | application_changed
returned | submit | frozen |  | refused: registration_closed |
returned | edit | open or closed |  | changed |
returned | edit | frozen |  | refused: registration_closed |
returned | wish | open |  | changed |
returned | wish | closed |  | refused: round_not_open |
returned | wish | frozen |  | refused: registration_closed |
returned | withdraw | open |  | application withdrawn | withdrawn_until
returned | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
returned | apply_again |  |  | unchanged |
returned | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
returned | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
confirmed | submit |  |  | unchanged |
confirmed | edit | open |  | application submitted | application_changed
confirmed | edit | closed or frozen |  | refused: registration_closed |
confirmed | wish | open |  | application submitted | application_changed
confirmed | wish | closed or frozen |  | refused: registration_closed |
confirmed | withdraw | open |  | application withdrawn | withdrawn_until
confirmed | withdraw | closed or frozen |  | withdraw waits | withdraw_proposed
confirmed | apply_again |  |  | unchanged |
confirmed | consent | open |  | application withdrawn | consent_withdrawn, withdrawn_until
confirmed | consent | closed or frozen |  | withdraw waits | consent_withdrawn, withdraw_proposed
refused | submit |  |  | refused: application_is_over |
refused | edit |  |  | refused: application_is_over |
refused | wish |  |  | refused: application_is_over |
refused | withdraw |  |  | unchanged |
refused | apply_again |  |  | refused: application_was_refused |
refused | consent |  |  | unchanged | consent_withdrawn
withdrawn | submit |  |  | refused: application_is_over |
withdrawn | edit |  |  | refused: application_is_over |
withdrawn | wish |  |  | refused: application_is_over |
withdrawn | withdraw |  |  | unchanged |
withdrawn | apply_again | open |  | application draft | applied_again
withdrawn | apply_again | closed or frozen |  | refused: registration_over_expected |
withdrawn | consent |  |  | unchanged | consent_withdrawn
"""
"""Lines of the tables: state, act, when ("" at any time), who ("" whichever guardian), outcome, messages."""


def act_on_offer(town, act, by):
    session, now = town.session, town.moment
    if act == "confirm" or act == "wait":
        offers.confirm(session, town.offer_id, wait=act == "wait", by=by, now=now)
    elif act == "decline":
        offers.decline(session, town.offer_id, by=by, now=now)
    elif act == "withdraw":
        withdrawals.withdraw(session, town.ana.id, by=by, now=now)
    elif act == "consent":
        withdrawals.withdraw_consent(session, by=by, now=now)
    elif act == "agree":
        irrevocable_acts.agree(session, town.act_id, by=by, now=now)
    elif act == "object":
        irrevocable_acts.object_to(session, town.act_id, text="", by=by, now=now)
    elif act == "take_back":
        irrevocable_acts.take_back(session, town.act_id, by=by, now=now)
    elif act == "have_back":  # the place that was given up
        freed_places.take_back(session, town.offer_id, by=by, now=now)


def act_on_application(town, act, by):
    session, now = town.session, town.moment
    if act == "submit":
        submission.submit(session, town.ana.id, by=by, now=now)
    elif act == "edit":
        households.save(session, town.ana.id, by=by, now=now, **RENTED_IN_JINJIANG | {"home_street": "牛市口街道"})
    elif act == "wish":
        wanted = [town.programme_of(each).id for each in (town.plain, town.good)]
        wishes.set_wishes(session, town.ana.id, town.the_round.id, wanted, version=None, by=by, now=now)
    elif act == "withdraw":
        withdrawals.withdraw(session, town.ana.id, by=by, now=now)
    elif act == "apply_again":
        applications.start(session, town.ana.child_id, town.ana.year, by=by, now=now)
    elif act == "consent":
        withdrawals.withdraw_consent(session, by=by, now=now)


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


@prepared
def two_guardians(town):
    families(town)
    return town


@prepared
def two_after_the_draw(town):
    return drawn_families(town)


@prepared
def one_after_the_draw(town):
    return drawn_families(town, alone=True)


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
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    town.act_id = waiting.act_id if waiting else town.ana.id  # where none waits, an id of no act


def standing(town):
    """What an act may change: the application, its offers, what waits."""
    session = town.session
    session.expire_all()
    stage, version, held = session.execute(
        select(Application.stage, Application.version, Application.on_hold).where(Application.id == town.ana.id)
    ).one()
    states = session.execute(
        select(Offer.id, Offer.state).where(Offer.application_id == town.ana.id).order_by(Offer.id)
    )
    waits = select(JointDecision.act_id, JointDecision.kind).where(
        JointDecision.application_id == town.ana.id, JointDecision.state == DecisionState.WAITING
    )
    return stage, version, held, tuple(states.all()), tuple(session.execute(waits).all())


def messages(town):
    found = select(Notice.id, Notice.account_id, Notice.kind, Notice.params).where(Notice.application_id == town.ana.id)
    return {row.id: row for row in town.session.execute(found)}


def outcome(town, perform, act, who, found) -> tuple[str, str]:
    """What an act of somebody does to what was `found`, in words of the table, and what the guardians are told.

    What succeeds is done again, which tells nobody anything.  Then all of it is undone.
    """
    attempt = town.session.begin_nested()
    try:
        said = _outcome(town, perform, act, who, found)
        if not said[0].startswith(("refused", "not found", "unchanged")):
            assert again(town, perform, act, who) == "", (act, who, "a second time")
        return said
    finally:
        attempt.rollback()
        town.session.expire_all()


def _outcome(town, perform, act, who, found):
    before, known = found
    try:
        with town.session.begin_nested():
            perform(town, act, town.people[who])
            town.session.flush()
    except Refused as refused:
        return f"refused: {refused.code}", ""
    except NotFound:
        return "not found", ""
    after = standing(town)
    fresh = [row for id_, row in messages(town).items() if id_ not in known]
    told = {row.kind for row in fresh}
    for kind in told:  # every guardian, and each knows who
        readers = {row.account_id: row.params.get("who") for row in fresh if row.kind == kind}
        assert set(readers) == {each.account_id for each in guardians_of(town)}, (act, who, kind)
        if kind != "on_hold":
            carried_out = kind in ("answer_decline", "withdrawn_finally") and before[4]
            actor = "mother" if carried_out else who  # she proposed it; to agree is not to act
            own = town.people[actor].account_id
            assert readers == {each: "you" if each == own else actor for each in readers}, (act, who, kind)
    assert list(invariants.find_violations(town.session)) == []
    assert (after == before) <= (told <= {"consent_withdrawn", "mandate_ended"}), (act, who, told)
    if (act != "edit" and act != "wish") or before[0] not in (Stage.DRAFT, Stage.RETURNED):
        assert (after != before) <= bool(told), (act, who, "nobody was told")
    return _words(before, after), ", ".join(sorted(told - {"mandate_ended"}))


def _words(before, after) -> str:
    changed = []
    if after[0] != before[0]:
        changed.append(f"application {after[0]}")
    changed += [f"offer {now}" for (_id, was), (_, now) in zip(before[3], after[3], strict=True) if now != was]
    if after[4] != before[4]:
        changed.append(f"{after[4][0].kind} waits" if after[4] else "nothing waits any more")
    if after[2] and not before[2]:
        changed.append("on hold, case opened")
    if not changed and after[1] != before[1]:
        changed.append("changed")
    return "; ".join(changed) or "unchanged"


BY_OFFICES = {
    OfferState.OFFERED: (("review_confirmed", "kindergarten"), ("result_published", "city_office")),
    OfferState.ARRIVED: (("marked_arrived", "kindergarten"),),
    OfferState.NO_SHOW: (("marked_no_show", "kindergarten"),),
    OfferState.EXPIRED: (("offer_expired", "system"),),
    OfferState.SUPERSEDED: (("moved_up", "city_office"),),
    OfferState.REVOKED: (("offer_revoked", "city_office"),),
}
"""What led to a state, as every guardian is told, with who decided."""


@functools.cache
def lines_of(table: str) -> list[tuple[str, ...]]:
    split = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return [tuple(cells + [""] * (6 - len(cells))) for cells in split]


def expected(table: str, state: str, act: str, when: str, who: str) -> tuple[str, str]:
    """The outcome and the messages of the first line that fits; without a line the act finds nothing."""
    for of, does, at, by, then, told in lines_of(table):
        if (of, does) == (str(state), act) and (not at or when in at.split(" or ")) and by in ("", who):
            return then, told
    return "not found", ""


def walk(town, table, state, perform, acts, moments, people):
    """Every act of everybody at each moment: as the table says, and a second time nothing happens."""
    for when, moment, prepare in moments:
        town.moment = moment
        prepare()
        found = standing(town), messages(town)
        for act in acts:
            for who in people:
                said = outcome(town, perform, act, who, found)
                assert said == expected(table, state, act, when, who), (state, act, when, who)
        assert (standing(town), messages(town)) == found, "an act was not undone"


def again(town, perform, act, who) -> str:
    """What an act that has succeeded tells when it is done once more."""
    known = set(messages(town))
    try:
        with town.session.begin_nested():
            perform(town, act, town.people[who])
            town.session.flush()
    except (Refused, NotFound):
        return ""
    return ", ".join(row.kind for id_, row in messages(town).items() if id_ not in known)


def moments_of_offer(town):
    due = max(town.now, town.session.get_one(Offer, town.offer_id).answer_by)
    return [("in time", town.now, lambda: None), ("late", due + dt.timedelta(seconds=3), lambda: None)]


def moments_of_application(town):
    def round_is(stage):
        town.the_round.stage = stage
        town.session.flush()

    after = town.the_round.closes_at + dt.timedelta(seconds=3)
    return [
        ("open", town.now, lambda: None),
        ("closed", after, lambda: round_is(RoundStage.CLOSED)),
        ("frozen", after, lambda: round_is(RoundStage.FROZEN)),
    ]


@pytest.mark.parametrize("state", OFFER_STATES)
def test_fam09_acts_of_two_guardians_on_an_offer(two_after_the_draw, state):
    town = two_after_the_draw
    bring_offer_to(town, state)
    for kind, who in BY_OFFICES.get(state, ()):
        told = {row.account_id: row.params["who"] for row in messages(town).values() if row.kind == kind}
        assert told == {each.account_id: who for each in guardians_of(town)}, kind
    walk(town, OF_OFFERS, state, act_on_offer, OFFER_ACTS, moments_of_offer(town), ("mother", "father"))


@pytest.mark.parametrize("state", STATES)
def test_fam09_acts_of_a_single_guardian_take_effect_at_once(one_after_the_draw, state):
    town = one_after_the_draw
    bring_offer_to(town, state)
    walk(town, OF_A_SINGLE_GUARDIAN, state, act_on_offer, ALONE_ACTS, moments_of_offer(town), ("mother",))


@pytest.mark.parametrize("stage", STAGES)
def test_fam26_acts_of_two_guardians_on_an_application(two_guardians, stage):
    town = two_guardians
    bring_application_to(town, stage)
    moments = moments_of_application(town)
    walk(town, OF_APPLICATIONS, stage, act_on_application, APPLICATION_ACTS, moments, ("mother", "father"))


@pytest.mark.parametrize("state", OFFER_STATES)
def test_nobody_else_answers_for_a_family(two_after_the_draw, state):
    town = two_after_the_draw
    bring_offer_to(town, state)
    town.moment = town.now
    found = standing(town), messages(town)
    for act in OFFER_ACTS:
        for who in OTHERS:
            said, told = outcome(town, act_on_offer, act, who, found)
            wanted = "refused: only_the_guardian" if who == "helper" else "not found"
            if act == "consent" and who != "helper":
                wanted = "unchanged"  # it is about one's own children, and there are none
            assert (said, told) == (wanted, ""), (state, act, who)


def test_every_state_and_every_act_of_a_family_has_its_lines():
    assert {line[0] for line in lines_of(OF_OFFERS)} == set(map(str, OFFER_STATES))
    assert {line[0] for line in lines_of(OF_APPLICATIONS)} == set(map(str, STAGES))
    family = {name for name, move in OFFER_MOVES.items() if Role.GUARDIAN in move.by}
    assert family == {"confirm", "confirm_and_wait", "decline", "take_back"}, "a new move of a family needs lines here"
    known = {"submit", "edit", "edit_in_review", "wish_again", "withdraw", "apply_again"}
    assert {name for name, move in MOVES.items() if Role.GUARDIAN in move.by} == known


HEAD = """# Every act in every state

Generated from the tables in `tests/domain/test_every_act_in_every_state.py`, which the test walks with the services of the
product; `python -m tests.domain.test_every_act_in_every_state` writes it again.

The mother proposed what waits in the states *decline waits* and *withdrawal waits*. An empty *when* or *who* means always
and whichever guardian. Whatever changes is told to every guardian, each with who did it; a refusal and a second time change
nothing and tell nobody. Helpers get `only_the_guardian`, everybody else finds nothing. The rules behind it are in
[policy.md](policy.md#decisions-of-two-guardians).
"""


def drawn() -> str:
    parts = [
        ("An offer, with two guardians", "state", OF_OFFERS),
        ("An offer, with one guardian: what cannot be undone takes effect at once", "state", OF_A_SINGLE_GUARDIAN),
        ("An application, with two guardians", "stage", OF_APPLICATIONS),
    ]
    text = HEAD
    for title, noun, table in parts:
        text += f"\n## {title}\n\n| {noun} | act | when | who | outcome | messages |\n|---|---|---|---|---|---|\n"
        text += "".join(f"| {' | '.join(cells)} |\n" for cells in lines_of(table))
    return text


def test_the_page_is_the_table():
    assert PAGE.read_text("utf-8") == drawn(), "write it again: python -m tests.domain.test_every_act_in_every_state"


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
