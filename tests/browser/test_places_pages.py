"""The ledger, the roll and the imports at 390 px and 1280 px, in both languages."""

import os
from pathlib import Path

import pytest

from enrollment.places import ledger
from enrollment.places.imports import importer
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.office_files import HEADINGS, ROWS, xlsx
from tests.support.town import Town

AREA = "510104"
PICTURES = os.environ.get("PICTURES")
"""A folder for a picture of each page, to be looked at."""

SHAPES = [(True, "zh-CN"), (False, "en")]
if PICTURES:
    SHAPES += [(True, "en"), (False, "zh-CN")]


@pytest.fixture
def city(site, now):
    """A kindergarten with a roll and a plan that waits; its clerk, its area's official, and three files of theirs."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        k = town.kindergarten("锦官新城幼儿园", code="5151040009", places=45, licensed_classes=9)
        for level, children in (("lower", 25), ("middle", 30), ("upper", 33)):
            town.roll(k, level, children)
        ana = town.child_on_roll(k, "安娜娜", id_number="510104202112012011")
        clerk, official, other = town.clerk_of(k), town.area_official(AREA), town.area_official(AREA)
        town.pool(k, "policy_care", 4, ["policy_care"], name="政策照顾")
        town.pool(k, "staff_child", 2, ["staff_child"], name="教职工子女", unclaimed="locked")
        ask = {
            "by": clerk,
            "now": now,
            "reason": "新开两个小班，教师已到位",
            "planned_classes": 3,
            "staffed_classes": 3,
        }
        ledger.propose(session, town.programme_of(k).id, **ask)
        wrong = [[*row[:6], "九", *row[7:]] for row in ROWS]
        good = importer.store_upload(
            session, "kindergartens", "锦江区名册.xlsx", xlsx(), by=official, now=now, year=2026
        )
        bad = importer.store_upload(
            session, "kindergartens", "有问题.xlsx", xlsx(HEADINGS, wrong), by=other, now=now, year=2026
        )
        keys = {who: signed_in_key(session, actor.account_id) for who, actor in
                {"clerk": clerk, "official": official, "other": other}.items()}  # fmt: skip
        return keys, k, ana, good, bad


def pages(k, ana, good, bad) -> list[tuple[str, str]]:
    return [
        ("clerk", "/staff/places"),
        ("clerk", "/staff/places/lower"),
        ("clerk", "/staff/roll"),
        ("clerk", f"/staff/roll/classes/{ana.class_id}"),
        ("clerk", f"/staff/roll/children/{ana.id}/leave"),
        ("clerk", "/staff/roll/promote"),
        ("official", "/officials/places"),
        ("official", f"/officials/places/{k.id}"),
        ("official", f"/officials/places/{k.id}/lower/pools"),
        ("official", "/officials/imports"),
        ("official", f"/officials/imports/{good.id}"),
        ("other", f"/officials/imports/{bad.id}"),
    ]


@pytest.mark.parametrize(("phone", "language"), SHAPES)
def test_pages_are_accessible(new_page, site, city, phone, language):
    keys, *rows = city
    page = new_page(phone=phone, language=language)
    for number, (who, path) in enumerate(pages(*rows)):
        page.context.add_cookies([{"name": "session", "value": keys[who], "url": site.url}])
        answer = page.goto(f"{path}?lang={language}")
        assert answer.status == 200, path
        if PICTURES:
            name = f"{number:02}-{'390' if phone else '1280'}-{language}.png"
            page.screenshot(path=str(Path(PICTURES) / name), full_page=True)
        assert_axe_clean(page)
