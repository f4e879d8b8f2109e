"""P2: a family that looks again gets the kept page, and never one that is older than what it shows (ADR 84)."""

import datetime as dt
import gc
import os
import re

import pytest
from sqlalchemy import event, text

from enrollment.ground import outbox
from enrollment.ground.accounts import Account
from enrollment.people import children
from portal.parents import home
from portal.web.page_data import shared_pages
from portal.web.page_data.family_pages import FamilyPages
from portal.web.page_data.shared_pages import LARGEST, SharedPages
from portal.web.reading import request_read
from tests.support.signing_in import sign_in

TOKENS = re.compile(r'(csrf_token|idempotency_key)" value="([^"]*)"')
PAGES = ("/parents", "/parents/applications/{id}", "/parents/applications/{id}/tasks")


@pytest.fixture
def gardens(town):
    found = [town.kindergarten(name, places=3) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园")]
    town.open_registration()
    return found


@pytest.fixture
def mine(town, gardens):
    """An application that is handed in, with a second guardian."""
    found = town.child("安娜", wishes=gardens)
    town.second_guardian(found)
    town.session.commit()
    return found


class NotedPages(FamilyPages):
    """Pages that note the addresses of those that were kept."""

    def __init__(self):
        super().__init__(SharedPages())
        self.kept = []

    def keep(self, asked, *page):
        self.kept.append(asked)
        super().keep(asked, *page)


@pytest.fixture
def kept_now(app, monkeypatch):
    """What the process keeps, empty at first; the stamps of large tables hold twenty seconds, as outside tests."""
    found = NotedPages()
    monkeypatch.setitem(app.extensions, "family_pages", found)
    monkeypatch.setattr(app.extensions["catalogue"], "always_look", False)
    monkeypatch.setattr(app.extensions["catalogue"], "moment", lambda: 0.0)
    monkeypatch.setattr(app.extensions["catalogue"], "_looked", {})
    return found


@pytest.fixture
def mother(client, town, mine, kept_now):
    """Signed in.  The first looks gave the session its form token, and the process its catalogue."""
    signed_in = sign_in(client, town.session.get_one(Account, mine.entered_by))
    shown(signed_in, mine)
    kept_now.shared.clear()
    kept_now.kept.clear()
    return signed_in


def without_tokens(page):
    return TOKENS.sub(r"\1", page)


def shown(client, mine):
    return {path: client.get(path.format(id=mine.id)) for path in PAGES}


def anew(client, mine, kept_now):
    """The same pages as if nothing had been kept."""
    before, kept_now.shared = kept_now.shared, SharedPages()
    found = {path: without_tokens(answer.text) for path, answer in shown(client, mine).items()}
    kept_now.shared = before
    return found


def test_p2_the_second_look_is_the_kept_page_with_tokens_of_its_own(mother, mine, kept_now, app_engine):
    first = shown(mother, mine)
    assert len(kept_now.kept) == len(PAGES)
    heard = []
    event.listen(app_engine, "before_cursor_execute", listener := lambda *told: heard.append(told[2]))
    again = shown(mother, mine)
    event.remove(app_engine, "before_cursor_execute", listener)
    assert kept_now.found == len(PAGES)
    assert len(heard) == 2 * len(PAGES)
    for path, page in again.items():
        assert without_tokens(page.text) == without_tokens(first[path].text)
        assert dict(page.headers).keys() == dict(first[path].headers).keys()
        tokens, before = (TOKENS.findall(each.text) for each in (page, first[path]))
        assert len(tokens) == len(before) > 1
        keys = [value for name, value in (*tokens, *before) if name == "idempotency_key"]
        assert len(keys) == len(set(keys)) > 1
        assert {value for name, value in tokens if name == "csrf_token"}.isdisjoint(
            value for name, value in before if name == "csrf_token"
        )


def test_p2_a_form_of_a_kept_page_is_accepted(mother, mine, kept_now):
    for _look in range(2):
        page = mother.get("/parents").text
    assert kept_now.found == 1
    token = next(value for name, value in TOKENS.findall(page) if name == "csrf_token")
    assert mother.post("/sign-out", data={"csrf_token": token}).location == "/"
    assert mother.get("/parents").location.startswith("/sign-in")


def corrected(_town, mine):
    mine.child.name = "安娜丽"


def one_wish_less(town, mine):
    town.wish(mine, *town.kindergartens_by_name("锦官新城幼儿园"))
    town.submit(mine)


def told(town, mine):
    outbox.tell(town.session, "welcome", account_id=mine.entered_by, key="of this test", now=town.now)


def closed(town, mine):
    town.round_for(mine).closes_at = town.now - dt.timedelta(minutes=1)


def hotline(town, _mine):
    town.season().hotline = "028-96110"


def sent_back(town, mine):
    town.registration_is_over()
    town.clerk_sends_back(mine, "hukou_booklet")


def renamed_kindergarten(town, _mine):
    town.kindergartens_by_name("锦官新城幼儿园")[0].name = "银杏幼儿园"


CHANGES = [corrected, one_wish_less, told, closed, hotline, sent_back, renamed_kindergarten]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_p2_a_change_shows_on_the_next_look(mother, town, mine, kept_now, change):
    before = {path: without_tokens(answer.text) for path, answer in shown(mother, mine).items()}
    change(town, mine)
    town.session.commit()
    after = {path: without_tokens(answer.text) for path, answer in shown(mother, mine).items()}
    assert after == anew(mother, mine, kept_now)
    assert after != before


def test_p2_a_minute_later_the_page_is_made_anew_and_the_older_ones_are_gone(
    mother, town, mine, kept_now, frozen_clock
):
    shown(mother, mine)
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    mother.get("/parents")
    assert kept_now.found == 0
    shown(mother, mine)
    assert kept_now.found == 1


def test_p2_a_family_sees_what_its_own_browser_asks_for(mother, town, mine, kept_now):
    """Another language, text size or message is another page, and the second guardian has pages of its own."""
    chinese = mother.get("/parents").text
    mother.set_cookie("lang", "en", domain="localhost")
    english = mother.get("/parents").text
    assert 'lang="en"' in english.split(">", 2)[1]
    mother.set_cookie("text", "large", domain="localhost")
    assert 'class="large"' in mother.get("/parents").text
    mother.delete_cookie("lang", domain="localhost")
    mother.delete_cookie("text", domain="localhost")
    assert without_tokens(mother.get("/parents").text) == without_tokens(chinese)
    assert kept_now.found == 1
    with mother.session_transaction() as session:
        session["_flashes"] = [("message", "已保存")]
    assert "已保存" in mother.get("/parents").text
    assert "已保存" not in mother.get("/parents").text


def test_p2_two_guardians_of_one_child_never_share_a_page(mother, another_client, town, mine, kept_now):
    other = next(each for each in children.accounts_of(town.session, mine.child_id) if each != mine.entered_by)
    father = sign_in(another_client(), other)
    path = f"/parents/applications/{mine.id}/tasks"
    for _look in range(4):  # the first one gives his session its form token
        pages = [visitor.get(path).text for visitor in (mother, father)]
    assert kept_now.found > 2
    assert {asked.account for asked in kept_now.kept} == {mine.entered_by, other}
    owners = [re.search(r'name="draft-owner" content="([^"]+)"', page)[1] for page in pages]
    assert owners[0] != owners[1]
    # the same browser, another person
    sign_in(mother, other)
    assert owners[1] in mother.get(path).text
    assert mother.get(f"/parents/applications/{town.child('贝拉').id}").status_code == 404


def test_p2_a_page_that_asked_for_more_is_not_kept(mother, kept_now, monkeypatch):
    published = home.announcements.published

    def by_a_statement_of_its_own(session, **how):
        session.scalar(text("SELECT 1"))
        return published(session, **how)

    def by_a_prepared_read(session, **how):
        request_read._common_read().one(session, {})
        return published(session, **how)

    for asks in (by_a_statement_of_its_own, by_a_prepared_read):
        monkeypatch.setattr(home.announcements, "published", asks)
        assert mother.get("/parents").status_code == 200
        assert not kept_now.kept
    monkeypatch.setattr(home.announcements, "published", published)
    mother.get("/parents")
    assert kept_now.kept


def test_p2_a_helper_and_a_page_that_is_too_large_are_not_kept(client, town, gardens, mine, kept_now, monkeypatch):
    helper = town.helper()
    mandate = town.mandate_on_paper(helper, "13900000077")
    sign_in(client, helper.account_id, acting=str(mandate.id))
    assert client.get("/parents").status_code == 200
    sign_in(client, town.session.get_one(Account, mine.entered_by))
    assert not kept_now.kept
    monkeypatch.setattr(shared_pages, "LARGEST", 10)
    for _look in range(3):
        client.get("/parents")
    assert kept_now.kept
    assert kept_now.found == 0


def left_for_the_collector(visit):
    """The names of the types of what only a collection of garbage ends after a visit."""
    gc.collect()
    gc.disable()
    try:
        visit()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return {type(each).__name__ for each in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_p2_a_page_and_its_rows_end_with_the_request(mother, mine, kept_now):
    """A collection that ends the rows of a hundred pages takes as long as ten of them."""
    left = left_for_the_collector(lambda: shown(mother, mine))
    assert len(kept_now.kept) == len(PAGES)
    assert not left & {"Context", "Macro", "ReadAhead", "Application", "InstanceState"}


def name(number):
    return number.to_bytes(8).ljust(32, b"\0")


def test_p2_a_page_is_found_by_the_other_processes_of_the_same_master():
    pages = SharedPages(4)
    child = os.fork()
    if not child:
        pages.keep(name(1), name(11), "锦江".encode(), 5)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert pages.find(name(1), name(11)) == "锦江".encode()
    assert pages.find(name(1), name(12)) is None  # made from something else
    assert pages.find(name(2), name(11)) is None


def test_p2_a_page_that_is_half_written_is_not_there():
    pages = SharedPages(1)
    pages.keep(name(1), name(11), b"one", 5)
    where = pages._memory.find(b"one")
    pages._memory[where : where + 1] = b"t"
    assert pages.find(name(1), name(11)) is None


def test_p2_what_is_kept_stays_within_its_memory_and_its_minute():
    pages = SharedPages(1)
    for page in (b"first", b"second"):
        pages.keep(name(1), name(11), page, 5)
    pages.keep(name(1), name(11), b"x" * (LARGEST + 1), 5)
    pages.keep(name(1), name(11), b"earlier", 4)
    assert pages.find(name(1), name(11)) == b"second"
    pages.keep(name(2), name(12), b"y" * LARGEST, 6)
    assert pages.find(name(2), name(12)) == b"y" * LARGEST
    assert pages._memory.find(b"second") == -1


def test_p2_pages_are_kept_also_after_the_clock_was_set_back():
    pages = SharedPages(1)
    pages.keep(name(1), name(11), b"eight hours ahead", 10_000)
    pages.keep(name(1), name(12), b"a minute late", 9_999)
    assert pages.find(name(1), name(12)) is None
    pages.keep(name(1), name(12), b"now", 9_520)
    assert pages.find(name(1), name(12)) == b"now"
    assert pages._memory.find(b"ahead") == -1


def test_p2_a_torn_page_hides_no_whole_one_and_nothing_lies_there_twice():
    pages, place = SharedPages(2), (0).to_bytes(8) + (1).to_bytes(8) + bytes(16)
    pages.keep(place, name(11), b"one", 5)
    pages.keep(place, name(12), b"two", 5)
    pages.keep(place, name(12), b"two again", 5)
    assert [pages.find(place, name(each)) for each in (11, 12)] == [b"one", b"two again"]
    torn, _whole = pages._begin(place)
    pages._memory[torn : torn + 32] = name(12)
    assert pages.find(place, name(12)) == b"two again"
