"""A clerk sends an application back, or proposes its refusal: each item is named, and a second person agrees."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.applications import submission
from enrollment.applications.applications import Application
from enrollment.ground.jobs import Job
from enrollment.review import review
from enrollment.season.facts import Fact
from tests.portal.staff.review_desk import LANGUAGES, hand_in, open_season, sit_down, text_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


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
def test_sending_back_names_each_item(town, at_work, ana, here, another_client, portal_session, lang):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}/send-back"
    assert at_work.get(f"{path}?lang={lang}").status_code == 200
    nothing = fill_in(at_work, path)
    assert BeautifulSoup(nothing.text, "lxml").select_one(".govuk-error-summary") is not None
    asked = [box["name"] for box in BeautifulSoup(nothing.text, "lxml").select("input[type=checkbox]")]
    assert asked.index("item-home_place") < asked.index("item-hukou_booklet"), "a mismatch stands before what is there"
    ticked = BeautifulSoup(at_work.get(f"{path}?item=home_place").text, "lxml").select("input[type=checkbox][checked]")
    assert [box["name"] for box in ticked] == ["item-home_place"], "what the clerk judged so is ticked already"
    silent = fill_in(at_work, path, **{"item-hukou_booklet": "y"})
    assert BeautifulSoup(silent.text, "lxml").select_one("[id='note-hukou_booklet-error']") is not None
    more = {"item-home_place": "y", "phrase-home_place": "to_the_room"}  # a sentence is enough
    sent = fill_in(
        at_work, path, **more, **{"note-hukou_booklet": "缺幼儿本人页"}
    )  # a note asks for its item, ticked or not
    assert sent.status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "returned"
    assert f'<a href="/staff/applications/{ana.id}">' in at_work.get("/staff/queue").text, "the way to take it back"
    undo = f"/staff/applications/{ana.id}/send-back/undo"
    assert fill_in(at_work, f"/staff/applications/{ana.id}", undo).status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "in_review"
    fill_in(at_work, path, **more, **{"note-hukou_booklet": "缺幼儿本人页"})
    returned = at_work.get(f"/staff/applications/{ana.id}?lang={lang}").text
    sentence = {"zh": "请写到室号。", "en": "Please give the room number too."}
    assert "缺幼儿本人页" in returned and sentence[lang] in returned
    family = sign_in(another_client(), town.parent_of(ana).account_id)
    for theirs in LANGUAGES:  # whatever language the clerk reads
        assert sentence[theirs] in family.get(f"/parents/applications/{ana.id}?lang={theirs}").text
    submission.submit(portal_session, ana.id, by=town.parent_of(ana), now=town.now + dt.timedelta(hours=1))
    portal_session.get(Application, ana.id).review_kindergarten_id = ana.review_kindergarten_id = here.id  # as it was
    portal_session.commit()
    (asked,) = portal_session.scalars(select(Job).where(Job.kind == "ask_registers"))
    assert asked.args == {"application": str(ana.id)}, "the registers are asked again at once"
    meanwhile = at_work.get(f"/staff/applications/{ana.id}?lang={lang}").text
    answered = BeautifulSoup(meanwhile, "lxml").select(".answered li")
    assert len(answered) == 2 and all(item.select_one(".tag.warn") for item in answered), "STF14: what is still missing"
    assert ("部门核对中" if lang == "zh" else "The registers are being asked") in meanwhile


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_day_that_a_clerk_chooses_is_on_every_page_and_in_the_calendar(
    town, at_work, ana, here, another_client, portal_session, frozen_clock, lang
):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}/send-back"
    page = BeautifulSoup(at_work.get(f"{path}?lang={lang}").text, "lxml")
    offered = page.select("input[name=answer_by]")
    suggested, last = next(each["value"] for each in offered if each.has_attr("checked")), offered[-1]["value"]
    assert page.select(".times .late s") and last == "2026-06-03T18:00:00+08:00", (
        "a day after the review stands struck out"
    )
    assert suggested == "2026-05-30T21:00:00+08:00"
    yesterday = fill_in(
        at_work, path, **{"note-hukou_booklet": "缺幼儿本人页", "answer_by": "2026-05-29T21:00:00+08:00"}
    )
    refused = BeautifulSoup(yesterday.text, "lxml")
    assert refused.select_one(".answer-times .govuk-error-message") is not None
    assert refused.select_one("#note-hukou_booklet")["value"] == "缺幼儿本人页", "nothing typed is lost"
    assert fill_in(at_work, path, **{"note-hukou_booklet": "缺幼儿本人页", "answer_by": suggested}).status_code == 303
    assert ("家长补到 明天 21:00" if lang == "zh" else "Family answers by tomorrow 21:00") in text_of(
        at_work.get("/staff/queue?group=returned")
    )
    portal_session.expire_all()
    family = sign_in(another_client(), town.parent_of(ana).account_id)
    told = text_of(family.get(f"/parents/applications/{ana.id}?lang={lang}"))
    assert ("5月30日 21:00" if lang == "zh" else "30 May, 21:00") in told
    dated = family.get(f"/parents/applications/{ana.id}/calendar/returned.ics").text
    assert "DTEND:20260530T130000Z" in dated and ana.child.name not in dated
    frozen_clock.set(dt.datetime.fromisoformat(suggested))
    assert family.get(f"/parents/applications/{ana.id}/calendar/returned.ics").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refusal_needs_a_rule_and_a_second_person(town, at_work, ana, here, another_client, portal_session, lang):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}/refuse"
    rules = BeautifulSoup(at_work.get(path).text, "lxml").select("input[name=rule]")
    assert [each["value"] for each in rules] == ["falsehood"], "the child's age fits, and nobody else applied for it"
    at_work.get(f"{path}?lang={lang}")
    empty = fill_in(at_work, path)
    assert BeautifulSoup(empty.text, "lxml").select_one("#rule-error") is not None
    said = {"rule": "falsehood", "clause": "第四条", "explanation": "户口簿系伪造"}
    unnamed = fill_in(at_work, path, **said)
    assert BeautifulSoup(unnamed.text, "lxml").select_one("#fact-error") is not None
    assert fill_in(at_work, path, **said, fact="hukou_booklet").status_code == 303
    held = BeautifulSoup(at_work.get(f"/staff/applications/{ana.id}").text, "lxml")
    assert held.select('[data-key="Enter"], [data-key="r"]') == [], "nothing else can be done meanwhile"
    listed = at_work.get(f"/staff/refusals?lang={lang}")
    assert "户口簿系伪造" in listed.text
    assert not BeautifulSoup(listed.text, "lxml").select("main form")
    head = sign_in(another_client(), town.head_of(here).account_id)
    page = head.get(f"/staff/refusals?lang={lang}")
    action = BeautifulSoup(page.text, "lxml").select_one("main form")["action"]
    assert head.post(action, data=hidden_fields(page.text, action)).status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "refused"
    assert "户口簿系伪造" not in head.get("/staff/refusals").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whoever_proposed_a_refusal_reads_that_it_lapsed(town, at_work, ana, here, clerk, another_client, lang):
    proposal = town.clerk_proposes_refusal(ana, by=clerk, fact="sibling_at")
    town.the_round.closes_at = town.now + dt.timedelta(days=1)
    town.session.commit()
    head = sign_in(another_client(), town.head_of(here).account_id)
    seen = head.get("/staff/refusals")
    action = BeautifulSoup(seen.text, "lxml").select_one("main form")["action"]
    town.claim(ana, {})
    town.session.commit()
    stale = head.post(action, data=hidden_fields(seen.text, action))
    assert "已作废" in text_of(stale), "the second person confirms nothing that the family has changed"
    assert not BeautifulSoup(head.get("/staff/refusals").text, "lxml").select("main form")
    town.session.refresh(proposal)
    assert proposal.is_lapsed and ana.stage == "submitted"
    lapsed = {"zh": "您提出过、已作废的", "en": "Your proposals that have lapsed"}[lang]
    said = text_of(at_work.get(f"/staff/refusals?lang={lang}"))
    assert lapsed in said and ana.registration_code in said
    assert "您提出过、已作废的" not in text_of(head.get("/staff/refusals"))
    shown = text_of(at_work.get(f"/staff/applications/{ana.id}?lang={lang}"))
    assert {"zh": "提议已作废", "en": "the proposal has lapsed"}[lang] in shown
    counted = text_of(at_work.get(f"/staff/reports/refusals?lang={lang}"))
    assert {"zh": "家长改了申请，提议作废", "en": "lapsed: the family changed the application"}[lang] in counted


def test_a_ground_that_the_family_changed_after_a_return_is_judged_anew(town, at_work, ana, clerk):
    town.clerk_takes(ana, by=clerk)
    found = [review.Finding(Fact.SIBLING_AT, town.there.code), review.Finding(Fact.HOME_PLACE, reason="合同不符")]
    review.verify(town.session, ana.id, found, by=clerk, now=town.now)
    review.send_back(town.session, ana.id, [review.Ask("other", "再看一遍")], by=clerk, now=town.now)
    town.claim(ana, {"elder_sibling": town.here})
    town.submit(ana)
    town.clerk_takes(ana, by=clerk)
    town.session.commit()
    page = BeautifulSoup(at_work.get(f"/staff/applications/{ana.id}").text, "lxml")
    assert page.select("[name=sibling_at]") and not page.select("[name=sibling_at][checked]"), "nobody has judged it"
    assert page.select("[name=home_place][value=declined][checked]"), "what was not changed stays judged"
