"""The ledger, the roll and the imports at 390 px and 1280 px, in both languages."""

import datetime as dt
import os
from pathlib import Path

import pytest
from sqlalchemy import update

from enrollment.ground.jobs import Job
from enrollment.places import ledger, roll
from enrollment.places.imports import uploads
from enrollment.places.roll_changes import transfers
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.conftest import FrozenClock
from tests.support.axe import assert_axe_clean
from tests.support.office_files import HEADINGS, ROWS, xlsx
from tests.support.town import Town
from tests.support.worker import IMPORTS, let_the_worker_work

AREA = "510104"
PLANS = (["学校标识码", "年级段", "班数"], [["5151040009", "小班", 1], ["5151040009", "中班", 1]])
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
        for name, class_name in (("本本", "中二班"), ("罗罗", "中三班"), ("彭朋", "中三班")):
            town.child_on_roll(k, name, class_name=class_name, born=dt.date(2021, 5, 5))
        gone = town.child_on_roll(k, "云朵", class_name="中三班", born=dt.date(2021, 6, 5))
        roll.leave(session, gone.id, on=dt.date(2026, 5, 12), reason="moved", by=town.clerk_of(k), now=now)
        moves_on = {"moves_on": dt.date(2026, 6, 1), "due_on": dt.date(2026, 6, 5), "reason": "搬家", "now": now}
        other_place = town.kindergarten("双流示范幼儿园", area="510116", code="5151160009")
        yuan = town.child_on_roll(other_place, "袁圆", class_name="中一班", born=dt.date(2021, 7, 7))
        transfers.ask_to_leave(session, yuan.id, to_code=k.code, by=town.clerk_of(other_place), **moves_on)
        clerk, official, other = town.clerk_of(k), town.area_official(AREA), town.area_official(AREA)
        third, fourth = town.area_official(AREA), town.area_official(AREA)
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

        def stored(kind, name, content, by):
            return uploads.store(session, kind, name, content, by=by, now=now, year=2026)

        good = stored("kindergartens", "锦江区名册.xlsx", xlsx(), official)
        bad = stored("kindergartens", "有问题.xlsx", xlsx(HEADINGS, wrong), other)
        asked = stored("programmes", "计划.xlsx", xlsx(*PLANS, title=None), third)
        waiting = stored("roll", "在园名册.xlsx", xlsx(*PLANS, title=None), fourth)
        keys = {who: signed_in_key(session, actor.account_id) for who, actor in
                {"clerk": clerk, "official": official, "other": other, "third": third, "fourth": fourth}.items()}  # fmt: skip
        town.session.execute(update(Job).where(Job.id == waiting.job_id).values(due_at=now + dt.timedelta(hours=1)))
    let_the_worker_work(site.engine, FrozenClock(now), IMPORTS)
    return keys, k, ana, good, bad, asked, waiting


def pages(k, ana, good, bad, asked, waiting) -> list[tuple[str, str]]:
    return [
        ("clerk", "/staff/places"),
        ("clerk", "/staff/places/lower"),
        ("clerk", "/staff/places/day?since=2026-05-01&until=2026-05-20&year=2026"),
        ("clerk", "/staff/roll"),
        ("clerk", f"/staff/roll/classes/{ana.class_id}"),
        ("clerk", f"/staff/roll/children/{ana.id}/leave"),
        ("clerk", f"/staff/roll/children/{ana.id}/class"),
        ("clerk", f"/staff/roll/children/{ana.id}/transfer"),
        ("clerk", "/staff/roll/movements"),
        ("clerk", "/staff/roll/transfers"),
        ("clerk", "/staff/roll/promote"),
        ("clerk", "/staff/places/lower/class-loss"),
        ("official", "/officials/2026/places"),
        ("official", f"/officials/2026/places/{k.id}"),
        ("official", f"/officials/2026/places/{k.id}/lower/pools"),
        ("official", "/officials/2026/imports"),
        ("official", f"/officials/2026/imports/{good.id}"),
        ("other", f"/officials/2026/imports/{bad.id}"),
        ("third", f"/officials/2026/imports/{asked.id}"),
        ("fourth", f"/officials/2026/imports/{waiting.id}"),
        ("fourth", "/officials/2026/imports"),
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


@pytest.mark.parametrize(("phone", "language"), SHAPES)
def test_the_promotion_sheet_in_july(new_page, site, city, now, phone, language):
    """Exceptions first; each choice is counted; one confirmation; taken back as a whole."""
    keys, k, *_rows = city
    july = dt.datetime(2026, 7, 6, 9, tzinfo=now.tzinfo)
    with site.session() as session, session.begin():
        town = Town(session, now)
        town.child_on_roll(k, "罗一舟", class_name="中三班", born=dt.date(2020, 8, 19))
        town.child_on_roll(k, "童小小", level="upper", class_name="大二班", born=dt.date(2020, 9, 2))
    site.set_time(july)
    page = new_page(phone=phone, language=language)
    page.context.add_cookies([{"name": "session", "value": keys["clerk"], "url": site.url}])
    page.goto(f"/staff/roll/promote?lang={language}&year=2025")
    if PICTURES:
        name = f"promote-{'390' if phone else '1280'}-{language}.png"
        page.screenshot(path=str(Path(PICTURES) / name), full_page=True)
    assert_axe_clean(page)
    for kept in page.locator(".exceptions li").all():
        kept.locator("label").first.click()
    with another_page(page):
        page.locator("#sheet button").click()
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"chosen-{name}"), full_page=True)
    with another_page(page):
        page.locator("main form[method=post] button").click()
    page.goto("/staff/roll/promote?year=2025")
    with another_page(page):
        page.locator("main form[method=post] button").click()
    page.goto("/staff/roll/promote?year=2025")
    assert page.locator(".exceptions li").count() == 2, "taken back: the sheet is as it was"
