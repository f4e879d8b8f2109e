"""The list of kindergartens that a family can choose says by what it is sorted."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from flask import get_template_attribute

from allocation.files.publication import FEW
from enrollment.results import last_lines
from tests.portal.parents.desk import filled, page
from tests.support.signing_in import sign_in
from tests.support.town_season import at


@pytest.mark.parametrize(
    ("household", "said"),
    [
        ({"home_area": "510104", "home_street": "牛市口街道"}, "离家近的在前"),
        ({"home_area": "510104", "home_street": "东湖街道"}, "您家街道的在前"),
        ({"home_area": "510104", "home_street": None}, "再按园名"),
    ],
)
def test_the_finder_says_nearest_first_only_if_it_knows_where_the_home_is(client, town, household, said):
    garden = town.kindergarten("锦官园", places=2, street="牛市口街道", longitude=104.1, latitude=30.6)
    town.kindergarten("牡丹园", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False, **household)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert said in lead
    assert ("离家近的在前" in lead) == (said == "离家近的在前")
    client.set_cookie("lang", "en", domain="localhost")
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert ("not sorted by distance" in lead) == (said != "离家近的在前")


def test_the_map_of_wishes_has_the_kindergartens_of_the_round_in_the_order_of_the_list(client, town):
    far = town.kindergarten("锦官园", places=2, longitude=104.2, latitude=30.6)
    town.kindergarten("牡丹园", places=2, longitude=104.1, latitude=30.6)
    town.kindergarten("别处园", longitude=104.1, latitude=30.6)  # offers nothing
    ana = town.child("安娜", wishes=[far], submit=False, home_longitude=104.1, home_latitude=30.6)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    there = page(client.get(f"/parents/applications/{ana.id}/wishes/add?view=map")).select_one("#map")["data-pins"]
    assert client.get(there).json == {
        "lon": [1041000, 1042000], "lat": [306000, 306000], "nature": "uu", "start": [104.1, 30.6],
    }  # fmt: skip


def test_several_wishes_are_added_without_leaving_the_finder(client, town):
    gardens = [town.kindergarten(name, places=2) for name in ("锦官园", "牡丹园", "小星星")]
    ana = town.child("安娜", wishes=gardens[:1], submit=False)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes/add?q=牡丹"
    form = {each["name"]: each["value"] for each in page(client.get(path)).select(".finds form input")}
    assert form["stay"] == gardens[1].code
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    back = answer.headers["Location"]
    assert back.startswith(f"/parents/applications/{ana.id}/wishes/add?q=") and back.endswith(f"#k-{gardens[1].code}")
    assert "已是第 2 志愿" in client.get(back).text


def test_a_removed_wish_can_be_put_back_where_it_was_and_what_is_kept_stands_at_home(client, town):
    gardens = [town.kindergarten(name, places=2) for name in ("锦官园", "牡丹园", "小星星")]
    ana = town.child("安娜", wishes=gardens, submit=False)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes"

    def names(answer):
        return [each.get_text(strip=True) for each in page(answer).select(".wishes h2 a")]

    def press(at, act):
        sent = filled(client.get(at), "#wishes-form")
        return client.post(path, data=sent | {"act": act}).headers["Location"]

    gone = press(path, "remove:1")
    shown = client.get(gone)
    assert names(shown) == ["锦官园", "小星星"]
    back = page(shown).select_one("[form=wishes-form][value^=back]")
    assert back.get_text(strip=True) == "放回第 2 志愿"
    again = press(gone, back["value"])
    assert names(client.get(again)) == ["锦官园", "牡丹园", "小星星"]
    assert page(client.get(again)).select("[value^=back]") == []
    client.get(f"/kindergartens/kept?code={gardens[2].code}&to=/parents")
    home = page(client.get("/parents")).select_one("main a[href='/kindergartens?kept=1']").find_parent("li")
    assert "收藏的 1 所" in home.get_text() and "小星星" in home.get_text()


def test_a_kindergarten_says_what_is_the_familys_own_and_is_added_with_one_tap(client, town):
    hot, other = town.kindergarten("锦官园", places=2), town.kindergarten("牡丹园", places=2)
    town.pool(other, "随迁子女", 1, groups=["policy_care"])
    ana = town.child("安娜", wishes=[hot], submit=False)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    own = f"/parents/applications/{ana.id}/kindergartens/"
    assert client.get(f"/parents/wish?code={other.code}").headers["Location"] == own + other.code
    shown = page(client.get(own + other.code))
    places = shown.find("h2", string=lambda text: text and "秋季学位" in text).parent.get_text(" ", strip=True)
    assert "您家没有申报这些依据" in places and "您家可以用" in places
    form = shown.select_one("form.sticky")
    assert form.get_text(strip=True) == "加为第 2 志愿"
    data = {each["name"]: each["value"] for each in form.select("input")} | {"add": form.button["value"]}
    client.post(form["action"], data=data)
    again = page(client.get(own + other.code))
    assert "已是第 2 志愿" in again.select_one(".sticky").get_text(" ", strip=True)
    far = town.kindergarten("别处园")  # offers nothing
    town.session.commit()
    assert client.get(own + far.code).headers["Location"] == f"/kindergartens/{far.code}"
    assert client.get(f"{own}nowhere").status_code == 404


@pytest.mark.parametrize(
    ("own", "marked", "said"),
    [
        (None, [], ""),
        (0, ["第 1 优先级"], "这一级都录取了"),
        (1, ["第 2 优先级", "312 号以后，和更后的优先级"], "线上线下都有可能"),
        (2, ["312 号以后，和更后的优先级"], "没有轮到这一级"),
    ],
)
def test_a_ladder_marks_the_familys_own_tier_on_both_sides_of_the_line(app, own, marked, said):
    line = SimpleNamespace(state="line", tier=1, ticket=312)
    with app.test_request_context():
        drawn = BeautifulSoup(get_template_attribute("public/demand_parts.html", "ladder")(line, own), "lxml")
    assert [each.span.find(string=True, recursive=False).strip() for each in drawn.select(".mine")] == marked
    assert said in drawn.get_text() and (own is not None or "您家" not in drawn.get_text())


def test_the_line_of_last_year_stands_with_each_wish_and_in_the_finder(client, town, frozen_clock):
    """Two drawn seasons: who wishes in the second reads how far the list went in the first."""
    popular = town.kindergarten("锦官园", code="5101040001", places=FEW + 1)
    for name in "甲乙丙丁戊己庚辛壬癸子丑":
        town.child(f"安{name}", wishes=[popular])
    town.drawn()
    ticket = last_lines.before(town.session, 2027).of[popular.id, "lower"].ticket
    town.season(2027)
    town.programme(popular, places=6, year=2027)
    town.at(at(5, 22, 10, year=2027))
    town.open_registration(levels=["lower"])
    ana = town.child("明年", year=2027, wishes=[popular], submit=False)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    for path in ("wishes", "wishes/add"):
        shown = page(client.get(f"/parents/applications/{ana.id}/{path}")).main.get_text(" ", strip=True)
        assert f"派位号 {ticket}" in shown, path
