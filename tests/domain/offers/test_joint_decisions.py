"""FAM09: an irrevocable act of one of two guardians waits for the other, and everybody hears of every decision."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import lifecycle
from enrollment.draw import replay
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import answer_deadlines, irrevocable_acts, joint_decisions, offer_lifecycle, offers, withdrawals
from enrollment.offers.joint_decision_rows import DecisionState
from enrollment.offers.offer_rows import OfferState
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.review import cases
from enrollment.review.cases import Case
from tests.support.prepared import prepared


@prepared
def two(town):
    """Ana has a place and two guardians; Ben wants it."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本本"))
    town.father = town.second_guardian(town.ana).actor
    town.mother = town.parent_of(town.ana)
    town.drawn(town.ana, town.ben)
    return town


def told(town, by, application) -> dict[str, str | None]:
    """The kinds of message that a guardian got about an application, each with who decided."""
    mine = select(Notice).where(Notice.account_id == by.account_id, Notice.application_id == application.id)
    return {notice.kind: notice.params.get("who") for notice in town.session.scalars(mine.order_by(Notice.created_at))}


def propose(town):
    town.decline(town.ana)
    return joint_decisions.waiting_for(town.session, town.ana.id)


def take_effect(town):
    done = [
        irrevocable_acts.take_effect(town.session, act, now=town.now)
        for act in joint_decisions.due(town.session, now=town.now)
    ]
    assert list(invariants.find_violations(town.session)) == []
    return done


def replays_asked(town):
    return town.session.scalars(select(Job.dedupe_key).where(Job.kind == "replay_rounds")).all()


def test_fam09_the_place_stays_live_until_the_time_has_come_and_then_goes_on(two):
    waiting = propose(two)
    assert waiting.takes_effect_at == two.now + dt.timedelta(hours=24)
    assert two.offer_for(two.ana).state == OfferState.OFFERED and two.taken_at(two.garden) == 1
    assert told(two, two.mother, two.ana)["decline_proposed"] == "you"
    assert told(two, two.father, two.ana)["decline_proposed"] == "mother"
    assert take_effect(two) == [] and replays_asked(two) == []
    two.at(waiting.takes_effect_at)
    assert take_effect(two) == [True] and take_effect(two) == []
    assert two.last_offer_for(two.ana).state == OfferState.DECLINED and two.taken_at(two.garden) == 0
    assert told(two, two.father, two.ana)["answer_decline"] == "mother"
    assert len(replays_asked(two)) == 1
    assert joint_decisions.rows_of(two.session, waiting.act_id)[0].state == DecisionState.EFFECTIVE


def test_fam09_a_guardian_is_reminded_once_before_silence_takes_a_confirmed_place(two):
    offers.confirm(two.session, two.offer_for(two.ana).id, wait=False, by=two.father, now=two.now)
    waiting = propose(two)
    two.at(waiting.takes_effect_at - joint_decisions.REMIND_BEFORE - dt.timedelta(minutes=1))
    assert joint_decisions.remind_due(two.session, now=two.now) == 0
    two.at(two.now + dt.timedelta(minutes=1))
    for _ in range(2):
        joint_decisions.remind_due(two.session, now=two.now)
    assert told(two, two.father, two.ana)["decline_reminder"] == "mother"
    reminders = select(Notice).where(Notice.kind == "decline_reminder", Notice.account_id == two.father.account_id)
    assert len(two.session.scalars(reminders).all()) == 1
    assert joint_decisions.place_is_confirmed(two.session, waiting)


def test_fam09_the_other_agrees_and_it_takes_effect_at_once(two):
    waiting = propose(two)
    irrevocable_acts.agree(two.session, waiting.act_id, by=two.father, now=two.now)
    assert two.last_offer_for(two.ana).state == OfferState.DECLINED
    assert joint_decisions.rows_of(two.session, waiting.act_id)[0].state == DecisionState.AGREED
    with pytest.raises(Refused, match="decision_is_over"):
        irrevocable_acts.agree(two.session, waiting.act_id, by=two.father, now=two.now)


def test_fam09_to_decline_what_the_other_wants_to_give_up_is_to_agree(two):
    propose(two)
    offers.decline(two.session, two.offer_for(two.ana).id, by=two.father, now=two.now)
    assert two.offer_for(two.ana) is None


def test_fam09_to_ask_twice_is_to_ask_once(two):
    assert propose(two).act_id == propose(two).act_id


def test_fam09_an_objection_keeps_the_place_and_opens_a_case(two):
    waiting = propose(two)
    irrevocable_acts.object_to(two.session, waiting.act_id, text="不同意", by=two.father, now=two.now)
    assert two.offer_for(two.ana).state == OfferState.OFFERED and two.ana.on_hold
    case = two.session.scalars(select(Case)).one()
    assert (case.kind, case.application_id, case.account_id) == (
        "guardians_dispute", two.ana.id, two.father.account_id)  # fmt: skip
    assert told(two, two.mother, two.ana)["decision_objected"] == "father"
    two.at(two.now + dt.timedelta(days=9))
    answer_deadlines.expire_due(two.session, now=two.now)
    assert two.offer_for(two.ana) is not None, "an officer has the word"
    official = two.city_pair()[0]
    cases.settle(two.session, case.id, outcome="settled", reason="已协商", by=official, now=two.now)
    assert not two.ana.on_hold


def test_fam09_a_confirmation_of_the_other_is_an_objection_and_keeps_the_place(two):
    propose(two)
    offers.confirm(two.session, two.offer_for(two.ana).id, wait=False, by=two.father, now=two.now)
    assert two.offer_for(two.ana).state == OfferState.CONFIRMED and two.ana.on_hold
    assert joint_decisions.waiting_for(two.session, two.ana.id) is None
    assert told(two, two.mother, two.ana)["answer_confirm"] == "father"


def test_fam09_the_one_who_asked_takes_it_back_also_by_confirming(two):
    waiting = propose(two)
    with pytest.raises(Refused, match="not_your_decision"):
        irrevocable_acts.take_back(two.session, waiting.act_id, by=two.father, now=two.now)
    with pytest.raises(Refused, match="own_decision"):
        irrevocable_acts.agree(two.session, waiting.act_id, by=two.mother, now=two.now)
    irrevocable_acts.take_back(two.session, waiting.act_id, by=two.mother, now=two.now)
    two.at(two.now + dt.timedelta(minutes=1))
    waiting = propose(two)
    two.confirm(two.ana)
    assert joint_decisions.rows_of(two.session, waiting.act_id)[0].state == DecisionState.TAKEN_BACK
    assert not two.ana.on_hold


def test_fam09_a_stranger_has_no_word(two):
    waiting = propose(two)
    for act in (irrevocable_acts.agree, irrevocable_acts.take_back):
        with pytest.raises(NotFound):
            act(two.session, waiting.act_id, by=two.parent_of(two.ben), now=two.now)


def test_fam09_it_takes_effect_when_the_answer_is_due_if_that_is_sooner_and_is_no_silence(two):
    due = two.offer_for(two.ana).answer_by
    two.at(due - dt.timedelta(hours=2))
    answer_deadlines.remind_due(two.session, now=two.now)
    assert propose(two).takes_effect_at == due
    two.at(due)
    answer_deadlines.expire_due(two.session, now=two.now)
    assert two.offer_for(two.ana).state == OfferState.OFFERED
    two.replay()
    assert two.last_offer_for(two.ana).state == OfferState.DECLINED
    assert two.place_of(two.ben) == two.garden


def test_fam09_another_end_of_the_place_makes_it_void(two):
    waiting = propose(two)
    two.session.refresh(two.offer_for(two.ana))
    offer_lifecycle.end_many(
        two.session, [two.offer_for(two.ana).id], "supersede", by=SYSTEM, now=two.now, reason="better_wish"
    )
    row = joint_decisions.rows_of(two.session, waiting.act_id)[0]
    assert (row.state, row.reason) == (DecisionState.VOID, "place_changed")
    assert {"decision_void"} <= set(told(two, two.mother, two.ana)) & set(told(two, two.father, two.ana))


def test_fam09_a_better_place_meanwhile_makes_it_void(town):
    good, plain = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana, ben = (town.child(name, wishes=[good, plain]) for name in ("安娜", "本本"))
    town.second_guardian(ben)
    town.drawn(ana, ben)
    town.decline(ana)
    town.confirm(ben, wait=True)
    town.at(town.offer_for(ben).answer_by)
    town.decline(ben)
    waiting = joint_decisions.waiting_for(town.session, ben.id)
    town.replay()
    assert town.place_of(ben) == good
    assert joint_decisions.rows_of(town.session, waiting.act_id)[0].state == DecisionState.VOID


def test_fam09_bound_children_are_given_up_together(town):
    garden = town.kindergarten("金苹果", places=2)
    pair = town.twins("大宝", "小宝", wishes=[garden])
    father = town.second_guardian(pair[1]).actor
    town.drawn(*pair)
    town.decline(pair[0])
    first, second = (joint_decisions.waiting_for(town.session, each.id) for each in pair)
    assert first.act_id == second.act_id, "the guardian of one of them has a say about both"
    irrevocable_acts.agree(town.session, second.act_id, by=father, now=town.now)
    assert [town.offer_for(each) for each in pair] == [None, None]
    assert town.taken_at(garden) == 0


def test_fam09_a_single_guardian_decides_at_once(two):
    offer = two.last_offer_for(two.ben)
    assert offer is None
    two.decline(two.ana)
    two.at(two.now + dt.timedelta(days=1))
    take_effect(two)
    two.approve = replay  # the place goes on below
    two.silence_if_any()
    two.replay()
    two.decline(two.ben)
    assert two.offer_for(two.ben) is None and joint_decisions.waiting_for(two.session, two.ben.id) is None


def test_fam23_consent_is_never_refused_and_the_place_waits_for_the_other(two):
    told_before = withdrawals.consequence(two.session, two.ana, by=two.mother, now=two.now)
    assert told_before.effect == "place_given_up" and told_before.waits_until == two.now + dt.timedelta(hours=24)
    withdrawals.withdraw_consent(two.session, by=two.mother, now=two.now)
    waiting = joint_decisions.waiting_for(two.session, two.ana.id)
    assert waiting.kind == "withdraw"
    assert told(two, two.father, two.ana)["consent_withdrawn"] == "mother"
    two.at(waiting.takes_effect_at)
    assert take_effect(two) == [True]
    two.session.refresh(two.ana)
    assert two.ana.stage == "withdrawn" and two.offer_for(two.ana) is None
    assert told(two, two.mother, two.ana)["withdrawn_finally"] == "you"
    kinds = ("withdraw_proposed", "withdrawn_finally")
    for each in two.session.scalars(select(Notice).where(Notice.kind.in_(kinds))):
        assert each.params["holds_place"] is True


def test_fam23_after_arrival_the_place_stays(two):
    two.confirm(two.ana)
    offer_lifecycle.make(two.session, two.offer_for(two.ana), "mark_arrived", by=two.clerk_of(two.garden), now=two.now)
    withdrawals.withdraw_consent(two.session, by=two.mother, now=two.now)
    assert two.offer_for(two.ana).state == OfferState.ARRIVED and two.ana.stage == "confirmed"
    with pytest.raises(Refused, match="withdraw_after_arrival"):
        withdrawals.withdraw(two.session, two.ana.id, by=two.mother, now=two.now)


def test_fam23_between_freeze_and_result_the_ticket_is_given_up(town):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.everyone_is_reviewed()
    town.freeze()
    withdrawals.withdraw_consent(town.session, by=town.parent_of(ana), now=town.now)
    town.session.refresh(ana)
    assert ana.stage == "withdrawn"
    notice = town.session.scalars(select(Notice).where(Notice.kind == "withdrawn_finally")).one()
    assert notice.params["holds_place"] is False, "no message speaks of a place before there is one"
    town.seed_in_order(ana, ben)
    town.run()
    town.publish()
    assert town.last_offer_for(ana) is None and town.taken_at(garden) == 0
    town.at(town.the_round.confirm_by)
    town.replay()
    assert town.place_of(ben) == garden


def settled(town):
    case = town.session.scalars(select(Case).where(Case.settled_at.is_(None))).one()
    cases.settle(town.session, case.id, outcome="settled", reason="保留学位", by=town.city_pair()[0], now=town.now)


def test_during_a_hold_no_irrevocable_act_is_accepted(two):
    irrevocable_acts.object_to(two.session, propose(two).act_id, text="", by=two.father, now=two.now)
    for by in (two.mother, two.father):
        with pytest.raises(Refused, match="on_hold"):
            withdrawals.withdraw(two.session, two.ana.id, by=by, now=two.now)
        with pytest.raises(Refused, match="on_hold"):
            offers.decline(two.session, two.offer_for(two.ana).id, by=by, now=two.now)
    assert joint_decisions.waiting_for(two.session, two.ana.id) is None
    settled(two)
    two.at(two.now + dt.timedelta(days=3))
    assert irrevocable_acts.renew_after_holds(two.session, now=two.now) == 0 and take_effect(two) == []
    assert two.offer_for(two.ana) is not None


def test_before_the_freeze_a_hold_refuses_to_withdraw_too(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    father = town.second_guardian(ana).actor
    cases.open_objection(town.session, ana.id, text="", by=father, now=town.now)
    with pytest.raises(Refused, match="on_hold"):
        withdrawals.withdraw(town.session, ana.id, by=town.parent_of(ana), now=town.now)
    withdrawals.withdraw_consent(town.session, by=town.parent_of(ana), now=town.now)
    town.session.refresh(ana)
    assert ana.stage == "withdrawn", "consent can be withdrawn at any time, and this can be undone"


def test_fam23_consent_withdrawn_during_a_hold_waits_and_its_whole_period_starts_after_it(two):
    irrevocable_acts.object_to(two.session, propose(two).act_id, text="", by=two.father, now=two.now)
    withdrawals.withdraw_consent(two.session, by=two.mother, now=two.now)
    act = joint_decisions.waiting_for(two.session, two.ana.id).act_id
    assert told(two, two.father, two.ana)["withdraw_proposed_in_dispute"] == "mother"
    assert "withdraw_proposed" not in told(two, two.father, two.ana), "no message names a time"
    two.at(two.now + dt.timedelta(days=3))
    assert take_effect(two) == [] and joint_decisions.is_paused(two.session, act)
    settled(two)
    assert take_effect(two) == [], "also in the moment after the hold"
    assert joint_decisions.is_paused(two.session, act)
    assert two.session.scalars(select(Job).where(Job.dedupe_key.startswith("joint_after_hold:"))).all()
    assert irrevocable_acts.renew_after_holds(two.session, now=two.now) == 1
    assert irrevocable_acts.renew_after_holds(two.session, now=two.now) == 0
    waiting = joint_decisions.waiting_for(two.session, two.ana.id)
    assert waiting.act_id != act and not joint_decisions.is_paused(two.session, waiting.act_id)
    assert waiting.takes_effect_at == two.now + dt.timedelta(hours=24)
    for by, who in ((two.father, "mother"), (two.mother, "you")):
        assert told(two, by, two.ana)["withdraw_proposed"] == who
        assert "decision_void" not in told(two, by, two.ana)
    irrevocable_acts.object_to(two.session, waiting.act_id, text="", by=two.father, now=two.now)
    assert two.offer_for(two.ana) is not None, "the other guardian can object again"


def test_an_act_of_before_a_hold_starts_its_whole_period_anew(two):
    act = propose(two).act_id
    cases.open_objection(two.session, two.ana.id, text="", by=two.father, now=two.now)
    with pytest.raises(Refused, match="on_hold"):
        irrevocable_acts.agree(two.session, act, by=two.father, now=two.now)
    two.at(two.now + dt.timedelta(days=3))
    settled(two)
    irrevocable_acts.renew_after_holds(two.session, now=two.now)
    waiting = joint_decisions.waiting_for(two.session, two.ana.id)
    assert (waiting.kind, waiting.takes_effect_at) == ("decline", two.now + dt.timedelta(hours=24))
    two.at(waiting.takes_effect_at)
    assert take_effect(two) == [True]
    assert two.offer_for(two.ana) is None


def test_two_who_withdraw_consent_during_a_hold_wait_for_its_end_too(two):
    cases.open_objection(two.session, two.ana.id, text="", by=two.father, now=two.now)
    for by in (two.mother, two.father):
        withdrawals.withdraw_consent(two.session, by=by, now=two.now)
    assert two.offer_for(two.ana) is not None
    assert joint_decisions.waiting_for(two.session, two.ana.id).agreed_by == [two.father.account_id]


def mother_is_removed(two):
    mothers = select(Guardianship).join(Guardian).where(Guardian.account_id == two.mother.account_id)
    row = two.session.scalars(mothers).one()
    row.accepted_at, row.removed_at = None, two.now
    two.session.flush()


def test_an_act_ends_without_effect_if_its_proposer_was_removed_during_the_hold(two):
    act = propose(two).act_id
    cases.open_objection(two.session, two.ana.id, text="", by=two.father, now=two.now)
    two.at(two.now + dt.timedelta(days=1))
    mother_is_removed(two)
    settled(two)
    irrevocable_acts.renew_after_holds(two.session, now=two.now)
    row = joint_decisions.rows_of(two.session, act)[0]
    assert (row.state, row.reason) == (DecisionState.VOID, "proposer_has_left")
    assert joint_decisions.waiting_for(two.session, two.ana.id) is None and two.offer_for(two.ana) is not None


SILENCE_OR_ANSWER = {
    "silence": lambda two, act: (two.at(two.now + dt.timedelta(hours=24)), take_effect(two)),
    "agrees": lambda two, act: irrevocable_acts.agree(two.session, act, by=two.father, now=two.now),
    "objects": lambda two, act: irrevocable_acts.object_to(two.session, act, text="", by=two.father, now=two.now),
}


@pytest.mark.parametrize("then", SILENCE_OR_ANSWER)
def test_an_act_ends_without_effect_if_its_proposer_was_removed_while_it_waited(two, then):
    """Silence agrees to the act of a guardian, not of somebody who was one."""
    act = propose(two).act_id
    mother_is_removed(two)
    SILENCE_OR_ANSWER[then](two, act)
    row = joint_decisions.rows_of(two.session, act)[0]
    assert (row.state, row.reason) == (DecisionState.VOID, "proposer_has_left")
    assert two.offer_for(two.ana).state == OfferState.OFFERED and not two.ana.on_hold
    assert "decision_void" in told(two, two.father, two.ana)
    assert "decision_void" not in told(two, two.mother, two.ana)


def test_the_remaining_guardian_gives_the_place_up_at_once_where_the_other_proposed_it_and_was_removed(two):
    act = propose(two).act_id
    mother_is_removed(two)
    offers.decline(two.session, two.offer_for(two.ana).id, by=two.father, now=two.now)
    assert joint_decisions.rows_of(two.session, act)[0].state == DecisionState.VOID
    assert two.last_offer_for(two.ana).state == OfferState.DECLINED
    assert told(two, two.father, two.ana)["answer_decline"] == "you"


def test_fam23_between_deadline_and_freeze_one_of_two_guardians_cannot_withdraw_alone(town):
    """From the deadline on nothing brings the application back to the round."""
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    father, mother = town.second_guardian(ana).actor, town.parent_of(ana)
    before = withdrawals.consequence(town.session, ana, by=mother, now=town.now)
    assert (before.effect, before.waits_until, before.until) == ("undoable", None, town.the_round.closes_at)
    town.close_registration()
    after = withdrawals.consequence(town.session, ana, by=mother, now=town.now)
    assert (after.effect, after.until) == ("ticket_given_up", None)
    assert after.waits_until == town.now + dt.timedelta(hours=24)
    withdrawals.withdraw(town.session, ana.id, by=mother, now=town.now)
    waiting = joint_decisions.waiting_for(town.session, ana.id)
    assert ana.stage == "submitted" and waiting.takes_effect_at == after.waits_until
    assert told(town, father, ana)["withdraw_proposed"] == "mother", "at once"
    irrevocable_acts.agree(town.session, waiting.act_id, by=father, now=town.now)
    town.session.refresh(ana)
    assert ana.stage == "withdrawn"


def test_fam23_a_withdrawal_that_waits_ends_when_the_application_is_refused_meanwhile(town):
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    father, clerk = town.second_guardian(ana).actor, town.clerk_of(garden)
    town.close_registration()
    withdrawals.withdraw(town.session, ana.id, by=town.parent_of(ana), now=town.now)
    ana.reviewer_id = clerk.account_id
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    lifecycle.make(town.session, ana, "refuse", by=town.head_of(garden), now=town.now)
    town.at(town.now + dt.timedelta(days=1))
    take_effect(town)
    town.session.refresh(ana)
    assert ana.stage == "refused" and joint_decisions.waiting_for(town.session, ana.id) is None
    assert "decision_void" in told(town, father, ana)
