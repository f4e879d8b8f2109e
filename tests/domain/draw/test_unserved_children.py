"""Every child that the season leaves without a place has an officer, and ends with a place or with a reason in words."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import sibling_binding
from enrollment.draw import runs
from enrollment.draw.central import central_market
from enrollment.draw.publication import opening
from enrollment.draw.unserved import accepted_places, board, choices, declines, entries, explanations, officers
from enrollment.draw.unserved.entries import BoardState
from enrollment.draw.unserved.rows import ChosenPlace, UnservedChild
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.maintenance import season_end
from enrollment.offers.offer_rows import OfferState
from enrollment.season.rounds import Round
from tests.support.prepare_all import prepare_all
from tests.support.statements import counted
from tests.support.town_season import at

HOME = {"home_longitude": 104.10, "home_latitude": 30.60}


@pytest.fixture
def left_over(town):
    """Ana has the only place; three children of two families, two of them twins, have none."""
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.near = town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, latitude=30.60)
    town.far = town.kindergarten("远处公办", places=2, longitude=104.16, latitude=30.60)
    town.kindergarten("民办", nature="private", places=9, longitude=104.10, latitude=30.60)
    town.ana = town.child("安娜", wishes=[popular], **HOME)
    town.ben = town.child("本本", wishes=[popular], **HOME)
    twins = town.family("双", **HOME)
    town.cui, town.dan = (town.child(name, family=twins, wishes=[popular]) for name in ("翠翠", "丹丹"))
    sibling_binding.bind(town.session, [town.cui.id, town.dan.id], by=twins.actor, now=town.now)
    for each in (town.cui, town.dan):
        town.submit(each)
    town.drawn(town.ana, town.ben, town.cui, town.dan)
    town.official = town.area_official()
    return town


def entry(town, child):
    return {each.id: each for each in entries.entries(town.session, 2026, by=town.official)}.get(child.id)


def agrees(town, *children, agrees=True, minutes=None, nature="any"):
    for child in children:
        accepted_places.save(
            town.session, child.id, agrees=agrees, minutes=minutes, nature=nature, by=town.official, now=town.now
        )


def chooses(town, child, site, **more):
    place = town.programme_of(site)
    values = {"seen": None, "by": town.official, "now": town.now} | more
    return choices.choose(town.session, 2026, child.id, place.id, **values)


def sends(town):
    """The clock moves to the announced hour; two officials of the city signed."""
    run = town.place_centrally()
    assert run.state == "checked", run.error
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    town.at(town.session.get_one(Round, run.round_id).results_at)
    opening.open_run(town.session, run.id, now=town.now)
    return run


def test_a_chosen_place_is_sent_with_the_computed_ones_and_the_board_follows_the_answer(left_over):
    town = left_over
    assert {entry(town, each).state for each in (town.ben, town.cui, town.dan)} == {BoardState.OPEN}
    assert entry(town, town.ana) is None, "who has a place of the draw is on no list"
    agrees(town, town.ben, agrees=False)
    with pytest.raises(Refused, match="family_wants_no_proposal"):
        chooses(town, town.ben, town.far)
    agrees(town, town.ben, town.cui, town.dan)
    assert chooses(town, town.ben, town.near) == 1
    assert entry(town, town.ben).state == BoardState.CHOSEN
    run = sends(town)
    assert (run.summary["chosen"], run.summary["placed"], run.summary["unplaced"]) == (1, 3, 0)
    assert [town.place_of(each) for each in (town.ben, town.cui, town.dan)] == [town.near, town.far, town.far]
    assert town.session.scalars(select(ChosenPlace)).all() == []
    asked = board.listing(town.session, 2026, by=town.official, state=BoardState.ASKED).rows
    [line] = [each for each in asked if each.entry.id == town.ben.id]
    assert (line.place.name, line.metres, line.minutes, bool(line.entry.due)) == ("近处普惠", 957, 17, True)
    offer = town.offer_for(town.ben)
    declines.note(town.session, offer.id, "fee", "太贵", by=town.official, now=town.now)
    town.decline(town.ben)
    town.confirm(town.cui)
    assert entry(town, town.cui).state == entry(town, town.dan).state == BoardState.ACCEPTED
    [line] = board.listing(town.session, 2026, by=town.official, state="todo").rows
    assert (line.entry.state, line.declined.reason, line.declined.note) == (BoardState.DECLINED, "fee", "太贵")
    assert chooses(town, town.ben, town.near) == 1, "an official may propose once more"
    assert entry(town, town.ben).state == BoardState.CHOSEN


def test_bound_children_go_together_or_an_official_says_why_not(left_over):
    town = left_over
    agrees(town, town.ben, town.cui, town.dan)
    with pytest.raises(Refused, match="places_for_all_needed") as refused:
        chooses(town, town.cui, town.near)
    assert refused.value.details == {"n": 2, "free": 1}
    assert chooses(town, town.cui, town.far) == 2
    assert {entry(town, each).state for each in (town.cui, town.dan)} == {BoardState.CHOSEN}
    with pytest.raises(Refused, match="no_place_here"):
        chooses(town, town.ben, town.far)
    choices.drop(town.session, 2026, town.dan.id, seen=None, by=town.official, now=town.now)
    assert {entry(town, each).state for each in (town.cui, town.dan)} == {BoardState.OPEN}
    assert chooses(town, town.cui, town.near, apart="家庭同意分开") == 1
    assert town.session.get(ChosenPlace, town.cui.id).apart == "家庭同意分开"
    [line] = [each for each in board.listing(town.session, 2026, by=town.official).rows if each.entry.id == town.cui.id]
    assert (line.bound, line.siblings) == ((town.dan.registration_code,), ())


def test_what_happens_between_the_choice_and_the_hour(left_over):
    town = left_over
    agrees(town, town.ben, town.cui, town.dan)
    chooses(town, town.ben, town.near)
    run = town.place_centrally()
    chooses(town, town.ben, town.far)
    with pytest.raises(Refused, match="snapshot_outdated"):
        runs.sign(town.session, run.id, by=town.city_pair()[0], now=town.now)
    agrees(town, town.ben, agrees=False)
    assert town.session.get(ChosenPlace, town.ben.id) is None, "who wants none any more is proposed none"
    agrees(town, town.ben)
    chooses(town, town.ben, town.near)
    town.programme_of(town.near).taken = 1
    town.session.flush()
    assert entry(town, town.ben).state == BoardState.CHOICE_LOST, "the place filled meanwhile"
    town.programme_of(town.near).taken = 0
    town.session.flush()
    run = town.place_centrally()
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    with pytest.raises(Refused, match="placement_is_signed"):
        chooses(town, town.ben, town.far)
    town.withdraw_after_the_draw(town.ben)
    with pytest.raises(Stale, match="child_left_the_list"):
        chooses(town, town.ben, town.near)
    assert entry(town, town.ben).state == BoardState.LEFT


def test_every_child_has_an_officer_and_can_be_given_to_another(left_over):
    town = left_over
    other, foreign = town.area_official(), town.area_official("510105")
    mine = {town.ben.id, town.cui.id, town.dan.id}
    names = officers.Officers(town.session)
    assert {entry(town, each).officer for each in (town.ben, town.cui)} <= set(names.of_area("510104"))
    seen = dict.fromkeys(mine, 0)
    assert officers.assign(town.session, 2026, seen, other.account_id, by=town.official, now=town.now)["moved"] == 3
    page = board.listing(town.session, 2026, by=town.official, officer=other.account_id)
    assert (page.total, [each[2] for each in page.officers]) == (3, [3])
    late = officers.assign(town.session, 2026, seen, town.official.account_id, by=town.official, now=town.now)
    assert (late["moved"], late["changed"]) == (0, 3), "a stale page moves nobody"
    with pytest.raises(Refused, match="officer_not_here"):
        officers.assign(town.session, 2026, {town.ben.id: 1}, foreign.account_id, by=town.city_pair()[0], now=town.now)
    assert (
        officers.assign(town.session, 2026, {town.ben.id: 1}, foreign.account_id, by=foreign, now=town.now)["left"] == 1
    )
    assert officers.officer_of(town.session, town.ben.id, "510104").name == names.names[other.account_id]
    account = town.session.get_one(UnservedChild, town.ben.id)
    account.officer_id = foreign.account_id  # an official who left the area
    assert officers.officer_of(town.session, town.ben.id, "510104").name in {
        names.names[each] for each in names.of_area("510104")
    }
    with pytest.raises(NotFound):
        explanations.explain(town.session, 2026, town.ben.id, "waits", seen=None, by=foreign, now=town.now)


def test_the_season_ends_when_every_child_has_a_place_or_a_reason_signed_by_two(left_over):
    town, (first, second) = left_over, left_over.city_pair()
    late = at(9, 30)
    with pytest.raises(Refused, match="children_without_a_word") as refused:
        season_end.close(town.session, 2026, by=first, now=late)
    assert refused.value.details == {"n": 3}
    with pytest.raises(Refused, match="say_what_was_tried"):
        explanations.explain(town.session, 2026, town.ben.id, "unreachable", seen=None, by=town.official, now=town.now)
    seen = {each.id: 0 for each in (town.ben, town.cui, town.dan)}
    done = explanations.explain_many(town.session, 2026, seen, "waits", by=town.official, now=town.now)
    assert done == (3, 0)
    with pytest.raises(Stale):
        explanations.explain(town.session, 2026, town.ben.id, "waits", seen=0, by=town.official, now=town.now)
    shown = explanations.ending(town.session, 2026)
    assert season_end.close(town.session, 2026, by=first, now=late, seen=shown.digest).closed_at is None
    with pytest.raises(Refused, match="signed_already"):
        season_end.close(town.session, 2026, by=first, now=late)
    town.at(town.now + dt.timedelta(minutes=1))
    explanations.explain(town.session, 2026, town.ben.id, "elsewhere", seen=1, by=town.official, now=town.now)
    with pytest.raises(Refused, match="explanations_changed"):
        season_end.close(town.session, 2026, by=second, now=late, seen=shown.digest)
    assert season_end.close(town.session, 2026, by=second, now=late).closed_at is None, "the first signed another list"
    assert season_end.close(town.session, 2026, by=first, now=late).closed_at == late
    agrees(town, town.ben)
    for act in (
        lambda: explanations.explain(town.session, 2026, town.ben.id, "waits", seen=2, by=town.official, now=late),
        lambda: chooses(town, town.ben, town.near),
        lambda: choices.drop(town.session, 2026, town.ben.id, seen=2, by=town.official, now=late),
    ):
        with pytest.raises(Refused, match="season_is_closed"):
            act()


def test_a_child_that_is_offered_a_place_again_needs_a_new_word(left_over):
    town = left_over
    agrees(town, town.ben)
    explanations.explain(town.session, 2026, town.ben.id, "waits", seen=None, by=town.official, now=town.now)
    assert entry(town, town.ben).state == BoardState.EXPLAINED
    chooses(town, town.ben, town.near)
    sends(town)
    assert entry(town, town.ben).state == BoardState.ASKED
    town.silence()
    assert town.last_offer_for(town.ben).state == OfferState.EXPIRED
    assert entry(town, town.ben).state == BoardState.SILENT


def test_the_computed_proposals_keep_to_what_families_accept(left_over):
    town = left_over
    agrees(town, town.ben, minutes=20)
    agrees(town, town.cui, town.dan, nature="public")
    children, vacant = central_market.children_of(town.session, 2026), central_market.vacancies_of(town.session, 2026)
    ways = central_market.ways_between(children, vacant)
    reached = {(children[at].id, vacant[to].code) for at, to in zip(ways.child, ways.programme, strict=True)}
    far = f"{town.far.code}-lower"
    assert (town.ben.id, far) not in reached and (town.ben.id, f"{town.near.code}-lower") in reached
    assert {place for child, place in reached if child == town.cui.id} == {far}


def test_the_board_costs_the_same_with_many_children(left_over):
    town = left_over
    agrees(town, town.ben, town.cui, town.dan)
    chooses(town, town.ben, town.near)
    sizes = {}
    for per_page in (1, 25):
        town.session.expire_all()
        with counted(town.session) as statements:
            board.listing(town.session, 2026, by=town.official, per_page=per_page)
        sizes[per_page] = len(statements)
    assert sizes[1] == sizes[25] <= 17  # one of them asks what has changed since the board was counted
