"""Many letters in one PDF at the desk of a kindergarten: whom, in which order, progress, cancelling, who reads it, how long."""

import datetime as dt
import io
import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select, text

from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.ground.jobs import Job
from enrollment.ground.retention import Moment
from enrollment.people.household_rows import household_of
from enrollment.results import letter_batches
from enrollment.results.letter_batches import LetterBatch
from portal.jobs.handlers import letter_batches as handler
from portal.letters import pdf_renderer
from tests.support.signing_in import fill_in, sign_in
from tests.support.worker import let_the_worker_work

FORM = "/staff/families/print"


@pytest.fixture
def desk(town, client, frozen_clock):
    """Three children with a confirmed place here, one that has declined, and a clerk at work."""
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    town.open_registration()
    town.children = [town.child(name, wishes=[town.here]) for name in ("安娜", "本本", "翠翠", "丁丁")]
    town.drawn(*town.children)
    for each in town.children[:3]:
        town.confirm(each)
    town.decline(town.children[3])
    town.clerk = town.clerk_of(town.here)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.clerk.account_id)
    return town


@pytest.fixture
def worker(client, portal_engine, frozen_clock):
    def works() -> list[str]:
        with client.application.app_context():
            return let_the_worker_work(portal_engine, frozen_clock, (letter_batches.DRAW_BATCH,))

    return works


def posted(client, **fields):
    form = BeautifulSoup(client.get(f"{FORM}?lang=zh").text, "lxml").select_one("main form[method=post]")
    return fill_in(client, FORM, action=form["action"], audience="place-expected", **fields)


def asked(client, **fields) -> str:
    answer = posted(client, **fields)
    assert answer.status_code == 303, BeautifulSoup(answer.text, "lxml").main.get_text(" ", strip=True)
    return answer.headers["Location"]


def pages_of(answer) -> list[str]:
    assert answer.mimetype == "application/pdf", answer.text
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.data)).pages]


def main_of(answer) -> str:
    return BeautifulSoup(answer.text, "lxml").main.get_text(" ", strip=True)


def test_notices_stand_in_one_pdf_by_registration_code(desk, client, another_client, worker, frozen_clock):
    town = desk
    page = asked(client, kind="notices")
    waits = client.get(page)
    assert (
        "3 个孩子" in main_of(waits) and "正在排队" in main_of(waits) and waits.headers["Refresh"] == f"2; url={page}"
    )
    again = posted(client, kind="labels")
    assert "还在准备" in main_of(again), "one after the other"
    town.decline(town.children[1])
    town.session.commit()
    assert worker() == ["done"]
    ready = client.get(page)
    assert "Refresh" not in ready.headers and "1 家没有在里面" in main_of(ready)
    assert town.children[1].registration_code in main_of(ready)
    printed = pages_of(client.get(f"{page}.pdf"))
    expected = sorted(each.registration_code for each in (town.children[0], town.children[2]))
    assert [re.search("|".join(expected), each).group() for each in printed] == expected
    lines = select(AuditEntry.details["lines"].as_integer()).where(AuditEntry.act == "print_letters")
    assert list(town.session.scalars(lines.order_by(AuditEntry.number))) == [3, 2]
    stored = town.session.execute(text("SELECT row_to_json(letter_batch)::text, content FROM letter_batch")).one()
    assert b"%PDF" not in bytes(stored.content) and "安娜" not in stored[0]
    colleague = sign_in(another_client(), town.clerk_of(town.here).account_id)
    town.session.commit()
    for address in (page, f"{page}.pdf"):
        assert colleague.get(address).status_code == 404
    assert fill_in(client, page, action=f"{page}/cancel").status_code == 303
    assert client.get(f"{page}.pdf").status_code == 404
    row = town.session.scalars(select(LetterBatch)).one()
    town.session.refresh(row, ["content"])
    assert row.content is None


def test_letters_and_labels_lie_in_the_same_order(desk, client, worker):
    town = desk
    for each in town.children[:2]:
        household_of(town.session, each.id).home_address = "1 栋 301"
    household_of(town.session, town.children[2].id).home_address = None
    town.session.get_one(Account, town.children[2].entered_by).language = "en"
    town.session.commit()
    missing = posted(client, kind="letters")
    assert "请选信里说什么" in main_of(missing)
    page = asked(client, kind="letters", template="please_call")
    assert worker() == ["done"]
    found = pages_of(client.get(f"{page}.pdf"))
    in_order = sorted(town.children[:3], key=lambda each: each.registration_code)
    assert [each.registration_code in said for each, said in zip(in_order, found, strict=True)] == [True] * 3
    for child, said in zip(in_order, found, strict=True):
        assert "请给我们打电话" in said and ("Pleasecallus" in said) == (child is town.children[2])
        assert ("1栋301" in said) == (child is not town.children[2])
    page = asked(client, kind="labels")
    assert worker() == ["done"]
    (sheet,) = pages_of(client.get(f"{page}.pdf"))
    assert [code in sheet for code in (each.registration_code for each in town.children)] == [True, True, False, False]
    assert "没有填住址" in main_of(client.get(page))


def test_a_cancelled_batch_stops_and_leaves_nothing(desk, client, worker, monkeypatch, frozen_clock):
    town = desk
    page = asked(client, kind="letters", template="please_call")
    drawn = []

    def cancels(html, language):
        drawn.append(html)
        fill_in(client, page, action=f"{page}/cancel")
        return pdf_renderer.draw(html)

    monkeypatch.setattr(handler, "drawn_or_refused", cancels)
    assert worker() == ["done"]
    assert len(drawn) == 1
    row = town.session.scalars(select(LetterBatch)).one()
    assert row.made_at is None and row.cancelled_at is not None
    assert client.get(page).status_code == 404
    later = town.now + dt.timedelta(days=1, minutes=1)
    assert letter_batches.delete_old(town.session, Moment(later, later), 10) == {"letter_batch": 1}


def test_a_batch_is_bounded_and_says_how_to_go_on_when_it_fails(desk, client, monkeypatch, worker, frozen_clock):
    town = desk
    with monkeypatch.context() as small:
        small.setattr(letter_batches, "MOST", 2)
        refused = posted(client, kind="notices")
    assert "一个 PDF 最多 2 份，现在选了 3 份" in main_of(refused), "and says how to choose fewer"
    page = asked(client, kind="labels")
    job = town.session.scalars(select(Job).where(Job.kind == letter_batches.DRAW_BATCH)).one()
    job.state, job.finished_at = "failed", town.now
    town.session.commit()
    for language, said in (("zh", "请取消，再重新准备"), ("en", "cancel it and prepare it again")):
        assert said in main_of(client.get(f"{page}?lang={language}"))
    assert asked(client, kind="labels") != page, "a failed one does not stand in the way"
