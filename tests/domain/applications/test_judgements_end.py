"""What the review has judged ends with the answers that it judged: findings, and the proposal to refuse."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import register_answers, wishes
from enrollment.applications.claim_rows import VERIFIED_FACTS
from enrollment.applications.elder_siblings import Elder
from enrollment.applications.judgements.claimed_values import claimed_of, judged_in
from enrollment.applications.receipts import answers_in
from enrollment.applications.register_answers import Answer
from enrollment.draw.run_rows import WishReason
from enrollment.eligibility import claims, households
from enrollment.eligibility.tiers import claimed_facts, verified_facts_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import household_of
from enrollment.review import findings, refusals, review, second_opinions
from enrollment.review.correction_rows import CorrectionKind
from enrollment.review.queue import task_groups
from enrollment.review.queue.filters import Group
from enrollment.review.review import Finding
from enrollment.season.facts import Fact
from tests.support.prepared import prepared
from tests.support.statements import counted as statements_of


@prepared
def ana(town):
    """She claims that her brother is in the kindergarten, and two other children of the family."""
    town.here, town.there = (town.kindergarten(name, places=1) for name in ("锦官园", "蜜蜂园"))
    town.open_registration()
    return town.child("安娜", wishes=[town.here], grounds={"elder_sibling": town.here, "multi_child": 3})


def find_everything(town, application):
    """A clerk takes the application and verifies all that is claimed."""
    clerk = town.clerk_takes(application)
    said = claimed_facts(town.session, application.id)
    found = [Finding(fact, value, reason="看过原件") for fact, value in said.items()]
    review.verify(town.session, application.id, found, by=clerk, now=town.now)
    return clerk


def send_back(town, application, clerk):
    review.send_back(town.session, application.id, [review.Ask("other", "请再看一遍")], by=clerk, now=town.now)


def registration_goes_on(town):
    """Two officials set a later deadline."""
    town.the_round.closes_at = town.now + dt.timedelta(days=1)
    town.session.flush()


def found(town, application) -> set[str]:
    town.session.expire_all()
    return {row.fact for row in VERIFIED_FACTS.of(town.session, application.id)}


def counted(town, application):
    return verified_facts_of(town.session, [application.id]).get(application.id, {})


def ended(town, application) -> list[tuple[str, str]]:
    """The findings of which the audit trail says that they ended, and what they had been."""
    rows = town.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.act == "end_finding", AuditEntry.subject_id == str(application.id))
        .order_by(AuditEntry.number)
    )
    return [(each.details["fact"], each.details["outcome"]) for each in rows]


def save_home(town, application, **said):
    households.save(town.session, application.id, by=town.parent_of(application), now=town.now, **said)


def test_a_ground_that_is_given_up_in_a_returned_application_does_not_count(town, ana):
    clerk = find_everything(town, ana)
    assert Fact.SIBLING_AT in counted(town, ana)
    send_back(town, ana, clerk)
    town.claim(ana, {"multi_child": 3})
    assert Fact.SIBLING_AT in found(town, ana), "what was handed in counts until the family hands in again"
    town.submit(ana)
    assert Fact.SIBLING_AT not in counted(town, ana)
    assert ended(town, ana) == [("sibling_at", "verified")]
    assert {Fact.BORN, Fact.CHILDREN_IN_FAMILY} < found(town, ana), "all else stands"
    assert findings.facts_still_open(town.session, ana.id) == []


def test_the_tier_in_the_draw_and_the_reason_follow(town, ana):
    ben = town.child("本本", wishes=[town.here], grounds={"elder_sibling": town.here})
    clerk = find_everything(town, ana)
    send_back(town, ana, clerk)
    town.claim(ana, {})
    town.submit(ana)
    town.drawn(ana, ben)
    assert town.place_of(ben) == town.here, "who still has the ground goes first, whatever the tickets"
    reasons = {each.application_id: each for each in town.session.scalars(select(WishReason))}
    assert reasons[ben.id].tier < reasons[ana.id].tier
    assert reasons[ana.id].reason == "tier_below_cutoff"


def test_a_claimed_value_that_changed_is_judged_anew(town, ana):
    clerk = find_everything(town, ana)
    send_back(town, ana, clerk)
    town.claim(ana, {"elder_sibling": town.there, "multi_child": 2})
    town.submit(ana)
    assert ended(town, ana) == [("children_in_family", "verified"), ("sibling_at", "verified")]
    town.clerk_takes(ana)
    assert set(findings.facts_still_open(town.session, ana.id)) == {Fact.SIBLING_AT, Fact.CHILDREN_IN_FAMILY}
    with pytest.raises(Refused, match="facts_still_open"):
        review.confirm(town.session, ana.id, by=clerk, now=town.now)


def test_a_declined_fact_that_is_claimed_otherwise_is_judged_anew(town, ana):
    clerk = find_everything(town, ana)
    review.verify(town.session, ana.id, [Finding(Fact.SIBLING_AT, reason="查无此人")], by=clerk, now=town.now)
    send_back(town, ana, clerk)
    town.claim(ana, {"elder_sibling": town.there, "multi_child": 3})
    town.submit(ana)
    assert ended(town, ana) == [("sibling_at", "declined")]


def test_another_child_or_another_home_is_another_claim_of_the_same_value(town, ana):
    clerk = find_everything(town, ana)
    send_back(town, ana, clerk)
    by = town.parent_of(ana)
    elder = Elder("安安", "510104202112012011", None)
    said = {"elder_sibling": town.here.code, "multi_child": 3}
    claims.set_claims(town.session, ana.id, said, elder=elder, by=by, now=town.now)
    save_home(town, ana, home_address="另一条路 9 号 1 栋 101 室")
    town.submit(ana)
    assert {fact for fact, _outcome in ended(town, ana)} == {"sibling_at", "home_place"}


def test_what_is_said_again_as_it_was_stands_and_asks_nothing(town, ana):
    clerk = find_everything(town, ana)
    send_back(town, ana, clerk)
    before = found(town, ana)
    town.claim(ana, {})
    town.claim(ana, {"elder_sibling": town.here, "multi_child": 3})
    with statements_of(town.session) as said:
        town.submit(ana)
    assert found(town, ana) == before and ended(town, ana) == []
    assert not [each for each in said if "verified_fact" in each]


@pytest.mark.parametrize("stage", ["in_review", "confirmed"])
def test_an_edit_after_the_review_has_begun_ends_what_it_changes(town, ana, stage):
    clerk = find_everything(town, ana)
    if stage == "confirmed":
        review.confirm(town.session, ana.id, by=clerk, now=town.now)
    registration_goes_on(town)
    town.claim(ana, {"multi_child": 3})
    assert ana.stage == "submitted"
    assert Fact.SIBLING_AT not in found(town, ana) and Fact.CHILDREN_IN_FAMILY in found(town, ana)
    entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "end_finding")).one()
    assert entry.account_id == town.parent_of(ana).account_id
    assert entry.details == {"fact": "sibling_at", "outcome": "verified", "source": "staff"}


def test_a_second_person_agrees_with_no_finding_that_has_ended(town, ana):
    """The register has no brother; a clerk says so all the same, and the family gives the ground up meanwhile."""
    clerk = town.clerk_takes(ana)
    answer = Answer(ana.id, Fact.SIBLING_AT, "roll", "differs", town.there.code)
    register_answers.note(town.session, [answer], now=town.now)
    said = Finding(Fact.SIBLING_AT, town.here.code, reason="园长证实")
    review.verify(town.session, ana.id, [said], by=clerk, now=town.now)
    seen, colleague = town.now, town.clerk_of(town.here)
    assert [each.fact for each in second_opinions.waiting(town.session, ana.id)] == ["sibling_at"]
    registration_goes_on(town)
    town.claim(ana, {})
    assert second_opinions.waiting(town.session, ana.id) == []
    with pytest.raises(Refused, match="finding_has_changed"):
        second_opinions.decide(
            town.session, ana.id, Fact.SIBLING_AT, agreed=True, seen=seen, by=colleague, now=town.now
        )
    assert Fact.SIBLING_AT not in counted(town, ana)


def test_an_edit_that_only_claims_more_asks_nothing(town, ana):
    town.clerk_confirms(ana)
    registration_goes_on(town)
    with statements_of(town.session) as said:
        save_home(town, ana, work_area="510105")
        town.wish(ana, town.there, town.here)
    assert ana.stage == "submitted" and Fact.WORK_AREA in claimed_facts(town.session, ana.id)
    assert not [each for each in said if "verified_fact" in each or "refusal_proposal" in each]


def test_who_withdraws_and_hands_in_again_is_judged_by_the_new_answers(town, ana):
    clerk = find_everything(town, ana)
    review.confirm(town.session, ana.id, by=clerk, now=town.now)
    registration_goes_on(town)
    town.withdraw(ana)
    town.apply_again(ana)
    town.claim(ana, {"multi_child": 3})
    town.wish(ana, town.here)
    town.submit(ana)
    assert Fact.SIBLING_AT not in found(town, ana)
    assert findings.facts_still_open(town.session, ana.id) == []


def test_what_a_correction_found_stays(town, ana):
    town.clerk_confirms(ana)
    request = town.requests_correction(ana, CorrectionKind.FACTS, fact=Fact.CHILDREN_IN_FAMILY, children_in_family=2)
    town.one_agrees(request)
    assert ended(town, ana) == []
    registration_goes_on(town)
    town.claim(ana, {})
    assert Fact.SIBLING_AT not in found(town, ana)
    assert counted(town, ana)[Fact.CHILDREN_IN_FAMILY] == 2


def test_a_correction_does_not_hide_what_the_family_changed_in_a_returned_application(town, ana):
    clerk = find_everything(town, ana)
    request = town.requests_correction(ana, CorrectionKind.NAME, name="安那")
    send_back(town, ana, clerk)
    town.claim(ana, {"multi_child": 3})
    town.two_agree(request)
    assert Fact.SIBLING_AT not in found(town, ana), "the corrected version says no brother"
    town.submit(ana)
    assert ended(town, ana) == [("sibling_at", "verified")]


def test_claims_read_the_same_from_a_version_and_from_their_tables(town, ana):
    save_home(town, ana, home_longitude="104.0700", home_latitude="30.6", home_estate="锦官新城")
    session = town.session
    said = {ground.value: details for ground, details in claims.of(session, ana.id).items()}
    stored = claimed_of(ana.child.born.isoformat(), household_of(session, ana.id), said)
    assert {fact: value for fact, (value, _beside) in judged_in(answers_in(session, ana, 2)).items()} == stored
    assert Fact.HOME_PLACE in stored


class TestRefusals:
    def waiting(self, town, by):
        return [each.id for each, _application in refusals.open_refusals(town.session, by=by)]

    def lapsed(self, town, by):
        return [each.id for each, _application in refusals.lapsed_refusals(town.session, by=by, now=town.now)]

    @pytest.mark.parametrize("way", ["edit", "withdraw"])
    def test_a_proposal_lapses_with_the_answers_that_it_judged(self, town, ana, way):
        proposal, head = town.clerk_proposes_refusal(ana), town.head_of(town.here)
        clerk = town.reviewer_of(ana)
        assert (self.waiting(town, head), self.lapsed(town, clerk)) == ([proposal.id], [])
        registration_goes_on(town)
        if way == "edit":
            town.claim(ana, {})
        else:
            town.withdraw(ana)
        town.session.expire_all()
        assert (proposal.is_lapsed, proposal.decided_at, proposal.upheld) == (True, town.now, None)
        assert (self.waiting(town, head), self.lapsed(town, clerk)) == ([], [proposal.id])
        assert self.lapsed(town, head) == [], "whoever proposed it reads that it lapsed"
        for upheld in (True, False):
            with pytest.raises(Refused, match="refusal_lapsed"):
                refusals.decide_refusal(town.session, proposal.id, upheld=upheld, note="不", by=head, now=town.now)
        entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "lapse_refusal")).one()
        assert (entry.account_id, entry.details) == (town.parent_of(ana).account_id, {"rule": "falsehood"})
        counts = task_groups.overview(town.session, by=head, now=town.now + dt.timedelta(days=2)).counts
        assert Group.SECOND not in counts

    def test_one_that_an_earlier_release_left_open_ends_at_the_latest_with_the_next_review(self, town, ana):
        proposal, head = town.clerk_proposes_refusal(ana), town.head_of(town.here)
        registration_goes_on(town)
        town.claim(ana, {})
        proposal.decided_at = None
        town.session.flush()
        town.clerk_takes(ana)
        assert (proposal.is_lapsed, self.waiting(town, head)) == (True, [])

    def test_it_can_be_proposed_anew_and_that_one_is_the_refusal(self, town, ana):
        first, head = town.clerk_proposes_refusal(ana), town.head_of(town.here)
        registration_goes_on(town)
        town.claim(ana, {})
        second = town.clerk_proposes_refusal(ana)
        assert self.waiting(town, head) == [second.id]
        assert refusals.refusal_of(town.session, ana.id) is None, "nobody has refused it"
        refusals.decide_refusal(town.session, second.id, upheld=True, by=head, now=town.now)
        assert refusals.refusal_of(town.session, ana.id).id == second.id != first.id

    def test_who_withdraws_and_hands_in_again_is_refused_by_nobody(self, town, ana):
        proposal, head = town.clerk_proposes_refusal(ana), town.head_of(town.here)
        registration_goes_on(town)
        town.withdraw(ana)
        town.apply_again(ana)
        town.wish(ana, town.here)
        town.submit(ana)
        town.clerk_confirms(ana)
        assert ana.stage == "confirmed"
        with pytest.raises(Refused, match="refusal_lapsed"):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=head, now=town.now)

    def test_nothing_changed_nothing_lapses(self, town, ana):
        proposal, head = town.clerk_proposes_refusal(ana), town.head_of(town.here)
        registration_goes_on(town)
        town.claim(ana, {"elder_sibling": town.here, "multi_child": 3})
        assert ana.stage == "in_review" and wishes.of(town.session, ana.id, town.the_round.id)
        assert self.waiting(town, head) == [proposal.id]
