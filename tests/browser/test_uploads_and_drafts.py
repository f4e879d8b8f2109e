"""What a phone does before anything travels: it refuses a file that is too large, and keeps what is typed until it has arrived."""

import contextlib
import re
import threading
from uuid import UUID

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from werkzeug.serving import make_server

from enrollment.applications.applications import Application
from enrollment.eligibility import households
from enrollment.ground.sign_in import WebSession
from portal.app import create_app
from portal.config import Config
from portal.web.sessions import digest_of
from tests.browser.test_officials_season_pages import signed_in_key
from tests.operations.serving import free_port
from tests.support.axe import assert_axe_clean
from tests.support.keys import KEYS
from tests.support.town import Town


@pytest.fixture
def draft(site, now):
    """(session key, address of a draft): a family that fills in its form."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        li = town.family("李")
        ana = town.child("李沐晨", family=li, wishes=[garden], submit=False)
        return signed_in_key(session, li.account.id), f"/parents/applications/{ana.id}"


def open_as(new_page, site, key, **shape):
    page = new_page(**shape)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    return page


def test_fam28_a_photo_of_21_MB_is_refused_when_it_is_chosen(site, draft, new_page, tmp_path):
    key, address = draft
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/evidence")
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(21_000_000 - 4))
    paper = page.locator("#paper-hukou_booklet")
    field = paper.locator("[data-shoot][capture]")
    field.set_input_files(photo)
    expect(paper.get_by_role("alert")).to_have_text("这个文件有 21 MB，最大 20 MB。请换一个小一些的文件，或分成几个。")
    assert posted == [] and stored(page) == []
    assert_axe_clean(page)
    with page.expect_request(lambda request: request.method == "POST"):
        photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(20_000_000 - 4))
        field.set_input_files(photo)
    expect(paper.get_by_role("alert")).to_have_count(0)


@pytest.mark.long
def test_fam28_a_form_that_asks_for_more_can_be_sent_without_the_refused_file(site, draft, new_page, tmp_path):
    key, address = draft
    with site.session() as session, session.begin():
        session.get_one(Application, UUID(address.rpartition("/")[2])).registration_code = "ABCD-EFGH"
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/corrections/new?kind=name")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(21_000_000 - 4))
    page.locator("input[type=file]").set_input_files(photo)
    send = page.get_by_role("button", name="提出更正")
    expect(send).to_be_disabled()
    send.dispatch_event("click")
    expect(page.locator("input[type=file]")).to_be_focused()
    expect(send).to_be_enabled()
    expect(page.get_by_role("alert")).to_contain_text("最大 20 MB")
    send.click()
    expect(page.locator(".govuk-error-summary")).to_be_visible()


FORBIDDEN_WORD = "已保存"


@pytest.fixture
def household(site, draft, new_page):
    key, address = draft
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/household")
    page.get_by_label("小区", exact=True).fill("锦江苑")
    expect(page.locator("#draft-state")).to_contain_text("还没有送到")
    return page


def until(page, condition: str) -> None:
    """Wait in the page: its content policy forbids what Playwright's own waiting evaluates."""
    page.evaluate(
        f"() => new Promise(done => {{ const look = () => {condition} ? done() : setTimeout(look, 50); look(); }})"
    )


STORED = """async (store) => {
    const asked = indexedDB.open("kept", 1);
    asked.onupgradeneeded = () => asked.transaction.abort();
    const db = await new Promise((done) => { asked.onsuccess = () => done(asked.result); asked.onerror = () => done(null); });
    if (!db) return [];
    const all = db.transaction(store).objectStore(store).getAll();
    const rows = await new Promise((done) => { all.onsuccess = () => done(all.result); });
    db.close();
    return rows.map((row) => ({ id: row.id, at: row.at, extractable: row.extractable,
        data: row.data ? [...new Uint8Array(row.data)] : [] }));
}"""


def stored(page, store: str = "heads") -> list[dict]:
    """What lies in the browser's storage, as who copies it finds it.  What was told as delivered is left out."""
    return [row for row in page.evaluate(STORED, store) if ":sent:" not in (row["id"] or "")]


def until_stored(page, number: int) -> None:
    for _ in range(100):
        if len(stored(page)) == number:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(stored(page))} are kept, not {number}")


def estate_in_database(site, draft) -> str | None:
    with site.session() as session:
        return households.household_of(session, UUID(draft[1].rsplit("/", 1)[1])).home_estate


@pytest.mark.long
def test_fam21_without_a_network_what_was_typed_stays_and_goes_when_there_is_one(site, draft, household):
    page = household
    page.context.set_offline(True)
    expect(page.get_by_role("heading", name="没有网络，您填的还在这台手机上")).to_be_visible()
    page.get_by_role("button", name="保存并继续").click()
    panel = page.locator("#not-sent")
    expect(panel).to_contain_text("送到了才算数")
    expect(panel.get_by_role("link", name="重新登录")).to_be_hidden()
    expect(panel).to_contain_text("秒后自动再试")
    assert FORBIDDEN_WORD not in page.locator("main").inner_text()
    assert estate_in_database(site, draft) != "锦江苑"
    assert_axe_clean(page)
    page.context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("户籍与住址")
    assert estate_in_database(site, draft) == "锦江苑"
    until_stored(page, 0)


def test_fam21_a_session_that_is_gone_takes_nothing_with_it(site, draft, household):
    page = household
    page.context.clear_cookies()
    page.get_by_role("button", name="保存并继续").click()
    expect(page.get_by_role("heading", name="登录已经失效，您填的还在这台手机上")).to_be_visible()
    link = page.get_by_role("link", name="重新登录")
    link.click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next=.*household"))
    with site.session() as session, session.begin():
        key = signed_in_key(session, session.get_one(WebSession, digest_of(draft[0])).account_id)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.goto(f"{draft[1]}/household")
    expect(page.locator("#kept-draft")).to_contain_text("还没有送到")
    expect(page.get_by_label("小区", exact=True)).to_have_value("锦江苑")
    assert_axe_clean(page)
    page.get_by_role("button", name="保存并继续").click()
    page.wait_for_url(lambda url: "household" not in url)
    assert estate_in_database(site, draft) == "锦江苑"
    until_stored(page, 0)


def test_fam21_a_tab_that_was_closed_opens_again_with_what_was_typed(site, draft, household):
    context = household.context
    household.close(run_before_unload=False)
    page = context.new_page()
    page.goto(f"{draft[1]}/household")
    expect(page.get_by_label("小区", exact=True)).to_have_value("锦江苑")
    with page.expect_navigation():
        page.locator("#kept-draft").get_by_role("button", name="删掉手机上的").click()
    expect(page.get_by_label("小区", exact=True)).not_to_have_value("锦江苑")
    assert stored(page) == []


@pytest.mark.long
def test_fam21_a_page_that_was_changed_elsewhere_is_not_overwritten_in_silence(site, draft, household):
    with site.session() as session, session.begin():
        application_id = UUID(draft[1].rsplit("/", 1)[1])
        by = Town(session, session.get_one(Application, application_id).created_at).parent_of(
            session.get_one(Application, application_id)
        )
        moment = session.get_one(Application, application_id).created_at
        households.save(session, application_id, home_estate="别处改的", by=by, now=moment)
    context = household.context
    household.close(run_before_unload=False)
    page = context.new_page()
    page.goto(f"{draft[1]}/household")
    estate = page.get_by_label("小区", exact=True)
    choice = page.get_by_role("group", name="小区", exact=True)
    expect(page.locator("#kept-draft")).to_contain_text("在别处改过")
    expect(page.locator("#kept-draft fieldset")).to_have_count(1)
    expect(choice.get_by_label("别处改的 后来保存的")).to_be_checked()
    expect(estate).to_have_value("别处改的")
    assert_axe_clean(page)
    page.get_by_label("详细地址").fill("3 栋 2 单元")
    expect(page.locator("#draft-state")).to_contain_text("还没有送到")
    page.reload()  # what was not chosen yet is still there, beside what was typed since
    expect(page.get_by_role("group", name="详细地址")).to_contain_text("3 栋 2 单元")
    choice.get_by_label("锦江苑 这台手机上的").check()
    expect(estate).to_have_value("锦江苑")
    choice.get_by_label("别处改的 后来保存的").check()
    expect(estate).to_have_value("别处改的")
    page.get_by_role("button", name="保存并继续").click()
    page.wait_for_url(lambda url: "household" not in url)
    assert estate_in_database(site, draft) == "别处改的"
    until_stored(page, 0)


@pytest.mark.long
def test_fam21_nothing_that_is_kept_can_be_read_and_sign_out_leaves_nothing(site, draft, household):
    page = household
    page.get_by_label("详细地址").fill("510104202303121234")
    until_stored(page, 1)
    page.wait_for_timeout(300)
    lying = bytes(stored(page)[0]["data"])
    assert "锦江苑".encode() not in lying and b"510104" not in lying
    assert [key["extractable"] for key in stored(page, "keys")] == [False]
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft'))") == []
    page.get_by_role("banner").get_by_role("button", name="退出").click()
    page.wait_for_url("/")
    assert stored(page) == [] and stored(page, "keys") == []


def test_the_language_switch_loses_nothing(site, draft, household):
    page = household
    page.get_by_role("button", name="EN").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#home_estate")).to_have_value("锦江苑")
    assert_axe_clean(page)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#home_estate")).to_have_value("锦江苑")
    page.get_by_label("小区", exact=True).press("Enter")
    page.wait_for_url("**/grounds")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.long
def test_fam21_another_account_on_the_same_phone_reads_nothing_and_after_a_week_it_is_gone(site, draft, household):
    page, context = household, household.context
    until_stored(page, 1)
    with site.session() as session, session.begin():
        other = signed_in_key(session, Town(session, site_now(session)).family("王").account.id)
    context.add_cookies([{"name": "session", "value": other, "url": site.url}])
    page.close(run_before_unload=False)
    page = context.new_page()
    page.goto("/parents")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#kept-here")).to_be_hidden()
    (lying,) = stored(page)
    page.clock.set_fixed_time(lying["at"] / 1000 + (7 * 24 + 1) * 3600)
    page.reload()
    until_stored(page, 0)


@pytest.mark.long
def test_fam21_a_step_without_typing_says_that_it_was_not_delivered(site, draft, new_page):
    page = open_as(new_page, site, draft[0], phone=True)
    page.goto(f"{draft[1]}/wishes")
    page.locator("summary").filter(has_text="更多 机关第一幼儿园").click()
    page.context.set_offline(True)
    page.get_by_role("button", name="移除").click()
    expect(page.get_by_role("alert")).to_contain_text("没有网络，这一步还没有送到。")
    assert_axe_clean(page)
    page.context.set_offline(False)
    expect(page.locator("#no-network")).to_be_hidden()
    expect(page.get_by_role("heading", name="机关第一幼儿园")).to_be_visible()
    page.get_by_role("button", name="移除").click()
    expect(page.get_by_role("link", name="选第 1 志愿")).to_be_visible()


@pytest.mark.long
def test_fam21_a_server_that_is_started_again_gets_what_was_typed_meanwhile(site, draft, new_page):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = site.environ
    config = Config(
        database_url=environ["DATABASE_URL"],
        redis_url=environ["REDIS_URL"],
        secret_key=environ["SECRET_KEY"],
        keys=KEYS,
        demo=True,
        public_url=url,
        testing=True,
    )
    app = create_app(config, site.engine)
    page = new_page(phone=True)
    page.context.add_cookies([{"name": "session", "value": draft[0], "url": url}])
    with serving(app, port):
        page.goto(f"{url}{draft[1]}/household")
    page.get_by_label("小区", exact=True).fill("锦江苑")
    page.get_by_role("button", name="保存并继续").click()
    expect(page.get_by_role("heading", name="我们这边出了问题，您填的还在这台手机上")).to_be_visible()
    with serving(app, port):
        page.get_by_role("button", name="现在再试一次").click()
        page.wait_for_url(lambda address: "household" not in address)
        until_stored(page, 0)
    assert estate_in_database(site, draft) == "锦江苑"


@contextlib.contextmanager
def serving(app, port: int):
    """The portal on this port, and nobody there afterwards."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def site_now(session):
    return session.scalars(select(Application.created_at)).first()


@pytest.mark.long
def test_fam21_a_form_that_the_server_refused_is_not_called_undelivered(site, draft, new_page):
    page = open_as(new_page, site, draft[0], phone=True)
    page.goto(f"{draft[1]}/child")
    page.get_by_label("孩子的姓名").fill("")
    expect(page.locator("#draft-state")).to_contain_text("还没有送到")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("孩子的姓名")).to_have_value("")
    expect(page.locator("#kept-draft")).to_be_hidden()
    expect(page.locator("#draft-state")).to_have_text("")


def test_back_after_a_refused_form_shows_the_form_and_not_the_browsers_fault(site, draft, new_page):
    key, address = draft
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/child")
    page.locator("#name").fill("")
    page.locator("main form[method=post]:not([action]) button[type=submit]").last.click()
    expect(page.locator(".govuk-error-message, .govuk-error-summary").first).to_be_visible()
    heading = page.locator("h1").inner_text()
    page.goto(address)
    page.go_back()
    expect(page.locator("h1")).to_have_text(heading)
    expect(page.locator("#name")).to_be_visible()
    page.reload()
    expect(page.locator("#name")).to_be_visible()


def test_a_document_without_a_birth_date_opens_the_questions_for_it(site, draft, new_page):
    page = open_as(new_page, site, draft[0], phone=True)
    page.goto("/parents/children/new")
    born = page.locator("#born")
    expect(born).to_be_hidden()
    page.locator("#id_kind").select_option("passport")
    expect(born).to_be_visible()
    page.locator("#id_kind").select_option("resident")
    expect(born).to_be_hidden()


OF_A_FORM = {
    "E12345678": "passport", "123456789": "passport", "h12345678": "hk_macau_permit", "0123 4567": "taiwan_permit",
    "R510123456": "birth_certificate", "FRA110123456789": "foreign_residence", "810000202303120018": "hk_macau_residence",
    "83000020230312001X": "taiwan_residence", "510104202303120018": "resident", "5101": "resident",
}  # fmt: skip


def test_the_kind_of_a_document_follows_from_the_form_of_its_number(site, draft, new_page):
    page = open_as(new_page, site, draft[0], phone=True)
    page.goto("/parents/children/new")
    number, kind, told = page.locator("#id_number"), page.locator("#id_kind"), page.locator("[data-kind-told]")
    for typed, expected in OF_A_FORM.items():
        number.fill(typed)
        page.locator("#name").focus()
        expect(kind).to_have_value(expected)
        expect(told).to_have_text("" if expected == "resident" else re.compile("^按号码选了："))
        dated = expected in ("hk_macau_residence", "taiwan_residence")
        expect(page.locator("#born")).to_be_visible(visible=expected != "resident" and not dated)
        expect(page.locator("[name=entered_before]").first).to_be_visible(visible=expected != "resident")
    kind.select_option("passport")
    number.fill("510104202303120026")
    page.locator("#name").focus()
    expect(told).to_have_text("")
    expect(kind).to_have_value("passport")  # what the family chose itself stays


def test_the_ways_on_of_a_refusal_open_at_the_first_press(site, new_page, now):
    """Nothing can be saved on that page any more, so the warning about unsaved answers would only be in the way."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        theirs = town.child("王安", wishes=[town.kindergarten("机关第一幼儿园", places=30)], submit=False)
        key, number = signed_in_key(session, town.family("李").account.id), theirs.child.id_number
    page = open_as(new_page, site, key, phone=True)
    page.goto("/parents/children/new")
    page.get_by_label("孩子的姓名").fill("王安")
    page.get_by_label("父亲").check()
    page.get_by_label("孩子的证件号码").fill(number)
    with page.expect_navigation():
        page.get_by_role("button", name="保存并继续").click()
    page.get_by_role("link", name="对抚养或登记有争议").click()
    page.wait_for_url("**/parents/dispute")


def test_what_is_typed_into_a_correction_waits_for_the_next_sign_in(site, draft, new_page, now):
    key, address = draft
    with site.session() as session, session.begin():
        session.get_one(Application, UUID(address.rpartition("/")[2])).registration_code = "ABCD-EFGH"
    page = open_as(new_page, site, key, phone=True)
    page.goto(f"{address}/corrections/new?kind=name")
    page.get_by_label("哪里不对").fill("户口簿上的名字换了")
    page.context.clear_cookies()
    page.get_by_role("button", name="提出更正").click()
    again = page.get_by_role("link", name="重新登录")
    expect(again).to_be_visible()
    assert "kind%3Dname" in again.get_attribute("href") or "kind=name" in again.get_attribute("href")
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.goto(f"{address}/corrections/new?kind=sex")
    expect(page.get_by_label("哪里不对")).to_have_value("")
    page.goto(f"{address}/corrections/new?kind=name")
    expect(page.get_by_label("哪里不对")).to_have_value("户口簿上的名字换了")
