"""The review of one application, told act by act."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import submission
from enrollment.applications.lifecycle import MoveMade
from enrollment.draw import participants, snapshot
from enrollment.eligibility import return_times
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.accounts import Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review import reassignment, refusals, return_undo, review
from enrollment.review.notes import NOTES
from enrollment.review.queue import task_groups, workload
from enrollment.review.queue.filters import Group
from enrollment.review.review import Ask, Finding
from enrollment.season import calendar
from enrollment.season.calendar import Season
from enrollment.season.facts import Fact
from enrollment.season.rules import RETURN_HOURS
from tests.support.prepared import prepared


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return kindergarten


@prepared
def ana(town, here):
    return town.child("安娜", wishes=[here])


def as_claimed(town, application) -> list[Finding]:
    return [Finding(fact, value) for fact, value in claimed_facts(town.session, application.id).items()]


def test_the_review_opens_when_registration_closes(town, here, ana):
    clerk = town.clerk_of(here)
    with pytest.raises(Refused, match="review_not_open"):
        review.take(town.session, ana.id, by=clerk, now=town.now)
    assert task_groups.overview(town.session, by=clerk, now=town.now).number() == 0
    town.registration_is_over()
    assert task_groups.overview(town.session, by=clerk, now=town.now).number() == 1
    assert review.take(town.session, ana.id, by=clerk, now=town.now).reviewer_id == clerk.account_id


def test_a_policy_may_open_it_earlier_and_an_edit_then_returns_it_to_the_queue(town, now):
    from enrollment.season import policy_approval

    here, there = town.kindergarten("锦官新城幼儿园", places=10), town.kindergarten("小蜜蜂幼儿园", places=10)
    text = policy_approval.template("whole_district", "510104", 2026)
    assert "opens_early = false" in text
    town.policy("510104", text=text.replace("opens_early = false", "opens_early = true"))
    town.open_registration()
    ana = town.child("安娜", wishes=[here])
    clerk = town.clerk_of(here)
    review.take(town.session, ana.id, by=clerk, now=town.now)
    assert [held.application_id for held in task_groups.glance(town.session, by=clerk, now=town.now).held] == [ana.id]
    town.wish(ana, here, there)
    assert (ana.stage, ana.reviewer_id) == ("submitted", None)
    with pytest.raises(Refused, match="not_in_your_hands"):
        review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=as_claimed(town, ana))


def test_confirming_needs_a_finding_for_every_claimed_fact(town, ana):
    clerk = town.clerk_takes(ana)
    findings = as_claimed(town, ana)
    with pytest.raises(Refused, match="facts_still_open") as refused:
        review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=findings[:-1])
    assert refused.value.details["n"] == 1
    assert refused.value.field == findings[-1].fact.value
    review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=findings[-1:])
    assert ana.stage == "confirmed"
    told = town.session.scalars(select(Notice).where(Notice.kind == "review_confirmed")).one()
    assert (told.account_id, told.child_id) == (ana.entered_by, ana.child_id)
    moves = town.session.scalars(select(MoveMade.move).order_by(MoveMade.number)).all()
    assert moves[-2:] == ["take", "confirm"]


def test_findings_can_be_saved_before_the_end_and_put_back(town, ana):
    clerk = town.clerk_takes(ana)
    review.verify(town.session, ana.id, [Finding(Fact.HUKOU_KIND, "collective")], by=clerk, now=town.now)
    with pytest.raises(Refused, match="register_says_otherwise"):
        review.verify(
            town.session, ana.id, [Finding(Fact.HUKOU_KIND, "local", source="register")], by=clerk, now=town.now
        )
    review.verify(town.session, ana.id, [Finding(Fact.HUKOU_KIND, "local")], by=clerk, now=town.now)
    kept = town.session.get(VerifiedFact, (ana.id, Fact.HUKOU_KIND))
    assert (kept.value, kept.source, kept.account_id) == ("local", "staff", clerk.account_id)
    assert town.session.query(AuditEntry).filter_by(act="verify", subject_id=str(ana.id)).count() == 2
    review.release(town.session, ana.id, by=clerk, now=town.now)
    assert (ana.stage, ana.reviewer_id) == ("submitted", None)


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (Finding(Fact.HUKOU_AREA, "999999"), "fact_value_not_understood"),
        (Finding(Fact.HUKOU_KIND, "whatever"), "fact_value_not_understood"),
        (Finding(Fact.BORN, "2023-13-01"), "fact_value_not_understood"),
        (Finding(Fact.HOME_PLACE, {"street": ""}), "fact_value_not_understood"),
        (Finding(Fact.HOME_PLACE, {"street": "三圣街道", "owner": "x"}), "fact_value_not_understood"),
        (Finding(Fact.HOME_PLACE, {"point": [200, 0]}), "fact_value_not_understood"),
        (Finding(Fact.SIBLING_AT, "no such code"), "fact_value_not_understood"),
        (Finding(Fact.CHILDREN_IN_FAMILY, True), "fact_value_not_understood"),
        (Finding(Fact.HUKOU_AREA), "declined_without_reason"),
        (Finding(Fact.HUKOU_AREA, reason="  "), "declined_without_reason"),
        (Finding(Fact.HUKOU_AREA, "510104", source="hearsay"), "unknown_source"),
    ],
)
def test_what_no_policy_could_read_is_not_stored(town, ana, finding, code):
    clerk = town.clerk_takes(ana)
    with pytest.raises(Refused, match=code) as refused:
        review.verify(town.session, ana.id, [finding], by=clerk, now=town.now)
    assert refused.value.field == finding.fact.value
    assert town.session.get(VerifiedFact, (ana.id, finding.fact)) is None


def test_sent_back_with_named_items_and_handed_in_again(town, ana):
    clerk = town.clerk_takes(ana)
    with pytest.raises(Refused, match="nothing_named"):
        review.send_back(town.session, ana.id, [], by=clerk, now=town.now)
    with pytest.raises(Refused, match="item_without_a_note") as refused:
        review.send_back(town.session, ana.id, [Ask("hukou_booklet", " ")], by=clerk, now=town.now)
    assert refused.value.field == "note-hukou_booklet"
    town.session.expunge_all()
    asks = [Ask("hukou_booklet", "户口簿缺幼儿本人页"), Ask("home_place", "请补门牌号")]
    review.send_back(town.session, ana.id, asks, by=clerk, now=town.now)
    ana = review.find(town.session, ana.id, by=clerk)
    assert ana.stage == "returned"
    assert [item.item for item in review.open_items(town.session, ana.id)] == ["home_place", "hukou_booklet"]
    told = town.session.scalars(select(Notice).where(Notice.kind == "review_returned")).one()
    ends = format_time(calendar.spans(town.session.get_one(Season, 2026))["review"][1])
    assert told.params == {"n": 2, "who": "kindergarten", "due": ends}, "the message names the last moment to answer"
    submission.submit(town.session, ana.id, by=town.parent_of(ana), now=town.now)
    assert review.open_items(town.session, ana.id) == []
    waiting = task_groups.overview(town.session, by=clerk, now=town.now)
    assert [line.application_id for line in waiting.lines[Group.ANSWERED]] == [ana.id]


def test_a_return_is_taken_back_before_the_family_learns_of_it_and_not_after(town, here, ana):
    clerk = town.clerk_takes(ana)
    ask = [Ask("hukou_booklet", "户口簿缺幼儿本人页")]

    def returned() -> Notice:
        review.send_back(town.session, ana.id, ask, by=clerk, now=town.now)
        return town.session.scalars(select(Notice).where(Notice.kind == "review_returned")).one()

    notice = returned()
    assert notice.next_try_at == town.now + return_undo.UNDO, (
        "the message waits as long as the return can be taken back"
    )
    with pytest.raises(Refused, match="not_your_return"):
        return_undo.take_back(town.session, ana.id, by=town.head_of(here), now=town.now)
    return_undo.take_back(town.session, ana.id, by=clerk, now=town.now)
    assert (ana.stage, ana.reviewer_id, ana.returned_at) == ("in_review", clerk.account_id, None)
    assert review.open_items(town.session, ana.id) == []
    assert town.session.scalars(select(Notice).where(Notice.kind == "review_returned")).all() == []
    with pytest.raises(Refused, match="return_is_known"):
        return_undo.take_back(town.session, ana.id, by=clerk, now=town.now)
    notice = returned()
    for known in ({"read_at": town.now}, {"state": "sending"}):
        before = {name: getattr(notice, name) for name in known}
        for name, value in known.items():
            setattr(notice, name, value)
        with pytest.raises(Refused, match="return_is_known"):
            return_undo.take_back(town.session, ana.id, by=clerk, now=town.now)
        for name, value in before.items():
            setattr(notice, name, value)
    with pytest.raises(Refused, match="return_is_known"):
        return_undo.take_back(town.session, ana.id, by=clerk, now=town.now + return_undo.UNDO)
    town.the_round.closes_at = town.now + dt.timedelta(1)
    town.at(town.now + dt.timedelta(seconds=30))
    town.claim(ana, {})
    with pytest.raises(Refused, match="return_is_known"):  # the family has begun to answer
        return_undo.take_back(town.session, ana.id, by=clerk, now=town.now)
    assert return_undo.open_return(town.session, ana, now=town.now).due_at is not None


class TestRefusal:
    def propose(self, town, application, clerk, rule="falsehood", **more):
        said = {"clause": "第四条", "fact": "home_place", "explanation": "租赁合同系伪造"} | more
        return refusals.propose_refusal(town.session, application.id, rule=rule, by=clerk, now=town.now, **said)

    def test_stf13_needs_a_rule_with_its_number_a_fact_and_a_second_person(self, town, here, ana):
        clerk = town.clerk_takes(ana)
        for more, code in (
            ({"rule": "dislike"}, "unknown_refusal_rule"),
            ({"clause": " "}, "clause_needed"),
            ({"explanation": " "}, "explanation_needed"),
            ({"fact": None}, "refusal_fact_missing"),
            ({"fact": "home_place"}, "fact_stands"),
            ({"rule": "age"}, "age_fits"),
            ({"rule": "duplicate"}, "no_duplicate_known"),
        ):
            with pytest.raises(Refused, match=code):
                self.propose(town, ana, clerk, **more)
        review.verify(town.session, ana.id, [Finding(Fact.HOME_PLACE, reason="合同系伪造")], by=clerk, now=town.now)
        proposal = self.propose(town, ana, clerk)
        assert (proposal.clause, proposal.fact) == ("第四条", "home_place")
        with pytest.raises(Refused, match="refusal_is_proposed"):
            self.propose(town, ana, clerk)
        with pytest.raises(Refused, match="refusal_is_proposed"):
            review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=as_claimed(town, ana))
        with pytest.raises(Refused, match="only_a_head_or_official_decides"):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.clerk_of(here), now=town.now)
        head = town.head_of(here)
        assert [each.id for each, _ in refusals.open_refusals(town.session, by=head)] == [proposal.id]
        queue = task_groups.overview(town.session, by=head, now=town.now)
        assert queue.counts == {Group.SECOND: 1}
        refusals.decide_refusal(town.session, proposal.id, upheld=True, by=head, now=town.now)
        assert ana.stage == "refused"
        told = town.session.scalars(select(Notice).where(Notice.kind == "review_refused")).one()
        assert told.params == {"rule": "falsehood", "who": "kindergarten"}
        with pytest.raises(Refused, match="decided_already"):
            refusals.decide_refusal(town.session, proposal.id, upheld=False, by=head, now=town.now)
        done = task_groups.overview(town.session, by=clerk, now=town.now)
        assert [(line.application_id, line.stage) for line in done.lines[Group.DONE]] == [(ana.id, "refused")]

    def test_stf13_a_child_of_another_age_is_refused_on_its_birth_date(self, town, here, ana):
        clerk = town.clerk_takes(ana)
        ana.child.born = ana.child.born.replace(year=ana.child.born.year - 2)
        assert self.propose(town, ana, clerk, rule="age", fact=None).fact == "born"

    def test_a_child_that_is_entered_twice_keeps_one_of_its_applications(self, town, here, ana):
        again = town.child("安娜", wishes=[here])
        head, proposals = town.head_of(here), []
        for each in (ana, again):
            clerk = town.clerk_takes(each)
            proposals.append(self.propose(town, each, clerk, rule="duplicate", fact=None))
        refusals.decide_refusal(town.session, proposals[0].id, upheld=True, by=head, now=town.now)
        assert ana.stage == "refused"
        with pytest.raises(Refused, match="no_duplicate_known"):
            refusals.decide_refusal(town.session, proposals[1].id, upheld=True, by=head, now=town.now)
        assert again.stage == "in_review"
        refusals.decide_refusal(town.session, proposals[1].id, upheld=False, note="唯一", by=head, now=town.now)

    def test_a_pair_that_is_judged_different_refuses_nobody(self, town, here, ana):
        town.child("安娜", wishes=[here])
        hint = town.session.scalars(select(DuplicateHint)).one()
        proposal = self.propose(town, ana, town.clerk_takes(ana), rule="duplicate", fact=None)
        hint.verdict = "different"
        town.session.flush()
        with pytest.raises(Refused, match="no_duplicate_known"):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(here), now=town.now)

    def test_nobody_is_the_second_person_of_his_own_proposal(self, town, here, ana):
        head = town.head_of(here)
        proposal = town.clerk_proposes_refusal(ana, by=head)
        with pytest.raises(Refused, match="second_person_needed"):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=head, now=town.now)
        refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.area_official(), now=town.now)
        assert ana.stage == "refused"

    def test_the_table_itself_refuses_one_person_twice(self, town, here, ana):
        from sqlalchemy.exc import IntegrityError

        proposal = town.clerk_proposes_refusal(ana)
        clerk = town.reviewer_of(ana)
        proposal.decided_by, proposal.decided_at, proposal.upheld = clerk.account_id, town.now, True
        with pytest.raises(IntegrityError, match="second_person"):
            town.session.flush()

    def test_not_upheld_goes_on_with_the_clerk(self, town, here, ana):
        proposal = town.clerk_proposes_refusal(ana)
        clerk = town.reviewer_of(ana)
        head = town.head_of(here)
        with pytest.raises(Refused, match="reason_needed"):
            refusals.decide_refusal(town.session, proposal.id, upheld=False, note=" ", by=head, now=town.now)
        refusals.decide_refusal(town.session, proposal.id, upheld=False, note="年龄符合", by=head, now=town.now)
        assert [note.text for note in NOTES.of(town.session, ana.id)] == ["年龄符合"], "the clerk reads why"
        assert ana.stage == "in_review"
        review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=as_claimed(town, ana))
        assert ana.stage == "confirmed"

    def test_a_head_of_another_kindergarten_finds_nothing(self, town, here, ana):
        proposal = town.clerk_proposes_refusal(ana)
        elsewhere = town.head_of(town.kindergarten("小蜜蜂幼儿园", places=5))
        assert refusals.open_refusals(town.session, by=elsewhere) == []
        with pytest.raises(NotFound):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=elsewhere, now=town.now)


def test_a_head_puts_back_what_a_clerk_holds_and_a_colleague_cannot(town, here, ana):
    town.clerk_takes(ana)
    with pytest.raises(Refused, match="not_in_your_hands"):
        review.release(town.session, ana.id, by=town.clerk_of(here), now=town.now)
    review.release(town.session, ana.id, by=town.head_of(here), now=town.now)
    assert ana.stage == "submitted"


def test_an_area_official_gives_the_review_to_another_kindergarten(town, here, ana):
    there = town.kindergarten("小蜜蜂幼儿园", places=5)
    first = town.clerk_takes(ana)
    official = town.area_official("510104")
    with pytest.raises(Refused, match="reason_needed"):
        reassignment.reassign(town.session, ana.id, there.id, by=official, now=town.now, reason="")
    reassignment.reassign(town.session, ana.id, there.id, by=official, now=town.now, reason="园所审核积压")
    assert (ana.stage, ana.review_kindergarten_id) == ("submitted", there.id)
    with pytest.raises(NotFound):
        review.find(town.session, ana.id, by=first)
    review.take(town.session, ana.id, by=town.clerk_of(there), now=town.now)
    outside = town.area_official("510105")
    with pytest.raises(NotFound):
        reassignment.reassign(town.session, ana.id, here.id, by=outside, now=town.now, reason="越区")
    with pytest.raises(Refused, match="only_an_official_reassigns"):
        reassignment.reassign(town.session, ana.id, here.id, by=town.clerk_of(there), now=town.now, reason="不想审")


def test_strangers_find_nothing(town, here, ana):
    town.registration_is_over()
    family = town.parent_of(ana)
    nobody = Actor(account_id=None, name="")
    auditor = Actor(account_id=None, name="审计", roles=frozenset({"auditor"}))
    for stranger in (
        family,
        nobody,
        auditor,
        town.area_official("510105"),
        town.clerk_of(town.kindergarten("别园", places=1)),
    ):
        with pytest.raises(NotFound):
            review.take(town.session, ana.id, by=stranger, now=town.now)


def test_the_freeze_can_ask_who_still_waits(town, here, ana):
    ben = town.child("本恩", wishes=[here])
    assert participants.under_review(town.session, town.the_round) == [(here.name, 2)]
    town.clerk_takes(ana)
    assert participants.under_review(town.session, town.the_round) == [(here.name, 2)]
    town.clerk_confirms(ana)
    town.clerk_sends_back(ben, "hukou_booklet")
    assert participants.under_review(town.session, town.the_round) == []


def test_stf17_an_application_waits_from_the_opening_of_the_review_and_has_a_due_date(town, here, ana):
    """Handed in a week before; in the first hour of the review nobody is late."""
    ben = town.child("本恩", wishes=[here])
    clerk = town.clerk_confirms(ana) and town.reviewer_of(ana)
    queue = task_groups.overview(town.session, by=clerk, now=town.now)
    assert queue.counts == {Group.NEW: 1, Group.DONE: 1}
    (line,) = queue.lines[Group.NEW]
    opened = town.the_round.closes_at
    assert queue.times.waits_since(ben.submitted_at) == opened
    assert line.due.date() == dt.date(2026, 6, 2) and opened.date() == dt.date(2026, 5, 29), "two working days later"
    town.at(town.now + dt.timedelta(days=4))
    assert task_groups.overview(town.session, by=clerk, now=town.now).counts[Group.DUE] == 1
    (reviewer,) = workload.workload(town.session, by=clerk, now=town.now)
    assert (reviewer.account_id, reviewer.in_hand, reviewer.today, reviewer.settled) == (clerk.account_id, 0, 0, 1)


def test_no_list_is_frozen_while_a_family_may_still_complete_what_was_sent_back(town, here, ana):
    ben = town.child("本恩", wishes=[here])
    town.clerk_confirms(ana)
    review_ends = return_times.review_ends(town.session, ben.year)
    town.clerk_takes(ben)
    town.close_registration()
    town.at(review_ends - dt.timedelta(hours=1))
    asks = [Ask("hukou_booklet", "首页不清楚")]
    review.send_back(town.session, ben.id, asks, by=town.reviewer_of(ben), now=town.now)
    until = town.now + dt.timedelta(hours=RETURN_HOURS)
    assert return_times.answer_until(town.session, ben, returned_at=town.now) == until > review_ends
    told = town.session.scalars(select(Notice).where(Notice.kind == "review_returned")).one()
    assert told.params["due"] == format_time(until)
    town.declare_form(beacon_at=until + dt.timedelta(hours=1))
    town.at(until - dt.timedelta(minutes=1))
    with pytest.raises(Refused) as refused:
        snapshot.precheck(town.session, town.the_round, now=town.now)
    assert (refused.value.code, refused.value.details["n"]) == ("returns_have_time", 1)
    town.at(until)
    snapshot.precheck(town.session, town.the_round, now=town.now)
