"""The staff desk's review, page by page, in both languages."""

import datetime as dt
import io
import secrets
import uuid

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from pypdf import PdfWriter
from sqlalchemy import insert, select

from enrollment.applications import register_answers, submission
from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.register_answers import Answer, RegisterAnswer
from enrollment.eligibility import evidence
from enrollment.eligibility.claims import Claim, VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.audit import AuditEntry
from enrollment.ground.jobs import Job
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child
from enrollment.season.facts import Fact
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.statements import counted
from tests.support.worker import let_the_worker_work

LANGUAGES = ["zh", "en"]


@prepared
def here(town, frozen_clock):
    town.here = town.kindergarten("锦官新城幼儿园", places=10)
    town.there = town.kindergarten("小蜜蜂幼儿园", places=10)
    town.open_registration()
    return town.here


@prepared
def ana(town, here):
    family = town.family("李")
    town.agree_to_registers(family)
    ana = town.child("李沐晨", family=family, wishes=[town.there, here], grounds={"elder_sibling": town.there})
    ana.review_kindergarten_id = here.id
    photo = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(photo, "PNG")
    evidence.add_pages(town.session, ana.id, "hukou_booklet", [photo.getvalue()], by=town.parent_of(ana), now=town.now)
    ana.review_kindergarten_id = here.id
    answers = [
        Answer(ana.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(town.session, ana.id).items()
        if fact != Fact.HOME_PLACE
    ]
    answers += [Answer(ana.id, "home_place", "property", "differs", {"street": "春熙路街道"})]
    answers += [Answer(ana.id, "vaccination", "vaccination", "matches")]
    register_answers.note(town.session, answers, now=town.now)
    return ana


@prepared
def clerk(town, here):
    return town.clerk_of(here)


@prepared
def at_work(town, ana, clerk, client, frozen_clock):
    """The clerk's browser, on the evening when registration has closed."""
    town.registration_is_over()
    frozen_clock.set(town.now)
    town.session.commit()
    return sign_in(client, clerk.account_id)


def text_of(response) -> str:
    return " ".join(BeautifulSoup(response.text, "lxml").find("main").get_text(" ").split())


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


@pytest.mark.parametrize("lang", LANGUAGES)
def test_claim_register_and_finding_stand_side_by_side(at_work, ana, lang):
    before = at_work.get(f"/staff/applications/{ana.id}?lang={lang}")
    assert "李沐晨" not in before.text, "the name is shown to the clerk who took it"
    assert "三圣街道 8 号" not in before.text
    assert fill_in(at_work, "/staff/queue", "/staff/queue/next").headers["Location"].endswith(str(ana.id))
    page = at_work.get(f"/staff/applications/{ana.id}?lang={lang}")
    assert "李沐晨" in page.text
    assert "三圣街道 8 号" in page.text
    facts = BeautifulSoup(page.text, "lxml").select("fieldset.fact[data-fact]")
    assert [fact["data-fact"] for fact in facts] == ["home_place"], (
        "the mismatch stands alone; what agrees is folded away"
    )
    assert "春熙路街道" in facts[0].get_text() and "warn" in facts[0]["class"]
    assert facts[0].select("input[data-digit]"), "and is open to be judged"
    tiers = BeautifulSoup(page.text, "lxml").select(".tier")
    assert ["锦官新城幼儿园" in tier.get_text() for tier in tiers] == [True]
    assert "小蜜蜂幼儿园" not in tiers[0].get_text(), "the other wishes are nobody's business here"


def test_confirming_with_what_was_chosen_goes_on_to_the_next(at_work, ana, portal_session):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    form = chosen_before(at_work.get(path).text)
    assert "home_place" not in form, "what a register contradicts is chosen by the clerk"
    preview = fill_in(at_work, path, f"{path}/facts", act="recount", home_place="register", **form)
    assert "第 1 优先级" in preview.text or "优先级" in preview.text
    missing = fill_in(at_work, path, f"{path}/facts", act="confirm", **form)
    assert missing.status_code == 200
    assert "还有 1 项没有核实" in missing.text
    done = fill_in(at_work, path, f"{path}/facts", act="confirm", home_place="register", **form)
    assert done.headers["Location"].endswith("/staff/queue"), "nothing else waits"
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "confirmed"
    found = portal_session.get(VerifiedFact, (ana.id, "home_place"))
    assert (found.value, found.source) == ({"street": "春熙路街道"}, "register")
    assert portal_session.get(VerifiedFact, (ana.id, "sibling_at")).source == "roll"


def chosen_before(html: str) -> dict[str, str]:
    page = BeautifulSoup(html, "lxml")
    return {radio["name"]: radio["value"] for radio in page.select("#facts input[type=radio][checked]")}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_saving_declining_and_entering_another_value(at_work, ana, portal_session, lang):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    at_work.get(f"{path}?lang={lang}")
    without_reason = fill_in(at_work, path, f"{path}/facts", act="save", sibling_at="declined")
    assert without_reason.status_code == 200
    assert BeautifulSoup(without_reason.text, "lxml").select_one("#sibling_at-error") is not None
    odd = fill_in(at_work, path, f"{path}/facts", act="save", hukou_area="other", **{"other-hukou_area": "nowhere"})
    assert BeautifulSoup(odd.text, "lxml").select_one("#hukou_area-error") is not None
    saved = fill_in(
        at_work,
        path,
        f"{path}/facts",
        act="save",
        sibling_at="declined",
        hukou_area="other",
        home_place="other",
        born="other",
        **{
            "reason-sibling_at": "名册上没有",
            "other-hukou_area": "510105",
            "reason-home_place": "家访看过",
            "other-home_place-street": "春熙路街道",
            "other-home_place-estate": "锦城苑",
            "other-born": "2023-01-31",
        },
    )
    assert saved.status_code == 303, text_of(saved)
    portal_session.expire_all()
    found = {row.fact: row for row in portal_session.scalars(select(VerifiedFact))}
    assert (found["sibling_at"].outcome, found["sibling_at"].reason) == ("declined", "名册上没有")
    assert found["hukou_area"].value == "510105"
    assert found["home_place"].value == {"street": "春熙路街道", "estate": "锦城苑"}
    assert found["born"].value == "2023-01-31"
    page = at_work.get(f"{path}?lang={lang}")
    assert "名册上没有" in page.text
    assert chosen_before(page.text)["hukou_area"] == "other"


def test_stf01_a_register_mismatch_without_a_page_needs_a_reason_and_a_second_person(
    at_work, ana, town, here, client, another_client, portal_session
):
    """A page of the booklet proves nothing about the home."""
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    refused = fill_in(at_work, path, f"{path}/facts", act="save", home_place="claimed")
    assert "请写明核实的理由" in BeautifulSoup(refused.text, "lxml").select_one("#home_place-error").text
    said = {"home_place": "claimed", "reason-home_place": "租赁合同原件在窗口看过", "sibling_at": "other"}
    said["other-sibling_at"] = town.there.code
    assert fill_in(at_work, path, f"{path}/facts", act="confirm", **said).status_code == 303
    portal_session.expire_all()
    found = {row.fact: row for row in portal_session.scalars(select(VerifiedFact))}
    home = found["home_place"]
    assert (home.source, home.reason, home.needs_second) == ("staff", "租赁合同原件在窗口看过", True)
    assert found["sibling_at"].source == "paper", "the booklet shows siblings"
    assert portal_session.get(Application, ana.id).stage == "submitted", "it waits for a second person"
    second = f"{path}/second/home_place"
    own = hidden_fields(at_work.get(path).text)
    assert "是您提出的" in at_work.post(second, data={**own, "agreed": "yes"}).text
    colleague = sign_in(another_client(), town.clerk_of(here).account_id)
    assert fill_in(colleague, path, second, agreed="yes").status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "confirmed"
    page = sign_in(client, town.parent_of(ana).account_id).get(f"/parents/applications/{ana.id}/findings")
    home = next(card for card in BeautifulSoup(page.text, "lxml").select("section.card") if "春熙路街道" in card.text)
    assert "工作人员认定" in home.text and "租赁合同原件在窗口看过" in home.text
    assert "证明材料" not in home.text


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


def test_applications_that_agree_with_all_registers_are_confirmed_in_bulk(at_work, ana, portal_session):
    answers = [
        Answer(ana.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(portal_session, ana.id).items()
    ]
    from portal.web.clock import real_now

    register_answers.note(portal_session, answers, now=real_now())
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


def test_papers_are_opened_for_the_reviewer_marked_and_sandboxed(town, at_work, ana, another_client, portal_session):
    page_id = next(iter(evidence.pages_of(portal_session, ana.id).values()))[0].id
    path = f"/staff/applications/{ana.id}/papers/{page_id}"
    response = at_work.get(path)
    assert response.mimetype == "image/webp"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Content-Disposition"].startswith("inline; filename=")
    assert response.headers["Cache-Control"] == "no-store"
    assert len(Image.open(io.BytesIO(response.data)).getcolors(maxcolors=100000)) > 10, "the watermark is drawn into it"
    views = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "view_evidence")).all()
    assert [view.subject_id for view in views] == [str(ana.id)]
    stranger = sign_in(another_client(), town.clerk_of(town.there).account_id)
    assert stranger.get(path).status_code == 404
    assert at_work.get(f"/staff/applications/{ana.id}/papers/{ana.id}").status_code == 404


def test_every_view_of_a_record_is_audited(at_work, ana, clerk, portal_session):
    at_work.get(f"/staff/applications/{ana.id}")
    (view,) = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "view")).all()
    assert (view.subject, view.subject_id, view.account_id, view.reason) == (
        "application",
        str(ana.id),
        clerk.account_id,
        "review",
    )


def test_another_kindergartens_clerk_finds_nothing(town, at_work, ana, another_client):
    stranger = sign_in(another_client(), town.clerk_of(town.there).account_id)
    path = f"/staff/applications/{ana.id}"
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/send-back").status_code == 404
    assert stranger.get(f"{path}/refuse").status_code == 404
    token = BeautifulSoup(stranger.get("/staff/queue").text, "lxml").select_one("input[name=csrf_token]")["value"]
    for act in ("take", "release", "facts"):
        assert stranger.post(f"{path}/{act}", data={"csrf_token": token}).status_code == 404
    assert ana.registration_code not in stranger.get("/staff/queue").text


def test_stf02_a_colleague_sees_who_has_it_since_when_and_takes_over_with_a_reason(
    town, at_work, ana, here, another_client, portal_session
):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    colleague, head = sign_in(another_client(), town.clerk_of(here).account_id), another_client()
    path = f"/staff/applications/{ana.id}"
    page = colleague.get(path)
    assert " 在看" in text_of(page) and "还剩 20 分钟" in page.text
    assert "李沐晨" not in page.text
    assert "taken_by_another" not in page.text
    silent = fill_in(colleague, path, f"{path}/take-over")
    assert BeautifulSoup(silent.text, "lxml").select_one("#reason-error") is not None
    assert fill_in(colleague, path, f"{path}/take-over", reason="家长在窗口等").status_code == 303
    assert "李沐晨" in colleague.get(path).text
    lost = fill_in(at_work, path, f"{path}/notes", text="等一下")
    assert lost.status_code == 303, "a note is no act on the facts"
    mine = at_work.get(path)
    assert "家长在窗口等" in mine.text and "接手了这份申请" in mine.text
    sign_in(head, town.head_of(here).account_id)
    put_back = f"/staff/queue/{ana.id}/put-back"
    stale = hidden_fields(head.get("/staff/queue").text, put_back)
    other = sign_in(another_client(), town.clerk_of(here).account_id)
    fill_in(other, path, f"{path}/take-over", reason="接着看")
    assert head.post(put_back, data=stale).status_code == 303
    assert "已经不是这位老师在看了" in head.get("/staff/queue").text, "a colleague who has it now keeps it"
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "in_review"
    assert fill_in(head, "/staff/queue", put_back).status_code == 303
    assert fill_in(at_work, path, f"{path}/take").status_code == 303


def test_a_verdict_on_what_another_tab_has_changed_is_not_saved_over_it(at_work, ana, portal_session):
    """The clerk's older tab, and an answer of a register that came after the page: nothing is judged unseen."""
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    old = hidden_fields(at_work.get(path).text, f"{path}/facts")
    fill_in(at_work, path, f"{path}/facts", act="save", home_place="register")
    late = at_work.post(
        f"{path}/facts", data={**old, "act": "save", "home_place": "declined", "reason-home_place": "旧页"}
    )
    assert late.status_code == 409
    page = BeautifulSoup(late.text, "lxml")
    assert "春熙路街道" in page.select_one("[data-newer] dd").text
    assert page.select_one("#reason-home_place")["value"] == "旧页", "what was typed stays"
    portal_session.expire_all()
    assert portal_session.get(VerifiedFact, (ana.id, "home_place")).outcome == "verified"
    again = {
        **hidden_fields(late.text, f"{path}/facts"),
        "act": "save",
        "home_place": "declined",
        "reason-home_place": "旧页",
    }
    assert at_work.post(f"{path}/facts", data=again).status_code == 303
    portal_session.expire_all()
    assert portal_session.get(VerifiedFact, (ana.id, "home_place")).outcome == "declined"


def test_stf02_what_was_chosen_stays_on_the_page_when_a_colleague_took_over(town, at_work, ana, here, another_client):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    before = at_work.get(path)
    colleague = sign_in(another_client(), town.clerk_of(here).account_id)
    fill_in(colleague, path, f"{path}/take-over", reason="家长在窗口等")
    chosen = {"act": "confirm", "home_place": "declined", "reason-home_place": "合同过期"}
    late = at_work.post(f"{path}/facts", data={**hidden_fields(before.text, f"{path}/facts"), **chosen})
    assert late.status_code == 409
    assert "您刚才选的，没有保存" in late.text and "合同过期" in late.text


def test_a_pdf_of_the_family_is_read_sheet_by_sheet_beside_the_facts(
    town, at_work, ana, portal_engine, frozen_clock, another_client, portal_session
):
    writer, file = PdfWriter(), io.BytesIO()
    for _ in range(2):
        writer.add_blank_page(595, 842)
    writer.write(file)
    by = town.parent_of(ana)
    content, before = file.getvalue(), ana.created_at
    (page,) = evidence.add_pages(town.session, ana.id, "birth_certificate", [content], by=by, now=before)
    ana.review_kindergarten_id = town.here.id
    town.session.commit()
    path = f"/staff/applications/{ana.id}"

    def sheets() -> list:
        shown = BeautifulSoup(at_work.get(f"{path}?page={page.id}&sheet=2").text, "lxml")
        return shown.select(f".thumbs a[data-page^='{page.id}']")

    (as_file,) = sheets()
    assert as_file.has_attr("data-file"), "until it is drawn it is a download"
    assert let_the_worker_work(portal_engine, frozen_clock, ("draw_evidence",)) == ["done"]
    first, second = sheets()
    assert second.has_attr("aria-current") and not first.has_attr("data-file")
    sheet = at_work.get(second["data-address"])
    assert (sheet.mimetype, sheet.headers["Cache-Control"]) == ("image/webp", "no-store")
    assert len(Image.open(io.BytesIO(sheet.data)).getcolors(maxcolors=100000)) > 10, "the watermark is drawn into it"
    stranger = sign_in(another_client(), town.clerk_of(town.there).account_id)
    assert stranger.get(second["data-address"]).status_code == 404
    seen = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "view_evidence")).all()
    assert [entry.subject_id for entry in seen] == [str(ana.id)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hint_is_judged_on_the_case_page_and_a_stale_one_is_shown_again(town, at_work, ana, portal_session, language):
    town.session.get(Household, ana.id).home_address = "武侯区静安路 8 号"
    town.session.commit()
    at_work.get(f"/staff/?lang={language}")
    path = f"/staff/applications/{ana.id}"
    before = BeautifulSoup(at_work.get(path).text, "lxml").select_one("#hints")
    assert "武侯区" in before.text and not before.select("form")
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    page = BeautifulSoup(at_work.get(path).text, "lxml")
    key = page.select_one("#hints [name=key]")["value"]
    stale = fill_in(at_work, path, f"{path}/hints", key="00", verdict="explained", note="看过房产证")
    shown = BeautifulSoup(stale.text, "lxml")
    assert shown.select_one(".govuk-error-summary") and "看过房产证" in shown.select_one("#hints").text
    assert fill_in(at_work, path, f"{path}/hints", key=key, verdict="explained", note="看过房产证").status_code == 303
    with counted(portal_session) as statements:
        after = BeautifulSoup(at_work.get(path).text, "lxml").select_one("#hints")
    assert len(statements) <= 12
    assert "看过房产证" in after.text and "open" not in after.attrs


def test_stf18_the_case_page_asks_at_most_twelve_statements_with_thirty_pages(town, at_work, ana, portal_session):
    page = next(iter(evidence.pages_of(portal_session, ana.id).values()))[0]
    kept = {column.key: getattr(page, column.key) for column in EvidencePage.__table__.columns if column.key != "id"}
    rows = [kept | {"id": uuid.uuid4(), "original_digest": str(n)} for n in range(29)]
    portal_session.execute(insert(EvidencePage), rows)
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    assert len(BeautifulSoup(at_work.get(path).text, "lxml").select(".thumbs a")) == 30
    with counted(portal_session) as statements:
        assert at_work.get(path).status_code == 200
    assert len(statements) <= 12, "\n".join(statement[:150] for statement in statements)


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
    pages = ("/staff/queue", "/staff/queue?group=new", "/staff/queue?ground=elder_sibling", "/staff/queue?q=T-")
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
    assert max(counted_at[1].values()) <= 18, counted_at[1]
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
