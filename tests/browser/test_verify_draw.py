"""Anybody checks a published draw in the own browser: all steps equal, one family's wishes, and a changed file found."""

import csv
import io
import re
import zipfile

import pytest
from playwright.sync_api import expect

from enrollment.draw.run_rows import Run
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def published(site, now):
    """The address of a round whose result is published, and its bundle."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        jinpingguo, mudan = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=1)
        for name in ("安娜", "本本", "翠翠", "丁丁"):
            town.child(name, wishes=[jinpingguo, mudan])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        run = town.publish(town.run())
        return f"/draws/{town.the_round.id}", bytes(session.get_one(Run, run.id).bundle)


def first_child(bundle: bytes) -> str:
    rows = zipfile.ZipFile(io.BytesIO(bundle)).read("result/reasons.csv").decode().splitlines()
    return next(csv.DictReader(rows))["child"]


@pytest.mark.parametrize("language,equal,wish", [("zh-CN", "全部相同", "第 1 志愿"), ("en", "All equal", "Wish 1")])
def test_the_published_bundle_is_checked_on_a_phone(new_page, published, language, equal, wish):
    address, bundle = published
    page = new_page(phone=True, language=language)
    page.goto(f"{address}?lang={language}")
    page.locator(f"a[href$='{address}/verify']").click()
    page.locator("#use-published").click()
    expect(page.locator("#verdict")).to_contain_text(equal)
    expect(page.locator(".proof li .ok")).to_have_count(5)
    page.context.set_offline(True)  # from here on without a network
    page.locator("#code").fill(first_child(bundle))
    page.locator("#find button").click()
    expect(page.locator(".decided > li").first).to_contain_text(wish)
    page.locator("#code").fill("nobody")
    page.locator("#find button").click()
    expect(page.locator(".decided")).to_have_count(0)
    expect(page.locator("#decided")).not_to_be_empty()
    assert_axe_clean(page)


def test_a_changed_file_and_no_file_at_all_are_told_apart(new_page, published):
    address, bundle = published
    page = new_page()
    page.goto(f"{address}/verify")
    changed = re.sub(rb"(?<=\n)([^\n,]*),1,([^\n]*),placed,", rb"\1,2,\2,placed,", bundle, count=1)
    assert changed != bundle
    for content, expected in ((changed, "有不同之处"), (b"not a zip", "不是公开数据")):
        page.locator("#bundle-file").set_input_files(
            {"name": "d.zip", "mimeType": "application/zip", "buffer": content}
        )
        expect(page.locator("#verdict")).to_contain_text(expected)
    assert_axe_clean(page)
