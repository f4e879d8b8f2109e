"""Nobody ends without a place or a named officer: vacancies nearby are proposed, and the family answers."""

import dataclasses
import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import func, select

from enrollment.draw import replay, requests, runs
from enrollment.draw.central import central_list, central_proposals, central_runs
from enrollment.draw.comparison import dry_runs
from enrollment.draw.publication import hours, opening
from enrollment.eligibility.households import Household
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.maintenance import season_end
from enrollment.offers.offer_rows import CentralProposal, Offer, OfferMove
from enrollment.places import distances
from enrollment.results import family_results
from enrollment.season import policy_approval
from enrollment.season.rounds import Round
from tests.support.prepare_all import prepare_all
from tests.support.prepared import prepared
from tests.support.town_season import at

HOME = {"home_longitude": 104.10, "home_latitude": 30.60}


@prepared
def left_over(town):
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.near = town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, latitude=30.60)
    town.public = town.kindergarten("公办三里外", places=1, longitude=104.12, latitude=30.60)
    town.far = town.kindergarten("很远的公办", places=5, longitude=104.40, latitude=30.60)
    town.ana = town.child("安娜", wishes=[popular], **HOME)
    town.ben = town.child("本本", wishes=[popular], **HOME)
    town.cui = town.child("翠翠", wishes=[popular], **HOME)
    town.drawn(town.ana, town.ben, town.cui)
    return town


def proposed(town, run) -> dict:
    return {each.registration_code: each for each in central_proposals.proposals(town.session, run.id).rows}


def publish(town, run) -> int:
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    hour = town.session.get_one(Round, run.round_id).results_at
    town.at(hour - dt.timedelta(seconds=1))
    with pytest.raises(Refused, match="before_the_hour"):
        opening.open_run(town.session, run.id, now=town.now)
    town.at(hour)
    return opening.open_run(town.session, run.id, now=town.now)


def test_the_nearest_vacancies_are_proposed_public_ones_first_within_the_tolerance(left_over):
    town = left_over
    run = town.place_centrally()
    assert (run.state, run.summary["placed"], set(run.summary["checks"].values())) == ("checked", 2, {"passed"})
    found = proposed(town, run)
    assert set(found) == {town.ben.registration_code, town.cui.registration_code}
    assert {each.kindergarten for each in found.values()} == {town.near, town.public}
    assert sorted(each.metres for each in found.values()) == [957, 1914]
    assert town.offer_for(town.ben) is None, "a proposal is not an offer"


@pytest.mark.parametrize("tolerance,nearest", [(500, "近处普惠"), (1500, "公办三里外")])
def test_the_policy_of_the_childs_own_area_says_how_much_farther_a_public_place_may_be(town, tolerance, nearest):
    """957 m to the inclusive one, 1,914 m to the public one; both kindergartens are of another area than the child."""
    elsewhere = {"area": "510105", "latitude": 30.60}
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, **elsewhere)
    town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, **elsewhere)
    town.kindergarten("公办三里外", places=1, longitude=104.12, **elsewhere)
    for area, metres in (("510104", tolerance), ("510105", 20_000 if tolerance == 500 else 0)):
        text = policy_approval.template("whole_district", area, 2026)
        town.policy(area, text.replace("tolerance = 3000", f"tolerance = {metres}"))
    ana, ben = (town.child(name, wishes=[popular], **HOME) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    [found] = proposed(town, town.place_centrally()).values()
    assert found.kindergarten.name == nearest


def test_distances_to_many_places_are_those_to_each(town):
    sites = [(104.11, 30.60), (104.40, 30.60), (104.10, 30.60), (103.0, 31.0)]
    each = [distances.metres(Decimal("104.1"), Decimal("30.6"), *map(Decimal, map(str, site))) for site in sites]
    assert distances.metres_to(Decimal("104.1"), Decimal("30.6"), np.array(sites)).tolist() == each


def test_drw06_signed_by_two_the_proposals_become_offers_at_the_hour(left_over):
    town, by = left_over, left_over.city_pair()[0]
    run = town.place_centrally()
    assert publish(town, run) == 2
    assert {town.place_of(town.ben), town.place_of(town.cui)} == {town.near, town.public}
    linked = select(func.count()).where(CentralProposal.run_id == run.id, CentralProposal.offer_id.is_not(None))
    assert town.session.scalar(linked) == 2
    assert town.session.scalar(select(func.count()).where(Notice.kind == "central_offered")) == 2
    moves = select(OfferMove.move).join(Offer, Offer.id == OfferMove.offer_id).where(Offer.run_id == run.id)
    assert set(town.session.scalars(moves)) == {"place_centrally"}
    assert town.offer_for(town.ben).answer_by > town.now + dt.timedelta(days=2)
    town.confirm(town.ben)
    told = family_results.for_application(town.session, town.ben.id, now=town.now)
    assert (told.round.kind, told.holds, told.wishes[0].reason) == ("main", True, "ticket_after_cutoff")
    with pytest.raises(Refused, match="answers_still_due"):
        central_list.start(town.session, 2026, by=by, now=town.now)


def test_drw06_one_person_sends_nothing_and_the_same_draft_has_the_same_digest(left_over):
    town, by = left_over, left_over.city_pair()[0]
    run = town.place_centrally()
    assert runs.sign(town.session, run.id, by=by, now=town.now) == 1
    assert (run.state, town.offer_for(town.ben)) == ("checked", None)
    again = town.place_centrally()
    assert again.digest == run.digest
    with pytest.raises(Refused, match="snapshot_was_replaced"):
        runs.sign(town.session, run.id, by=town.city_pair()[1], now=town.now)


def test_drw06_a_wrong_placement_fails_its_check_and_cannot_be_signed(left_over, monkeypatch):
    town, honest = left_over, central_runs.central.propose

    def one_less(*args, **more):
        found = honest(*args, **more)
        return dataclasses.replace(found, programme=np.where(np.arange(len(found.programme)) == 0, -1, found.programme))

    monkeypatch.setattr(central_runs.central, "propose", one_less)
    run = town.place_centrally()
    assert run.state == "failed"
    assert "as_many_as_possible" in run.error
    with pytest.raises(Refused, match="run_cannot_be_signed"):
        runs.sign(town.session, run.id, by=town.city_pair()[0], now=town.now)


def test_drw06_what_changed_before_the_hour_stops_it(left_over):
    """A vacancy that is gone, and a child that got a place meanwhile."""
    town = left_over
    run = town.place_centrally()
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    town.change_places(town.programme_of(town.near), places=0)
    town.at(town.session.get_one(Round, run.round_id).results_at)
    with pytest.raises(Refused, match="places_changed"), town.session.begin_nested():
        opening.open_run(town.session, run.id, now=town.now)
    assert town.offer_for(town.ben) is None


def test_drw06_a_home_that_changed_before_the_computation_sets_the_run_aside(left_over):
    town = left_over
    town.confirm(town.ana)
    run = central_list.start(town.session, 2026, by=town.city_pair()[0], now=town.now)
    household = town.session.get(Household, town.ben.id)
    household.home_longitude = 104.2
    town.session.flush()
    with pytest.raises(Refused, match="homes_changed") as refused, town.session.begin_nested():
        central_runs.read(town.session, run.id)
    assert central_runs.set_stale_aside(town.session, run.id, refused.value, now=town.now).state == "set_aside"
    assert town.place_centrally().state == "checked"


def test_drw06_every_proposal_can_be_read_and_found(left_over):
    town = left_over
    run = town.place_centrally()
    of = lambda **more: central_proposals.proposals(town.session, run.id, **more)  # noqa: E731
    assert [of(per_page=1, page=page).rows[0].metres for page in (1, 2)] == [1914, 957]
    assert of(words="近处").rows[0].kindergarten == town.near
    assert of(words=town.ben.registration_code.lower()).total == 1
    assert (of(area="510104").total, of(area="510105").total) == (2, 0)


def test_who_gave_a_place_up_is_not_moved_about(left_over):
    town = left_over
    town.decline(town.ana)
    assert town.ana.registration_code not in proposed(town, town.place_centrally())


def test_it_does_not_wait_for_a_round_that_closed_without_a_wish(left_over):
    town = left_over
    town.silence()
    town.round(kind="supplementary")
    town.open_registration()
    town.close_registration()
    with pytest.raises(Refused, match="nobody_takes_part"), town.session.begin_nested():
        town.freeze()
    assert town.place_centrally().state == "checked"


def test_drw06_it_waits_until_the_rounds_before_it_are_answered(left_over):
    town, by = left_over, left_over.city_pair()[0]
    with pytest.raises(Refused, match="answers_still_due"):
        central_list.start(town.session, 2026, by=by, now=town.now)
    town.silence()
    town.round(kind="supplementary")
    town.open_registration()
    with pytest.raises(Refused, match="round_still_going"):
        central_list.start(town.session, 2026, by=by, now=town.now)
    with pytest.raises(Refused, match="only_the_city"):
        central_list.start(town.session, 2026, by=town.area_official(), now=town.now)


def test_drw08_who_opts_out_after_the_signatures_gets_no_offer_and_no_message(left_over):
    town = left_over
    run = town.place_centrally()
    assert run.summary["placed"] == 2
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    town.withdraw_after_the_draw(town.ben)
    town.cui.agrees_to_central = False
    town.session.flush()
    town.at(town.session.get_one(Round, run.round_id).results_at)
    assert opening.open_run(town.session, run.id, now=town.now) == 0
    assert (town.offer_for(town.ben), town.offer_for(town.cui)) == (None, None)
    assert town.session.scalar(select(func.count()).where(Notice.kind == "central_offered")) == 0
    assert town.taken_at(town.near) == town.taken_at(town.public) == 0


def test_drw08_a_year_is_not_closed_over_a_checked_run_and_a_closed_year_takes_none_further(left_over):
    """The run is signed or set aside first; a signature after the end would make offers in a year that is over."""
    town, by, late = left_over, left_over.city_pair()[0], at(9, 30)
    run = town.place_centrally()
    with pytest.raises(Refused, match="round_under_way") as refused:
        season_end.close(town.session, 2026, by=by, now=late)
    assert refused.value.details["name"] == town.session.get_one(Round, run.round_id).name

    closes(town)
    for act in (
        lambda: runs.sign(town.session, run.id, by=by, now=late),
        lambda: requests.sign(town.session, run.id, by=by, now=late),
        lambda: central_list.start(town.session, 2026, by=by, now=late),
        lambda: replay.start(town.session, town.the_round.id, by=by, now=late),
        lambda: requests.start_replay(town.session, town.the_round.id, by=by, now=late),
        lambda: hours.change(town.session, run.round_id, hour=at(10, 5), reason="公证处", by=by, now=late),
    ):
        with pytest.raises(Refused, match="season_is_closed"):
            act()
    assert runs.signers(town.session, run) == [] and town.offer_for(town.ben) is None


def test_drw08_a_signed_run_of_a_closed_year_is_not_opened(left_over):
    town = left_over
    run = town.place_centrally()
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    closes(town)
    with pytest.raises(Refused, match="season_is_closed"):
        opening.open_run(town.session, run.id, now=town.session.get_one(Round, run.round_id).results_at)
    assert town.offer_for(town.ben) is None


def test_drw08_a_checked_replay_is_decided_before_the_year_is_closed(left_over):
    town, by, late = left_over, left_over.city_pair()[0], at(9, 30)
    town.decline(town.ana)
    again = town.replay(sign=False)
    with pytest.raises(Refused, match="round_under_way") as refused:
        season_end.close(town.session, 2026, by=by, now=late)
    assert refused.value.details["name"] == town.the_round.name
    runs.set_aside(town.session, again.id, reason="没有时间了", by=by, now=town.now)
    with pytest.raises(Refused, match="children_without_a_word"):
        season_end.close(town.session, 2026, by=by, now=late)


def closes(town):
    town.season().closed_at = at(9, 30)
    town.session.flush()


def test_drw08_a_central_run_has_a_range_over_other_tickets(left_over):
    """Two children and a near and a public vacancy: whoever goes where, both are placed and one place is public."""
    town = left_over
    tried = town.place_centrally().summary["dry_runs"]
    assert tried["draws"] == dry_runs.DRAWS
    assert tried["ranges"]["all//placed"] == tried["ranges"]["area/510104/placed"] == [2, 2, 2]
    assert tried["ranges"]["nature/public/of_nature"] == [1, 1, 1]
