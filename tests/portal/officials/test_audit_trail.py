"""The auditor reads everything and changes nothing; the audit trail can be filtered, and shows the state of its chain."""

import datetime as dt
import itertools

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text

from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import audit
from enrollment.ground.audit_chain import sealing
from enrollment.review import review
from enrollment.review.review import Finding
from tests.support.signing_in import sign_in

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


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_state_of_the_chain(town, auditor, lang):
    whole, harmed = {"zh": ("整条链完整", "对不上"), "en": ("The chain is whole", "broken in")}[lang]
    sealing.seal(town.session)
    town.session.commit()
    assert whole in auditor.get(f"/officials/2026/audit/chain?lang={lang}").text
    town.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER kept"))
    town.session.execute(text("UPDATE audit_entry SET reason = 'nothing happened' WHERE link = 3"))
    town.session.commit()
    assert harmed in auditor.get(f"/officials/2026/audit/chain?lang={lang}").text


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
