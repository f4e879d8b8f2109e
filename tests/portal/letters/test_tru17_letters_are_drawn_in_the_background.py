"""TRU17: a letter is drawn by the worker, once for whoever asks, kept sealed, and never given when it says something old."""

import datetime as dt
import io
import threading

import pytest
from bs4 import BeautifulSoup
from cryptography.exceptions import InvalidTag
from pypdf import PdfReader
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.jobs import Job
from enrollment.ground.retention import Moment
from enrollment.offers import notice_codes
from enrollment.people.person_rows import Child
from enrollment.results import letters
from enrollment.results.letters import LetterPage, LetterRow, Subject
from portal.letters import pdf_renderer
from tests.support.letters import draw_waiting, drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def ana(town, frozen_clock):
    """Admitted, and her family has confirmed."""
    here = town.kindergarten("锦官新城幼儿园", places=3)
    town.open_registration()
    ana = town.child("李沐晨", wishes=[here])
    town.drawn(ana)
    town.confirm(ana)
    frozen_clock.set(town.now)
    town.session.commit()
    return ana


@prepared
def parent(town, ana, client):
    return sign_in(client, town.parent_of(ana).account_id)


@prepared
def address(ana):
    return f"/parents/applications/{ana.id}/notice.pdf"


@prepared
def worker(parent, portal_engine, frozen_clock):
    return lambda: draw_waiting(parent.application, portal_engine, frozen_clock)


def words(response) -> str:
    assert response.mimetype == "application/pdf", response.text
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(response.data)).pages)


def drawings(session) -> int:
    return session.scalar(select(func.count()).where(Job.kind == letters.DRAW))


def main_of(response) -> str:
    return BeautifulSoup(response.text, "lxml").main.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", ["PDF 正在准备", "几秒钟", "自动下载"]), ("en", ["being prepared", "few seconds", "updates by itself"])],
)
def test_tru17_a_page_process_draws_nothing_and_its_page_turns_by_itself(
    parent, address, worker, monkeypatch, language, said
):
    def refuse():
        raise AssertionError("a page process draws a letter")

    with monkeypatch.context() as pages:
        pages.setattr(pdf_renderer, "renderer", refuse)
        waits = parent.get(f"{address}?lang={language}")
        assert waits.status_code == 202 and waits.headers["Cache-Control"] == "no-store"
        assert all(each in main_of(waits) for each in said), main_of(waits)
        assert waits.headers["Refresh"] == f"2; url={address}?follow=1"
        assert parent.get(f"{address}?follow=1").status_code == 202
    assert worker() == ["done"]
    monkeypatch.setattr(pdf_renderer, "renderer", refuse)
    ready = parent.get(f"{address}?follow=1")
    assert ready.status_code == 200 and ready.headers["Refresh"] == f"1; url={address}"
    assert BeautifulSoup(ready.text, "lxml").select_one(f'main a.btn[href="{address}"]')
    notice = parent.get(address)
    assert notice.status_code == 200 and "李沐晨" in words(notice)
    assert notice.headers["Content-Disposition"].startswith("attachment")


def test_tru17_many_who_ask_at_once_get_one_drawing(app, town, ana, portal_engine, now):
    page = LetterPage("notice", "zh", "<p>李沐晨</p>", "look")
    together = threading.Barrier(4)
    states = []

    def ask():
        with Session(portal_engine) as session, session.begin():
            together.wait()
            states.append(letters.ask(session, Subject(application_id=ana.id), page, now=now).state)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert states == ["waiting"] * 4
    assert drawings(town.session) == 1
    assert town.session.scalar(select(func.count()).select_from(LetterRow)) == 1


def test_tru17_each_language_is_a_letter_of_its_own(town, parent, address, worker):
    for language in ("zh", "en", "zh"):
        assert parent.get(f"{address}?lang={language}").status_code == 202
    assert worker() == ["done", "done"]
    assert "录取通知书" in words(parent.get(f"{address}?lang=zh"))
    assert "AdmissionNotice" in words(parent.get(f"{address}?lang=en"))


def test_tru17_only_the_family_gets_a_drawn_letter(
    town, ana, parent, address, portal_engine, frozen_clock, another_client
):
    assert drawn_letter(parent, portal_engine, frozen_clock, address).status_code == 200
    stranger = sign_in(another_client(), town.family("王").account.id)
    for tail in ("", "?follow=1"):
        assert stranger.get(address + tail).status_code == 404
    assert another_client().get(address).status_code in (302, 303)
    assert drawings(town.session) == 1, "and nobody else has anything drawn"


class TestNothingOldIsGiven:
    @pytest.fixture(autouse=True)
    def drawn(self, parent, address, portal_engine, frozen_clock):
        assert drawn_letter(parent, portal_engine, frozen_clock, address).status_code == 200

    def test_tru17_after_a_corrected_name(self, town, ana, parent, address, worker):
        town.session.get(Child, ana.child_id).name = "李沐辰"
        town.session.commit()
        assert parent.get(address).status_code == 202
        assert worker() == ["done"]
        assert "李沐辰" in words(parent.get(address))

    def test_tru17_after_a_new_code(self, town, ana, parent, address, worker):
        old = town.last_offer_for(ana).notice_code
        notice_codes.replace(town.session, ana.child_id, by=town.parent_of(ana), now=town.now)
        town.session.commit()
        assert parent.get(address).status_code == 202
        assert worker() == ["done"]
        new = town.last_offer_for(ana).notice_code
        assert new != old
        assert new in words(parent.get(address)) and old not in words(parent.get(address))

    def test_tru17_after_the_place_is_given_up(self, town, ana, parent, address):
        town.decline(ana)
        town.session.commit()
        for tail in ("", "?follow=1"):
            assert parent.get(address + tail).status_code == 409

    def test_tru17_a_change_back_is_drawn_again(self, town, ana, parent, address, worker):
        for name in ("李沐辰", "李沐晨"):
            town.session.get(Child, ana.child_id).name = name
            town.session.commit()
            assert parent.get(address).status_code == 202
        assert worker() == ["done", "done"], "the first one finds that nobody waits for it"
        assert "李沐晨" in words(parent.get(address))

    def test_tru17_with_another_stylesheet(self, ana, parent, address, monkeypatch):
        monkeypatch.setattr("portal.letters.pages.edition", lambda: "another")
        assert parent.get(address).status_code == 202

    def test_tru17_the_same_letter_on_another_day_is_the_drawn_one(self, parent, address, frozen_clock):
        frozen_clock.move(days=1)
        assert parent.get(address).status_code == 200

    def test_tru17_deleted_after_thirty_days_and_drawn_again_for_who_asks(
        self, town, parent, address, worker, frozen_clock
    ):
        later = frozen_clock.now + dt.timedelta(days=31)
        assert not letters.delete_old(town.session, Moment(frozen_clock.now, frozen_clock.now), 500)
        assert letters.delete_old(town.session, Moment(later, later), 500) == {"letter": 1}
        assert parent.get(address).status_code == 202
        assert worker() == ["done"]
        assert parent.get(address).status_code == 200


def test_tru17_a_letter_is_sealed_before_and_after_it_is_drawn(town, ana, parent, address, worker):
    def stored() -> bytes:
        row = town.session.execute(text("SELECT row_to_json(letter)::text AS all, page, content FROM letter")).one()
        return row.all.encode() + bytes(row.page or b"") + bytes(row.content or b"")

    assert parent.get(address).status_code == 202
    for secret in ("李沐晨", town.last_offer_for(ana).notice_code):
        assert secret.encode() not in stored()
    job = town.session.scalars(select(Job).where(Job.kind == letters.DRAW)).one()
    assert set(job.args) == {"letter"}
    assert worker() == ["done"]
    assert b"%PDF" not in stored() and "李沐晨".encode() not in stored()
    row = town.session.scalars(select(LetterRow)).one()
    assert row.page is None and row.content is not None and row.drawn_at is not None


def test_tru17_a_letter_is_bound_to_its_row(town, parent, address, portal_engine, frozen_clock):
    receipt = address.replace("notice.pdf", "receipts/1.pdf")
    assert drawn_letter(parent, portal_engine, frozen_clock, address).status_code == 200
    assert drawn_letter(parent, portal_engine, frozen_clock, receipt).status_code == 200
    moved = "UPDATE letter SET content = (SELECT content FROM letter WHERE name = 'notice') WHERE name = 'receipt-1'"
    town.session.execute(text(moved))
    town.session.commit()
    with pytest.raises(InvalidTag):
        parent.get(receipt)


class TestAFailingDrawing:
    @pytest.fixture
    def broken(self, monkeypatch):
        """A function that mends what fails."""

        def fail(html):
            raise RuntimeError("an ill-formed font")

        drawn = pdf_renderer.draw
        monkeypatch.setattr(pdf_renderer, "draw", fail)
        return lambda: monkeypatch.setattr(pdf_renderer, "draw", drawn)

    def test_tru17_is_tried_again_and_the_page_says_so(self, parent, address, worker, frozen_clock, broken):
        assert parent.get(address).status_code == 202
        assert worker() == ["failed"]
        waits = parent.get(address)
        assert waits.status_code == 202 and "正在再试" in main_of(waits)
        broken()
        frozen_clock.move(minutes=1)
        assert worker() == ["done"]
        assert parent.get(address).status_code == 200

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_tru17_at_last_is_said_kindly_and_begins_anew(
        self, town, parent, address, worker, frozen_clock, broken, language
    ):
        parent.get(f"{address}?lang={language}")
        for _ in range(jobs.MOST_ATTEMPTS):
            assert worker() == ["failed"]
            frozen_clock.move(minutes=5)
        frozen_clock.move(minutes=-5)
        said = parent.get(address)
        assert said.status_code == 503 and said.headers["Refresh"].startswith("60; url=")
        assert {"zh": "申请和学位不受影响", "en": "place are not affected"}[language] in main_of(said)
        assert "font" not in said.text and drawings(town.session) == 1
        broken()
        frozen_clock.move(minutes=1)
        assert parent.get(address).status_code == 202
        assert worker() == ["done"]
        assert parent.get(address).status_code == 200


def test_tru17_the_page_announces_how_long_it_takes(town, ana, parent, address, now):
    ahead = [
        Job(kind=letters.DRAW, dedupe_key=f"{letters.DRAW}:{number}", state="queued", created_at=now, due_at=now)
        for number in range(700)
    ]
    town.session.add_all(ahead)
    town.session.commit()
    waits = parent.get(address)
    assert "大约还要 3 分钟" in main_of(waits) and waits.headers["Refresh"].startswith("20; ")
