"""The auditor reads everything and changes nothing; the audit trail can be filtered, and shows the state of its chain."""

import ast
import datetime as dt
import itertools
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text

from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import audit
from enrollment.review import review
from enrollment.review.review import Finding
from portal.text.audit_acts import ACTS
from portal.text.words import table
from tests.support.signing_in import sign_in

ROOT = Path(__file__).parents[3]
LANGUAGES = ["zh", "en"]
READ_PAGES = ("", "season", "policies", "places", "rounds", "review", "draws", "unplaced", "coverage", "audit")


@pytest.fixture
def auditor(town, client, frozen_clock):
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
        answer = auditor.get(f"/officials/{name}?lang={lang}")
        assert answer.status_code == 200, name
        assert page(answer).select("main form[method=post]") == [], name


def test_every_navigation_link_opens(auditor):
    named = [link["href"] for link in page(auditor.get("/officials/")).select(".desks a")]
    assert "/officials/audit" in named
    assert [href for href in named if auditor.get(href).status_code != 200] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_trail_answers_by_subject_person_and_day(town, auditor, lang):
    everything = auditor.get(f"/officials/audit?lang={lang}")
    assert len(rows(everything)) > 5
    of_ana = auditor.get(f"/officials/audit?lang={lang}&number={town.ana.registration_code}")
    assert rows(of_ana)
    assert all(town.ana.registration_code in row for row in rows(of_ana))
    assert "安娜" not in of_ana.text
    day = town.now.date().isoformat()
    assert len(rows(auditor.get(f"/officials/audit?lang={lang}&day={day}"))) >= 1
    assert rows(auditor.get(f"/officials/audit?lang={lang}&day=2020-01-01")) == []
    assert rows(auditor.get(f"/officials/audit?lang={lang}&person=nobody")) == []
    odd = auditor.get(f"/officials/audit?lang={lang}&day=yesterday")
    assert page(odd).select_one("#day-error") is not None


def test_a_reviewer_is_found_by_login(town, auditor):
    login = town.session.execute(
        text("SELECT login FROM account WHERE id = :id"), {"id": town.clerk.account_id}
    ).scalar()
    found = rows(auditor.get(f"/officials/audit?person={login}"))
    assert found
    assert all(login in row for row in found)


def test_viewing_the_trail_is_recorded(town, auditor):
    auditor.get("/officials/audit?number=X")
    assert any("审计小钱" in row and "查看" in row for row in rows(auditor.get("/officials/audit?subject=audit_trail")))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_state_of_the_chain(town, auditor, lang):
    whole, harmed = {"zh": ("整条链完整", "对不上"), "en": ("The chain is whole", "broken in")}[lang]
    audit.seal(town.session)
    town.session.commit()
    assert whole in auditor.get(f"/officials/audit/chain?lang={lang}").text
    town.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER kept"))
    town.session.execute(text("UPDATE audit_entry SET reason = 'nothing happened' WHERE link = 3"))
    town.session.commit()
    assert harmed in auditor.get(f"/officials/audit/chain?lang={lang}").text


def test_pages_of_the_trail_follow_each_other(town, auditor):
    for number in range(60):
        audit.record(town.session, "view", "kindergarten", number, by=town.clerk, now=town.now)
    town.session.commit()
    first = auditor.get("/officials/audit?subject=kindergarten")
    older = page(first).select_one('main a[href*="before="]')["href"]
    second = auditor.get(older)
    assert (len(rows(first)), len(rows(second))) == (50, 10)
    assert not set(rows(first)) & set(rows(second))


def test_every_act_and_subject_has_words():
    """Found by reading the code: the second and third argument of every `record(...)`."""
    acts = {code for group in ACTS for code in table()[group]}
    missing = set()
    for file in (file for room in ("enrollment", "portal") for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("record", "record_many")
            if not called or len(node.args) < 3:
                continue
            known = (acts, table()["audit_subject"])
            told = zip(node.args[1:3], known, strict=True)
            missing |= {arg.value for arg, words in told if isinstance(arg, ast.Constant) and arg.value not in words}
    assert not missing


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
    answer = client.get(f"/officials/review?lang={lang}")
    assert "16 分钟" in answer.text or "16 min" in answer.text
