"""The cards of the finder are kept as pieces: a page is the same with and without them, and nothing of a reader stays in one."""

import random

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from enrollment.chances.demand import Demand
from enrollment.ground.accounts import Account
from enrollment.places.grades.rows import Grade, HeldGrade
from enrollment.places.kindergartens import Kindergarten
from portal.web.shared_views.finder import kept_cards
from portal.web.shared_views.finder.kept_cards import KeptCards
from tests.support.inspecting_client import FRESH
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

ODD = "50%(number)s%d<b>&'\"园"


@prepared
def city(town):
    at = {"longitude": 104.08, "latitude": 30.65}
    garden = town.kindergarten("锦官新城幼儿园", places=6, street="盐市口街道", **at)
    town.kindergarten("小蜜蜂幼儿园", nature="inclusive", area="510107", places=30, level="nursery")
    town.kindergarten("金种子幼儿园", nature="private", area="510107", places=3, longitude=104.03, latitude=30.64)
    town.kindergarten(ODD, places=200, street="a&b <i>%s", longitude=104.0, latitude=30.6)
    for number in range(20):
        town.kindergarten(f"第{number}幼儿园", places=10 + number)
    town.open_registration()
    town.ana = town.child("安娜甲", wishes=[garden])
    town.session.commit()
    return garden


@pytest.fixture
def codes(town, city):
    return list(town.session.scalars(select(Kindergarten.code).order_by(Kindergarten.code)))


@pytest.fixture
def guardian(town, city):
    return town.session.get_one(Account, town.ana.entered_by)


@pytest.fixture
def pieces(app, monkeypatch):
    found = KeptCards()
    monkeypatch.setitem(app.extensions, "kept_cards", found)
    return found


@pytest.fixture
def without_pieces(monkeypatch):
    """Has the cards drawn whole, as where no catalogue is attached, for as long as the function runs."""

    def get(client, path, query):
        with monkeypatch.context() as patched:
            patched.setattr(kept_cards, "stamps_read", lambda *_of: None)
            return client.get(path, query_string=query, inspect=False)

    return get


def kept_texts(pieces):
    return [piece for _stamps, piece in pieces._pieces.values()]


def question(chance, codes):
    """A random question, in the parts of an address."""
    said = {
        "q": ["", "第", "锦", "you er yuan", "50%", "a&b", "<script>'\"", "%(tail)s", "没有这个园"],
        "area": [None, "510104", "510107"], "nature": [None, "public", "private"], "level": [None, "nursery", "lower"],
        "sort": [None, "best", "near", "line", "fee", "chance"], "from": [None, "here", "510104:street:盐市口街道"],
        "page": [None, 1, 2], "walk": [None, 30], "kept": [None, 1], "view": [None, "map"], "year": [None, 2026],
        "lang": ["zh", "en"], "unlike": ["1"],
    }  # fmt: skip
    often = {"q", "lang", "unlike"}
    asked = {name: chance.choice(values) for name, values in said.items() if name in often or chance.random() < 0.4}
    asked["k"] = chance.sample(codes, chance.choice([0, 0, 1, 2, 4]))
    return {name: value for name, value in asked.items() if value is not None}


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_page_is_the_same_with_pieces_and_without(client, codes, guardian, pieces, without_pieces, is_signed_in):
    chance = random.Random(7)
    if is_signed_in:
        sign_in(client, guardian)
    shown = 0
    for _number in range(35):
        asked = question(chance, codes)
        client.set_cookie("here", "104.06,30.66", domain="localhost")
        client.set_cookie("kept", ".".join(chance.sample(codes, chance.choice([0, 2, 9]))), domain="localhost")
        whole = without_pieces(client, "/kindergartens", asked)
        for is_again in (False, True):
            page = client.get("/kindergartens", query_string=asked, inspect=not is_again)
            assert FRESH.sub("", page.text) == FRESH.sub("", whole.text), asked
        shown += page.text.count('class="card kg"')
        card = {**asked, "number": 1}
        alone = client.get("/kindergartens/card", query_string=card, inspect=False)
        assert alone.text == without_pieces(client, "/kindergartens/card", card).text
    assert shown > 150
    assert kept_texts(pieces)


def test_nothing_of_a_reader_stays_in_a_piece(client, another_client, town, city, codes, guardian, pieces):
    """Two readers at the same list, in turns: own words, kept and compared kindergartens, starts and sessions."""
    code = city.code
    other = next(each for each in codes if each != code)
    sign_in(client, guardian)
    client.set_cookie("kept", code, domain="localhost")
    client.set_cookie("here", "104.0625,30.6625", domain="localhost")
    stranger = another_client()
    mine = {"from": "here", "k": other, "sort": "fee", "area": "510104"}
    for _turn in range(2):
        own = client.get("/kindergartens", query_string=mine).text
        assert "步行约" in own and "♥" in own and "✓" in own
        theirs = stranger.get("/kindergartens", query_string={"q": "锦官新城", "unlike": 1}).text
        for word in ("步行约", "♥", 'class="box" aria-hidden="true">✓', "104.0625", f"k={other}", "sort=fee&amp;k"):
            assert word not in theirs, word
    assert kept_texts(pieces)
    for text in kept_texts(pieces):
        for word in ("分钟", "from=", "area=", "sort=", "%3D", "csrf_token", "安娜甲", str(town.ana.id)):
            assert word not in text, word


def test_a_change_of_each_table_draws_the_card_anew(client, town, city, pieces):
    def card():
        page = BeautifulSoup(client.get("/kindergartens?q=锦官新城&unlike=1").text, "lxml")
        return " ".join(page.select_one(".card.kg").get_text(" ").split())

    assert "6 个" in card()
    city.street = "新街道"
    town.session.commit()
    assert "新街道" in card()
    city.area.name = "新区"
    town.session.commit()
    assert "新区" in card()
    town.session.add(Grade(code="g1", name="省一级园", name_en="First", position=1, high_quality=True))
    town.session.flush()
    town.session.add(HeldGrade(kindergarten_id=city.id, grade_code="g1", since=town.now.date(), entered_at=town.now))
    town.session.commit()
    assert "省一级园" in card()
    for name in "甲乙丙丁戊己庚辛壬癸子丑":
        town.child(f"贝{name}", wishes=[city])
    town.estimate_chances()
    town.drawn()
    assert "录到第" in card()
    assert "2.2 人" in card()
    town.session.execute(update(Demand).values(children=18))
    town.session.commit()
    assert "3.0 人" in card()


def test_the_memory_of_pieces_is_bounded(client, city, app, monkeypatch):
    client.get("/kindergartens?unlike=1")
    few = KeptCards(most_bytes=20_000)
    monkeypatch.setitem(app.extensions, "kept_cards", few)
    for language in ("zh", "en"):
        assert client.get(f"/kindergartens?unlike=1&lang={language}").status_code == 200
        assert 0 < few.size <= few.most_bytes
    few.find(next(iter(few._pieces)), ())
    assert few.size == sum(map(kept_cards.sys.getsizeof, kept_texts(few)))
