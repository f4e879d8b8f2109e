"""Who still stands in a round's line is told, counted and drawn alike, whatever the child got, lost or began again elsewhere."""

import datetime as dt
import json
import random

import pytest
from sqlalchemy import delete, literal, select

from enrollment.applications.lifecycle import MoveMade
from enrollment.draw import freed_places, runs
from enrollment.draw.publication import opening, result_contents
from enrollment.draw.publication.rows import RESULT, PreparedResult
from enrollment.draw.run_rows import REFUSED, WishReason
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.ground.reading.read_ahead import KEY
from enrollment.ground.vault import row_name, unseal
from enrollment.maintenance import invariants
from enrollment.offers import waitlist
from enrollment.offers.offer_rows import LIVE, Offer, OfferState
from enrollment.results import family_results, family_state, result_state
from enrollment.season.rounds import Round
from tests.support.prepared import prepared


def codes(town, round_, *children):
    standings = waitlist.standings(town.session, round_, now=town.now)
    return [standings[child.child_code].code for child in children]


def supplementary(town, **more) -> Round:
    town.silence_if_any()
    town.round(kind="supplementary", **more)
    return town.open_registration()


def draw_again(town):
    town.everyone_is_reviewed()
    town.freeze()
    town.run()
    town.publish()


@prepared
def four(town):
    """`ana` has the place, the others stand in line; `ben`, the first of them, withdraws for good."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.programme(town.garden, places=2, level="middle")
    town.other = town.kindergarten("海棠", places=1)
    town.programme(town.other, places=1, level="middle")
    town.round(levels=["lower", "middle"])
    town.ana, town.ben, town.cui, town.dan = (
        town.child(name, wishes=[town.garden]) for name in ("安娜", "本本", "翠翠", "丹丹")
    )
    town.drawn(town.ana, town.ben, town.cui, town.dan)
    town.confirm(town.ana)
    town.main = town.the_round
    town.at(town.now + dt.timedelta(hours=1))
    town.withdraw(town.ben)
    return town


@pytest.mark.parametrize("level", ["lower", "middle"])
def test_who_withdrew_and_applied_again_has_left_the_former_line_for_good(four, level):
    """Also where it was entered again for another class level: its frozen wishes are of the former one."""
    town = four
    if level == "middle":
        town.ben.child.born = town.ben.child.born.replace(year=town.ben.child.born.year - 1)
    supplementary(town, levels=["lower", "middle"])
    town.apply_again(town.ben)
    assert town.ben.level == level
    assert codes(town, town.main, town.ben, town.cui) == ["withdrawn", "for_a_place"]
    town.wish(town.ben, town.other)
    town.submit(town.ben)
    draw_again(town)
    assert town.ben.stage == "confirmed"
    if level == "lower":
        assert town.place_of(town.ben) == town.other
        town.decline(town.ben)
    town.the_round = town.main
    assert codes(town, town.main, town.ben, town.cui, town.dan) == ["withdrawn", "for_a_place", "for_a_place"]
    town.decline(town.ana)
    town.replay()
    assert town.place_of(town.cui) == town.garden and town.place_of(town.ben) != town.garden
    assert [each for each in invariants.find_violations(town.session) if each.code.startswith("offer_")] == []


def test_a_draft_that_was_begun_again_has_a_result_and_takes_nothing_back(four):
    """Its family reads the result of the former round, and a place that it gave up there is not its own any more."""
    town = four
    offer = town.decline(town.ana)
    assert freed_places.may_take_back(town.session, offer, now=town.now)
    town.withdraw(town.ana)
    town.round(kind="supplementary", levels=["lower", "middle"], opens_at=town.now + dt.timedelta(minutes=1))
    town.open_registration()
    assert town.now < offer.answer_by
    town.apply_again(town.ana)
    told = family_results.for_application(town.session, town.ana.id, now=town.now)
    assert (town.ana.stage, told.round, told.standing, told.wishes[0].in_line) == (
        "draft",
        town.main,
        "withdrawn",
        None,
    )
    assert not freed_places.may_take_back(town.session, offer, now=town.now)
    with pytest.raises(Refused, match="application_is_over"):
        freed_places.take_back(town.session, offer.id, by=town.parent_of(town.ana), now=town.now)


def test_a_replay_that_waits_for_its_hour_gives_nothing_to_who_withdrew_and_began_again(four):
    """It is computed anew: nobody would answer for a draft."""
    town = four
    town.decline(town.ana)
    run = town.replay(sign=False)
    town.announce_hour(town.now + dt.timedelta(hours=2))
    town.sign(run)
    town.withdraw(town.cui)
    town.round(kind="supplementary", levels=["lower", "middle"], opens_at=town.now + dt.timedelta(minutes=1))
    town.open_registration()
    town.apply_again(town.cui)
    town.at(town.now + dt.timedelta(hours=2))
    with pytest.raises(Refused, match="answers_changed"), town.session.begin_nested():
        opening.open_run(town.session, run.id, now=town.now)
    assert town.offer_for(town.cui) is None


@prepared
def two_lines(town):
    """Ten children of whom most stand in the lines of the main round and of the supplementary one."""
    first, second, third, fourth = (town.kindergarten(name, places=1) for name in ("金苹果", "牡丹", "玉兰", "海棠"))
    children = [town.child(n * 2, wishes=[first, second]) for n in "安本翠丹恩芳贵海杰可"]
    town.drawn()
    main, town.children = town.the_round, children
    supplementary(town)
    for child in children:
        town.wish(child, third, fourth)
    draw_again(town)
    central = Round(
        year=2026, number=3, kind="central", name="统筹安排", stage="published",
        opens_at=town.now, closes_at=town.now + dt.timedelta(minutes=1), confirm_by=town.now + dt.timedelta(hours=1),
    )  # fmt: skip
    town.session.add(central)
    town.session.flush()
    town.rounds = (main, town.the_round, central)
    return town


def live_a_little(town, chance: random.Random):
    """Each child gets an offer of any round in any state, perhaps another that ended, and a few leave and begin again."""
    ended = [state for state in OfferState if state not in LIVE]
    programmes = [town.programme_of(garden).id for garden in town.everywhere]
    for child in town.children:
        states = chance.choices(ended, k=chance.randrange(3))
        if town.offer_for(child) is None:
            states += chance.choices(LIVE, k=chance.randrange(2))
        for state in states:
            round_ = chance.choice(town.rounds)
            at = chance.choice((town.rounds[0].closes_at, town.rounds[1].closes_at)) + dt.timedelta(
                minutes=chance.choice((-1, 1))
            )
            offer = Offer(
                child_id=child.child_id, application_id=child.id, programme_id=chance.choice(programmes), year=2026,
                round_id=round_.id, rank=None if round_.kind == "central" else chance.choice((1, 3)), state=state,
                notice_code=f"{chance.random()}", made_at=at, answer_by=at, ended_at=None if state in LIVE else at,
            )  # fmt: skip
            town.session.add(offer)
        if chance.random() < 0.3:
            at = chance.choice(town.rounds[:2]).closes_at + dt.timedelta(minutes=chance.choice((-1, 1)))
            town.session.add(
                MoveMade(application_id=child.id, move="withdraw", before="confirmed", after="withdrawn", at=at)
            )
            child.stage = chance.choice(("draft", "withdrawn", "confirmed", "confirmed"))
            child.submitted_at = max(child.submitted_at, at + dt.timedelta(seconds=1))
    town.session.flush()


def prepared_places(town, run) -> dict:
    """The places in line that are prepared for the first hour, by application and rank."""
    town.session.execute(delete(PreparedResult))
    result_contents.prepare_results(town.session, run, [child.id for child in town.children])
    rows = select(PreparedResult.application_id, PreparedResult.content).where(PreparedResult.run_id == run.id)
    read = {
        id_: json.loads(unseal(content, RESULT, row_name(run.id, id_))) for id_, content in town.session.execute(rows)
    }
    return {(id_, wish["rank"]): wish["in_line"] for id_, told in read.items() for wish in told["wishes"]}


@pytest.mark.parametrize("seed", range(6))
def test_the_place_in_line_counts_exactly_the_families_that_are_in_it(two_lines, seed):
    town = two_lines
    town.everywhere = [town.kindergartens_by_name(name)[0] for name in ("金苹果", "牡丹", "玉兰", "海棠")]
    live_a_little(town, random.Random(seed))
    seen = set()
    for round_ in town.rounds[:2]:
        run = runs.published(town.session, round_.id)
        standings = {
            each.application_id: each for each in waitlist.standings(town.session, round_, now=town.now).values()
        }
        refused = town.session.scalars(
            select(WishReason).where(WishReason.run_id == run.id, WishReason.reason.in_(REFUSED))
        ).all()
        told = prepared_places(town, run)
        for mine in refused:
            standing = standings[mine.application_id]
            seen.add(standing.code)
            if not standing.in_line:
                continue
            before = [
                each for each in refused
                if each.programme_id == mine.programme_id and (each.tier, each.ticket) < (mine.tier, mine.ticket)
                and standings[each.application_id].in_line
            ]  # fmt: skip
            counted = town.session.scalar(result_state.standing_before(mine, round_.id, literal(True)))
            assert counted == len(before)
            assert told[mine.application_id, mine.rank] == 1 + len(before)
        for child in town.children:
            assert ahead(town, child, round_) == standings[child.id]
    assert seen.intersection(waitlist.IN_LINE)


def test_places_behind_who_left_and_applied_again_before_the_hour_are_not_told_as_prepared(four):
    """`cui` withdraws and hands in again while the pages wait for the hour: `dan` stands one place further in front."""
    town = four
    run = runs.published(town.session, town.main.id)
    result_contents.prepare_results(town.session, run, [each.id for each in (town.ana, town.cui, town.dan)])
    prepared_at = town.now = town.now + dt.timedelta(minutes=1)
    supplementary(town, levels=["lower", "middle"])
    town.withdraw(town.cui)
    town.apply_again(town.cui)
    town.wish(town.cui, town.other)
    town.submit(town.cui)
    town.session.flush()
    result_contents.drop_outdated(town.session, run, since=prepared_at)
    left = select(PreparedResult.application_id).where(PreparedResult.run_id == run.id)
    kept = set(town.session.scalars(left))
    assert town.cui.id in kept and town.dan.id not in kept


def ahead(town, child, round_):
    """The standing as a page of the family computes it from what was read ahead."""
    session = town.session
    family_state.read_ahead(session, session.get_one(Account, child.entered_by))
    try:
        (found,) = waitlist.standings(session, round_, now=town.now, application_id=child.id).values()
    finally:
        session.info.pop(KEY)
    return found


def test_a_proposal_that_nobody_has_answered_ends_no_waiting(two_lines):
    """The page says that the waiting goes on.  Whoever accepts the proposal waits no longer, nor for a place of another round."""
    town = two_lines
    main, extra, central = town.rounds
    child = next(each for each in town.children if town.last_offer_for(each) is None)
    offer = Offer(
        child_id=child.child_id, application_id=child.id, programme_id=town.programme_of(town.kindergartens_by_name("海棠")[0]).id,
        year=2026, round_id=central.id, state="offered", notice_code="X", made_at=town.now, answer_by=town.now,
    )  # fmt: skip
    town.session.add(offer)
    town.session.flush()
    assert codes(town, main, child) == codes(town, extra, child) == ["for_a_better_wish"]
    offer.state = "confirmed"
    town.session.flush()
    assert codes(town, main, child) == codes(town, extra, child) == ["content"]
    offer.state = "declined"
    town.session.flush()
    assert codes(town, main, child) == codes(town, extra, child) == ["for_a_place"]
