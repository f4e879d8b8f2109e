"""A kindergarten that closes before the care begins gets no new child, although its round was opened with it."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import wishes
from enrollment.draw import freed_places, participants
from enrollment.draw.participants import FactBasis
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places.imports import importer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.results import family_results
from enrollment.review import reassignment
from tests.support.office_files import xlsx

JULY = dt.date(2026, 7, 31)
HEADINGS = ["学校标识码", "园所名称", "办园性质", "招生区域", "联系电话", "停办日期"]


def closing(kindergarten, day=JULY):
    row = [kindergarten.code, kindergarten.name, "公办", "锦江区", "028-85550001", day.isoformat()]
    return xlsx(HEADINGS, [row], title=None)


def imported(town, content, *, overwrite=()):
    act = {"by": SYSTEM, "now": town.now, "year": 2026, "overwrite": overwrite}
    return importer.import_file(town.session, "kindergartens", "名册.xlsx", content, **act)


def closed(town, kindergarten, day=JULY):
    kindergarten.closed_on = day
    town.session.flush()


def test_closing_in_an_opened_round_is_a_decision_that_names_the_round_and_the_held_places(town):
    jinpingguo = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[jinpingguo])
    town.drawn(ana)
    kept = imported(town, closing(jinpingguo))
    [asked] = kept.conflicts
    assert (asked.reason, asked.details) == ("admission_goes_on", {"rounds": "主批次", "n": 1})
    town.session.refresh(jinpingguo)
    assert (jinpingguo.closed_on, kept.is_empty) == (None, True)
    written = imported(town, closing(jinpingguo), overwrite=[jinpingguo.code])
    town.session.refresh(jinpingguo)
    assert (jinpingguo.closed_on, written.digest) == (JULY, kept.digest)
    assert town.offer_for(ana).state == "offered", "a held place stands until it is decided"


def test_its_places_are_free_for_nobody(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=1)
    closed(town, jinpingguo)
    town.session.expire_all()
    assert [town.programme_of(each).free for each in (jinpingguo, mudan)] == [0, 1]
    free = select(Kindergarten.name, Programme.free).join(Programme, Programme.kindergarten_id == Kindergarten.id)
    assert dict(town.session.execute(free).all()) == {"金苹果": 0, "牡丹": 1}


def test_closing_is_written_at_once_where_no_admission_goes_on(town):
    jinpingguo = town.kindergarten("金苹果", places=2)
    assert not imported(town, closing(jinpingguo)).conflicts
    town.session.refresh(jinpingguo)
    assert jinpingguo.closed_on == JULY


def test_closing_after_the_care_has_begun_takes_no_place(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[jinpingguo])
    assert not imported(town, closing(jinpingguo, dt.date(2027, 8, 31))).conflicts
    town.session.expire_all()
    town.drawn(ana)
    assert town.place_of(ana) == jinpingguo


def test_a_freeze_gives_a_closed_kindergarten_no_places_and_the_result_says_so(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=1)
    town.pool(jinpingguo, "care", 1, ["policy_care"], name="政策照顾")
    ana, ben = town.child("安娜", wishes=[jinpingguo, mudan]), town.child("本本", wishes=[jinpingguo])
    closed(town, jinpingguo)
    market = participants.read(
        town.session, town.the_round, stages=participants.HANDED_IN, basis=FactBasis.LIKELY, strict=False
    )
    assert {each.code: (each.places, each.pools) for each in market.programmes} == {
        f"{jinpingguo.code}-lower": (0, ()),
        f"{mudan.code}-lower": (1, ()),
    }
    town.drawn(ana, ben)
    assert (town.place_of(ana), town.place_of(ben)) == (mudan, None)
    assert family_results.for_application(town.session, ben.id, now=town.now).wishes[0].reason == "no_places"


def test_a_replay_hands_no_place_of_a_closed_kindergarten_on(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    ana, ben = town.child("安娜", wishes=[mudan, jinpingguo]), town.child("本本", wishes=[jinpingguo])
    cui = town.child("翠翠", wishes=[mudan])
    run = town.drawn(cui, ana, ben)
    assert town.place_of(ana) == jinpingguo
    closed(town, jinpingguo)
    town.decline(cui)
    town.confirm(ana, wait=True)
    town.replay()
    assert town.place_of(ana) == mudan
    assert town.place_of(ben) is None, "the place that she left goes to nobody"
    assert not freed_places.replay_is_due(town.session, run, now=town.now)


def test_a_child_keeps_the_place_that_it_holds_there(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=1)
    ana, ben = town.child("安娜", wishes=[jinpingguo]), town.child("本本", wishes=[jinpingguo, mudan])
    cui = town.child("翠翠", wishes=[mudan, jinpingguo])
    dan = town.child("丹丹", wishes=[mudan])
    town.drawn(cui, ana, ben, dan)
    town.confirm(ana)
    town.confirm(ben)
    town.decline(cui)
    closed(town, jinpingguo)
    town.replay()
    assert [town.place_of(each) for each in (ana, ben, dan)] == [jinpingguo, jinpingguo, mudan]


def test_a_run_that_was_frozen_before_is_not_signed(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[jinpingguo])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana)
    town.run()
    closed(town, jinpingguo)
    with pytest.raises(Refused, match="places_changed"):
        town.publish()


def test_a_wish_for_it_is_refused_by_name(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    ana = town.child("安娜", wishes=[mudan])
    closed(town, jinpingguo)
    listed = [town.programme_of(jinpingguo).id, town.programme_of(mudan).id]
    with pytest.raises(Refused, match="wish_is_closed") as refused:
        wishes.set_wishes(
            town.session, ana.id, town.the_round.id, listed, version=None, by=town.parent_of(ana), now=town.now
        )
    assert refused.value.details == {"name": "金苹果"}


def test_it_reviews_nothing_more(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    ana = town.child("安娜", wishes=[mudan])
    closed(town, jinpingguo, town.now.date())
    with pytest.raises(Refused, match="reviewer_is_closed"):
        reassignment.reassign(
            town.session, ana.id, jinpingguo.id, by=town.area_official(), now=town.now, reason="牡丹请求支援"
        )
