"""Arrivals: the page at the door, taps of a tablet, the roll, children who do not come, and lists without names."""

import datetime as dt
import json
import uuid

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalTap
from enrollment.offers.offers import Offer
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, moves
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

LANGUAGES = ["zh", "en"]


@prepared
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


@prepared
def at_work(town, admitted, client):
    clerk = town.clerk_of(town.here)
    town.session.commit()
    return sign_in(client, clerk.account_id)


def offer_of(session, application) -> Offer:
    session.expire_all()
    return session.scalars(select(Offer).where(Offer.application_id == application.id)).one()


def page_of(client, path="/staff/arrivals"):
    return BeautifulSoup(client.get(path).text, "lxml")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_card_of_a_child_works_without_scripts(at_work, admitted, portal_session, lang):
    ana, _ = admitted
    offer = offer_of(portal_session, ana)
    path = f"/staff/arrivals/{offer.id}?year=2026&group=expected"
    page = page_of(at_work, f"/staff/arrivals?lang={lang}")
    card = page.select_one(f'[data-offer="{offer.id}"]')
    assert (card.select_one("summary b").text, card.select_one("h2").text) == ("李*晨", "李沐晨")
    assert fill_in(at_work, "/staff/arrivals", path, vaccination="y", act="check").status_code == 303
    stale = {"shown": "", "health": "y", "act": "check"}  # the page of a colleague, from before the first tick
    token = hidden_fields(at_work.get("/staff/arrivals").text, path)
    assert at_work.post(path, data={**token, **stale}).status_code == 303
    check = portal_session.get(ArrivalCheck, offer.id)
    assert (check.health_on, check.vaccination_on) == (dt.date(2026, 8, 20), dt.date(2026, 8, 20))
    assert page_of(at_work).select_one(f"#vaccination-{offer.id.hex}[checked]")
    nameless = fill_in(
        at_work,
        "/staff/arrivals",
        path,
        act="arrived",
        class_name=" ",
        shown="health vaccination",
        health="y",
        vaccination="y",
    )
    assert BeautifulSoup(nameless.text, "lxml").select_one(".govuk-error-summary") is not None
    done = fill_in(at_work, "/staff/arrivals", path, act="arrived", class_name="小一班", shown="", pickup="y")
    assert done.status_code == 303
    assert offer_of(portal_session, ana).state == "arrived"
    on_roll = portal_session.execute(select(RollChild, RollClass).join(RollClass)).one()
    assert (on_roll.RollChild.name, on_roll.RollClass.name, on_roll.RollClass.school_year) == ("李沐晨", "小一班", 2026)
    arrived = path.replace("expected", "arrived")
    undone = fill_in(
        at_work,
        "/staff/arrivals?group=arrived",
        arrived,
        act="not_arrived",
        shown="health vaccination pickup",
        health="y",
        vaccination="y",
        pickup="y",
    )
    assert undone.status_code == 303 and offer_of(portal_session, ana).state == "confirmed"


@pytest.mark.parametrize("days", [0, 3])
def test_an_arrival_is_undone_on_the_card_after_a_class_change(
    town, at_work, admitted, portal_session, frozen_clock, days
):
    ana, _ = admitted
    offer = offer_of(portal_session, ana)
    path = f"/staff/arrivals/{offer.id}?year=2026&group="
    assert fill_in(at_work, "/staff/arrivals", f"{path}expected", act="arrived", class_name="小一班").status_code == 303
    town.at(dt.datetime(2026, 9, 1 + days, 10, tzinfo=town.now.tzinfo))
    frozen_clock.set(town.now)
    clerk, values = town.clerk_of(town.here), {"level": "lower", "school_year": 2026, "kept_as": "rows"}
    there = classes.open_class(town.session, town.here.id, name="小二班", **values, by=clerk, now=town.now)
    entry = town.session.scalars(select(RollChild)).one()
    moves.change_class(town.session, entry.id, there.id, day=town.now.date(), by=clerk, now=town.now)
    town.session.commit()
    undone = fill_in(at_work, "/staff/arrivals?group=arrived", f"{path}arrived", act="not_arrived")
    assert undone.status_code == 303 and offer_of(portal_session, ana).state == "confirmed"
    portal_session.expire_all()
    entries = portal_session.scalars(select(RollChild)).all()
    assert len(entries) == 2 and all(each.left_on == each.entered_on for each in entries), "it counts on no day"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stf20_a_child_is_found_by_letters_or_by_its_code(at_work, admitted, portal_session, lang):
    ana, ben = admitted
    for typed in ("lmc", ana.registration_code, f"https://x/verify/{offer_of(portal_session, ana).notice_code}"):
        shown = page_of(at_work, f"/staff/arrivals?lang={lang}&q={typed}").select("#found [data-offer]")
        assert [each["data-code"] for each in shown] == [ana.registration_code], typed
    nobody = page_of(at_work, f"/staff/arrivals?lang={lang}&q=zzz")
    assert nobody.select_one("#unknown:not([hidden])")
    noted = fill_in(at_work, "/staff/arrivals?q=zzz", "/staff/arrivals/note?year=2026", noted="张三，爷爷带来")
    assert noted.status_code == 303
    listed = at_work.get(f"/staff/arrivals/to-match?lang={lang}")
    assert "张三，爷爷带来" in listed.text
    tap = portal_session.scalars(select(ArrivalTap)).one()
    path = f"/staff/arrivals/to-match/{tap.id}?year=2026"
    unnamed = fill_in(at_work, "/staff/arrivals/to-match", path, offer_id="")
    assert BeautifulSoup(unnamed.text, "lxml").select_one("#offer_id-error") is not None
    assert (
        fill_in(at_work, "/staff/arrivals/to-match", path, offer_id=str(offer_of(portal_session, ben).id)).status_code
        == 303
    )
    assert page_of(at_work).select_one("a.now") is None


def sends(client, town, *given, year=2026):
    token = client.get(f"/staff/arrivals/exchange?at={town.here.id}").json["token"]
    body = {"csrf_token": token, "at": str(town.here.id), "year": year, "taps": json.dumps(given)}
    return client.post("/staff/arrivals/exchange", data=body)


def test_stf09_a_tablet_sends_its_taps_again_and_none_is_refused(town, at_work, admitted, portal_session, frozen_clock):
    ana, ben = admitted
    offer, other = offer_of(portal_session, ana), offer_of(portal_session, ben)
    arrived = {"id": str(uuid.uuid4()), "act": "arrived", "offer": str(offer.id), "class": "小一班", "waited": 90}
    strange = {"id": str(uuid.uuid4()), "act": "arrived", "offer": str(other.id), "class": "大一班"}
    odd = {"id": str(uuid.uuid4()), "act": "health", "offer": "none", "waited": "long"}
    for _ in range(2):
        taken = sends(at_work, town, arrived, strange, odd, {"id": "?"}, 7).json["taken"]
        assert {each["id"]: bool(each["kept"]) for each in taken} == {
            arrived["id"]: False,
            strange["id"]: True,
            odd["id"]: True,
        }
    assert offer_of(portal_session, ana).state == "arrived"
    rows = portal_session.scalars(select(ArrivalTap).order_by(ArrivalTap.tapped_at)).all()
    assert len(rows) == 3 and rows[0].tapped_at == town.now - dt.timedelta(seconds=90)
    assert sends(at_work, town, year="x").status_code == 200
    assert at_work.post("/staff/arrivals/exchange", data={"taps": "["}).status_code in (303, 400)
    colleague = town.head_of(town.here)
    town.session.commit()
    news = sign_in(at_work, colleague.account_id).get("/staff/arrivals/exchange?seconds=120").json["news"]
    assert [(each["offer"], each["act"], each["class"]) for each in news] == [(str(offer.id), "arrived", "小一班")]


def test_stf09_an_older_tap_of_a_tablet_does_not_undo_what_was_noted_on_the_card(
    town, at_work, admitted, portal_session
):
    """The card was sent as a form, by a browser without scripts; the tablet was offline when its clerk undid an arrival."""
    offer = offer_of(portal_session, admitted[0])
    path = f"/staff/arrivals/{offer.id}?year=2026&group=expected"
    done = fill_in(at_work, "/staff/arrivals", path, act="arrived", class_name="小一班", shown="", health="y")
    assert done.status_code == 303
    late = {"id": str(uuid.uuid4()), "act": "not_arrived", "offer": str(offer.id), "waited": 1740}
    (taken,) = sends(at_work, town, late).json["taken"]
    assert (taken["kept"], offer_of(portal_session, admitted[0]).state) == ("之后有更新的登记，按更新的算", "arrived")
    kept = f"/staff/arrivals/to-match/{late['id']}?year=2026"
    refused = fill_in(at_work, "/staff/arrivals/to-match", kept, offer_id=str(offer.id))
    assert "按更新的算，这一条选“不用处理”就好" in refused.text
    assert offer_of(portal_session, admitted[0]).state == "arrived"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stf12_places_are_released_in_one_act_after_the_last_day(
    town, at_work, admitted, portal_session, frozen_clock, lang
):
    _, ben = admitted
    offer = offer_of(portal_session, ben)
    taken = portal_session.get(Programme, offer.programme_id).taken
    absent = f"/staff/arrivals/absent?lang={lang}"
    assert "未报到" not in at_work.get("/staff/arrivals").text, "no button beside a child"
    assert not page_of(at_work, absent).select("input[name=offers]")
    contact = f"/staff/arrivals/{offer.id}/contact"
    silent = fill_in(at_work, contact, way="call")
    assert BeautifulSoup(silent.text, "lxml").select_one("#outcome-error") is not None
    assert fill_in(at_work, contact, way="call", outcome="no_answer").status_code == 303
    frozen_clock.set(dt.datetime(2026, 8, 31, 18, tzinfo=town.now.tzinfo))
    ready = page_of(at_work, absent).select("input[name=offers]")
    assert [each["value"] for each in ready] == [str(offer.id)], "nobody has tried to reach the other family"
    action = "/staff/arrivals/absent?year=2026"
    empty = fill_in(at_work, absent, action)
    assert BeautifulSoup(empty.text, "lxml").select_one(".govuk-error-summary") is not None
    both = {"offers": [str(offer.id), str(offer_of(portal_session, admitted[0]).id)]}
    assert fill_in(at_work, absent, action, **both).status_code == 303
    assert (
        offer_of(portal_session, ben).state == "no_show" and offer_of(portal_session, admitted[0]).state == "confirmed"
    )
    assert portal_session.get(Programme, offer.programme_id).taken == taken - 1
    undone = fill_in(at_work, absent, f"/staff/arrivals/{offer.id}/undo-no-show?year=2026")
    assert undone.status_code == 303 and offer_of(portal_session, ben).state == "confirmed"


def test_nobody_arrives_before_arrival_begins(town, admitted, client, frozen_clock, portal_session):
    frozen_clock.set(dt.datetime(2026, 8, 1, 10, tzinfo=town.now.tzinfo))
    sign_in(client, town.clerk_of(town.here).account_id)
    offer = offer_of(portal_session, admitted[0])
    assert "8月20日" in client.get("/staff/arrivals").text
    path = f"/staff/arrivals/{offer.id}?year=2026&group=expected"
    refused = fill_in(client, "/staff/arrivals", path, act="arrived", class_name="小一班")
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
    said = {"csrf_token": token, "act": "check", "way": "call", "outcome": "no_answer", "health": "y"}
    for path in (f"/staff/arrivals/{offer.id}", f"/staff/arrivals/{offer.id}/contact"):
        assert client.post(path, data=said).status_code == 404
    assert client.post("/staff/arrivals/absent", data={"csrf_token": token, "offers": str(offer.id)}).status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_lists_for_print_and_for_the_wall(at_work, admitted, lang):
    printed = at_work.get(f"/staff/arrivals/print?lang={lang}")
    assert "李沐晨" in printed.text
    board = at_work.get(f"/staff/notice-board?lang={lang}")
    codes = {item.get_text() for item in BeautifulSoup(board.text, "lxml").select(".board li")}
    assert codes == {application.registration_code for application in admitted}
    assert "李沐晨" not in board.text
    assert "李**" not in board.text


@pytest.mark.parametrize("group", ["gone", "offered"])
def test_a_list_without_children_shows_none(at_work, admitted, group):
    page = page_of(at_work, f"/staff/arrivals?group={group}")
    shown = page.select_one("main").text
    assert "李" not in shown
    assert "王" not in shown
    ana, ben = admitted
    assert ana.registration_code not in shown
    assert ben.registration_code not in shown
