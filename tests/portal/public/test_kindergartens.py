"""The search for kindergartens, and the page of each."""

import uuid

import pytest
from bs4 import BeautifulSoup

from enrollment.places.service_areas import ServiceArea
from enrollment.results.cut_offs import published_of


def names(page) -> list[str]:
    return [link.text for link in BeautifulSoup(page.text, "lxml").select(".finds h2 a")]


@pytest.fixture
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
    assert "小班 50 个学位" in client.get("/kindergartens", query_string={"q": "锦官"}).text


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
    assert "今年的招生计划还没有公布" in client.get("/kindergartens/5101040001").text


def test_an_unknown_code_is_not_found(client):
    assert client.get("/kindergartens/0000").status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_after_publication_the_page_shows_the_line_and_leads_to_the_draw(client, town, language):
    popular = town.kindergarten("锦官新城幼儿园", code="5101040001", places=1)
    town.kindergarten("沙河幼儿园", code="5101040002", places=3)
    ann, ben = (town.child(name, wishes=[popular]) for name in ("安安", "本本"))
    town.drawn(ann, ben)
    ticket = town.ticket_of(ann)
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
