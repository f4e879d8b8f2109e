"""The first page of the desk: what waits for the person who opens it, beside the review, and whose turn a free place is."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from enrollment.places.roll_changes import counts, transfers
from enrollment.reports.tables import exports
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_season import at


@prepared
def garden(town):
    """A child comes from another kindergarten, a colleague asks for a file with names and enters a large number; a place is free."""
    town.here, town.there = (
        town.kindergarten("锦官新城幼儿园", places=1),
        town.kindergarten("双流示范幼儿园", area="510116"),
    )
    town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
    kept = town.roll(town.here, "upper", 20)
    yuan = town.child_on_roll(town.there, "袁圆", class_name="中一班", born=dt.date(2021, 7, 7))
    town.open_registration()
    ana, ben = (town.child(name, wishes=[town.here]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    asked = {"by": town.clerk, "now": town.now}
    transfers.ask_to_leave(
        town.session, yuan.id, to_code=town.here.code, moves_on=town.now.date() + dt.timedelta(days=3), due_on=dt.date(2026, 6, 19),
        reason="搬家", by=town.clerk_of(town.there), now=town.now,
    )  # fmt: skip
    exports.ask(town.session, "class_list", town.here.id, 2026, reason="核对", **asked)
    counts.enter(
        town.session, kept.id, children=34, day=town.now.date(), reason="并班", seen=None, **asked
    )  # fmt: skip
    town.decline(ana)
    town.session.commit()
    return town


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_head_sees_what_waits_and_whose_turn_a_place_is(garden, client, another_client, frozen_clock, lang):
    town = garden
    frozen_clock.set(town.now)
    head = BeautifulSoup(sign_in(client, town.head.account_id).get(f"/staff?lang={lang}").text, "lxml")
    links = [link["href"].partition("?")[0] for link in head.select(".due-list a.btn")]
    assert [link.rpartition("/")[0] if "classes" in link else link for link in links] == [
        "/staff/roll/transfers", "/staff/roll/classes", "/staff/reports",
    ]  # fmt: skip
    assert "3" in head.h1.text, "what waits is counted where it is read first"
    first = head.select_one(".due-list li")
    assert ("6月19日" if lang == "zh" else "19 June") in first.text, "the earliest due stands first, with its day"
    places = head.find("h2", string=lambda text: text in ("空学位，轮到谁", "Free places, and whose turn it is"))
    assert len(places.find_parent("section").select("li")) == 1
    clerk = BeautifulSoup(sign_in(another_client(), town.clerk.account_id).get(f"/staff?lang={lang}").text, "lxml")
    mine = [link["href"].partition("?")[0] for link in clerk.select(".due-list a.btn")]
    assert mine == ["/staff/roll/transfers"], "nobody is asked to agree to what is one's own"


def test_a_quiet_day_has_neither_card(town, client, frozen_clock):
    here = town.kindergarten("锦官新城幼儿园", places=1)
    clerk = town.clerk_of(here)
    town.session.commit()
    frozen_clock.set(at(9, 20, 9))
    page = BeautifulSoup(sign_in(client, clerk.account_id).get("/staff").text, "lxml")
    assert page.h1.text == "今日工作" and not page.select(".due-list")
