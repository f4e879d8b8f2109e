"""A returned application is corrected after registration: saving leads to the check page."""

import datetime as dt
import io

from sqlalchemy import select

from enrollment.applications import evidence_rows, lifecycle
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility import return_times
from enrollment.ground.accounts import Account, actor_of
from portal.text import formats
from tests.portal.parents.desk import errors, hidden, page
from tests.portal.parents.test_error_handling import address
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper


@prepared
def returned(client, town, frozen_clock):
    """One of two bound twins was sent back; registration is over."""
    garden = town.kindergarten("金苹果", places=2)
    family = town.family("王")
    ana, ben = (town.child(name, family=family, wishes=[garden]) for name in ("安娜", "本本"))
    clerk = town.clerk_of(garden)
    ana.reviewer_id = clerk.account_id
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    lifecycle.make(town.session, ana, "send_back", by=clerk, now=town.now)
    asked = {"item": "hukou_booklet", "note": "请补首页", "asked_at": town.now, "asked_by": clerk.account_id}
    town.session.add(ReturnedItem(application_id=ana.id, **asked))
    town.session.commit()
    town.close_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    town.ben = ben
    return ana


def test_answers_after_registration_lead_to_the_check_with_its_day(client, returned):
    shown = page(client.get(address(returned, "evidence")))
    assert shown.select_one(".sticky a")["href"] == address(returned, "check")
    checked = page(client.get(address(returned, "check")))
    assert "随时修改" not in checked.get_text() and "名单在那以前不会冻结" in checked.get_text()
    changed = {link["href"].rpartition("/")[2].partition("?")[0] for link in checked.select("main section.card .row a")}
    assert "evidence" in changed and not changed & {"wishes", "together"}
    twins = page(client.get(address(returned, "together")))
    assert "截止前随时可以改" not in twins.get_text() and not twins.select("main form")
    fresh = hidden(client.get(address(returned, "check")))
    again = client.post(address(returned, "check"), data=fresh | {"true": "y", "without": "y"})
    assert again.headers["Location"] == address(returned, "receipts/2")
    assert not page(client.get(address(returned, "check"))).select("main section.card .row a")


def test_when_the_time_is_over_the_page_says_so(client, town, returned, frozen_clock):
    ends = return_times.answer_until(town.session, returned, returned_at=returned.returned_at)
    for seconds, said in ((-1, "名单在那以前不会冻结"), (0, "已过。名单冻结以前还可以补")):
        frozen_clock.set(ends + dt.timedelta(seconds=seconds))
        sign_in(client, returned.entered_by)
        assert said in client.get(f"/parents/applications/{returned.id}").text


def test_a_saved_page_leads_back_to_the_check(client, returned):
    answer = fill_in(client, address(returned, "grounds"))
    assert answer.headers["Location"] == address(returned, "check")


def test_what_was_handed_in_says_that_it_cannot_change(client, town, returned):
    said = client.get(address(town.ben, "household")).text
    assert "提交的内容不能再修改" in said and "修改立即生效" not in said


def papers_of(client, application):
    """The documents with an upload field on the evidence page, and the number of buttons that remove a page."""
    shown = page(client.get(address(application, "evidence")))
    offered = [field["value"] for field in shown.select("form[enctype] input[name=document]")]
    return offered, len(shown.select("form[action$='/remove']"))


def bring(client, application, document):
    sent = hidden(client.get(address(application, "evidence")), "form[enctype]") | {"document": document}
    photo = (io.BytesIO(photo_of_a_paper()), "a.jpg")
    path = address(application, "evidence")
    return client.post(path, data=sent | {"pages": photo}, content_type="multipart/form-data")


def test_a_paper_that_was_asked_for_is_not_left_out_in_silence(client, town, returned):
    path = address(returned, "check")
    shown = page(client.get(path)).main
    assert "老师请您补的 1 份材料还没有上传" in shown.get_text()
    assert shown.select_one(f"a[href='{address(returned, 'evidence')}#paper-hukou_booklet']")
    refused = client.post(path, data=hidden(client.get(path)) | {"true": "y"})
    assert refused.status_code == 200 and "仍然提交" in errors(refused)["without"]
    assert bring(client, returned, "hukou_booklet").status_code == 303
    assert "老师请您补的" not in page(client.get(path)).main.get_text().replace("只能补老师请您补的材料", "")
    assert client.post(path, data=hidden(client.get(path)) | {"true": "y"}).status_code == 303
    assert papers_of(client, returned) == ([], 0), "handed in with it, nothing more can be added or removed"


def test_a_paper_that_was_left_out_may_be_added_until_the_review_of_the_application_ends(client, town, returned):
    path = address(returned, "check")
    ends = return_times.review_ends(town.session, returned.year)
    announced = f"审核按日程到 {formats.moment(ends, in_language='zh')} 结束" if ends > town.now else "请尽快"
    assert announced in page(client.get(path)).main.get_text()
    client.post(path, data=hidden(client.get(path)) | {"true": "y", "without": "y"})
    assert papers_of(client, returned) == (["hukou_booklet"], 0)
    home = page(client.get(address(returned, "").rstrip("/"))).main
    receipt = page(client.get(address(returned, "receipts/2"))).main
    for shown in (home, page(client.get(address(returned, "evidence"))).main, receipt):
        assert "审核老师办完您家的申请以前都可以补" in shown.get_text() and announced in shown.get_text()
    assert home.select_one(f"a[href='{address(returned, 'evidence')}#paper-hukou_booklet']")
    assert bring(client, returned, "birth_certificate").status_code == 409, "nothing else"
    assert bring(client, returned, "hukou_booklet").status_code == 303
    town.session.expire_all()
    assert evidence_rows.pages_of(town.session, returned.id)["hukou_booklet"]
    assert returned.stage == "submitted"
    assert papers_of(client, returned) == ([], 0)


def test_a_finished_review_takes_no_more_papers(client, town, returned):
    path = address(returned, "check")
    client.post(path, data=hidden(client.get(path)) | {"true": "y", "without": "y"})
    town.session.refresh(returned)
    clerk = town.session.get(Account, town.session.scalars(select(ReturnedItem.asked_by)).first())
    returned.reviewer_id = clerk.id
    lifecycle.make(town.session, returned, "take", by=actor_of(clerk), now=town.now)
    town.session.commit()
    assert papers_of(client, returned) == (["hukou_booklet"], 0)
    lifecycle.make(town.session, returned, "confirm", by=actor_of(clerk), now=town.now)
    town.session.commit()
    assert papers_of(client, returned) == ([], 0)
    assert bring_late(client, returned).status_code == 409


def bring_late(client, application):
    sent = hidden(client.get(address(application, "withdraw"))) | {"document": "hukou_booklet"}
    photo = (io.BytesIO(photo_of_a_paper()), "a.jpg")
    path = address(application, "evidence")
    return client.post(path, data=sent | {"pages": photo}, content_type="multipart/form-data")


def test_the_clerks_note_is_read_where_the_photo_is_taken(client, returned):
    cards = page(client.get(address(returned, "evidence"))).select("section.card[id^=paper-]")
    assert cards[0]["id"] == "paper-hukou_booklet", "what is asked for comes first"
    assert "请补首页" in cards[0].get_text() and "请补充" in cards[0].get_text()
    bring(client, returned, "hukou_booklet")
    brought = page(client.get(address(returned, "evidence"))).select_one("#paper-hukou_booklet").get_text()
    assert "已上传 1 页" in brought and "请补充" not in brought


def test_the_clerk_sees_what_was_asked_and_that_the_family_cannot_bring_it(client, another_client, town, returned):
    """Without this the same paper is asked for again and again."""
    fresh = hidden(client.get(address(returned, "check")))
    client.post(address(returned, "check"), data=fresh | {"true": "y", "without": "y"})
    desk = sign_in(another_client(), town.session.scalars(select(ReturnedItem.asked_by)).one())
    shown = page(desk.get(f"/staff/applications/{returned.id}")).main.get_text()
    assert "家长补回了，还差 1 项" in shown and "没有补 户口簿 您要的：请补首页" in shown
    assert "家长说明现在补不了：户口簿" in shown
    bring(client, returned, "hukou_booklet")
    assert "家长说明现在补不了" not in page(desk.get(f"/staff/applications/{returned.id}")).main.get_text()
