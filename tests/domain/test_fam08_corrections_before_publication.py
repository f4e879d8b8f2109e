"""FAM08: a duplicate, a wrong fact or a late court paper, found after the review and before publication."""

import datetime as dt

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.applications.application_rows import Stage
from enrollment.draw import draw_jobs, draw_rooms, draws, duplicate_waivers, requests, runs, snapshot
from enrollment.draw.seed import seeding
from enrollment.eligibility.tiers import verified_facts_of
from enrollment.ground import identity, jobs
from enrollment.ground.errors import Refused
from enrollment.people import documents
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review import duplicates, refusals
from enrollment.season.facts import Fact
from tests.support.prepared import prepared

REASON = "撤下一份重复的申请"


@prepared
def town_of_two(town):
    """One child entered twice, under names that do not look alike, and another one; two places."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.again = town.child("圆圆", wishes=[town.garden])
    town.ben = town.child("本本", wishes=[town.garden])
    return town


def to_stage(town, stage):
    """Everybody is reviewed; then the list is frozen, tickets are drawn, and a run waits for signatures."""
    town.everyone_is_reviewed()
    steps = {"closed": 0, "frozen": 1, "drawn": 2, "checked": 3}[stage]
    for step in [town.freeze, town.seed, town.run][:steps]:
        step()
    return runs.of_round(town.session, town.the_round.id)[0] if stage == "checked" else None


def remove_duplicate(town):
    request = town.finds_error(
        town.again, "duplicate", by=town.area_official("510104"), other=town.ana.registration_code
    )
    town.two_agree(request)
    return request


@pytest.mark.parametrize("stage", ["closed", "frozen", "drawn", "checked"])
def test_fam08_a_duplicate_is_removed_and_the_list_frozen_again(town_of_two, stage):
    town = town_of_two
    old_run = to_stage(town, stage)
    tickets = {each.id: town.ticket_of(each) for each in town.everybody()}
    old = snapshot.current(town.session, town.the_round.id)
    town.at(town.now + dt.timedelta(hours=1))
    remove_duplicate(town)
    assert town.again.stage == Stage.REFUSED
    if old is not None:
        assert old.outdated_at == town.now
        assert draw_rooms.of_round(town.session, town.the_round.id).step == "freeze"
        refuse_the_old_list(town, old_run)
        with pytest.raises(Refused, match="public_reason_missing"):
            town.freeze()
    town.at(town.now + dt.timedelta(hours=1))
    new = town.freeze(reason=REASON)
    if old is not None:
        assert (new.number, new.reason, new.corrections) == (old.number + 1, REASON, {"duplicate": 1})
        assert new.commitment != old.commitment
    assert new.children == 2
    if draws.waiting_for_seed(town.session, 2026):
        town.seed()
    town.run()
    town.publish()
    assert town.place_of(town.ana) == town.place_of(town.ben) == town.garden
    assert town.place_of(town.again) is None
    for each in (town.ana, town.ben) if tickets[town.ana.id] else ():
        assert town.ticket_of(each) == tickets[each.id], "tickets stay"


def entered_with_one_name(town):
    """Two entries that look alike, so that a hint was written at once."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.again = town.child("安娜", wishes=[town.garden])
    return hint_of_the_pair(town)


def hint_of_the_pair(town) -> DuplicateHint:
    return town.session.scalars(select(DuplicateHint)).one()


@pytest.mark.parametrize("before", ["unseen", "open", "one says same", "waived", "different"])
def test_fam08_a_removal_is_the_verdict_on_the_pair(town, before):
    """Whatever the desk of likely duplicates knew of the pair, it is decided afterwards, by two people."""
    if before == "unseen":
        town.garden = town.kindergarten("金苹果", places=2)
        town.ana, town.again = (town.child(name, wishes=[town.garden]) for name in ("安娜", "圆圆"))
    else:
        hint = entered_with_one_name(town)
    clerk = town.reviewer_of(town.again)
    if before in ("one says same", "different"):
        said = {"verdict": before.split()[-1], "reason": "看过户口簿", "by": clerk, "now": town.now}
        duplicates.judge(town.session, hint.id, **said)
    to_stage(town, "closed")
    if before == "waived":
        for official in town.city_pair():
            duplicate_waivers.waive(town.session, town.the_round.id, "公安未及时答复", by=official, now=town.now)
    frozen = before in ("unseen", "waived", "different")
    if frozen:
        town.freeze()
        town.at(town.now + dt.timedelta(hours=1))
    else:
        with pytest.raises(Refused, match="duplicates_undecided"), town.session.begin_nested():
            town.freeze()
    number = identity.index_of(town.again.child.id_number)
    request = remove_duplicate(town)
    hint = hint_of_the_pair(town)
    assert (hint.verdict, hint.reason, hint.decided_at) == ("same", request.answer, town.now)
    assert hint.first_by != hint.decided_by
    assert documents.child_of(town.session, number) == town.ana.child_id
    assert refusals.refusal_of(town.session, town.again.id).rule == "duplicate"
    assert duplicates.open_pairs(town.session, by=clerk) == []
    assert town.freeze(reason=REASON if frozen else "").children == 1


def test_fam08_nothing_is_corrected_under_an_entry_that_was_removed(town_of_two):
    town = town_of_two
    to_stage(town, "frozen")
    waiting = town.requests_correction(town.again, "document", id_kind="passport", id_number="E87654321")
    remove_duplicate(town)
    with pytest.raises(Refused, match="child_joined"), town.session.begin_nested():
        town.requests_correction(town.again, "name", name="安娜")
    clerk, head = town.desk_pair(town.again)
    town.agrees(waiting, clerk)
    with pytest.raises(Refused, match="child_joined"):
        town.agrees(waiting, head)


def test_fam08_a_duplicate_stays_where_the_other_application_ended_meanwhile(town_of_two):
    town = town_of_two
    to_stage(town, "closed")
    request = town.finds_error(town.again, "duplicate", by=town.city_pair()[0], other=town.ana.registration_code)
    clerk, head = town.desk_pair(town.again)
    town.agrees(request, clerk)
    town.withdraw_after_the_draw(town.ana)
    with pytest.raises(Refused, match="correction_outdated"), town.session.begin_nested():
        town.agrees(request, head)
    assert town.again.stage == Stage.CONFIRMED


def refuse_the_old_list(town, old_run) -> None:
    """Neither a seed nor a run, a signature or a publication rests on a list that was corrected."""
    by = town.city_pair()[0]
    if town.the_round.stage == "frozen":
        with pytest.raises(Refused, match="snapshot_outdated"), town.session.begin_nested():
            seeding.set_seed(town.session, 2026, by=by, now=town.now)
    if town.the_round.stage == "drawn":
        with pytest.raises(Refused, match="snapshot_outdated"), town.session.begin_nested():
            runs.start(town.session, town.the_round.id, by=by, now=town.now)
    if old_run is not None:
        with pytest.raises(Refused, match="snapshot_outdated"), town.session.begin_nested():
            runs.sign(town.session, old_run.id, by=by, now=town.now)
        with pytest.raises(IntegrityError, match="old list"), town.session.begin_nested():
            town.session.execute(text("UPDATE run SET state = 'published' WHERE id = :id"), {"id": old_run.id})


def test_fam08_a_run_with_one_signature_is_not_published_by_the_second(town_of_two):
    town = town_of_two
    run = to_stage(town, "checked")
    first, second = town.city_pair()
    runs.sign(town.session, run.id, by=first, now=town.now)
    remove_duplicate(town)
    with pytest.raises(Refused, match="snapshot_outdated"):
        runs.sign(town.session, run.id, by=second, now=town.now)


def test_fam08_the_public_reason_of_a_list_never_changes(town_of_two):
    town = town_of_two
    to_stage(town, "frozen")
    remove_duplicate(town)
    town.at(town.now + dt.timedelta(hours=1))
    new = town.freeze(reason=REASON)
    with pytest.raises(IntegrityError, match="never changes"), town.session.begin_nested():
        town.session.execute(text("UPDATE snapshot SET reason = 'x' WHERE id = :id"), {"id": new.id})


@pytest.mark.parametrize("stage", ["closed", "frozen", "drawn"])
def test_fam08_a_wrong_fact_goes_back_to_the_review_with_the_corrected_value(town_of_two, stage):
    town = town_of_two
    to_stage(town, stage)
    request = town.requests_correction(town.ben, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    town.one_agrees(request)
    assert (request.state, town.ben.stage) == ("applied", Stage.SUBMITTED)
    assert verified_facts_of(town.session, [town.ben.id])[town.ben.id][Fact.HUKOU_AREA] == "510105"
    if stage != "closed":
        assert draw_rooms.of_round(town.session, town.the_round.id).step == "review"
        with pytest.raises(Refused, match="still_under_review"), town.session.begin_nested():
            town.freeze(reason=REASON)
    town.clerk_confirms(town.ben, facts={Fact.HUKOU_AREA: "510105"})
    town.at(town.now + dt.timedelta(hours=1))
    new = town.freeze(reason=REASON)
    assert new.corrections == (None if stage == "closed" else {"facts": 1})


def test_fam08_a_fact_that_does_not_hold_is_declined(town_of_two):
    town = town_of_two
    to_stage(town, "frozen")
    head = town.head_of(town.garden)
    request = town.finds_error(town.ben, "facts", by=head, fact=Fact.HUKOU_STREET, hukou_street=None)
    with pytest.raises(Refused, match="second_person_needed"), town.session.begin_nested():
        town.agrees(request, head)
    town.one_agrees(request)
    assert Fact.HUKOU_STREET not in verified_facts_of(town.session, [town.ben.id])[town.ben.id]


def test_fam08_a_late_court_paper_needs_two(town_of_two):
    town = town_of_two
    to_stage(town, "drawn")
    request = town.requests_correction(town.ben, "court_paper", fact=Fact.HOME_AREA, home_area="510105")
    town.one_agrees(request)
    assert (request.state, town.ben.stage) == ("signed", Stage.CONFIRMED)
    town.agrees(request, town.head_of(town.garden))
    assert (request.state, town.ben.stage) == ("applied", Stage.SUBMITTED)
    plain = town.requests_correction(town.ana, "court_paper")
    town.two_agree(plain)
    assert town.ana.stage == Stage.SUBMITTED


def test_fam08_one_of_bound_twins_is_removed_and_the_other_stays(town):
    garden = town.kindergarten("金苹果", places=3)
    pair = town.twins("安安", "宁宁", wishes=[garden])
    real = town.child("圆圆", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    request = town.finds_error(pair[0], "duplicate", by=town.city_pair()[0], other=real.registration_code)
    town.two_agree(request)
    assert (pair[0].stage, pair[1].unit) == (Stage.REFUSED, None)
    town.at(town.now + dt.timedelta(hours=1))
    town.freeze(reason=REASON)
    town.seed()
    town.run()
    town.publish()
    assert town.place_of(pair[1]) == garden


def test_fam08_after_publication_a_duplicate_that_holds_a_place_is_not_removed(town_of_two):
    town = town_of_two
    town.drawn(town.again, town.ana, town.ben)
    request = town.finds_error(town.again, "duplicate", by=town.city_pair()[0], other=town.ana.registration_code)
    clerk, head = town.desk_pair(town.again)
    town.agrees(request, clerk)
    with pytest.raises(Refused, match="duplicate_holds_a_place"), town.session.begin_nested():
        town.agrees(request, head)
    waiting = town.finds_error(town.ben, "duplicate", by=town.city_pair()[0], other=town.ana.registration_code)
    town.two_agree(waiting)
    assert town.ben.stage == Stage.REFUSED, "who only waits is removed"


def test_fam08_after_publication_a_fact_counts_for_later_rounds_and_the_result_stays(town_of_two):
    town = town_of_two
    town.drawn(town.ana, town.ben, town.again)
    request = town.requests_correction(town.ben, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    town.one_agrees(request)
    assert (town.ben.stage, town.place_of(town.ben)) == (Stage.CONFIRMED, town.garden)
    assert verified_facts_of(town.session, [town.ben.id])[town.ben.id][Fact.HUKOU_AREA] == "510105"


def test_fam08_no_decision_while_the_draw_room_works(town_of_two):
    town = town_of_two
    run = to_stage(town, "checked")
    request = town.requests_correction(town.ben, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    for official in town.city_pair():
        requests.sign(town.session, run.id, by=official, now=town.now)
    assert draw_jobs.is_going_on(town.session, town.the_round.id)
    with pytest.raises(Refused, match="draw_at_work"), town.session.begin_nested():
        town.one_agrees(request)
    assert town.session.get_one(jobs.Job, town.the_round.draw_job_id).kind == "prepare_run"


def test_fam08_a_value_that_changed_meanwhile_is_not_overwritten(town_of_two):
    town = town_of_two
    to_stage(town, "frozen")
    first = town.requests_correction(town.ben, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    paper = town.requests_correction(town.ben, "court_paper", fact=Fact.HUKOU_AREA, hukou_area="510106")
    town.two_agree(paper)
    with pytest.raises(Refused, match="correction_outdated"):
        town.one_agrees(first)


def test_fam08_before_the_deadline_the_family_edits_and_no_request_is_needed(town_of_two):
    town = town_of_two
    with pytest.raises(Refused, match="correction_not_needed"):
        town.requests_correction(town.ben, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
