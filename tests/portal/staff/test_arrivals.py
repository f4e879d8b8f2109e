"""Arrivals: checks, the roll, releasing the place of a no-show, and lists without names."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.offers.arrivals import ArrivalCheck
from enrollment.offers.offers import Offer
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from tests.support.signing_in import fill_in, sign_in

LANGUAGES = ["zh", "en"]


@pytest.fixture
def admitted(town, frozen_clock):
    """Two children whose families have confirmed, on the first day of arrival."""
    here = town.kindergarten("锦官新城幼儿园", places=2)
    town.open_registration()
    ana, ben = town.child("李沐晨", wishes=[here]), town.child("王小雨", wishes=[here])
    town.drawn(ana, ben)
    town.confirm(ana)
    town.confirm(ben)
    town.at(dt.datetime(2026, 8, 20, 10, tzinfo=town.now.tzinfo))
    frozen_clock.set(town.now)
    town.here = here
    town.session.commit()
    return ana, ben


@pytest.fixture
def at_work(town, admitted, client):
    clerk = town.clerk_of(town.here)
    town.session.commit()
    return sign_in(client, clerk.account_id)


def offer_of(session, application) -> Offer:
    session.expire_all()
    return session.scalars(select(Offer).where(Offer.application_id == application.id)).one()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_checks_are_saved_and_the_child_is_put_on_the_roll(at_work, admitted, portal_session, lang):
    ana, ben = admitted
    page = at_work.get(f"/staff/arrivals?lang={lang}")
    assert "李沐晨" in page.text
    offer = offer_of(portal_session, ana)
    path = f"/staff/arrivals/{offer.id}"
    assert fill_in(at_work, "/staff/arrivals", path, vaccination="y", act="check").status_code == 303
    check = portal_session.get(ArrivalCheck, offer.id)
    assert (check.health_on, check.vaccination_on) == (None, dt.date(2026, 8, 20))
    assert BeautifulSoup(at_work.get("/staff/arrivals").text, "lxml").select_one(f"#v-{offer.id.hex}[checked]")
    nameless = fill_in(at_work, "/staff/arrivals", path, act="arrived", class_name=" ")
    assert BeautifulSoup(nameless.text, "lxml").select_one(".govuk-error-summary") is not None
    done = fill_in(at_work, "/staff/arrivals", path, act="arrived", class_name="小一班", health="y", vaccination="y")
    assert done.status_code == 303
    assert offer_of(portal_session, ana).state == "arrived"
    on_roll = portal_session.execute(select(RollChild, RollClass).join(RollClass)).one()
    assert (on_roll.RollChild.name, on_roll.RollClass.name, on_roll.RollClass.school_year) == ("李沐晨", "小一班", 2026)
    listed = at_work.get(f"/staff/arrivals?state=arrived&lang={lang}")
    assert ana.registration_code in listed.text
    assert ben.registration_code not in listed.text


def test_the_place_of_a_child_that_did_not_come_is_released_after_its_name_was_read(
    town, at_work, admitted, portal_session
):
    _, ben = admitted
    offer = offer_of(portal_session, ben)
    taken = portal_session.get(Programme, offer.programme_id).taken
    path = f"/staff/arrivals/{offer.id}/no-show"
    assert path in at_work.get("/staff/arrivals").text
    assert "王小雨" in at_work.get(path).text
    silent = fill_in(at_work, path, reason="")
    assert BeautifulSoup(silent.text, "lxml").select_one("#reason-error") is not None
    assert fill_in(at_work, path, reason="家长来电，已随迁").status_code == 303
    assert offer_of(portal_session, ben).state == "no_show"
    assert portal_session.get(Programme, offer.programme_id).taken == taken - 1
    assert ben.registration_code in at_work.get("/staff/arrivals?state=no_show").text


def test_nobody_is_marked_before_arrival_begins(town, admitted, client, frozen_clock, portal_session):
    frozen_clock.set(dt.datetime(2026, 8, 1, 10, tzinfo=town.now.tzinfo))
    sign_in(client, town.clerk_of(town.here).account_id)
    offer = offer_of(portal_session, admitted[0])
    assert "8月20日" in client.get("/staff/arrivals").text
    no_show = f"/staff/arrivals/{offer.id}/no-show"
    for refused in (
        fill_in(client, "/staff/arrivals", f"/staff/arrivals/{offer.id}", act="arrived", class_name="小一班"),
        fill_in(client, no_show, reason="没有来"),
    ):
        assert "还没有到报到时间" in refused.text
    assert offer_of(portal_session, admitted[0]).state == "confirmed"


def test_another_kindergarten_finds_nothing(town, admitted, client, portal_session):
    stranger = town.clerk_of(town.kindergarten("小蜜蜂幼儿园", places=1))
    town.session.commit()
    sign_in(client, stranger.account_id)
    page = client.get("/staff/arrivals")
    assert admitted[0].registration_code not in page.text
    token = BeautifulSoup(page.text, "lxml").select_one("input[name=csrf_token]")["value"]
    offer = offer_of(portal_session, admitted[0])
    for path in (f"/staff/arrivals/{offer.id}", f"/staff/arrivals/{offer.id}/no-show"):
        assert client.post(path, data={"csrf_token": token, "act": "check", "reason": "没有来"}).status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_lists_for_print_and_for_the_wall(at_work, admitted, lang):
    printed = at_work.get(f"/staff/arrivals/print?lang={lang}")
    assert "李沐晨" in printed.text
    board = at_work.get(f"/staff/notice-board?lang={lang}")
    codes = {item.get_text() for item in BeautifulSoup(board.text, "lxml").select(".board li")}
    assert codes == {application.registration_code for application in admitted}
    assert "李沐晨" not in board.text
    assert "李**" not in board.text
