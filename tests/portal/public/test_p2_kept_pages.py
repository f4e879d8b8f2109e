"""P2: pages that are kept in a process are the same for everybody, and never older than what they show."""

import datetime as dt

import pytest
from flask import url_for
from sqlalchemy import event, select

from enrollment.coverage.rollup import CoverageChange
from enrollment.ground.accounts import Account
from enrollment.places.kindergartens import Kindergarten
from portal.web.page_data import kept_pages
from portal.web.page_data.kept_pages import KeptPages, kept
from portal.web.reading.request_read import common, is_common_lent, lend_common
from portal.web.unit_of_work import db
from tests.support.signing_in import sign_in

PAGES = ("/", "/help", "/privacy", "/accessibility", "/kindergartens", "/kindergartens/{code}", "/coverage")


@pytest.fixture
def garden(town):
    found = town.kindergarten("锦江区机关第一幼儿园", places=3)
    town.open_registration()
    town.session.commit()
    return found


@pytest.fixture
def kept_now(app, monkeypatch):
    """What the process keeps, empty at first."""
    found = KeptPages()
    monkeypatch.setitem(app.extensions, "kept_pages", found)
    return found


@pytest.fixture
def searched_now(app, monkeypatch):
    """What the process keeps of searches, empty at first."""
    found = KeptPages(kept_pages.MOST_SEARCHED_BYTES)
    monkeypatch.setitem(app.extensions, "searched_pages", found)
    return found


@pytest.fixture
def looking_seldom(app, monkeypatch, kept_now):
    """Time as a process outside tests sees it: the stamps of small tables hold a second, those of large ones twenty."""
    moment = [0.0]
    monkeypatch.setattr(app.extensions["catalogue"], "always_look", False)
    monkeypatch.setattr(app.extensions["catalogue"], "moment", lambda: moment[0])
    monkeypatch.setattr(app.extensions["catalogue"], "_looked", {})
    monkeypatch.setattr(kept_now, "moment", lambda: moment[0])
    return moment


def addresses(garden):
    return [path.format(code=garden.code) for path in PAGES]


def test_p2_a_second_visitor_gets_the_kept_page(client, garden, kept_now, looking_seldom, app_engine):
    first = {path: client.get(path).text for path in addresses(garden)}
    assert {place.path for place in kept_now._pages} == set(first)
    heard = []
    event.listen(app_engine, "before_cursor_execute", listener := lambda *told: heard.append(told[2]))
    again = {path: client.get(path).text for path in first}
    event.remove(app_engine, "before_cursor_execute", listener)
    assert again == first
    assert len(heard) == len(first)  # the demo asks for its clock


def test_p2_nothing_of_a_family_is_kept_and_families_never_mix(client, another_client, app, town, garden, kept_now):
    """Two families and a stranger visit everything, in turns, in both languages: each sees its own, and nobody the other's."""
    families = {name: town.child(name, wishes=[garden]) for name in ("安娜甲", "贝拉乙")}
    town.session.commit()
    visitors = dict(zip(families, (client, another_client()), strict=True))
    for name, visitor in visitors.items():
        sign_in(visitor, town.session.get_one(Account, families[name].entered_by))
    stranger = another_client()
    for language in ("zh", "en", "zh"):
        for visitor in (*visitors.values(), stranger):
            visitor.set_cookie("lang", language, domain="localhost")
        for path in addresses(garden):
            shown = {name: visitor.get(path).text for name, visitor in visitors.items()}
            assert all('action="/sign-out"' in page for page in shown.values())
            assert "csrf_token" not in stranger.get(path).text
        for name, application in families.items():
            other = next(each for each in families if each != name)
            for path in ("/parents", f"/parents/applications/{application.id}"):
                page = visitors[name].get(path).text
                assert name in page
                assert other not in page
    bodies = [page.body.decode() for page in kept_now._pages.values()]
    bodies += app.extensions["kept_fragments"].values()
    assert len(bodies) > 2 * len(PAGES)
    secrets = [*families, *(str(each.id) for each in families.values()), "csrf_token", "idempotency_key", "sign-out"]
    assert not [word for word in secrets for body in bodies if word in body]


def test_p2_who_has_a_session_or_a_cookie_that_a_page_shows_is_not_answered_from_it(client, garden, kept_now):
    for cookie in ({"kept": garden.code}, {"here": "104.1,30.6"}, {"session": "x"}):
        for name, value in cookie.items():
            client.set_cookie(name, value, domain="localhost")
        assert client.get("/kindergartens").status_code == 200
        for name in cookie:
            client.delete_cookie(name, domain="localhost")
    for path in ("/kindergartens?q=锦", "/kindergartens?lang=en", "/kindergartens/none", "/coverage?on=wrong"):
        client.get(path)
    assert not kept_now._pages


def test_p2_a_change_shows_on_the_next_look(client, town, garden, kept_now, looking_seldom, frozen_clock):
    """After one second for what every page shows, after twenty for the rows of a kindergarten; a minute later at once."""
    page = f"/kindergartens/{garden.code}"
    for path in ("/help", page):
        assert "028-96110" not in client.get(path).text
    town.season().hotline = "028-96110"
    town.session.commit()
    looking_seldom[0] += kept_pages.LOOK
    for path in ("/help", page):
        assert "028-96110" in client.get(path).text
    garden.name = "银杏幼儿园"
    town.session.commit()
    looking_seldom[0] += kept_pages.EVERY.total_seconds()
    assert "银杏幼儿园" in client.get(page).text
    assert "银杏幼儿园" in client.get("/kindergartens").text
    places = len(kept_now._pages)
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    client.get(page)
    assert len(kept_now._pages) == places + 1


def test_p2_every_change_that_counts_gives_the_coverage_page_another_stamp(client, town, garden, kept_now):
    client.get("/coverage")
    before = town.session.scalars(select(CoverageChange.id)).all()
    garden.nature = "inclusive"
    town.session.commit()
    assert town.session.scalars(select(CoverageChange.id)).all() != before
    (kept_page,) = kept_now._pages.values()
    client.get("/coverage")
    (fresh_page,) = kept_now._pages.values()
    assert fresh_page.stamps != kept_page.stamps


def test_p2_a_page_that_reads_an_undeclared_table_is_not_kept(app, town, garden, kept_now):
    def names() -> str:
        return "".join(db().scalars(select(Kindergarten.name)))

    with app.test_request_context(url_for_home(app)):
        assert kept()(names)() == garden.name
        assert not kept_now._pages
        assert kept(tables=("kindergarten",))(names)() == garden.name
        assert len(kept_now._pages) == 1


def url_for_home(app) -> str:
    with app.test_request_context():
        return url_for("public.home")


def test_p2_what_was_asked_for_longest_ago_goes_first(monkeypatch, app, town, garden, kept_now, client):
    for path in ("/help", "/privacy", "/accessibility", "/help"):
        client.get(path)
    monkeypatch.setattr(kept_now, "most_bytes", kept_now.size)
    client.get("/")
    assert kept_now.size == sum(len(page.body) for page in kept_now._pages.values()) <= kept_now.most_bytes
    paths = [place.path for place in kept_now._pages]
    assert paths[-1] == "/"
    assert "/privacy" not in paths


def test_p2_words_that_many_search_for_are_answered_from_memory_until_something_changes(
    client, another_client, town, garden, kept_now, searched_now
):
    search = "/kindergartens?q=jinjiang&nature=public&sort=fee"
    first = client.get(search).text
    assert garden.name in first and [place.path for place in searched_now._pages] == ["/kindergartens"]
    (page,) = searched_now._pages.values()
    assert another_client().get(search).text == first and list(searched_now._pages.values()) == [page]
    garden.name = "锦江区机关第二幼儿园"
    town.session.commit()
    assert "第二幼儿园" in another_client().get(search).text
    assert not kept_now._pages, "words have a memory of their own"


def test_p2_a_flood_of_words_pushes_out_no_other_page(monkeypatch, client, garden, kept_now, searched_now):
    client.get("/kindergartens")
    client.get("/kindergartens?q=a")
    monkeypatch.setattr(searched_now, "most_bytes", 2 * searched_now.size)
    for word in range(6):
        client.get(f"/kindergartens?q=a{word}")
    assert searched_now.size <= searched_now.most_bytes
    asked = [place.query for place in searched_now._pages]
    assert asked[-1] == b"q=a5" and b"q=a" not in asked
    assert [place.query for place in kept_now._pages] == [b""]
    client.get(f"/kindergartens?q=a&sort={'fee' * kept_pages.LONGEST_SEARCH}")
    assert all(len(place.query) <= kept_pages.LONGEST_SEARCH for place in searched_now._pages)


def test_p2_the_free_places_are_counted_again_only_when_something_changed(
    client, another_client, town, garden, kept_now, searched_now
):
    """A move of an application or an offer changes the list; a page of an area or a further page has the smaller memory."""
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    town.session.commit()
    first = client.get("/vacancies").text
    assert garden.name in first and another_client().get("/vacancies").text == first
    (page,) = kept_now._pages.values()
    town.decline(ben)
    town.session.commit()
    assert client.get("/vacancies").text != first
    (later,) = kept_now._pages.values()
    assert later.stamps != page.stamps
    for asked in ("area=510104", "page=2", "area=nowhere&page=x"):
        client.get(f"/vacancies?{asked}")
    assert len(kept_now._pages) == 1 and len(searched_now._pages) == 3


@pytest.mark.parametrize("own", ["compare=1", "kept=1", "from=here", "walk=10", "mine=1"])
def test_p2_what_a_reader_has_chosen_is_not_kept(client, garden, kept_now, searched_now, own):
    client.get(f"/kindergartens?q=jinjiang&{own}")
    for cookie in ("kept", "here"):
        client.set_cookie(cookie, "1", domain="localhost")
        client.get("/kindergartens?q=jinjiang")
    assert not kept_now._pages and not searched_now._pages


def test_p2_what_every_request_reads_is_lent_for_a_moment_to_a_reader_without_a_session(app, garden, app_engine):
    with app.test_request_context("/"):
        asked = common(db())
    heard = []
    event.listen(app_engine, "before_cursor_execute", listener := lambda *told: heard.append(told[2]))
    with app.test_request_context("/"):
        lend_common(60)
        assert common(db()).stamps == asked.stamps
        assert dt.timedelta() < common(db()).read_at - asked.read_at < dt.timedelta(seconds=60)
        assert is_common_lent()
        assert not heard
    with app.test_request_context("/"):
        lend_common(0)
        assert not is_common_lent()
        common(db())
    event.remove(app_engine, "before_cursor_execute", listener)
    assert len(heard) == 1
