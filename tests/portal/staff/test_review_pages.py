"""The staff desk's review, page by page, in both languages."""

import io
import uuid

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from pypdf import PdfWriter
from sqlalchemy import insert, select

from enrollment.applications.applications import Application
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.eligibility import evidence
from enrollment.eligibility.claims import VerifiedFact
from enrollment.ground.audit import AuditEntry
from enrollment.people.household_rows import Household
from tests.portal.staff.review_desk import LANGUAGES, hand_in, open_season, sit_down, text_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.statements import counted
from tests.support.worker import let_the_worker_work


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
    assert "这份申请已经不在您手上" in late.text
    assert "再保存一次" not in late.text  # it is the colleague's: nothing on this page saves


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


def test_a_masked_case_is_shown_for_a_reason_that_is_kept(at_work, ana, portal_session):
    """Who has not taken the application sees no name and no telephone number, until a reason stands in the trail."""
    path = f"/staff/applications/{ana.id}"
    masked = at_work.get(path).text
    assert ana.child.name not in masked and "李*晨" in masked
    silent = fill_in(at_work, path, f"{path}/unmask", **{"unmask-reason": " "})
    assert ana.child.name not in silent.text and "请写明原因" in silent.text
    acts = select(AuditEntry).where(AuditEntry.act == "unmask")
    assert portal_session.scalars(acts).all() == []
    shown = fill_in(at_work, path, f"{path}/unmask", **{"unmask-reason": "家长在电话上"})
    assert ana.child.name in shown.text
    (entry,) = portal_session.scalars(acts)
    assert (entry.subject_id, entry.reason) == (str(ana.id), "家长在电话上")
    assert ana.child.name not in at_work.get(path).text, "once"
