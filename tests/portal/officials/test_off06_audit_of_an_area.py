"""OFF06: an area official answers "who looked at this child" for its own area, and reads nothing of another one."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground import audit
from enrollment.ground.audit import AuditEntry
from enrollment.reports.tables import exports
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

LANGUAGES = ["zh", "en"]
HERE, THERE = "510104", "GXQ"


@prepared
def area(town, client, frozen_clock):
    """A child whose first wish is in 锦江区, and one in 高新区; a clerk looked at each."""
    town.garden, town.other = town.kindergarten("锦官", places=5), town.kindergarten("高新园", places=5, area=THERE)
    town.open_registration()
    town.ana, town.ben = town.child("安娜", wishes=[town.garden]), town.child("本恩", wishes=[town.other])
    for child in (town.ana, town.ben):
        town.clerk_confirms(child)
    for child, garden in ((town.ana, town.garden), (town.ben, town.other)):
        clerk = town.clerk_of(garden, login=f"looker-{garden.area_code.lower()}")
        audit.record(town.session, "view", "application", child.id, by=clerk, now=town.now, reason="review")
        audit.record(town.session, "view", "roll_children", garden.id, by=clerk, now=town.now)
        audit.record(town.session, "export", "child", child.child_id, by=clerk, now=town.now)
        exports.ask(town.session, "worklist", garden.id, 2026, reason="核对", by=clerk, now=town.now)
    frozen_clock.set(town.now)
    town.official = town.area_official(HERE)
    town.session.commit()
    return sign_in(client, town.official.account_id)


def rows(answer) -> list[str]:
    return [row.get_text(" ", strip=True) for row in BeautifulSoup(answer.text, "lxml").select("main tbody tr")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_looked_at_this_child(area, town, lang):
    """The registration code lists what concerns the application and the child, with who and when."""
    answer = area.get(
        "/officials/2026/audit", query_string={"lang": lang, "number": town.ana.registration_code.lower()}
    )
    assert answer.status_code == 200
    looked, exported = {"zh": ("查看", "导出"), "en": ("Viewed", "Exported")}[lang]
    assert any("looker-510104" in row and looked in row for row in rows(answer))
    assert any("looker-510104" in row and exported in row for row in rows(answer))
    asked = {"zh": "请求带姓名的文件", "en": "Asked for a file with names"}[lang]
    assert sum(asked in row for row in rows(answer)) == 1, (
        "its row may stand there; not in that of another kindergarten"
    )
    assert "安娜" not in answer.text


def test_the_link_to_the_trail_stands_on_the_desk(area):
    links = [link["href"] for link in BeautifulSoup(area.get("/officials/2026").text, "lxml").select("main nav a")]
    assert "/officials/2026/audit" in links


def test_nothing_of_another_area_is_read_whatever_is_asked(area, town):
    """A code, an id, a subject, an account, a page: another area's child gives the same answer as an unknown one."""
    asked = [
        {"number": town.ben.registration_code},
        {"number": str(town.ben.id)},
        {"number": str(town.ben.child_id)},
        {"subject": "child", "number": str(town.ben.child_id)},
        {"number": str(town.other.id)},
        {"person": "looker-gxq"},
    ]
    for query in asked:
        assert rows(area.get("/officials/2026/audit", query_string=query)) == [], query
    everything = area.get("/officials/2026/audit").text
    assert "looker-510104" in everything
    assert "looker-gxq" not in everything
    assert town.ben.registration_code not in everything


def test_acts_for_the_whole_city_are_not_read(area, town):
    city = town.city_official()
    for subject, subject_id in (("round", town.ana.id), ("account", city.account_id), ("season", 2026)):
        audit.record(town.session, "view", subject, subject_id, by=city, now=town.now)
    digest = "ab" * 32
    audit.record(town.session, "import", "roll_children", digest, by=city, now=town.now)
    audit.record(town.session, "view", "kindergarten", "not an id", by=city, now=town.now)
    town.session.commit()
    for query in ({}, {"subject": "round"}, {"subject": "account"}, {"subject": "season"}, {"number": digest}):
        subjects = " ".join(rows(area.get("/officials/2026/audit", query_string=query)))
        assert not any(word in subjects for word in ("招生年度", "批次", digest[:8])), query


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_kindergartens_of_the_area_belong_to_it(area, town, lang):
    found = rows(area.get("/officials/2026/audit", query_string={"lang": lang, "number": str(town.garden.id)}))
    assert any("looker-510104" in row for row in found)


def test_the_whole_chain_and_signed_papers_stay_with_the_city(area):
    assert area.get("/officials/2026/audit/chain").status_code == 403
    assert "/officials/2026/audit/chain" not in area.get("/officials/2026/audit").text


def test_looking_into_the_trail_is_recorded_with_the_child(area, town):
    area.get("/officials/2026/audit", query_string={"number": town.ben.registration_code})
    looked = select(AuditEntry).where(AuditEntry.subject == "audit_trail")
    entry = town.session.scalars(looked.order_by(AuditEntry.number.desc())).first()
    assert (entry.account_id, entry.subject_id, entry.details["lines"]) == (
        town.official.account_id,
        str(town.ben.id),
        0,
    )


def test_a_child_that_was_given_to_a_kindergarten_elsewhere_leaves_the_area(area, town):
    town.ana.review_kindergarten_id = town.other.id
    town.session.commit()
    assert rows(area.get("/officials/2026/audit", query_string={"number": town.ana.registration_code})) == []
