"""Two seasons in a row: a child of the nursery applies again for the lower class, and nothing of the first year blocks it."""

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.applications import receipts, registration
from enrollment.coverage import shares
from enrollment.coverage.indicator import Definition
from enrollment.draw import replay
from enrollment.draw.unserved import board
from enrollment.ground.errors import Refused
from enrollment.maintenance import invariants
from enrollment.offers import offers, withdrawals
from enrollment.offers.arrivals import arrival
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild
from enrollment.results import admission_notice
from tests.support.prepared import prepared
from tests.support.town_families import id_number
from tests.support.town_season import at


def counted(town, *, year: int) -> tuple[int, int]:
    """Children in kindergarten, nursery included: today, and after the intake of `year`."""
    city = shares.city_shares(town.session, Definition(town.now.date(), nursery=True), year=year).city
    return city.now.all, city.after.all


def on_roll(town, application) -> list[tuple[str, int, str | None]]:
    """Where the child of the application stands or stood, oldest first: level, school year, why it left."""
    rows = town.session.query(RollChild).filter_by(id_index=application.child.id_index).order_by(RollChild.entered_on)
    classes = [(row, town.session.get(roll.RollClass, row.class_id)) for row in rows]
    return [(cls.level, cls.school_year, row.leave_reason) for row, cls in classes]


def arrive(town, application, place, class_name):
    by, offer = town.head_of(place), town.offer_for(application)
    seen = {"health": True, "vaccination": True, "class_name": class_name}
    return arrival.arrive(town.session, offer.id, by=by, now=town.now, **seen)


@prepared
def after_one_season(town):
    """Ana and Bo entered the nursery of 金苹果 in 2026; Cui declined there and stayed at home."""
    town.jinpingguo = town.kindergarten("金苹果", places=3, level="nursery")
    town.mudan = town.kindergarten("牡丹", nature="inclusive")
    town.family_of_ana = town.family("安")
    wanted = {"level": "nursery", "wishes": [town.jinpingguo]}
    town.ana = town.child("安娜", family=town.family_of_ana, **wanted)
    town.bo, town.cui = town.child("波波", **wanted), town.child("翠翠", **wanted)
    town.drawn()
    town.confirm(town.ana)
    town.confirm(town.bo)
    town.decline(town.cui)
    town.at(at(8, 25))
    for child in (town.ana, town.bo):
        arrive(town, child, town.jinpingguo, "托一班")
    return town


def second_season(town):
    """April 2027: the next season, with places in the lower classes of both kindergartens."""
    town.at(at(4, 2, year=2027))
    town.season(2027)
    for place in (town.jinpingguo, town.mudan):
        town.programme(place, places=3, year=2027)
    town.at(at(5, 22, year=2027))
    town.open_registration(levels=["nursery", "lower"])


def again(town, application, name, *wishes, **more):
    """The same family enters the same child for the new year, and finds it there."""
    the_same = {"born": application.child.born, "number": application.child.id_number}
    found = town.child(name, family=town.family_of_ana, year=2027, wishes=wishes, **the_same, **more)
    assert found.child_id == application.child_id
    assert found.id != application.id
    return found


def test_two_seasons_in_a_row(after_one_season):
    town = after_one_season
    first = town.offer_for(town.ana)
    assert first.state == "arrived"
    town.at(at(9, 1))
    assert counted(town, year=2026) == (2, 2), "on the roll, and not once more as an arrived offer"

    # The next May: Ana applies for the lower class of another kindergarten, and her family has a second child, Mu.
    second_season(town)
    ana = again(town, town.ana, "安娜", town.mudan)
    mu = town.child("木木", family=town.family_of_ana, year=2027, wishes=[town.mudan, town.jinpingguo])
    assert ana.family_code == mu.family_code != town.ana.family_code
    assert ana.registration_code != town.ana.registration_code
    town.drawn(ana, mu)
    assert town.ticket_of(ana) and town.ticket_of(town.ana), "a ticket for each season"
    assert town.place_of(ana) == town.place_of(mu) == town.mudan
    assert town.place_of(town.ana) == town.jinpingguo, "what was true last year stays true"
    assert not board.listing(town.session, 2027, by=town.city_official()).total

    # Ana is one child, now and after the intake; Mu comes new.
    assert counted(town, year=2027) == (2, 3)
    town.confirm(ana)
    town.confirm(mu)
    town.at(at(8, 25, year=2027))
    arrive(town, ana, town.mudan, "小一班")
    arrive(town, mu, town.mudan, "小一班")
    promotion.promote(town.session, town.jinpingguo.id, 2026, by=town.head_of(town.jinpingguo), now=town.now)
    assert counted(town, year=2027) == (2, 3), "until September she counts where she was"
    town.at(at(9, 1, year=2027))
    assert counted(town, year=2027) == (3, 3)
    assert on_roll(town, ana) == [("nursery", 2026, "transferred"), ("lower", 2027, None)]
    assert on_roll(town, town.bo) == [("nursery", 2026, "promoted"), ("lower", 2027, None)], (
        "he moved up with his class"
    )

    # Both years' places are as they were taken, both notices hold, and nothing is impossible.
    assert town.taken_at(town.jinpingguo, level="nursery") == 2
    assert town.taken_at(town.mudan, year=2027) == 2
    assert {admission_notice.check(town.session, each.notice_code).state for each in (first, town.offer_for(ana))} == {
        "valid"
    }
    assert list(invariants.find_violations(town.session)) == []


def test_the_class_may_have_moved_up_before_the_child_arrives(after_one_season):
    """The old kindergarten cannot know who goes elsewhere; the admission decides."""
    town = after_one_season
    second_season(town)
    ana = again(town, town.ana, "安娜", town.jinpingguo)
    town.drawn()
    town.confirm(ana)
    town.at(at(8, 25, year=2027))
    promotion.promote(town.session, town.jinpingguo.id, 2026, by=town.head_of(town.jinpingguo), now=town.now)
    arrive(town, ana, town.jinpingguo, "小三班")
    town.at(at(9, 1, year=2027))
    assert [row[0] for row in on_roll(town, ana)].count("lower") == 2, (
        "the class that moved up, and the one she goes to"
    )
    assert counted(town, year=2027) == (2, 2), "Ana and Bo, each once"


def test_a_child_that_another_kindergarten_took_in_this_year_is_not_taken_from_it(after_one_season):
    town = after_one_season
    second_season(town)
    ana = again(town, town.ana, "安娜", town.mudan)
    town.drawn()
    town.confirm(ana)
    haitang = town.kindergarten("海棠", nature="private")
    before = roll.current_roll_entry(town.session, ana.child.id_index)
    leaves = {"on": at(8, 22, year=2027).date(), "reason": "moved"}
    roll.leave(
        town.session, before.id, by=town.head_of(town.jinpingguo), now=town.at(at(8, 22, year=2027)).now, **leaves
    )
    town.child_on_roll(haitang, "安娜", level="lower", year=2027, id_number=ana.child.id_number)
    with pytest.raises(Refused, match="on_roll_already"):
        arrive(town, ana, town.mudan, "小一班")


def test_f04_in_the_second_season_too_the_table_allows_one_live_offer(after_one_season):
    """The supplementary round moves the one offer of the season; a second one is refused, whatever the year before."""
    town = after_one_season
    second_season(town)
    ana = again(town, town.ana, "安娜", town.mudan)
    town.drawn()
    town.confirm(ana)
    held = town.offer_for(ana)
    for year, refused in ((2027, "uq_offer__one_live"), (2025, "fk_offer__programme_id_year")):
        copy = f"""INSERT INTO offer SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(),
            'notice_code', 'X', 'year', {year}, 'state', 'offered'))).* FROM offer o WHERE id = '{held.id}'"""
        with pytest.raises(IntegrityError, match=refused), town.session.begin_nested():
            town.session.execute(text(copy))
    town.programme(town.kindergarten("海棠"), places=2, year=2027)
    town.at(at(6, 15, year=2027))
    town.round(kind="supplementary")
    town.open_registration()
    haitang = town.kindergartens_by_name("海棠")[0]
    town.wish(ana, haitang)
    town.everyone_is_reviewed()
    town.freeze()
    town.run()
    town.publish()
    assert town.place_of(ana) == haitang
    assert town.last_offer_for(town.ana).state == "arrived", "and last year's is left alone"
    assert (town.taken_at(town.mudan, year=2027), town.taken_at(haitang, year=2027)) == (0, 1)


def test_what_was_handed_in_last_year_ties_no_hand_this_year(after_one_season):
    """A guardian's new number is an edit of this year's application, not of one that closed a year ago; so is a withdrawal."""
    town = after_one_season
    second_season(town)
    ana, last_year = again(town, town.ana, "安娜", town.mudan), receipts.latest(town.session, town.ana)
    by = town.parent_of(ana)
    number = id_number(dt.date(1991, 5, 4))
    registration.save_guardian(town.session, name="安改名", id_kind="resident", id_number=number, by=by, now=town.now)
    assert receipts.latest(town.session, town.ana).number == last_year.number
    assert receipts.latest(town.session, ana).number == 2
    withdrawals.withdraw_consent(town.session, by=by, now=town.now)
    assert (town.ana.stage, ana.stage) == ("confirmed", "withdrawn")


def test_last_years_line_is_over_and_hands_nothing_on(after_one_season):
    """Places that are free in last year's programmes are nobody's any more, and no replay of that round waits for them."""
    town = after_one_season
    last_year = town.the_round
    second_season(town)
    with pytest.raises(Refused, match="nothing_to_hand_on"):
        replay.start(town.session, last_year.id, by=town.city_pair()[0], now=town.now)
    offer = town.offer_for(town.bo)
    with pytest.raises(Refused, match="offer_is_over"):
        offers.decline(town.session, offer.id, by=town.parent_of(town.bo), now=town.now)
