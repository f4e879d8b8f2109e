"""P2: a page of a family reads its state with few statements, and shows what the services would read one by one."""

import contextlib
import datetime as dt
import re

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from enrollment.applications.claim_rows import CLAIMS, Claim
from enrollment.ground import outbox
from enrollment.ground.outbox import Notice
from enrollment.ground.reading.catalogue import Catalogue, stamps_sql
from enrollment.ground.reading.read_ahead import ReadAhead
from enrollment.ground.sign_in import WebSession
from enrollment.offers.arrivals import arrival
from enrollment.places.search.site_index import SITES, Question
from enrollment.results import family_state
from enrollment.season.kept_years import YEARS
from tests.support.signing_in import sign_in

OF_FAMILY = ("", "/messages")
OF_APPLICATION = ("", "/tasks", "/check", "/wishes")
PUBLIC = {"/": 1, "/kindergartens": 1, "/kindergartens?q=金&area=510104": 1, "/kindergartens?q=jpg": 1}
UNPLACED = 5
"""The officials and the free places near home are read apart: the place of the home is known when it is unsealed."""
CHANGING = re.compile(r'(csrf_token|idempotency_key)" value="[^"]*"')


@pytest.fixture
def gardens(town):
    found = [town.kindergarten(name, places=3) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园", "金苹果幼儿园")]
    town.open_registration()
    return found


@pytest.fixture
def family(town, gardens):
    """Three children, two of them bound twins, with wishes, a ground and a second guardian; all handed in."""
    family = town.family("李")  # children of one moment have no order
    first = town.child("安娜", family=family, wishes=gardens[:2], grounds={"elder_sibling": gardens[1]})
    town.second_guardian(first)
    twins = []
    for name in ("双双", "对对"):
        town.at(town.now + dt.timedelta(minutes=1))
        twins.append(town.child(name, family=family, wishes=gardens, submit=False))
    town.bind(*twins)
    for each in twins:
        town.submit(each)
    town.applications = [first, *twins]
    return family


@pytest.fixture
def drawn(town, gardens, family):
    """The same family with offers."""
    others = [town.child(name, wishes=gardens) for name in ("一一", "二二", "三三")]
    town.drawn(*others, *town.applications)
    return family


def pages_of(town):
    each = [f"/applications/{application.id}{page}" for application in town.applications for page in OF_APPLICATION]
    return [f"/parents{page}" for page in (*OF_FAMILY, *each)]


@contextlib.contextmanager
def statements(engine):
    """The statements of PostgreSQL while it is open, without BEGIN and COMMIT."""
    heard: list[str] = []

    def hear(_connection, _cursor, statement, *_more):
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


@pytest.fixture
def looking_seldom(app, monkeypatch):
    """The catalogue looks at large tables every two seconds, as it does outside tests."""
    monkeypatch.setattr(app.extensions["catalogue"], "always_look", False)
    monkeypatch.setattr(app.extensions["catalogue"], "moment", lambda: 0.0)
    monkeypatch.setattr(app.extensions["catalogue"], "_looked", {})


def count(client, engine, path: str) -> int:
    client.get(path)  # the first look of a process reads the catalogue
    with statements(engine) as heard:
        assert client.get(path).status_code == 200
    return len(heard)


@pytest.mark.parametrize("state", ["family", "drawn"])
def test_p2_a_page_of_a_family_asks_at_most_three_statements(client, request, town, app_engine, state):
    who = request.getfixturevalue(state)
    sign_in(client, who.account)
    counted = {path: count(client, app_engine, path) for path in pages_of(town)}
    with_places = {path for path in counted if path.endswith(("/wishes", "/check"))}
    # a test looks at the kindergartens in each request; otherwise every two seconds
    assert all(n <= 2 for path, n in counted.items() if path not in with_places | {"/parents/messages"}), counted
    assert all(n <= 3 for n in counted.values()), counted


def test_p2_new_messages_are_marked_as_read_with_one_statement_more(client, town, family, app_engine):
    sign_in(client, family.account)
    assert count(client, app_engine, "/parents/messages") == 3
    for notice in town.session.scalars(select(Notice).where(Notice.account_id == family.account.id)):
        notice.read_at = None
    town.session.commit()
    assert "消息 " in client.get("/parents").text
    with statements(app_engine) as heard:
        client.get("/parents/messages")
    assert len(heard) == 4
    unread = select(Notice).where(*outbox.unread_of(family.account.id))
    assert town.session.scalars(unread).first() is None


def test_p2_public_pages_ask_one_or_two_statements(client, town, family, app_engine, looking_seldom):
    assert {path: count(client, app_engine, path) for path in PUBLIC} == PUBLIC


@pytest.mark.parametrize(("state", "language"), [("family", "zh"), ("drawn", "en")])
def test_p2_what_is_read_ahead_is_what_the_services_read(client, request, town, monkeypatch, state, language):
    who = request.getfixturevalue(state)
    sign_in(client, who.account)
    client.set_cookie("lang", language, domain="localhost")
    client.get("/parents/messages")  # from now on all messages are read
    paths = [*pages_of(town), *PUBLIC]
    ahead = [CHANGING.sub("", client.get(path).text) for path in paths]
    monkeypatch.setattr(family_state, "read_ahead", lambda *_: None)
    monkeypatch.setattr(Catalogue, "attach", lambda *_: None)
    for path, shown in zip(paths, ahead, strict=True):
        assert CHANGING.sub("", client.get(path).text) == shown, path


class Results:
    """The result pages of some children: how many statements each takes, and whether all ways to read it say the same."""

    def __init__(self, client, engine, town, clock, monkeypatch):
        self.client, self.engine, self.town, self.clock, self.monkeypatch = client, engine, town, clock, monkeypatch

    def counted(self, *children, page="result") -> list[int]:
        self.town.session.commit()
        self.clock.set(self.town.now)
        return [self._one(f"/parents/applications/{child.id}/{page}", child) for child in children]

    def _one(self, path, child) -> int:
        sign_in(self.client, child.entered_by)
        number = count(self.client, self.engine, path)
        for language in ("zh", "en"):
            shown = CHANGING.sub("", self.client.get(f"{path}?lang={language}").text)
            with self.monkeypatch.context() as services:
                services.setattr(family_state, "read_ahead", lambda *_: None)
                services.setattr(Catalogue, "attach", lambda *_: None)
                assert CHANGING.sub("", self.client.get(f"{path}?lang={language}").text) == shown
        return number


@pytest.fixture
def results(client, app_engine, town, frozen_clock, monkeypatch, looking_seldom):
    return Results(client, app_engine, town, frozen_clock, monkeypatch)


@pytest.fixture
def after_the_hour(town):
    """Children who were placed, placed and waiting, left without a place, and bound, two hours after the result."""
    first, second, third = (town.kindergarten(name, places=n) for name, n in (("金苹果", 1), ("牡丹", 1), ("玉兰", 2)))
    town.kindergarten("银杏", places=5)
    town.open_registration()
    town.ana = town.child("安娜", wishes=[first, second])
    town.ben = town.child("本本", wishes=[first, second])
    town.cui = town.child("翠翠", wishes=[first])
    family = town.family("李")
    town.twins = [town.child(name, family=family, wishes=[third], submit=False) for name in ("双双", "对对")]
    town.bind(*town.twins)
    for each in town.twins:
        town.submit(each)
    town.drawn(town.ana, town.ben, town.cui)
    town.at(town.now + dt.timedelta(hours=2))
    return town


def test_p2_a_result_after_its_first_hour_asks_three_statements(after_the_hour, results):
    town = after_the_hour
    offered = [town.ana, town.ben, *town.twins]
    assert results.counted(*offered) == [3, 3, 3, 3]
    assert results.counted(*offered, page="result/confirm") == [3, 3, 3, 3]
    assert results.counted(town.ana, page="result/decline") == [4]  # is there another guardian?
    assert results.counted(town.cui) == [UNPLACED]
    town.confirm(town.ana)
    town.confirm(town.ben, wait=True)
    town.confirm(town.twins[0])
    assert results.counted(*offered) == [3, 3, 3, 3]


def test_p2_a_result_that_has_changed_asks_no_more(after_the_hour, results):
    """Who was moved, who waits in a round that came later, who has arrived, and who gave its place up."""
    town = after_the_hour
    town.confirm(town.ben, wait=True)
    town.decline(town.ana)
    town.silence_if_any()
    town.replay()
    town.at(town.now + dt.timedelta(hours=2))
    assert results.counted(town.ben) == [3]
    arrival.mark_arrived(
        town.session, town.offer_for(town.ben).id, by=town.clerk_of(town.place_of(town.ben)), now=town.now
    )
    assert results.counted(town.ben) == [3]
    town.round(kind="supplementary")
    town.open_registration()
    assert results.counted(town.ben) == [3]
    assert results.counted(town.cui, town.ana, town.twins[0]) == [UNPLACED, UNPLACED, UNPLACED]


def test_p2_a_result_is_read_after_its_family_withdrew_and_began_again(after_the_hour, results):
    """The old message of the result still leads to it."""
    town = after_the_hour
    for child in (town.ben, town.cui):
        town.withdraw(child)
    town.silence_if_any()
    town.round(kind="supplementary")
    town.open_registration()
    for child in (town.ben, town.cui):
        assert town.apply_again(child).stage == "draft"
    assert results.counted(town.ben, town.cui) == [UNPLACED, UNPLACED]
    for page in ("corrections", "check-result"):
        results.counted(town.ben, town.cui, page=page)
    page = results.client.get(f"/parents/applications/{town.cui.id}/result?lang=zh").text
    assert "原来志愿的候补已经结束" in page and "候补排在第" not in page


def test_p2_somebody_elses_child_is_not_read_ahead(client, town, family, gardens):
    other = town.child("小红", wishes=gardens)
    sign_in(client, family.account)
    assert client.get(f"/parents/applications/{other.id}").status_code == 404
    assert "小红" not in client.get("/parents").text


def test_p2_a_change_of_the_calendar_counts_in_every_process_at_once(town, gardens, portal_session):
    here, there = Catalogue(), Catalogue()

    def hotline(catalogue):
        with Session(portal_session.get_bind()) as session:
            catalogue.attach(session, lambda: session.scalar(text(f"SELECT {stamps_sql()}")))
            return YEARS.of(session)[0].hotline

    town.session.commit()
    assert hotline(here) == hotline(there)
    town.season().hotline = "028-12345678"
    town.session.commit()
    assert hotline(here) == hotline(there) == "028-12345678"


def test_p2_a_stamp_differs_whichever_of_two_changes_is_committed_first(town, gardens, portal_session, app_engine):
    town.session.commit()
    read = text(f"SELECT {YEARS.stamp}")
    seen = []
    with app_engine.connect() as one, app_engine.connect() as two, app_engine.connect() as reader:

        def look():
            seen.append(reader.scalar(read))
            reader.rollback()

        look()
        one.execute(text("UPDATE season SET hotline = 'one'"))  # begins first, ends last
        two.execute(text("UPDATE season_date SET ends_at = ends_at + interval '1 minute' WHERE step = 'arrival'"))
        two.commit()
        look()
        one.commit()
        look()
    assert len(set(seen)) == 3


def test_p2_a_new_name_of_a_kindergarten_is_found(client, town, gardens):
    assert "金苹果幼儿园" in client.get("/kindergartens?q=金苹果").text
    gardens[2].name = "银杏幼儿园"
    assert "没有" in client.get("/kindergartens?q=金苹果").text
    assert "银杏幼儿园" in client.get("/kindergartens?q=银杏").text


def test_p2_a_search_in_memory_finds_what_the_database_finds(town, gardens, portal_session):
    from enrollment.places import finder

    gardens[0].address = "锦江区 100%_Lane 8 号"
    town.session.commit()
    catalogue = Catalogue(always_look=True)
    for words in ("", "锦", "JIN", "jpg", "jin jiang", "金 苹", "100%", "_lane", "510104", "没有这样的", "ö"):
        found = finder.search(portal_session, Question(words))
        with Session(portal_session.get_bind()) as session:
            catalogue.attach(session, dict)
            assert SITES.of(session) is not None
            kept = finder.search(session, Question(words))
            assert [each.kindergarten.code for each in kept] == [each.kindergarten.code for each in found], words
            assert (kept.total, kept.number, kept.last) == (found.total, found.number, found.last)


def test_p2_a_message_for_the_next_page_is_saved_in_the_transaction_of_the_request(client, town, family, app_engine):
    from tests.support.signing_in import hidden_fields

    sign_in(client, family.account)
    path = f"/parents/applications/{town.applications[0].id}/wishes"
    form = hidden_fields(client.get(path).text)
    commits = []
    event.listen(app_engine, "commit", lambda _connection: commits.append(1))
    wishes = [str(wish.programme_id) for wish in town.applications[0].wishes]
    commits.clear()
    answer = client.post(path, data={**form, "wish": wishes, "act": "down:0"})
    assert answer.status_code == 303
    assert len(commits) <= 2  # one of them is that of the test's own rows
    assert "第 2 版" in client.get(path).text


def test_p2_a_session_is_touched_every_five_minutes(client, town, family, frozen_clock, monkeypatch):
    def seen():
        town.session.expire_all()
        return town.session.scalar(select(WebSession.seen_at))

    monkeypatch.setattr("portal.web.sessions.real_now", lambda: frozen_clock.now)
    sign_in(client, family.account)
    client.get("/parents")  # the first form puts a token into the session
    before = seen()
    frozen_clock.move(minutes=4)
    client.get("/parents")
    assert seen() == before
    frozen_clock.move(minutes=2)
    client.get("/parents")
    assert seen() == frozen_clock.now


def test_p2_a_page_is_shown_over_a_new_connection_when_the_old_one_was_lost(client, town, family, portal_engine):
    sign_in(client, family.account)
    client.get("/parents")
    with portal_engine.connect() as other:
        everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        other.execute(text(f"{everybody} AND datname = current_database()"))
    town.session.close()
    portal_engine.dispose()  # the test's own connections were ended too
    assert client.get("/parents").status_code == 200
    assert client.get("/").status_code == 200


def test_p2_a_text_is_filled_in_and_escaped_however_its_values_are_given(app):
    given = "{{ _('%(n)s 个家庭，%(a)s%%', n=n, a='<') }}|{{ _('%(n)s 个家庭，%(a)s%%', **more) }}|{{ _('100%%') }}"
    with app.test_request_context():
        page = app.jinja_env.from_string(given).render(n="&", more={"n": "&", "a": "<"})
    assert page == "&amp; 个家庭，&lt;%|&amp; 个家庭，&lt;%|100%"


def test_p2_rows_that_were_put_are_not_lost_to_those_kept_for_later():
    ahead, session = ReadAhead(), Session()
    ahead.add_later(session, CLAIMS, ["one", "other"], None)
    changed = [Claim()]
    ahead.put(CLAIMS, "one", changed)
    assert ahead.rows(CLAIMS, "one") == changed
    assert ahead.rows(CLAIMS, "other") == []
