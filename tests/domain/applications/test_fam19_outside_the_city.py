"""FAM19: a family that still lives outside the city goes the whole way, and is told what that means."""

import pytest
from sqlalchemy import select

from enrollment.draw.unserved import board
from enrollment.eligibility import claims, eligibility_check, households, tiers
from enrollment.eligibility.households import Household
from enrollment.eligibility.wish_candidates import Finder
from enrollment.ground.errors import Refused
from enrollment.season.facts import Fact, Ground
from tests.portal.parents.desk import page, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

OUTSIDE = {"hukou_kind": "elsewhere", "home_area": None, "home_outside": True, "home_street": "人民路"}


@prepared
def gardens(town):
    town.first = town.kindergarten("一幼", places=1, longitude=104.1, latitude=30.6)
    town.second = town.kindergarten("二幼", places=3, longitude=104.2, latitude=30.6)
    return town


def test_fam19_nothing_of_a_home_outside_is_kept_as_if_it_lay_here(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first], **OUTSIDE, home_owned=True, work_area="510104")
    home = households.household_of(gardens.session, ana.id)
    assert (home.home_outside, home.home_area, home.home_street, home.home_owned) == (True, None, None, None)
    assert home.home_address is not None
    claimed = set(claims.of(gardens.session, ana.id))
    assert claimed == {Ground.WORKPLACE}
    facts = tiers.claimed_facts(gardens.session, ana.id)
    assert not {Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED} & facts.keys()
    assert ana.stage == "submitted"


def test_fam19_the_new_home_takes_its_place_and_its_grounds_come(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first], **OUTSIDE)
    here = {"home_area": "510104", "home_street": "三圣街道", "home_owned": True}
    households.save(gardens.session, ana.id, by=gardens.parent_of(ana), now=gardens.now, **here)
    assert households.household_of(gardens.session, ana.id).home_outside is None
    assert {Ground.HOME_OWNER, Ground.SERVICE_AREA} <= set(claims.of(gardens.session, ana.id))


def test_fam19_neither_inside_nor_outside_is_still_asked_for(gardens):
    with pytest.raises(Refused, match="home_area_missing"):
        gardens.child("安娜", home_area=None)


def test_fam19_the_finder_the_draw_and_the_lists_cope(gardens):
    ana = gardens.child("安娜", wishes=[gardens.first], **OUTSIDE)
    ben = gardens.child("本本", wishes=[gardens.first], **OUTSIDE)
    finder = Finder(gardens.session, ana, gardens.the_round.id)
    found = finder.search().items
    assert {each.metres for each in found} == {None}
    listed = finder.seen([each.programme for each in found if each.kindergarten == gardens.first])
    assert [each.kindergarten for each in finder.others(listed, 6)] == [gardens.second], "in the area of the wishes"
    gardens.drawn(ana, ben)
    (left,) = board.listing(gardens.session, 2026, by=gardens.area_official()).rows
    assert (left.entry.outside, left.entry.area) == (True, "510104")
    assert [each.kindergarten.name for each in left.vacancies] == ["二幼"]
    with pytest.raises(Refused, match="nobody_to_propose"):
        gardens.place_centrally()


def test_fam19_before_an_account_there_may_be_no_area_at_all(gardens):
    gardens.open_registration()
    home = Household(hukou_kind="elsewhere", home_outside=True)
    assert eligibility_check.foresee(gardens.session, 2026, "lower", home, {}).areas == ()


def test_fam19_the_page_offers_it_says_what_it_means_and_shows_it_again(client, gardens):
    gardens.open_registration()
    ana = gardens.child("安娜", submit=False)
    sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/household"
    answer = fill_in(client, path, hukou_kind="elsewhere", home_area="outside", home_street="人民路")
    assert answer.status_code == 303
    again = client.get(path)
    assert value_of(again, "home_area") == "outside"
    told = page(again).select_one("details#outside")
    assert told.has_attr("open")
    for what in ("服务范围", "不能参加统筹安排", "前搬来的"):
        assert what in told.get_text()
    home = gardens.session.scalars(select(Household).where(Household.application_id == ana.id)).one()
    assert (home.home_outside, home.home_street) == (True, None)
    tasks = client.get(f"/parents/applications/{ana.id}/tasks")
    assert "现在住在成都以外" in tasks.text
    assert "现在住在成都以外" in client.get(f"/parents/applications/{ana.id}/check").text


def test_fam19_the_public_check_offers_it_too(client, gardens):
    gardens.open_registration()
    said = {"level": "lower", "hukou_kind": "elsewhere", "home_area": "outside"}
    text = client.get("/check", query_string=said).text
    assert "还没有和哪个区有关" in text
    assert "一幼" in client.get("/check", query_string=said | {"work_area": "510104"}).text
