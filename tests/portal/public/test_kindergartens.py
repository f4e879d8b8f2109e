"""The search for kindergartens, and the page of each."""

import gzip
import json
import uuid

import pytest
from bs4 import BeautifulSoup

from allocation.files.publication import FEW
from enrollment.places.service_areas import ServiceArea
from enrollment.results.cut_offs import published_of
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


def names(page) -> list[str]:
    return [link.text for link in BeautifulSoup(page.text, "lxml").select(".finds h2 a")]


@prepared
def three(town):
    town.season()
    town.kindergarten("锦官新城幼儿园", places=50, street="盐市口街道")
    town.kindergarten(
        "小蜜蜂幼儿园", nature="inclusive", area="510107", places=30, level="nursery", street="浆洗街街道"
    )
    town.kindergarten("金种子幼儿园", nature="private", area="510107", street="晋阳街道")
    town.session.commit()
    return town


def test_all_kindergartens_stand_in_the_order_of_their_pinyin(client, three):
    assert names(client.get("/kindergartens")) == ["锦官新城幼儿园", "金种子幼儿园", "小蜜蜂幼儿园"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "新城"}, ["锦官新城幼儿园"]),
        ({"q": "xiaomifeng"}, ["小蜜蜂幼儿园"]),
        ({"q": "jgxc"}, ["锦官新城幼儿园"]),
        ({"q": "浆洗街"}, ["小蜜蜂幼儿园"]),
        ({"area": "510107"}, ["金种子幼儿园", "小蜜蜂幼儿园"]),
        ({"nature": "public"}, ["锦官新城幼儿园"]),
        ({"level": "nursery"}, ["小蜜蜂幼儿园"]),
        ({"area": "510107", "nature": "private"}, ["金种子幼儿园"]),
        ({"q": "100%"}, []),
    ],
)
def test_the_finder_finds_what_was_asked(client, three, asked, found):
    assert names(client.get("/kindergartens", query_string=asked)) == found


def test_nothing_found_says_what_to_do(client, three):
    page = client.get("/kindergartens", query_string={"q": "没有这个园"})
    assert "没有找到符合条件的幼儿园" in page.text
    assert "看全部幼儿园" in page.text
    emptied = client.get("/kindergartens", query_string={"area": "510107", "nature": "public"})
    lifts = {each.text: each["href"] for each in BeautifulSoup(emptied.text, "lxml").select(".lift a")}
    assert lifts == {
        "不限区域：1 所": "/kindergartens?nature=public",
        "不限性质：2 所": "/kindergartens?area=510107",
    }


def test_a_choice_is_a_link_that_keeps_the_others_and_is_undone_by_itself(client, three):
    page = BeautifulSoup(client.get("/kindergartens?q=you er yuan&nature=private&page=1").text, "lxml")
    [chosen] = page.select(".chips [aria-current]")
    assert chosen["href"] == "/kindergartens?q=you+er+yuan"
    assert [each.text for each in page.select(".chips .chip .num")] == ["1", "1", "1"]


def test_ways_are_measured_from_a_street_that_the_words_mean(client, three):
    three.kindergarten("望江幼儿园", street="望江路街道", longitude=104.08, latitude=30.65)
    three.kindergarten("牛市口幼儿园", longitude=104.08, latitude=30.66)
    three.session.commit()
    page = BeautifulSoup(client.get("/kindergartens?q=望江路").text, "lxml")
    there = next(each["href"] for each in page.select("a[href*=from]") if "望江路街道" in each.text)
    page = BeautifulSoup(client.get(there).text, "lxml")
    assert [each.text for each in page.select(".finds h2 a")][:2] == ["望江幼儿园", "牛市口幼儿园"]
    assert "步行约1.1 公里" in page.select(".four")[1].get_text(strip=True)
    near = BeautifulSoup(client.get(f"{there}&walk=10").text, "lxml")
    assert [each.text for each in near.select(".finds h2 a")] == ["望江幼儿园"]


def test_near_me_comes_from_a_cookie_and_only_within_the_city(client, three):
    three.kindergarten("望江幼儿园", longitude=104.08, latitude=30.65)
    three.session.commit()
    client.set_cookie("here", "104.080,30.650", domain="localhost")
    assert names(client.get("/kindergartens?from=here"))[0] == "望江幼儿园"
    for odd in ("2.35,48.85", "nan,nan", "x", ""):
        client.set_cookie("here", odd, domain="localhost")
        page = client.get("/kindergartens?from=here&walk=10")
        assert len(names(page)) == 4, odd


def test_a_reader_keeps_kindergartens_and_compares_four_without_an_account(client, three):
    for n in range(4):
        three.kindergarten(f"第{n}幼儿园", code=f"5101{n:04}")
    three.session.commit()
    page = BeautifulSoup(client.get("/kindergartens").text, "lxml")
    heart = page.select_one("#k-51010001 .heart")["href"]
    back = client.get(heart)
    assert (back.status_code, back.headers["Location"]) == (303, "/kindergartens#k-51010001")
    assert names(client.get("/kindergartens?kept=1")) == ["第1幼儿园"]
    client.get("/kindergartens/kept?code=51010001&act=forget")
    assert "没有找到符合条件的幼儿园" in client.get("/kindergartens?kept=1").text
    assert client.get("/kindergartens/kept?code=x&to=https://evil.example").headers["Location"] == "/kindergartens"
    at = "/kindergartens"
    for n in range(4):
        at = BeautifulSoup(client.get(at).text, "lxml").select_one(f"#k-5101000{n} .tick")["href"]
    page = BeautifulSoup(client.get(at).text, "lxml")
    assert page.select_one(".kg:not(:has([aria-current])) .foot").get_text(strip=True).startswith("已选 4 所")
    compared = BeautifulSoup(client.get(page.select_one(".sticky .btn")["href"]).text, "lxml")
    assert [each.text for each in compared.select(".compared thead th")] == [f"第{n}幼儿园" for n in range(4)]
    assert "还没有选要比较的幼儿园" in client.get("/kindergartens/compare?k=nothing").text


def test_the_map_has_pins_with_the_numbers_of_the_list_and_a_card_for_each(client, three):
    three.kindergarten("望江幼儿园", longitude=104.08, latitude=30.65)
    three.session.commit()
    page = BeautifulSoup(client.get("/kindergartens?view=map&nature=public").text, "lxml")
    there = page.select_one("#map")
    pins = client.get(there["data-pins"]).json
    assert pins == {"lon": [None, 1040800], "lat": [None, 306500], "nature": "uu", "start": None}
    files = ("vendor/leaflet-1.9.4/leaflet.js", "vendor/leaflet-1.9.4/leaflet.css", "js/map.js")
    sent = [client.get(f"/static/{file}").data for file in files] + [client.get(there["data-outlines"]).data]
    every = {
        "lon": [1040000 + 37 * n % 9000 for n in range(3000)],
        "lat": [306000 + 91 * n % 7000 for n in range(3000)],
    }
    weight = sum(len(gzip.compress(each, 6)) for each in (*sent, json.dumps(every).encode()))
    assert weight <= 80_000, "the map and the pins of a city of 3,000"
    part = {"HX-Request": "true"}
    assert "望江幼儿园" in client.get(f"{there['data-card']}&number=2", headers=part).text
    assert client.get(f"{there['data-card']}&number=9", headers=part).text.strip() == ""
    outlines = client.get(there["data-outlines"])
    assert {each["properties"]["name"] for each in outlines.json["features"]} >= {"锦江区", "郫都区"}
    assert client.get("/map/tiles/vec/12/3231/1685").status_code == 404


@pytest.mark.parametrize(
    "asked", [{"page": "x"}, {"page": "-3"}, {"page": "99"}, {"area": "'"}, {"nature": "gold"}, {"level": "?"}]
)
def test_an_odd_address_is_answered_calmly(client, three, asked):
    assert client.get("/kindergartens", query_string=asked).status_code == 200


def test_a_long_list_has_pages_that_keep_the_question(client, town):
    for n in range(25):
        town.kindergarten(f"第{n}幼儿园", code=f"5101{n:04}")
    town.session.commit()
    page = client.get("/kindergartens", query_string={"nature": "public", "page": 2})
    assert len(names(page)) == 5
    assert "第 2 / 2 页" in page.text
    assert "nature=public&amp;page=1" in page.text


def test_the_card_shows_this_years_places(client, three):
    page = BeautifulSoup(client.get("/kindergartens", query_string={"q": "锦官"}).text, "lxml")
    four = [" ".join(each.get_text(" ", strip=True).split()) for each in page.select(".four div")]
    assert four == ["保教费/月 600 元", "小班学位 50 个"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_of_a_kindergarten_tells_places_fee_and_contact(client, town, language):
    town.season()
    parent = town.kindergarten("锦官新城幼儿园", code="5101040001", places=50, phone="028-86660001", licensed_classes=9)
    site = town.kindergarten("锦官新城幼儿园（东区）", code="5101040002", parent_id=parent.id)
    town.session.add(ServiceArea(kindergarten_id=parent.id, kind="estate", name="锦官新城一期"))
    town.session.commit()
    page = client.get("/kindergartens/5101040001", query_string={"lang": language}).text
    for told in ("50", "600", "028-86660001", "锦官新城一期", site.name):
        assert told in page
    assert parent.name in client.get("/kindergartens/5101040002").text


def test_a_programme_that_nobody_approved_is_not_shown(client, town):
    from enrollment.places import programmes

    town.season()
    school = town.kindergarten("锦官新城幼儿园", code="5101040001")
    programmes.ensure(town.session, school.id, "lower", 2026)
    town.session.commit()
    assert "2026 年的招生计划还没有公布" in client.get("/kindergartens/5101040001").text


def test_an_unknown_code_is_not_found(client):
    assert client.get("/kindergartens/0000").status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_after_publication_the_page_shows_the_line_and_leads_to_the_draw(client, town, language):
    popular = town.kindergarten("锦官新城幼儿园", code="5101040001", places=FEW + 1)
    town.kindergarten("沙河幼儿园", code="5101040002", places=3)
    several = [town.child(f"安{name}", wishes=[popular]) for name in "甲乙丙丁戊己庚辛壬癸子丑"[: 2 * (FEW + 1)]]
    town.drawn()
    ticket = max(town.ticket_of(each) for each in several if town.place_of(each))
    town.session.commit()
    page = client.get("/kindergartens/5101040001", query_string={"lang": language}).text
    line = f"派位号 {ticket}" if language == "zh" else f"number {ticket}"
    assert line in page
    assert f"/draws/{town.the_round.id}" in page
    assert client.get(f"/draws/{town.the_round.id}").status_code == 200
    assert f"/draws/{town.the_round.id}" in client.get("/").text


def test_no_cut_off_stands_on_the_page_before_a_result_is_published(client, three):
    page = client.get("/kindergartens", query_string={"q": "锦官"})
    link = BeautifulSoup(page.text, "lxml").select_one(".finds a")["href"]
    assert "抽签结果公布后" in client.get(link).text


def test_an_unpublished_run_shows_nothing(session):
    assert published_of(session, uuid.uuid4()) == []


def test_a_stranger_reads_what_signing_in_adds_while_wishes_can_be_entered(client, three):
    assert "登录后看您家的优先级" not in client.get("/kindergartens").text
    three.open_registration()
    three.session.commit()
    page = BeautifulSoup(client.get("/kindergartens").text, "lxml")
    assert page.find("a", string="登录后看您家的优先级、距离和机会")["href"] == "/sign-in?next=/parents"
    sign_in(client, three.family("李").account)
    assert "登录后看您家的优先级" not in client.get("/kindergartens").text


def test_when_no_wish_can_be_entered_a_kindergarten_is_kept_instead(client, three):
    code = three.kindergartens_by_name("锦官新城幼儿园")[0].code
    page = BeautifulSoup(client.get(f"/kindergartens/{code}").text, "lxml")
    [keep] = page.select(".sticky a")
    assert keep.text == "收藏"
    client.get(keep["href"])
    [forget] = BeautifulSoup(client.get(f"/kindergartens/{code}").text, "lxml").select(".sticky a")
    assert forget.text == "取消收藏" and "plain" in forget["class"]
    three.open_registration()
    three.session.commit()
    [wish] = BeautifulSoup(client.get(f"/kindergartens/{code}").text, "lxml").select(".sticky a")
    assert wish.text == "加为志愿"


def test_a_wish_of_a_family_without_a_child_is_kept_until_it_has_one(client, three):
    """The way through sign-in and the first pages of the form loses nothing; with two children the family chooses first."""
    three.open_registration()
    family = three.family("李")
    sign_in(client, family.account)
    code = three.kindergartens_by_name("锦官新城幼儿园")[0].code
    home = client.get(f"/parents/wish?code={code}", follow_redirects=True)
    assert "这所已收藏。填到志愿那一页时" in home.text and "收藏的 1 所" in home.text
    assert names(client.get("/kindergartens?kept=1")) == ["锦官新城幼儿园"]
    for name in ("安安", "贝贝"):
        three.child(name, family=family, submit=False)
    three.session.commit()
    assert "请先选是哪个孩子" in client.get(f"/parents/wish?code={code}", follow_redirects=True).text
    for odd in ("", "%00", "<script>"):
        assert "已收藏" not in client.get("/parents/wish", query_string={"code": odd}, follow_redirects=True).text


def test_what_inspectors_look_for_is_folded_and_demand_comes_first(client, town):
    """The page's order: demand, line, places; the register data lie in a closed fold."""
    town.season()
    town.kindergarten("锦官新城幼儿园", code="5101040001", places=50, licensed_classes=9)
    town.session.commit()
    page = BeautifulSoup(client.get("/kindergartens/5101040001").text, "lxml")
    fold = next(each for each in page.select("details.fold") if "登记资料" in each.summary.text)
    assert not fold.has_attr("open") and "5101040001" in fold.text
    headings = [each.get_text(strip=True) for each in page.select("main h2")]
    assert headings.index("2026 年秋季学位") < headings.index("收费") < headings.index("登记资料")
