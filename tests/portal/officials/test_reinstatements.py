"""An appeal in the family's favour leads to the two signatures that put the child back into the review."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.ground.outbox import Notice
from enrollment.offers import family_requests
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review import duplicates, refusals
from enrollment.season.calendar import Season
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

WHY = "户口簿原件与登记一致"
SIGNED = {"reason": WHY, "sure": "y"}


@prepared
def appealed(town, client, frozen_clock):
    garden = town.kindergarten("锦官园", places=2)
    town.ana = town.child("安娜", wishes=[garden])
    proposal = town.clerk_proposes_refusal(town.ana)
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(garden), now=town.now)
    town.case = family_requests.ask(
        town.session, town.ana.id, "appeal", text="登记属实", by=town.parent_of(town.ana), now=town.now
    )
    town.first, town.second = town.area_official("510104"), town.city_official()
    town.elsewhere = town.area_official("510105")
    town.path = f"/officials/2026/cases/reinstatements/{town.ana.id}"
    frozen_clock.set(town.now)
    town.session.commit()
    return town


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_settled_appeal_leads_to_two_signatures(appealed, client, another_client, portal_session, lang):
    town = appealed
    sign_in(client, town.first.account_id)
    case = f"/officials/2026/cases/{town.case.id}"
    assert town.path in client.get(f"{case}?lang={lang}").text
    settled = fill_in(client, case, outcome="settled", reason="属实", answer="核对后属实", sure="y")
    assert (settled.status_code, settled.location) == (303, town.path)
    assert WHY not in client.get(town.path).text
    assert fill_in(client, town.path, sure="y").status_code == 200, "a reason is needed"
    assert fill_in(client, town.path, **SIGNED).status_code == 303
    assert "sure" not in client.get(town.path).text, "and this person signs once"

    other = sign_in(another_client(), town.second.account_id)
    other.get(f"/officials/2026/?lang={lang}")
    assert "/cases/reinstatements" in other.get("/officials/2026/").text, "the home page asks for the second person"
    assert town.path in other.get("/officials/2026/cases/reinstatements").text
    assert WHY in other.get(town.path).text
    assert fill_in(other, town.path, **SIGNED).status_code == 303
    portal_session.refresh(found := portal_session.merge(town.ana))
    assert found.stage == "submitted"
    told = select(Notice.account_id).where(Notice.kind == "application_reinstated")
    assert portal_session.scalars(told).all() == [town.ana.entered_by]


def test_a_page_that_showed_no_first_signature_is_shown_again(appealed, client, another_client, portal_session):
    town = appealed
    sign_in(client, town.first.account_id)
    other = sign_in(another_client(), town.second.account_id)
    old, mine = (hidden_fields(each.get(town.path).text) for each in (other, client))
    fill_in(client, town.path, **SIGNED)
    shown = other.post(town.path, data=old | SIGNED)
    assert shown.status_code == 409 and shown.text.count(WHY) >= 2
    assert portal_session.merge(town.ana).stage == "refused"
    assert other.post(town.path, data=hidden_fields(shown.text) | SIGNED).status_code == 303
    late = client.post(town.path, data=mine | SIGNED)
    assert late.status_code == 200 and "不用恢复" in late.text


def test_who_signed_in_another_tab_is_not_told_to_save_again(appealed, client):
    town = appealed
    sign_in(client, town.first.account_id)
    old = hidden_fields(client.get(town.path).text)
    fill_in(client, town.path, **SIGNED)
    late = client.post(town.path, data=old | SIGNED | {"reason": "第二个标签页"})
    assert late.status_code == 409
    assert "第二个标签页" in late.text and "仍在下面" not in late.text and "打开最新的页面" in late.text


def test_another_area_finds_nothing(appealed, client):
    town = appealed
    sign_in(client, town.elsewhere.account_id)
    assert client.get(town.path).status_code == 404
    searched = client.get(f"/officials/2026/cases/reinstatements?code={town.ana.registration_code}")
    assert town.path not in searched.text


@prepared
def refused_draft(town, frozen_clock):
    """The father's draft, without a wish, was taken for the mother's entry; he appeals."""
    garden, born = town.kindergarten("锦官园", places=2), dt.date(2022, 12, 10)
    town.draft = town.child("安娜", born=born)
    town.child("安娜", born=born, wishes=[garden])
    hint = town.session.scalars(select(DuplicateHint)).one()
    for by in (town.clerk_of(garden), town.head_of(garden)):
        duplicates.judge(town.session, hint.id, verdict="same", reason="同一本户口簿", by=by, now=town.now)
    town.session.refresh(town.draft)
    town.case = family_requests.ask(
        town.session, town.draft.id, "appeal", text="是两个孩子", by=town.parent_of(town.draft), now=town.now
    )
    town.first, town.second = town.area_official("510104"), town.area_official("510104")
    town.path = f"/officials/2026/cases/reinstatements/{town.draft.id}"
    frozen_clock.set(town.now)
    town.session.commit()
    return town


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_appeal_of_a_draft_leads_officials_of_its_home_to_the_signatures(
    refused_draft, client, another_client, portal_session, lang
):
    town = refused_draft
    sign_in(client, town.first.account_id)
    case = f"/officials/2026/cases/{town.case.id}"
    assert town.path in client.get(f"{case}?lang={lang}").text
    settled = fill_in(client, case, outcome="settled", reason="属实", answer="核对后属实", sure="y")
    assert (settled.status_code, settled.location) == (303, town.path)
    shown = client.get(town.path).text
    assert town.draft.registration_code in shown
    assert ("这份申请没有提交过" if lang == "zh" else "This application was never handed in") in shown
    assert fill_in(client, town.path, **SIGNED).status_code == 303
    other = sign_in(another_client(), town.second.account_id)
    assert fill_in(other, town.path, **SIGNED).status_code == 303
    listed = other.get(f"/officials/2026/cases/reinstatements?lang={lang}").text
    assert "由家庭检查后提交" in listed or "its family checks it" in listed
    assert portal_session.get(Application, town.draft.id).stage == "draft"


def test_an_appeal_of_a_closed_year_leads_to_no_signature(refused_draft, client):
    town = refused_draft
    town.session.get_one(Season, 2026).closed_at = town.now
    town.session.commit()
    sign_in(client, town.first.account_id)
    case = f"/officials/2026/cases/{town.case.id}"
    assert town.path not in client.get(case).text
    settled = fill_in(client, case, outcome="settled", reason="属实", answer="核对后属实", sure="y")
    assert settled.status_code == 303 and town.path not in settled.location
    assert "sure" not in client.get(town.path).text and "已经结束" in client.get(town.path).text
