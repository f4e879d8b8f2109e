"""The staff desk's review, page by page, in both languages."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sqlalchemy import select

from enrollment.applications import register_answers, submission
from enrollment.applications.applications import Application
from enrollment.applications.register_answers import Answer
from enrollment.eligibility import evidence
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.audit import AuditEntry
from enrollment.ground.jobs import Job
from enrollment.people import consents
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import Fact
from tests.support.signing_in import fill_in, hidden_fields, sign_in

LANGUAGES = ["zh", "en"]


@pytest.fixture
def here(town, frozen_clock):
    town.here = town.kindergarten("锦官新城幼儿园", places=10)
    town.there = town.kindergarten("小蜜蜂幼儿园", places=10)
    town.open_registration()
    return town.here


@pytest.fixture
def ana(town, here):
    family = town.family("李")
    town.consent(family, consents.REGISTER_CHECK)
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


@pytest.fixture
def clerk(town, here):
    return town.clerk_of(here)


@pytest.fixture
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
    assert "李**" in queue.text
    assert ("1 处不一致" if lang == "zh" else "Mismatches: 1") in text_of(queue)
    for only in ("mismatch", "matched", "answered", "old"):
        listed = at_work.get(f"/staff/queue?only={only}&lang={lang}")
        assert (ana.registration_code in listed.text) == (only in ("mismatch", "old")) or only == "old"
    for state in ("mine", "others", "returned", "confirmed", "nonsense"):
        assert at_work.get(f"/staff/queue?state={state}&lang={lang}").status_code == 200


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
    rows = BeautifulSoup(page.text, "lxml").select("table.facts tbody tr")
    assert "春熙路街道" in rows[0].get_text(), "the mismatch comes first"
    assert "warn" in rows[0]["class"]
    assert rows[1].select_one("fieldset.finding"), "and is open to be settled"
    assert "小蜜蜂幼儿园" not in text_of(page).split("核实后的优先级")[-1] if lang == "zh" else True
    wishes = BeautifulSoup(page.text, "lxml").select("table")[1].get_text()
    assert "锦官新城幼儿园" in wishes
    assert "小蜜蜂幼儿园" not in wishes, "the other wishes are nobody's business here"


def test_confirming_with_what_was_chosen_goes_on_to_the_next(at_work, ana, portal_session):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}"
    form = chosen_before(at_work.get(path).text)
    assert "home_place" not in form, "what a register contradicts is chosen by the clerk"
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


def test_a_register_mismatch_without_a_page_is_verified_only_with_a_reason_and_as_a_decision_of_the_staff(
    at_work, ana, town, client, portal_session
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
    assert (found["home_place"].source, found["home_place"].reason) == ("staff", "租赁合同原件在窗口看过")
    assert found["sibling_at"].source == "paper", "the booklet shows siblings"
    page = sign_in(client, town.parent_of(ana).account_id).get(f"/parents/applications/{ana.id}/findings")
    home = next(card for card in BeautifulSoup(page.text, "lxml").select("section.card") if "春熙路街道" in card.text)
    assert "工作人员认定" in home.text and "租赁合同原件在窗口看过" in home.text
    assert "证明材料" not in home.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sending_back_names_each_item(town, at_work, ana, here, portal_session, lang):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}/send-back"
    assert at_work.get(f"{path}?lang={lang}").status_code == 200
    nothing = fill_in(at_work, path)
    assert BeautifulSoup(nothing.text, "lxml").select_one(".govuk-error-summary") is not None
    asked = [box["name"] for box in BeautifulSoup(nothing.text, "lxml").select("input[type=checkbox]")]
    assert asked.index("item-home_place") < asked.index("item-hukou_booklet"), "a mismatch stands before what is there"
    silent = fill_in(at_work, path, **{"item-hukou_booklet": "y"})
    assert BeautifulSoup(silent.text, "lxml").select_one("[id='note-hukou_booklet-error']") is not None
    sent = fill_in(at_work, path, **{"note-hukou_booklet": "缺幼儿本人页"})  # a note asks for its item, ticked or not
    assert sent.status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "returned"
    assert "缺幼儿本人页" in at_work.get(f"/staff/applications/{ana.id}?lang={lang}").text
    submission.submit(portal_session, ana.id, by=town.parent_of(ana), now=town.now + dt.timedelta(hours=1))
    portal_session.get(Application, ana.id).review_kindergarten_id = ana.review_kindergarten_id = here.id  # as it was
    portal_session.commit()
    (asked,) = portal_session.scalars(select(Job).where(Job.kind == "ask_registers"))
    assert asked.args == {"application": str(ana.id)}, "the registers are asked again at once"
    meanwhile = at_work.get(f"/staff/applications/{ana.id}?lang={lang}").text
    assert ("部门核对中" if lang == "zh" else "The registers are being asked") in meanwhile


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refusal_needs_a_rule_and_a_second_person(town, at_work, ana, here, another_client, portal_session, lang):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    path = f"/staff/applications/{ana.id}/refuse"
    at_work.get(f"{path}?lang={lang}")
    empty = fill_in(at_work, path)
    assert BeautifulSoup(empty.text, "lxml").select_one("#rule-error") is not None
    assert fill_in(at_work, path, rule="falsehood", explanation="户口簿系伪造").status_code == 303
    assert "data-key" not in at_work.get(f"/staff/applications/{ana.id}").text, "nothing else can be done meanwhile"
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
    assert "/staff/queue/matched" in at_work.get("/staff/queue").text
    listed = at_work.get("/staff/queue/matched?lang=zh").text
    assert ana.registration_code in listed and "确认这 1 份" in listed and ana.child.name not in listed
    assert fill_in(at_work, "/staff/queue/matched", listed="").status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, ana.id).stage == "submitted", "what no page listed is not confirmed"
    done = fill_in(at_work, "/staff/queue/matched")
    assert done.status_code == 303
    assert "1 份" in at_work.get("/staff/queue").text
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


def test_a_colleague_sees_that_it_is_taken_and_cannot_touch_it(town, at_work, ana, here, another_client):
    fill_in(at_work, "/staff/queue", "/staff/queue/next")
    colleague = sign_in(another_client(), town.clerk_of(here).account_id)
    path = f"/staff/applications/{ana.id}"
    page = colleague.get(path)
    assert "同事正在审核" in page.text
    assert "李沐晨" not in page.text
    released = fill_in(at_work, path, f"{path}/release")
    assert released.status_code == 303
    assert fill_in(colleague, path, f"{path}/take").status_code == 303
    assert "李沐晨" in colleague.get(path).text


def test_the_queue_stays_one_page_long_however_many_wait(town, here, clerk, client, frozen_clock):
    """Fifty lines and a number of queries that does not grow with the queue."""
    from sqlalchemy import event, insert

    ana = town.child("李沐晨", wishes=[here])
    template = {column.name: getattr(ana, column.name) for column in Application.__table__.columns}
    import uuid

    from enrollment.people.person_rows import Child

    child = town.session.get(Child, ana.child_id)
    kept = {column.name: getattr(child, column.name) for column in Child.__table__.columns}
    children = [kept | {"id": uuid.uuid4(), "id_index": bytes(28) + n.to_bytes(4, "big")} for n in range(2000)]
    town.session.execute(insert(Child), children)
    rows = [
        template
        | {
            "id": uuid.uuid4(),
            "child_id": child["id"],
            "registration_code": f"T-{n}",
            "child_code": f"c{n}",
            "family_code": f"f{n}",
        }
        for n, child in enumerate(children)
    ]
    town.session.execute(insert(Application), rows)
    town.registration_is_over()
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, clerk.account_id)
    statements = []
    event.listen(town.session.get_bind(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    page = client.get("/staff/queue")
    assert len(BeautifulSoup(page.text, "lxml").select("table tbody tr")) == 50
    assert len(statements) < 25
    assert "第 1 / 41 页" in page.text
    assert len(BeautifulSoup(client.get("/staff/queue?page=41").text, "lxml").select("table tbody tr")) == 1
    assert town.session.scalar(select(Kindergarten.name).where(Kindergarten.id == here.id)) == "锦官新城幼儿园"
