"""The queue of the staff desk: what waits, search, saved filters, confirmation in bulk, and what a page of it costs."""

import datetime as dt
import secrets
import uuid

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import insert, select

from enrollment.applications import register_answers
from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.register_answers import Answer, RegisterAnswer
from enrollment.eligibility.claims import Claim
from enrollment.eligibility.tiers import claimed_facts
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child
from tests.portal.staff.review_desk import LANGUAGES, hand_in, open_season, sit_down, text_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.statements import counted


@prepared
def here(town, frozen_clock):
    return open_season(town)


@prepared
def ana(town, here):
    return hand_in(town)


@prepared
def clerk(town, here):
    return town.clerk_of(here)


@prepared
def at_work(town, ana, clerk, client, frozen_clock):
    return sit_down(town, client, clerk, frozen_clock)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_home_and_queue_say_what_waits(at_work, ana, lang):
    home = at_work.get(f"/staff/?lang={lang}")
    assert home.status_code == 200
    queue = at_work.get(f"/staff/queue?lang={lang}")
    assert ana.registration_code in queue.text
    assert "李沐晨" not in queue.text, "names are masked in lists"
    assert "李*晨" in queue.text
    line = BeautifulSoup(queue.text, "lxml").select_one("tr[data-line]")
    assert "春熙路" in line.get_text(), "the line says what differs"
    assert [each.get_text() for each in line.select("mark")], "and marks the characters"
    for group in ("answered", "new", "agrees", "returned", "done", "nonsense"):
        listed = at_work.get(f"/staff/queue?group={group}&lang={lang}")
        assert (ana.registration_code in listed.text) == (group in ("new", "nonsense"))


def test_stf16_a_parent_telephones_with_a_code_or_a_name(at_work, ana, town, another_client):
    """Code, name, pinyin and initials; a kindergarten finds its own applications only."""
    for query in (ana.registration_code, ana.registration_code[:4], "李沐晨", "沐晨", "limuchen", "muchen", "lmc"):
        assert ana.registration_code in at_work.get("/staff/queue", query_string={"q": query}).text, query
    for query in ("王", "lcm", "x", "limuchenx"):
        assert ana.registration_code not in at_work.get("/staff/queue", query_string={"q": query}).text, query
    stranger = sign_in(another_client(), town.clerk_of(town.there).account_id)
    assert ana.registration_code not in stranger.get("/staff/queue", query_string={"q": "李沐晨"}).text


def test_a_search_without_a_hit_says_where_else_the_application_may_be(at_work, ana):
    page = BeautifulSoup(at_work.get("/staff/queue?q=zzz").text, "lxml")
    assert "第一志愿不是本园的，由第一志愿的幼儿园审核" in page.select_one("main").text
    assert page.select(".queue-rail li b") == [], "no group counts what the search left out"


def test_an_empty_group_says_so_and_the_home_page_marks_only_what_waits(at_work, ana):
    empty = BeautifulSoup(at_work.get("/staff/queue?group=returned").text, "lxml")
    assert "这一组现在没有申请" in empty.select_one("#group-returned").text and not empty.select(
        "#group-returned table"
    )
    home = BeautifulSoup(at_work.get("/staff").text, "lxml")
    answered = next(card for card in home.select("section.card") if card.h2 and card.h2.text == "家长已补回")
    assert "warn" not in answered["class"] and not answered.select("a"), "a mismatch is no answer of a family"
    assert "审核到 6月3日 18:00 截止" in home.select_one("main").text


def test_a_line_names_the_facts_that_nobody_answered_and_a_dispute_only_where_there_is_one(town, at_work, ana):
    """A register that only says no is no dispute of the family."""
    said = {answer.fact: answer for answer in town.session.scalars(select(RegisterAnswer))}
    said["home_place"].value = None
    town.session.commit()
    line = " ".join(at_work.get("/staff/queue").text.split())
    assert "部门不是这样登记的" in line and "家长有异议" not in line
    said["home_place"].disputed_at = town.now
    town.session.commit()
    assert "家长有异议" in at_work.get("/staff/queue").text
    town.session.delete(said["home_place"])
    for page in town.session.scalars(select(EvidencePage)):
        page.removed_at = town.now
    town.session.commit()
    line = text_of(at_work.get("/staff/queue"))
    assert "居住地 登记部门没有，也没有材料" in line


def test_a_filter_is_saved_under_a_name_and_forgotten(at_work, ana, town, here, another_client):
    assert ana.registration_code in at_work.get("/staff/queue?ground=elder_sibling").text
    assert ana.registration_code not in at_work.get("/staff/queue?ground=special_need").text
    path = "/staff/queue?ground=elder_sibling"
    unnamed = fill_in(at_work, path, "/staff/queue/filters")
    assert BeautifulSoup(unnamed.text, "lxml").select_one("#name-error") is not None
    assert fill_in(at_work, path, "/staff/queue/filters", name="长幼").headers["Location"].endswith(path)
    page = BeautifulSoup(at_work.get("/staff/queue").text, "lxml")
    assert page.select_one(".saved a")["href"].endswith(path)
    colleague = sign_in(another_client(), town.clerk_of(here).account_id)
    assert "长幼" not in colleague.get("/staff/queue").text
    forget = page.select_one(".saved form")["action"]
    assert colleague.post(forget, data=hidden_fields(colleague.get("/staff/queue").text)).status_code == 404
    assert fill_in(at_work, "/staff/queue", forget).status_code == 303
    assert "长幼" not in at_work.get("/staff/queue").text


def test_before_registration_closes_the_queue_says_when_it_opens(town, ana, clerk, client):
    town.session.commit()
    sign_in(client, clerk.account_id)
    assert "5月29日 18:00" in text_of(client.get("/staff/"))
    assert "5月29日 18:00" in text_of(client.get("/staff/queue"))


def test_the_first_page_counts_first_wishes_only_when_they_are_all_known(town, ana, clerk, client, frozen_clock):
    """While families register, the queue is empty: it would say that nobody wishes for the kindergarten."""
    sign_in(client, clerk.account_id)
    assert "第一志愿填本园，由本园审核" not in client.get("/staff").text
    sit_down(town, client, clerk, frozen_clock)
    september = (
        BeautifulSoup(client.get("/staff").text, "html.parser").select_one(".september").get_text(" ", strip=True)
    )
    assert "1 第一志愿填本园，由本园审核" in september


def test_applications_that_agree_with_all_registers_are_confirmed_in_bulk(at_work, ana, portal_session, frozen_clock):
    answers = [
        Answer(ana.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(portal_session, ana.id).items()
    ]
    register_answers.note(portal_session, answers, now=frozen_clock.now)
    portal_session.commit()
    whole = at_work.get("/staff/queue").text
    assert "/staff/queue/matched" in whole
    found = at_work.get(f"/staff/queue?q={ana.registration_code}").text
    assert f"/staff/applications/{ana.id}" in found, "who searches for one application can open it"
    drawn = fill_in(at_work, "/staff/queue/matched")
    selection = drawn.headers["Location"]
    page = at_work.get(selection)
    assert ana.registration_code in page.text and ana.child.name not in page.text
    unopened = at_work.post(f"{selection}/confirm", data=hidden_fields(page.text))
    assert "还有 1 份没有打开看" in unopened.text
    sample = f"{selection}/{ana.id}/open"
    opened = fill_in(at_work, selection, sample).headers["Location"]
    assert opened.split("?")[0].endswith(str(ana.id))
    ways = BeautifulSoup(at_work.get(opened).text, "lxml").select('[data-key="Enter"]')
    assert [each.get("href") for each in ways] == [selection], "the way back, and nobody takes a sample by a key"
    assert fill_in(at_work, selection, f"{selection}/confirm").status_code == 303
    assert "1 份已确认" in at_work.get(selection).text
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "confirmed"


def test_a_fault_of_a_sample_is_described_and_read_with_the_application(at_work, ana, portal_session, frozen_clock):
    answers = [
        Answer(ana.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(portal_session, ana.id).items()
    ]
    register_answers.note(portal_session, answers, now=frozen_clock.now)
    portal_session.commit()
    selection = fill_in(at_work, "/staff/queue/matched").headers["Location"]
    opened = fill_in(at_work, selection, f"{selection}/{ana.id}/open").headers["Location"]
    fault = f"{selection}/{ana.id}/fault"
    unsaid = at_work.post(fault, data=hidden_fields(at_work.get(opened).text))
    assert "请写下备注。" in unsaid.text and fault in unsaid.text
    told = fill_in(at_work, opened, fault, **{"fault-text": "生日和户口簿不同"})
    assert told.headers["Location"] == selection
    assert "抽样时发现问题" in at_work.get(selection).text
    assert fill_in(at_work, selection, f"{selection}/confirm").status_code == 303
    assert "/staff/queue/matched" not in at_work.get("/staff/queue").text, "no bulk act takes it again"
    assert "生日和户口簿不同" in at_work.get(f"/staff/applications/{ana.id}").text


def test_the_watermark_of_each_minute_has_an_address_of_its_own(at_work, frozen_clock):
    seen = []
    for _ in range(2):
        sheet = at_work.get(
            BeautifulSoup(at_work.get("/staff/queue").text, "lxml").select("link[href*=watermark]")[0]["href"]
        )
        assert sheet.mimetype == "text/css" and sheet.headers["Cache-Control"] == "no-store"
        seen.append(sheet.text.split('"')[1])
        frozen_clock.move(minutes=1)
    assert seen[0] != seen[1] and "<svg" in at_work.get(seen[1]).text


def fill_queue(town, ana, number: int) -> None:
    """So many more applications like this one wait at the same kindergarten, with the claims and answers of a real one."""
    copied = {Child: [], Application: [], Claim: [], Household: [], RegisterAnswer: [], ApplicationVersion: []}
    kept = {}
    for table, key in ((Child, ana.child_id), (Application, ana.id)):
        row = town.session.get(table, key)
        kept[table] = {column.key: getattr(row, column.key) for column in table.__table__.columns}
    for table in (Claim, Household, RegisterAnswer, ApplicationVersion):
        rows = town.session.scalars(select(table).where(table.application_id == ana.id)).all()
        kept[table] = [{column.key: getattr(row, column.key) for column in table.__table__.columns} for row in rows]
    for n in range(number):
        mark, child, application = secrets.token_hex(8), uuid.uuid4(), uuid.uuid4()
        copied[Child].append(kept[Child] | {"id": child, "id_index": secrets.token_bytes(32)})
        copied[Application].append(
            kept[Application]
            | {"id": application, "child_id": child, "registration_code": f"T-{mark}", "child_code": f"c{mark}"}
            | {
                "family_code": f"f{mark}",
                "submitted_at": kept[Application]["submitted_at"] + dt.timedelta(seconds=n + 1),
            }
        )
        for table in (Claim, Household, RegisterAnswer, ApplicationVersion):
            copied[table] += [row | {"application_id": application} for row in kept[table]]
    for table, rows in copied.items():
        town.session.execute(insert(table), rows)


def test_stf18_a_page_of_the_queue_costs_the_same_for_ten_times_as_many(town, at_work, ana, portal_session):
    """The statements are the same, and so are the rows that are read beside the applications' own columns."""
    fill_queue(town, ana, 200)
    pages = (
        "/staff",
        "/staff/queue",
        "/staff/queue?group=new",
        "/staff/queue?ground=elder_sibling",
        "/staff/queue?q=T-",
    )
    counted_at = []
    for more in (0, 1800):
        fill_queue(town, ana, more) if more else None
        portal_session.commit()
        found = {}
        for page in pages:
            at_work.get(page)
            with counted(portal_session) as statements:
                listed = at_work.get(page)
            assert len(BeautifulSoup(listed.text, "lxml").select("tr[data-line]")) <= 50
            found[page] = len(statements)
        counted_at.append(found)
    assert counted_at[0] == counted_at[1]
    assert counted_at[1].pop("/staff") <= 15 and max(counted_at[1].values()) <= 8, counted_at
    last = BeautifulSoup(at_work.get("/staff/queue?group=new&page=41").text, "lxml")
    assert len(last.select("tr[data-line]")) == 1, "2001 applications, fifty on a page"


def test_tru16_the_head_sees_how_many_a_clerk_chose_instead_of_the_next(
    town, at_work, ana, here, another_client, portal_session
):
    path = f"/staff/applications/{ana.id}"
    assert fill_in(at_work, path, f"{path}/take").status_code == 303
    assert fill_in(at_work, path, f"{path}/release").status_code == 303
    assert fill_in(at_work, "/staff/queue", "/staff/queue/next").status_code == 303, "the next one is no choice"
    head = sign_in(another_client(), town.head_of(here).account_id)
    table = BeautifulSoup(head.get("/staff/").text, "lxml").find("th", string=lambda text: text and "自己挑选" in text)
    row = table.find_parent("table").select("tbody tr")[0]
    assert [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])][-1] == "1"


def test_previous_and_next_stay_within_the_group(town, at_work, ana):
    """From one application of a group to the next by links that a key presses, and back; the ends lead nowhere."""
    fill_queue(town, ana, 2)
    town.session.commit()
    first = BeautifulSoup(at_work.get("/staff/queue?group=new").text, "lxml").select("tr[data-line] a.code")
    addresses = [link["href"] for link in first]
    assert len(addresses) == 3
    pages = [BeautifulSoup(at_work.get(address).text, "lxml") for address in addresses]
    led = [
        [(link := page.select_one(f'.case-acts a[data-key="{key}"]')) and link["href"] for key in "pn"]
        for page in pages
    ]
    assert led == [[None, addresses[1]], [addresses[0], addresses[2]], [addresses[1], None]]
