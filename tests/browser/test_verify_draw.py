"""Verification of a published draw in the browser: equal results, one family's wishes, and a changed file."""

import io
import json
import re
import zipfile

import pytest
from playwright.sync_api import expect

from enrollment.draw.run_rows import Run
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def published(site, now):
    """The address of a round whose result is published, its bundle, and the ticket of one who goes to the second wish."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
        first, second, third = (town.child(name, wishes=[jinpingguo, mudan]) for name in ("安娜", "本本", "翠翠"))
        twins = town.twins("宁宁", "静静", wishes=[mudan])
        run = town.drawn(first, second, third, twins[0])
        address = f"/draws/{town.the_round.id}"
        return address, bytes(session.get_one(Run, run.id).bundle), town.ticket_of(second)


SAID = {
    "zh-CN": ("全部相同", "第 1 志愿 · 金苹果（小班）", "优先级一样，再比派位号", "结果：第 2 志愿，牡丹（小班）"),
    "en": ("All equal", "Wish 1 · 金苹果 (", "the ticket decides", "Result: wish 2"),
}


@pytest.mark.parametrize("language", SAID)
def test_the_published_bundle_is_checked_on_a_phone(new_page, published, language):
    (address, _, ticket), (equal, wish, why, result) = published, SAID[language]
    page = new_page(phone=True, language=language)
    page.goto(f"{address}?lang={language}")
    page.locator(f"a[href$='{address}/verify']").click()
    page.locator("#use-published").click()
    expect(page.locator("#verdict")).to_contain_text(equal)
    expect(page.locator(".proof li .ok")).to_have_count(8)
    page.context.set_offline(True)  # from here on without a network
    page.locator("#code").fill(str(ticket))
    page.locator("#find button").click()
    expect(page.locator("#decided .verdict")).to_contain_text(result)
    expect(page.locator(".decided > li").first).to_contain_text(wish)
    expect(page.locator(".decided > li").first).to_contain_text(why)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert_axe_clean(page)
    page.locator("#code").fill("nobody")
    page.locator("#find button").click()
    expect(page.locator(".decided")).to_have_count(0)
    expect(page.locator("#decided")).not_to_be_empty()


def test_an_open_page_verifies_a_file_offline(new_page, published):
    address, bundle, ticket = published
    page = new_page()
    page.goto(f"{address}/verify#{ticket}", wait_until="networkidle")
    page.context.set_offline(True)
    page.locator("#bundle-file").set_input_files({"name": "d.zip", "mimeType": "application/zip", "buffer": bundle})
    expect(page.locator("#decided .verdict")).to_contain_text("第 2 志愿")


def changed(bundle: bytes, name: str, change) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))
    return target.getvalue()


@pytest.mark.parametrize("language,row,none,other", [
    ("zh-CN", "从第 2 行起不同", "不是 zip 文件", "本站没有公布过这个存证"),
    ("en", "Different from row 2 on", "no zip file", "never published this commitment"),
])  # fmt: skip
def test_a_difference_is_explained_in_a_sentence(new_page, published, language, row, none, other):
    address, bundle, _ = published
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
