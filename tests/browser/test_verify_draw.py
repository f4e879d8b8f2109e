"""Verification of a published draw in the browser: equal results, one family's wishes, and a changed file."""

import io
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from enrollment.draw import runs
from enrollment.draw.run_rows import Run
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@dataclass
class Published:
    """A round whose result is published: its address, its three files, and the family that goes to its second wish."""

    address: str
    full: bytes
    ticket: int
    family: str
    key: str


@pytest.fixture
def published(site, now):
    with site.session() as session, session.begin():
        town = Town(session, now)
        jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
        first, second, third = (town.child(name, wishes=[jinpingguo, mudan]) for name in ("安娜", "本本", "翠翠"))
        twins = town.twins("宁宁", "静静", wishes=[mudan])
        run = town.drawn(first, second, third, twins[0])
        made = Published(
            address=f"/draws/{town.the_round.id}",
            full=bytes(session.get_one(Run, run.id).bundle),
            ticket=town.ticket_of(second),
            family=f"/parents/applications/{second.id}",
            key=signed_in_key(session, second.entered_by),
        )
        moment = town.now
    site.set_time(moment)
    return made


@dataclass
class Corrected:
    """A list was frozen and drawn, then corrected: the full file of the earlier one, and of what was published."""

    address: str
    old: bytes
    new: bytes


@pytest.fixture
def corrected(site, now) -> Corrected:
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("金苹果", places=2)
        for name in ("安娜", "本本", "翠翠"):
            town.child(name, wishes=[garden])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        old = town.run()
        runs.set_aside(session, old.id, reason="减班", by=town.city_pair()[0], now=town.now)
        town.change_places(town.programme_of(garden), places=1)
        town.freeze(reason="减班")
        new = town.publish(town.run())
        files = [bytes(session.get_one(Run, one.id).bundle) for one in (old, new)]
        made, moment = Corrected(f"/draws/{town.the_round.id}", *files), town.now
    site.set_time(moment)
    return made


@pytest.mark.parametrize(
    "language,replaced", [("zh-CN", "后来名单更正过，不再算数"), ("en", "A correction replaced the list")]
)
def test_the_file_of_a_list_that_was_corrected_is_not_the_result(new_page, corrected, language, replaced):
    """It is right in itself, and this site did publish its commitment; no result follows from it."""
    page = new_page(phone=True, language=language)
    page.goto(f"{corrected.address}/verify?lang={'zh' if language == 'zh-CN' else 'en'}")
    for content, tone in ((corrected.old, "stop"), (corrected.new, "ok")):
        file = {"name": "d.zip", "mimeType": "application/zip", "buffer": content}
        page.locator("#bundle-file").set_input_files(file)
        expect(page.locator(f"#verdict .says.{tone}")).to_be_visible()
        if tone == "stop":
            expect(page.locator("#verdict .proof")).to_contain_text(replaced)
            expect(page.locator("#verdict .proof .wrong")).to_have_count(1)
    assert_axe_clean(page)


PUBLIC = {"zh-CN": "不用相信我们", "en": "Check on this phone"}
CANNOT = {"zh-CN": "您家的优先级核实得对不对", "en": "Whether your priority was verified rightly"}
RESULT = {"zh-CN": "结果：第 2 志愿，牡丹（小班）", "en": "Result: wish 2"}


@pytest.mark.parametrize("language", PUBLIC)
def test_a_family_checks_its_own_result_on_a_phone(new_page, site, published, language):
    """One tap on the result page: the public file is checked, then the family's own one, which nobody else can fetch."""
    page = new_page(phone=True, language=language)
    page.context.add_cookies([{"name": "session", "value": published.key, "url": site.url}])
    page.goto(f"{published.family}/result?lang={'zh' if language == 'zh-CN' else 'en'}")
    expect(page.locator("main")).to_contain_text(PUBLIC[language])
    with page.expect_download() as download:
        page.locator("a[href$='family-file.json']").click()
    assert json.loads(Path(download.value.path()).read_text())["ticket"] == published.ticket
    with another_page(page):
        page.locator(f"a[href$='{published.family}/check-result']").click()
    page.locator("#use-published").click()
    expect(page.locator("#verdict .says.ok")).to_be_visible()
    expect(page.locator("#own-verdict .says.ok")).to_be_visible()
    expect(page.locator("#own-decided .verdict")).to_contain_text(RESULT[language])
    expect(page.locator("#mine")).to_be_hidden()
    expect(page.locator("main")).to_contain_text(CANNOT[language])
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"check-result-{language}.png", full_page=True)
    assert_axe_clean(page)


def test_anybody_checks_the_public_file_and_a_saved_family_file_without_signing_in(new_page, site, published):
    own = new_page()
    own.context.add_cookies([{"name": "session", "value": published.key, "url": site.url}])
    saved = own.request.get(f"{published.family}/family-file.json").body()
    page = new_page(phone=True)
    assert page.request.get(f"{published.family}/family-file.json", max_redirects=0).status in (302, 303)
    page.goto(published.address)
    with another_page(page):
        page.locator(f"a[href$='{published.address}/verify']").click()
    page.locator("#use-published").click()
    expect(page.locator("#verdict .says.ok")).to_be_visible()
    page.context.set_offline(True)  # from here on without a network
    file = {"name": "family-file.json", "mimeType": "application/json"}
    page.locator("#opening-file").set_input_files(file | {"buffer": saved})
    expect(page.locator("#own-verdict .says.ok")).to_be_visible()
    lie = json.loads(saved)
    lie["facts"]["wishes"][0][2] = 0
    page.locator("#opening-file").set_input_files(file | {"buffer": json.dumps(lie).encode()})
    expect(page.locator("#own-verdict .says.stop")).to_be_visible()


def test_an_open_page_verifies_a_full_file_offline(new_page, published):
    page = new_page()
    page.goto(f"{published.address}/verify#{published.ticket}", wait_until="networkidle")
    page.context.set_offline(True)
    page.locator("#bundle-file").set_input_files(
        {"name": "d.zip", "mimeType": "application/zip", "buffer": published.full}
    )
    expect(page.locator("#decided .verdict")).to_contain_text("第 2 志愿")


AUDITED = {
    "zh-CN": ("公开数据就是由完整文件得出的", "有不同之处"),
    "en": ("The public data is what the full file gives", "There are differences"),
}


@pytest.mark.parametrize("language", AUDITED)
def test_an_auditor_sees_whether_the_public_file_comes_from_the_full_one(new_page, published, language):
    good, different = AUDITED[language]
    page = new_page(phone=True, language=language)
    page.goto(f"{published.address}/verify?lang={'zh' if language == 'zh-CN' else 'en'}")
    address = page.locator("#verify").get_attribute("data-bundle")
    zip_file = {"name": "d.zip", "mimeType": "application/zip"}
    page.locator("#bundle-file").set_input_files(zip_file | {"buffer": published.full})
    expect(page.locator("#verdict .says.ok")).to_be_visible()
    page.locator("#compare-published").click()
    expect(page.locator("#audit-verdict .verdict")).to_have_text(good)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert_axe_clean(page)
    public = page.request.get(address).body()
    swapped = re.compile(rb"(\n1,1,)(\w+)(.*\n1,2,)(\w+)")  # the first two entries of the first order change places
    lie = changed(public, "orders.csv", lambda data: swapped.sub(rb"\1\4\3\2", data, count=1))
    page.locator("#public-file").set_input_files(zip_file | {"buffer": lie})
    expect(page.locator("#audit-verdict .verdict")).to_have_text(different)
    expect(page.locator("#audit-verdict .proof .wrong")).to_have_count(1)


def changed(bundle: bytes, name: str, change) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))
    return target.getvalue()


@pytest.mark.parametrize("language,row,none,other", [
    ("zh-CN", "从第 2 行起不同", "不是 zip 文件", "本站在这一批没有公布过这个存证"),
    ("en", "Different from row 2 on", "no zip file", "not published this commitment for this round"),
])  # fmt: skip
def test_a_difference_is_explained_in_a_sentence(new_page, published, language, row, none, other):
    address, bundle = published.address, published.full
    page = new_page(language=language)
    page.goto(f"{address}/verify?lang={language}")
    lie = re.compile(rb"(?<=\n)([^\n,]*),[^\n]*")
    files = (
        (changed(bundle, "result/placements.csv", lambda data: lie.sub(rb"\1,lie,9,general", data, count=1)), row),
        (b"hello" * 20, none),
        (
            changed(
                bundle, "draw.json", lambda data: json.dumps({**json.loads(data), "commitment": "0" * 64}).encode()
            ),
            other,
        ),
    )
    for content, expected in files:
        page.locator("#bundle-file").set_input_files(
            {"name": "d.zip", "mimeType": "application/zip", "buffer": content}
        )
        expect(page.locator("#verdict")).to_contain_text(expected)
    assert_axe_clean(page)
