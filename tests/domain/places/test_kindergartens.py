"""Areas, names in pinyin, and finding a kindergarten."""

import pytest
from sqlalchemy import func, select

from enrollment.places import areas, finder
from enrollment.places.areas import Area
from enrollment.places.pinyin import sort_key
from enrollment.places.search.site_index import Question
from tests.support.prepared import prepared


def test_the_23_areas_are_there_from_the_first_migration(session):
    found = areas.all_areas(session)
    assert len(found) == 23
    assert [area.code for area in found if not area.has_boundary] == ["GXQ", "TFXQ", "DBXQ"]
    assert (found[0].name, found[0].name_en, found[0].weight) == ("锦江区", "Jinjiang", 90)


def test_loading_the_areas_again_changes_nothing_but_what_was_wrong(session):
    session.get(Area, "510104").name = "锦江"
    session.flush()
    areas.load(session)
    areas.load(session)
    session.expire_all()
    assert session.get(Area, "510104").name == "锦江区"
    assert session.scalar(select(func.count()).select_from(Area)) == 23


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("锦江区", "510104"), (" 锦江 ", "510104"), ("成都市锦江区", "510104"), ("都江堰市", "510181"), ("都江堰", "510181"),
        ("高新区", "GXQ"), ("四川天府新区", "TFXQ"), ("天府新区", "TFXQ"), ("东部新区", "DBXQ"), ("pidu", "510117"),
        ("郫县", "510117"), ("绵阳市", None), ("", None), ("区", None),
    ],
)  # fmt: skip
def test_an_area_by_its_names(written, code):
    assert areas.code_of(written) == code


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("郫都区第一幼儿园", "pi du qu di yi you er yuan"),
        ("崇州市幼儿园", "chong zhou shi you er yuan"),
        ("都江堰市北街幼儿园", "du jiang yan shi bei jie you er yuan"),
        ("重庆路幼儿园", "chong qing lu you er yuan"),
        ("成都市第十六幼儿园", "cheng du shi di shi liu you er yuan"),
        ("沙河堡幼儿园", "sha he pu you er yuan"),
        ("长安ABC幼儿园", "chang an abc you er yuan"),
        ("绿地女儿园", "lv di nv er yuan"),
    ],
)
def test_names_are_read_as_people_of_the_place_read_them(name, key):
    assert sort_key(name) == key


@prepared
def city(town):
    town.kindergarten("郫都区第一幼儿园", area="510117", street="郫筒街道", places=5)
    town.kindergarten("锦官新城幼儿园", nature="inclusive", places=5)
    town.kindergarten("小太阳幼儿园", nature="private", closed_on=town.now.date())
    town.kindergarten("阿坝路幼儿园", places=3, level="middle")
    return town


def found(city, words="", *, year=None, **more):
    return [each.kindergarten.name for each in finder.search(city.session, Question(words, **more), year=year)]


def test_all_open_ones_in_the_order_of_their_pinyin(city):
    assert found(city) == ["阿坝路幼儿园", "锦官新城幼儿园", "郫都区第一幼儿园"]


@pytest.mark.parametrize(
    "words",
    [
        "郫都",
        "pidu",
        "PiDu",
        "ｐｉｄｕ",
        "pi du",
        "pidou",
        "pi dou qu",
        "pid",
        "pdqdyyey",
        "郫筒",
        "第一 郫筒",
        "郫 都 区",
        "diyi 郫筒",
    ],
)
def test_by_parts_of_name_street_or_pinyin(city, words):
    assert found(city, words) == ["郫都区第一幼儿园"]


@pytest.mark.parametrize("words", ["%", "_", "' OR 1=1", "pidu 锦官"])
def test_words_that_match_nothing(city, words):
    assert found(city, words) == []


def test_by_area_nature_level_and_year(city):
    assert found(city, area="510117") == ["郫都区第一幼儿园"]
    assert found(city, nature="inclusive") == ["锦官新城幼儿园"]
    assert found(city, level="middle", year=2026) == ["阿坝路幼儿园"]
    assert found(city, level="lower", year=2026) == ["锦官新城幼儿园", "郫都区第一幼儿园"]
    assert found(city, level="lower", year=2027) == []


def test_pages(city):
    page = finder.search(city.session, Question(), page=2, per_page=2)
    assert [(each.number, each.kindergarten.name) for each in page] == [(3, "郫都区第一幼儿园")]
    assert (page.number, page.last, page.total) == (2, 2, 3)
    assert finder.search(city.session, Question(), page=99, per_page=2).number == 2
    assert finder.search(city.session, Question("没有这样的")).last == 1
