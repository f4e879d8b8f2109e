"""TRU17: after the hour the worker draws the notices of all placed children, in batches that may be cut anywhere."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import func, select

from enrollment.draw.publication import hours
from enrollment.ground.jobs import Job
from enrollment.people.person_rows import Child
from enrollment.results import letters
from enrollment.results.letters import LetterRow
from portal.jobs.handlers import letters as handlers
from portal.letters import pdf_renderer
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.worker import let_the_worker_work

NAMES = ("安娜", "本本", "丁丁")


@prepared
def opened(app, client, town, portal_engine, frozen_clock):
    """Three children have a place and one has none; the worker has just opened the result."""
    garden = town.kindergarten("金苹果", places=3)
    town.children = [town.child(name, wishes=[garden]) for name in (*NAMES, "冬冬")]
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(*town.children)
    hour = town.now + dt.timedelta(hours=1)
    town.announce_hour(hour)
    town.the_run = town.run()
    town.sign(town.the_run)
    town.session.commit()
    frozen_clock.set(hour)
    assert let_the_worker_work(portal_engine, frozen_clock, (hours.PUBLISH,)) == ["done"]
    town.now = hour
    return town


@pytest.fixture
def worker(app, portal_engine, frozen_clock):
    """A function that lets the worker draw ahead: what came of each job that waited."""

    def work():
        with app.app_context():
            return let_the_worker_work(portal_engine, frozen_clock, (letters.DRAW_NOTICES,))

    return work


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn from now on."""
    made, draw = [], pdf_renderer.draw
    monkeypatch.setattr(pdf_renderer, "draw", lambda html: made.append(html) or draw(html))
    return made


def kept(session) -> int:
    return session.scalar(select(func.count()).select_from(LetterRow).where(LetterRow.content.is_not(None)))


def jobs_of(session) -> list[Job]:
    session.expire_all()
    return session.scalars(select(Job).where(Job.kind == letters.DRAW_NOTICES).order_by(Job.created_at)).all()


def test_tru17_who_confirms_after_the_hour_gets_a_notice_that_is_drawn(opened, client, worker, monkeypatch):
    town, ana = opened, opened.children[0]
    assert worker() == ["done"]
    [job] = jobs_of(town.session)
    assert (job.done_units, job.all_units, job.result) == (4, 4, {"drawn": 3})
    at, address = sign_in(client, ana.entered_by), f"/parents/applications/{ana.id}/notice.pdf"
    assert at.get(address).status_code == 409, "drawn, and not given before the place is confirmed"
    town.confirm(ana)
    town.session.commit()
    monkeypatch.setattr(pdf_renderer, "renderer", None)
    notice = at.get(address)
    assert notice.status_code == 200
    text = "".join(PdfReader(io.BytesIO(notice.data)).pages[0].extract_text().split())
    assert "安娜" in text and "金苹果" in text and town.last_offer_for(ana).notice_code in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ["将提前生成", "看过 2 / 4 个孩子", "没有全部提前生成", "已经提前生成"]),
        ("en", ["will be drawn ahead", "2 of 4 children", "Not all admission notices", "are drawn already"]),
    ],
)
def test_tru17_officials_see_how_far_it_is(opened, client, worker, language, said):
    town = opened
    official = sign_in(client, town.city_pair()[0].account_id)

    def shown() -> str:
        page = official.get(f"/officials/2026/draws/runs/{town.the_run.id}?lang={language}")
        return " ".join(BeautifulSoup(page.text, "lxml").main.get_text(" ").split())

    found = [shown()]
    [job] = jobs_of(town.session)
    for state in ("running", "failed"):
        job.state, job.done_units, job.all_units = state, 2, 4
        town.session.commit()
        found.append(shown())
    job.state = "waiting"
    town.session.commit()
    assert worker() == ["done"]
    found.append(shown())
    for text, sentence in zip(found, said, strict=True):
        assert sentence in text


def test_tru17_in_parts_that_other_batches_get_between(opened, worker, drawn, monkeypatch):
    monkeypatch.setattr(handlers, "BATCH", 1)
    monkeypatch.setattr(handlers, "PART", 0.0)
    rounds = 0
    while worker():
        rounds += 1
    assert rounds == 5, "four children, and the part that finds nobody more"
    assert kept(opened.session) == len(drawn) == 3
    assert sorted(job.done_units for job in jobs_of(opened.session)) == [1, 2, 3, 4, 4]


def test_tru17_a_part_that_was_cut_off_draws_only_what_is_missing(opened, worker, drawn, frozen_clock, monkeypatch):
    monkeypatch.setattr(handlers, "BATCH", 1)
    progress = handlers.JobRun.progress

    def killed(job, done, of, step=None):
        progress(job, done, of, step)
        if done == 2:
            raise RuntimeError("killed")

    with monkeypatch.context() as first:
        first.setattr(handlers.JobRun, "progress", killed)
        assert worker() == ["failed"]
    before = len(drawn)
    assert 0 < before < 3 and kept(opened.session) == before
    frozen_clock.move(minutes=1)
    assert worker() == ["done"]
    assert kept(opened.session) == len(drawn) == 3, "none is drawn twice"


def test_tru17_one_drawn_ahead_is_not_given_after_a_correction(opened, client, worker):
    town, ana = opened, opened.children[0]
    worker()
    town.confirm(ana)
    town.session.get(Child, ana.child_id).name = "安妮"
    town.session.commit()
    at = sign_in(client, ana.entered_by)
    assert at.get(f"/parents/applications/{ana.id}/notice.pdf").status_code == 202


def test_tru17_before_the_hour_no_notice_is_drawn(app, client, town, worker):
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana)
    town.announce_hour(town.now + dt.timedelta(hours=1))
    town.run()
    town.sign()
    town.session.commit()
    assert worker() == [] and kept(town.session) == 0
