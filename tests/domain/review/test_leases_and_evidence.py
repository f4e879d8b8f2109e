"""Who has an application and for how long, what a finding rests on, and what the database itself refuses."""

import datetime as dt
import io

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.applications import register_answers
from enrollment.applications.judgements import endings
from enrollment.applications.register_answers import Answer
from enrollment.eligibility import evidence
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts, verified_facts_of
from enrollment.ground import constraint_errors
from enrollment.ground.errors import NotFound, Refused
from enrollment.review import case_file, leases, refusals, review, second_opinions, support_cases
from enrollment.review.leases import LEASE
from enrollment.review.notes import NOTES
from enrollment.review.queue import bulk_confirmation, task_groups
from enrollment.review.queue.bulk_rows import BulkOutcome
from enrollment.review.queue.filters import Group
from enrollment.review.review import Finding
from enrollment.season.facts import Fact
from tests.support.prepared import prepared
from tests.support.staff_leaving import loses_the_role

ELSEWHERE = {"street": "春熙路街道"}


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return kindergarten


def registers_answer(town, application, **otherwise):
    """Every register that knows a claimed fact agrees, except where it says `otherwise`."""
    answers = [
        Answer(application.id, fact.value, register_answers.REGISTER_OF[fact], "differs", otherwise[fact.value])
        if fact.value in otherwise
        else Answer(application.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(town.session, application.id).items()
        if fact in register_answers.REGISTER_OF
    ]
    register_answers.note(town.session, answers, now=town.now)


@prepared
def ana(town, here):
    """The property register knows another home than the family states; a page of the booklet is there."""
    ana = town.child("安娜", wishes=[here])
    photo = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(photo, "PNG")
    evidence.add_pages(town.session, ana.id, "hukou_booklet", [photo.getvalue()], by=town.parent_of(ana), now=town.now)
    registers_answer(town, ana, home_place=ELSEWHERE)
    return ana


def others_as_registered(town, application):
    claimed = claimed_facts(town.session, application.id)
    return [
        Finding(fact, value, source="register" if fact in register_answers.REGISTER_OF else "paper")
        for fact, value in claimed.items()
        if fact != Fact.HOME_PLACE
    ]


def looks_again(town, application, *, by, agreed=True, seen=None, note="合同过期了"):
    """The second person decides about the home, as it is now or as it was at `seen`."""
    seen = seen or town.session.get(VerifiedFact, (application.id, "home_place")).at
    return second_opinions.decide(
        town.session, application.id, Fact.HOME_PLACE, agreed=agreed, seen=seen, note=note, by=by, now=town.now
    )


class TestLease:
    def test_stf02_a_forgotten_application_is_offered_to_the_next_clerk(self, town, here, ana):
        first, second = town.clerk_of(here), town.clerk_of(here)
        town.registration_is_over()
        review.take(town.session, ana.id, by=first, now=town.now)
        with pytest.raises(Refused, match="taken_by_another"):
            review.take(town.session, ana.id, by=second, now=town.now)
        assert task_groups.take_next(town.session, by=second, now=town.now) is None
        (held,) = task_groups.glance(town.session, by=second, now=town.now).held
        assert (held.reviewer, held.taken_at, held.lease_until) == (first.name, town.now, town.now + LEASE)
        town.at(town.now + LEASE / 2)
        review.verify(town.session, ana.id, others_as_registered(town, ana), by=first, now=town.now)
        town.at(town.now + LEASE / 2)
        assert task_groups.take_next(town.session, by=second, now=town.now) is None, "an act began the time anew"
        town.at(town.now + LEASE)
        taken = task_groups.take_next(town.session, by=second, now=town.now)
        assert (taken.id, taken.reviewer_id) == (ana.id, second.account_id)
        moves = case_file.history_of(town.session, ana.id)
        lost = leases.taken_over(moves, {second.account_id: "吴老师"}, by=first)
        assert (lost.colleague, lost.reason) == ("吴老师", leases.IDLE)
        assert town.session.get(VerifiedFact, (ana.id, "born")).account_id == first.account_id, "what was saved stays"
        with pytest.raises(Refused, match="not_in_your_hands"):
            review.verify(town.session, ana.id, others_as_registered(town, ana), by=first, now=town.now)

    def test_stf02_nobody_takes_over_without_a_reason_nor_a_refusal_that_waits(self, town, here, ana):
        first, second = town.clerk_of(here), town.clerk_of(here)
        town.clerk_takes(ana, by=first)
        with pytest.raises(Refused, match="reason_needed"):
            leases.take_over(town.session, ana.id, reason=" ", by=second, now=town.now)
        taken = leases.take_over(town.session, ana.id, reason="家长在窗口等", by=second, now=town.now)
        assert taken.reviewer_id == second.account_id
        town.clerk_proposes_refusal(ana, by=second)
        with pytest.raises(Refused, match="refusal_is_proposed"):
            leases.take_over(town.session, ana.id, reason="急", by=first, now=town.now)
        elsewhere = town.clerk_of(town.kindergarten("别园", places=1))
        with pytest.raises(NotFound):
            leases.take_over(town.session, ana.id, reason="急", by=elsewhere, now=town.now)


class TestEvidence:
    def test_stf01_the_source_says_what_it_is(self, town, here, ana):
        """The booklet proves nothing about the home, so that the paper is no paper, and a second person has to look."""
        clerk = town.clerk_takes(ana)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        page = next(iter(evidence.pages_of(town.session, ana.id).values()))[0]
        for finding, code in (
            (Finding(Fact.HOME_PLACE, home), "verified_without_a_page"),
            (Finding(Fact.HOME_PLACE, home, page_id=page.id), "page_proves_nothing"),
            (Finding(Fact.HOME_PLACE, home, source="register"), "register_says_otherwise"),
        ):
            with pytest.raises(Refused, match=code):
                review.verify(town.session, ana.id, [finding], by=clerk, now=town.now)
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=findings)
        assert ana.stage == "submitted", "it waits, in nobody's hands"
        queue = task_groups.overview(town.session, by=clerk, now=town.now)
        assert queue.counts == {Group.SECOND: 1}
        assert Fact.HOME_PLACE not in verified_facts_of(town.session, [ana.id])[ana.id], "and does not count before"
        with pytest.raises(Refused, match="second_person_needed"):
            looks_again(town, ana, by=clerk)
        second = town.clerk_of(here)
        assert looks_again(town, ana, by=second)
        assert ana.stage == "confirmed"
        assert verified_facts_of(town.session, [ana.id])[ana.id][Fact.HOME_PLACE] == home

    def test_a_second_person_agrees_only_with_the_finding_that_was_read(self, town, here, ana):
        first, second, third = (town.clerk_of(here) for _ in range(3))
        town.clerk_takes(ana, by=first)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=first, now=town.now, facts=findings)
        read = town.session.get(VerifiedFact, (ana.id, "home_place")).at
        town.at(town.now + dt.timedelta(minutes=1))
        town.clerk_takes(ana, by=third)
        changed = Finding(Fact.HOME_PLACE, {"street": "督院街街道"}, reason="电话里听说")
        review.verify(town.session, ana.id, [changed], by=third, now=town.now)
        review.release(town.session, ana.id, by=third, now=town.now)
        with pytest.raises(Refused, match="finding_has_changed"):
            looks_again(town, ana, by=second, seen=read)
        assert looks_again(town, ana, by=second)

    def test_who_takes_a_waiting_application_and_confirms_it_is_the_second_person(self, town, here, ana):
        """Otherwise each of two clerks becomes the author in turn, and the application never ends."""
        first, second = town.clerk_of(here), town.clerk_of(here)
        town.clerk_takes(ana, by=first)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=first, now=town.now, facts=findings)
        town.clerk_takes(ana, by=second)
        review.confirm(town.session, ana.id, by=second, now=town.now, facts=findings)
        kept = town.session.get(VerifiedFact, (ana.id, "home_place"), populate_existing=True)
        assert (kept.account_id, kept.second_by) == (first.account_id, second.account_id)
        assert town.session.get(VerifiedFact, (ana.id, "born")).account_id == first.account_id, (
            "said again, not found anew"
        )
        assert ana.stage == "confirmed"

    def test_who_finds_otherwise_is_the_author_and_needs_a_second_person_too(self, town, here, ana):
        first, second = town.clerk_of(here), town.clerk_of(here)
        town.clerk_takes(ana, by=first)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=first, now=town.now, facts=findings)
        town.clerk_takes(ana, by=second)
        otherwise = [Finding(Fact.HOME_PLACE, home, reason="物业开了证明")]
        review.confirm(town.session, ana.id, by=second, now=town.now, facts=otherwise)
        (kept,) = second_opinions.waiting(town.session, ana.id)
        assert (kept.account_id, kept.second_by, ana.stage) == (second.account_id, None, "submitted")

    def test_nobody_agrees_alone_with_the_finding_of_somebody_who_has_left(self, town, here, ana):
        """Whoever agrees makes it an own finding, by one press or with the whole application; another person ends it."""
        first, second, third = (town.clerk_of(here) for _ in range(3))
        town.clerk_takes(ana, by=first)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=first, now=town.now, facts=findings)
        loses_the_role(town, first)
        town.at(town.now + dt.timedelta(hours=1))
        assert not looks_again(town, ana, by=second)
        (kept,) = second_opinions.waiting(town.session, ana.id)
        assert (kept.account_id, kept.second_by, kept.at) == (second.account_id, None, town.now)
        with pytest.raises(Refused, match="second_person_needed"):
            looks_again(town, ana, by=second)
        loses_the_role(town, second)
        town.clerk_takes(ana, by=third)
        review.confirm(town.session, ana.id, by=third, now=town.now)
        (kept,) = second_opinions.waiting(town.session, ana.id)
        assert (kept.account_id, kept.second_by, ana.stage) == (third.account_id, None, "submitted")
        assert looks_again(town, ana, by=town.clerk_of(here))
        assert ana.stage == "confirmed"

    def test_stf01_a_finding_that_nobody_supports_falls(self, town, here, ana):
        clerk = town.clerk_takes(ana)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        findings = [*others_as_registered(town, ana), Finding(Fact.HOME_PLACE, home, reason="家访看过")]
        review.confirm(town.session, ana.id, by=clerk, now=town.now, facts=findings)
        second = town.clerk_of(here)
        with pytest.raises(Refused, match="reason_needed"):
            looks_again(town, ana, by=second, agreed=False, note=" ")
        assert not looks_again(town, ana, by=second, agreed=False)
        assert [note.text for note in NOTES.of(town.session, ana.id)] == ["合同过期了"]
        queue = task_groups.overview(town.session, by=clerk, now=town.now)
        assert queue.counts == {Group.DIFFERS: 1}
        assert town.session.get(VerifiedFact, (ana.id, "home_place")) is None

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ("'paper', NULL, NULL, false, NULL, NULL", "paper_has_a_page"),
            ("'staff', 'reason', NULL, false, NULL, NULL", "against_a_register"),
            ("'staff', NULL, NULL, true, NULL, NULL", "second_has_a_reason"),
            ("'staff', NULL, :page, false, NULL, NULL", "page_proves_it"),
            ("'staff', 'reason', NULL, true, :clerk, now()", "second_person"),
            ("'paper', NULL, :page, false, NULL, NULL", "paper_has_a_page"),
        ],
    )
    def test_stf01_the_database_refuses_it_too(self, town, here, ana, values, constraint):
        clerk = town.clerk_of(here)
        page = next(iter(evidence.pages_of(town.session, ana.id).values()))[0]
        statement = f"""INSERT INTO verified_fact (application_id, fact, outcome, sealed_value, account_id, at,
            source, reason, page_id, needs_second, second_by, second_at)
            VALUES (:application, 'home_place', 'verified', 'sealed', :clerk, now(), {values})"""
        known = {"application": ana.id, "clerk": clerk.account_id, "page": page.id}
        with pytest.raises(IntegrityError) as refused, town.session.begin_nested():
            town.session.execute(text(statement), known)
        assert constraint_errors.constraint_name(refused.value) == f"ck_verified_fact__{constraint}"
        assert constraint_errors.refusal_of(refused.value) is not None, "a page shows it beside the form"

    def test_stf01_no_review_ends_before_the_second_person(self, town, here, ana):
        clerk = town.clerk_takes(ana)
        home = claimed_facts(town.session, ana.id)[Fact.HOME_PLACE]
        review.verify(town.session, ana.id, [Finding(Fact.HOME_PLACE, home, reason="家访看过")], by=clerk, now=town.now)
        town.session.flush()
        with pytest.raises(IntegrityError, match="second_person"), town.session.begin_nested():
            town.session.execute(
                text(
                    "UPDATE application SET stage = 'confirmed', reviewer_id = NULL, lease_until = NULL WHERE id = :id"
                ),
                {"id": ana.id},
            )


def test_a_bulk_act_confirms_what_is_as_listed_and_names_the_rest(town, here):
    """Seven are listed: one shows a fault, one is changed, one taken, one disputed, and three are confirmed."""
    children = [town.child(name, wishes=[here]) for name in ("甲甲", "乙乙", "丙丙", "丁丁", "戊戊", "己己", "庚庚")]
    for child in children:
        registers_answer(town, child)
    town.registration_is_over()
    clerk, colleague = town.clerk_of(here), town.clerk_of(here)
    drawn = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
    sample = [line.application_id for line in bulk_confirmation.find(town.session, drawn.id, by=clerk).sample]
    assert len(sample) == 3
    with pytest.raises(Refused, match="sample_not_opened"):
        bulk_confirmation.confirm(town.session, drawn.id, by=clerk, now=town.now)
    with pytest.raises(NotFound):
        bulk_confirmation.find(town.session, drawn.id, by=colleague)
    bulk_confirmation.report_fault(town.session, drawn.id, sample[0], text="生日不对", by=clerk, now=town.now)
    sample = bulk_confirmation.find(town.session, drawn.id, by=clerk).sample
    assert len(sample) == 6, "three more have to be opened"
    for line in sample:
        if line.outcome is None:
            bulk_confirmation.open_sample(town.session, drawn.id, line.application_id, by=clerk, now=town.now)
    faulty = next(line.application_id for line in sample if line.outcome == BulkOutcome.FAULT)
    changed, taken, disputed = [child for child in children if child.id != faulty][:3]
    changed.version += 1
    review.take(town.session, taken.id, by=colleague, now=town.now)
    register_answers.dispute(town.session, disputed.id, "born", by=town.parent_of(disputed), now=town.now)
    outcomes = bulk_confirmation.confirm(town.session, drawn.id, by=clerk, now=town.now)
    assert outcomes == {
        BulkOutcome.CONFIRMED: 3,
        BulkOutcome.FAULT: 1,
        BulkOutcome.CHANGED: 1,
        BulkOutcome.TAKEN: 1,
        BulkOutcome.DISAGREES: 1,
    }
    assert bulk_confirmation.confirm(town.session, drawn.id, by=clerk, now=town.now) == outcomes, "once"
    found = bulk_confirmation.find(town.session, drawn.id, by=clerk)
    assert {line.application_id: line.outcome for line in found.lines}[taken.id] == BulkOutcome.TAKEN


def test_the_bulk_act_confirms_what_a_colleague_has_had_for_too_long(town, here):
    """Drawn while the time was over, and in hand again at the act, it stays with the colleague."""
    lapsed, renewed, free = (town.child(name, wishes=[here]) for name in ("甲甲", "乙乙", "丙丙"))
    for child in (lapsed, renewed, free):
        registers_answer(town, child)
    town.registration_is_over()
    clerk, colleague = town.clerk_of(here), town.clerk_of(here)
    for child in (lapsed, renewed):
        review.take(town.session, child.id, by=colleague, now=town.now)
    town.at(town.now + LEASE)
    drawn = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
    for line in bulk_confirmation.find(town.session, drawn.id, by=clerk).sample:
        bulk_confirmation.open_sample(town.session, drawn.id, line.application_id, by=clerk, now=town.now)
    review.take(town.session, renewed.id, by=colleague, now=town.now)
    outcomes = bulk_confirmation.confirm(town.session, drawn.id, by=clerk, now=town.now)
    assert outcomes == {BulkOutcome.CONFIRMED: 2, BulkOutcome.TAKEN: 1}
    moves = case_file.history_of(town.session, lapsed.id)
    assert [(each.move, each.reason) for each in moves][-3:] == [
        ("release", leases.IDLE),
        ("take", None),
        ("confirm", None),
    ]


class TestFaultInASample:
    @pytest.fixture
    def children(self, town, here):
        children = [town.child(name, wishes=[here]) for name in ("甲甲", "乙乙", "丙丙", "丁丁")]
        for child in children:
            registers_answer(town, child)
        town.registration_is_over()
        return children

    @staticmethod
    def open_all(town, drawn, clerk):
        for line in bulk_confirmation.find(town.session, drawn.id, by=clerk).sample:
            if line.outcome is None:
                bulk_confirmation.open_sample(town.session, drawn.id, line.application_id, by=clerk, now=town.now)

    def test_no_later_bulk_act_confirms_it_and_a_clerk_reads_it_with_the_note(self, town, here, children):
        clerk, colleague = town.clerk_of(here), town.clerk_of(here)
        drawn = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
        beside = bulk_confirmation.draw(town.session, by=colleague, now=town.now)
        faulty = bulk_confirmation.find(town.session, drawn.id, by=clerk).sample[0].application_id
        with pytest.raises(Refused, match="note_missing"):
            bulk_confirmation.report_fault(town.session, drawn.id, faulty, text=" ", by=clerk, now=town.now)
        bulk_confirmation.report_fault(town.session, drawn.id, faulty, text="生日不对", by=clerk, now=town.now)
        assert [note.text for note in NOTES.of(town.session, faulty)] == ["生日不对"]
        self.open_all(town, drawn, clerk)
        assert bulk_confirmation.confirm(town.session, drawn.id, by=clerk, now=town.now)[BulkOutcome.CONFIRMED] == 3
        self.open_all(town, beside, colleague)
        told = bulk_confirmation.confirm(town.session, beside.id, by=colleague, now=town.now)
        assert told == {BulkOutcome.CHANGED: 3, BulkOutcome.FAULT: 1}, (
            "a colleague's selection was drawn before the fault"
        )
        assert next(child for child in children if child.id == faulty).stage == "submitted"
        with pytest.raises(Refused, match="nothing_agrees"):
            bulk_confirmation.draw(town.session, by=clerk, now=town.now)
        found = task_groups.overview(town.session, by=clerk, now=town.now)
        assert found.counts == {Group.DONE: 3, Group.NEW: 1}
        assert task_groups.take_next(town.session, by=clerk, now=town.now, group=Group.NEW).id == faulty

    def test_a_second_tab_does_not_draw_a_smaller_sample(self, town, here, children):
        clerk = town.clerk_of(here)
        drawn = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
        sample = bulk_confirmation.find(town.session, drawn.id, by=clerk).sample
        first = sample[0].application_id
        bulk_confirmation.report_fault(town.session, drawn.id, first, text="生日不对", by=clerk, now=town.now)
        again = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
        assert again.id == drawn.id
        assert len(bulk_confirmation.find(town.session, again.id, by=clerk).sample) == 4


class TestArticle17:
    @pytest.fixture
    def child(self, town, here):
        return town.child("安安", wishes=[here], grounds=["special_need"])

    def test_stf13_the_refusal_of_a_disabled_child_waits_for_the_education_authority(self, town, here, child):
        proposal = town.clerk_proposes_refusal(child)
        found = support_cases.of_application(town.session, child.id)
        assert (found.account_id, found.due_at) == (
            child.entered_by,
            town.now + dt.timedelta(days=support_cases.DAYS + 2),
        ), "15 days end on a Saturday, so it is due on Monday"
        head, official = town.head_of(here), town.area_official()
        with pytest.raises(Refused, match="support_case_undecided"):
            refusals.decide_refusal(town.session, proposal.id, upheld=True, by=head, now=town.now)
        with pytest.raises(IntegrityError, match="not decided"), town.session.begin_nested():
            town.session.execute(
                text(
                    "UPDATE refusal_proposal SET upheld = true, decided_by = :head, decided_at = now() WHERE id = :id"
                ),
                {"head": head.account_id, "id": proposal.id},
            )
        said = {"assessed_on": None, "assessment": "", "plan": "", "decision": ""}
        for name, value, code in (
            ("assessed_on", town.now.date(), "assessment_date_needed"),
            ("assessment", "需要一对一的陪伴", "assessment_needed"),
            ("plan", "特教教师每周两次", "plan_needed"),
            ("decision", "not_admitted", "outcome_missing"),
        ):
            with pytest.raises(Refused, match=code):
                support_cases.decide(town.session, found.id, **said, by=official, now=town.now)
            said[name] = value
        with pytest.raises(NotFound):
            support_cases.decide(town.session, found.id, **said, by=head, now=town.now)
        support_cases.decide(town.session, found.id, **said, by=official, now=town.now)
        assert found.settled_at == town.now
        refusals.decide_refusal(town.session, proposal.id, upheld=True, by=head, now=town.now)
        assert child.stage == "refused"

    def test_a_proposal_after_one_that_lapsed_joins_its_open_case(self, town, here, child):
        by = town.clerk_of(here)
        town.clerk_proposes_refusal(child, by=by, explanation="地址与登记不符")
        case = support_cases.of_application(town.session, child.id)
        endings.end_open_proposals(town.session, child, by=by, now=town.now)
        for _ in range(2):
            refusals.propose_refusal(
                town.session, child.id, rule="falsehood", clause="3", explanation="材料是别人的", fact="home_place",
                by=by, now=town.now,
            )  # fmt: skip
            assert support_cases.of_application(town.session, child.id) is case
            assert case.text.splitlines() == ["材料是别人的", "地址与登记不符"], "the newest first, and each once"
            endings.end_open_proposals(town.session, child, by=by, now=town.now)

    def test_a_child_that_the_authority_admits_is_not_refused(self, town, here, child):
        proposal = town.clerk_proposes_refusal(child)
        case = support_cases.of_application(town.session, child.id)
        support_cases.decide(
            town.session,
            case.id,
            assessed_on=town.now.date(),
            assessment="能适应",
            plan="坡道",
            decision="admitted",
            by=town.area_official(),
            now=town.now,
        )
        assert (proposal.upheld, child.stage) == (False, "in_review"), "the decision gives the proposal back by itself"
        assert refusals.open_refusals(town.session, by=town.head_of(here)) == []
        again = town.clerk_proposes_refusal(child)
        with pytest.raises(Refused, match="support_case_undecided"):
            refusals.decide_refusal(town.session, again.id, upheld=True, by=town.head_of(here), now=town.now)
