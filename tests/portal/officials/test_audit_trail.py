"""The auditor reads everything and changes nothing; the audit trail can be filtered, and shows the state of its chain."""

import dataclasses
import datetime as dt
import itertools

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import audit
from enrollment.ground.audit_chain import requested_checks, sealing, verification
from enrollment.ground.jobs import Job
from enrollment.review import review
from enrollment.review.review import Finding
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.worker import let_the_worker_work

LANGUAGES = ["zh", "en"]
READ_PAGES = ("", "season", "policies", "places", "rounds", "review", "draws", "unplaced", "coverage", "audit")


@pytest.fixture
def auditor(new_connections, town, client, frozen_clock):
    town.garden = town.kindergarten("锦官", places=5)
    town.open_registration()
    town.ana, town.ben = town.child("安娜", wishes=[town.garden]), town.child("本恩", wishes=[town.garden])
    town.clerk_confirms(town.ana)
    town.clerk = town.reviewer_of(town.ana)
    frozen_clock.set(town.now)
    town.auditor = town.account_of_staff("auditor", "审计小钱", "auditor")
    town.session.commit()
    return sign_in(client, town.auditor)


def page(answer) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "lxml")


def rows(answer) -> list[str]:
    return [row.get_text(" ", strip=True) for row in page(answer).select("main tbody tr")]


def test_the_auditor_sees_no_forms(auditor):
    for name, lang in itertools.product(READ_PAGES, LANGUAGES):
        answer = auditor.get(f"/officials/2026/{name}?lang={lang}")
        assert answer.status_code == 200, name
        assert page(answer).select("main form[method=post]") == [], name


def test_every_navigation_link_opens(auditor):
    named = [link["href"] for link in page(auditor.get("/officials/2026")).select(".desks a, main nav a")]
    assert "/officials/2026/audit" in named
    assert [href for href in named if auditor.get(href).status_code != 200] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_trail_answers_by_subject_person_and_day(town, auditor, lang):
    everything = auditor.get(f"/officials/2026/audit?lang={lang}")
    assert len(rows(everything)) > 5
    of_ana = auditor.get(f"/officials/2026/audit?lang={lang}&number={town.ana.registration_code}")
    assert rows(of_ana)
    assert all(town.ana.registration_code in row for row in rows(of_ana))
    assert "安娜" not in of_ana.text
    day = town.now.date().isoformat()
    assert len(rows(auditor.get(f"/officials/2026/audit?lang={lang}&day={day}"))) >= 1
    assert rows(auditor.get(f"/officials/2026/audit?lang={lang}&day=2020-01-01")) == []
    assert rows(auditor.get(f"/officials/2026/audit?lang={lang}&person=nobody")) == []
    odd = auditor.get(f"/officials/2026/audit?lang={lang}&day=yesterday")
    assert page(odd).select_one("#day-error") is not None


def test_a_reviewer_is_found_by_login(town, auditor):
    login = town.session.execute(
        text("SELECT login FROM account WHERE id = :id"), {"id": town.clerk.account_id}
    ).scalar()
    found = rows(auditor.get(f"/officials/2026/audit?person={login}"))
    assert found
    assert all(login in row for row in found)


def test_viewing_the_trail_is_recorded(town, auditor):
    auditor.get("/officials/2026/audit?number=X")
    assert any(
        "审计小钱" in row and "查看" in row for row in rows(auditor.get("/officials/2026/audit?subject=audit_trail"))
    )


CHAIN = "/officials/2026/audit/chain"


def checked_chain(auditor, town, app, app_engine, frozen_clock, lang) -> str:
    """The page with the verdict after a check that the auditor asked for."""
    assert auditor.post(CHAIN, data=hidden_fields(auditor.get(CHAIN).text)).status_code == 303
    with app.app_context():
        assert let_the_worker_work(app_engine, frozen_clock, (requested_checks.KIND,)) == ["done"]
    return auditor.get(f"{CHAIN}?lang={lang}").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_state_of_the_chain(town, auditor, app, app_engine, frozen_clock, lang):
    whole, harmed = {"zh": ("整条链完整", "对不上"), "en": ("The chain is whole", "broken in")}[lang]
    sealing.seal(town.session)
    town.session.commit()
    assert whole in checked_chain(auditor, town, app, app_engine, frozen_clock, lang)
    town.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER kept"))
    town.session.execute(text("UPDATE audit_entry SET reason = 'nothing happened' WHERE link = 3"))
    town.session.commit()
    assert harmed in checked_chain(auditor, town, app, app_engine, frozen_clock, lang)
    name = {"zh": "由 审计小钱 发起", "en": "Started by 审计小钱"}[lang]
    assert name in auditor.get(f"{CHAIN}?lang={lang}").text
    assert {"zh": "对不上", "en": "Broken"}[lang] in auditor.get(f"/officials/2026/audit?lang={lang}").text


def test_a_page_does_not_read_the_chain_and_one_check_is_enough(
    town, auditor, app, app_engine, frozen_clock, monkeypatch
):
    """A GET verified the chain; with a million entries the page server was killed, and its page of trouble asked again."""
    sealing.seal(town.session)
    town.session.commit()
    with monkeypatch.context() as forbidden:
        forbidden.setattr(verification, "verify", None)
        assert auditor.get(CHAIN).status_code == 200
        assert auditor.post(CHAIN, data=hidden_fields(auditor.get(CHAIN).text)).status_code == 303
        again = town.account_of_staff("auditor2", "审计小孙", "auditor")
        town.session.commit()
        sign_in(auditor, again)
        started = auditor.get(CHAIN)
        assert "审计小钱" in started.text and not page(started).select("main form[method=post]")
        with monkeypatch.context() as without_tokens:
            without_tokens.setitem(app.config, "WTF_CSRF_ENABLED", False)
            assert auditor.post(CHAIN).status_code == 303
        assert "已经有一次核对在进行" in auditor.get(CHAIN).text
        town.session.expire_all()
        [job] = town.session.scalars(select(Job).where(Job.kind == requested_checks.KIND))
        assert auditor.get(f"{CHAIN}/progress.json").json["state"] == "running"
    monkeypatch.setattr(verification, "STEP", 2)
    with app.app_context():
        assert let_the_worker_work(app_engine, frozen_clock, (requested_checks.KIND,)) == ["done"]
    town.session.expire_all()
    assert 0 < job.done_units < job.all_units
    assert job.result["found"] == 0 and job.result["links"] == job.all_units
    assert auditor.get(f"{CHAIN}/progress.json").json["state"] == "done"
    verdict = requested_checks.newest_verdict(town.session)
    assert (verdict.asked_by, verdict.links) == (town.auditor.id, job.all_units)
    auditor.post(CHAIN, data=hidden_fields(auditor.get(CHAIN).text))
    assert town.session.scalar(select(func.count()).select_from(Job).where(Job.kind == requested_checks.KIND)) == 2


def test_what_is_sealed_during_a_check_is_no_finding(town, auditor, portal_engine):
    sealing.seal(town.session)
    town.session.commit()

    def meanwhile(_done: int, _of: int) -> None:
        audit.record(town.session, "view", "kindergarten", "x", by=town.clerk, now=town.now)
        town.session.commit()
        sealing.seal(town.session)
        audit.record(town.session, "view", "kindergarten", "y", by=town.clerk, now=town.now)
        town.session.commit()

    with Session(portal_engine) as session:
        verification.read_one_moment(session)
        assert verification.verify(session, demo=True, progress=meanwhile).findings == []


def test_a_copy_that_is_no_head_is_found(town, auditor, app, app_engine, frozen_clock, monkeypatch, tmp_path):
    (tmp_path / "head.json").write_text("{}")
    known = app.extensions["services"]
    config = dataclasses.replace(known.config, audit_head_file=tmp_path / "head.json")
    monkeypatch.setitem(app.extensions, "services", dataclasses.replace(known, config=config))
    assert "head.json" in checked_chain(auditor, town, app, app_engine, frozen_clock, "zh")


def test_pages_of_the_trail_follow_each_other(town, auditor):
    for number in range(60):
        audit.record(town.session, "view", "kindergarten", number, by=town.clerk, now=town.now)
    town.session.commit()
    first = auditor.get("/officials/2026/audit?subject=kindergarten")
    older = page(first).select_one('main a[href*="before="]')["href"]
    second = auditor.get(older)
    assert (len(rows(first)), len(rows(second))) == (50, 10)
    assert not set(rows(first)) & set(rows(second))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_reviews_slowly(town, client, frozen_clock, lang):
    garden = town.kindergarten("锦官", places=5)
    town.open_registration()
    ana, ben = town.child("安娜", wishes=[garden]), town.child("本恩", wishes=[garden])
    for application, minutes in ((ana, 12), (ben, 20)):
        clerk = town.clerk_takes(application)
        town.at(town.now + dt.timedelta(minutes=minutes))
        facts = [Finding(fact, value) for fact, value in claimed_facts(town.session, application.id).items()]
        review.confirm(town.session, application.id, by=clerk, now=town.now, facts=facts)
    frozen_clock.set(town.now)
    sign_in(client, town.area_official("510104").account_id)
    answer = client.get(f"/officials/2026/review?lang={lang}")
    assert "16 分钟" in answer.text or "16 min" in answer.text
