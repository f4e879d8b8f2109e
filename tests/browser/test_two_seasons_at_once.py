"""Two admission years at once: 2026's supplementary round and arrivals while 2027's main round is open, 2028 in preparation.

Every desk opens its pages: each shows the right year's things, none mixes them, and 2028 is nowhere but in the officials'
preparation.  `PICTURES=folder` keeps a picture of each page.
"""

import datetime as dt
import os
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from enrollment.draw.publication import opening
from enrollment.draw.unserved import entries, explanations
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.maintenance import season_end
from enrollment.season import rounds
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round
from portal.text.messages import notice_words
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.prepare_all import prepare_all
from tests.support.town import Town
from tests.support.town_season import at

AREA = "510104"
NOW = at(5, 25, 10, year=2027)
OLD, NEW = "海棠幼儿园", "银杏幼儿园"
"""Kindergartens with places in one of the years only; 金苹果幼儿园 has places in both."""

BOTH = "金苹果幼儿园"
NEVER = "2028"
"""The year in preparation."""


@dataclass
class Overlap:
    """Session keys by desk, and what the pages name."""

    keys: dict[str, str] = field(default_factory=dict)
    supplementary: Round | None = None
    main_of_2026: Round | None = None
    main_of_2027: Round | None = None
    main_of_2028: Round | None = None
    codes: dict[str, str] = field(default_factory=dict)
    applications: dict[str, str] = field(default_factory=dict)
    official: uuid.UUID | None = None
    second_official: uuid.UUID | None = None


@pytest.fixture
def overlap(site, now) -> Overlap:
    with site.session() as session, session.begin():
        town = Town(session, now)
        made = _two_seasons(town)
        moment = town.now
    site.set_time(moment)
    return made


def _two_seasons(town: Town) -> Overlap:
    made = Overlap()
    supplementary = at(5, 20, year=2027), at(6, 10, 18, year=2027)
    arrival = at(5, 24, year=2027), at(6, 30, 18, year=2027)
    town.season(2026, supplementary=supplementary, arrival=arrival)
    both = town.kindergarten(BOTH, places=1)
    old = town.kindergarten(OLD, places=2)
    family = town.family("李", phone="13900000001")
    elder = town.child("李子安", family=family, wishes=[both])
    placed = town.child("安娜", wishes=[both])
    town.drawn(placed, elder)
    made.main_of_2026 = town.the_round
    town.confirm(placed)

    town.at(at(4, 2, year=2027))
    town.season(2027)
    town.programme(both, places=3, year=2027)
    town.kindergarten(NEW, places=2, year=2027)
    made.main_of_2027 = town.round(name="2027 主批次", levels=["lower", "middle"])
    town.prepared_season(2028)
    town.programme(both, places=9, year=2028)
    made.main_of_2028 = town.round(name="2028 主批次")

    town.at(at(5, 21, year=2027))
    town.the_round = made.supplementary = rounds.plan(
        town.session, 2026, name="2026 补录批次", kind="supplementary", max_wishes=3, opens_at=supplementary[0],
        closes_at=supplementary[1], confirm_by=at(6, 20, year=2027), levels=["lower"], by=town.city_pair()[0],
        now=town.now,
    )  # fmt: skip
    town.open_registration()
    town.wish(elder, old, round_=made.supplementary)
    town.submit(elder)
    town.the_round = made.main_of_2027
    town.open_registration()
    town.at(NOW)
    younger = town.child("李子宁", family=family, year=2027, wishes=town.kindergartens_by_name(NEW))
    helper = town.helper()
    people = {
        "parent": family.account.id,
        "family of 安娜": placed.entered_by,
        "helper": helper.account_id,
        "clerk": town.clerk_of(both).account_id,
        "head": town.head_of(both).account_id,
        "area": town.area_official(AREA).account_id,
        "city": town.city_pair()[0].account_id,
    }
    made.official, made.second_official = (each.account_id for each in town.city_pair())
    made.keys = {desk: signed_in_key(town.session, account) for desk, account in people.items()}
    known = {"elder": elder, "younger": younger, "placed": placed}
    made.codes = {name: each.registration_code for name, each in known.items()}
    made.applications = {name: f"/parents/applications/{each.id}" for name, each in known.items()}
    return made


class Walker:
    """One person's browser: opens a page, looks at it, and reads its text without the page's frame."""

    def __init__(self, page, key: str | None, site, *, preparation: bool = False):
        self.page, self.preparation = page, preparation
        if key is not None:
            page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])

    def reads(self, path: str, *texts: str, without: tuple[str, ...] = ()) -> None:
        answer = self.page.goto(path)
        assert answer.status == 200, (path, answer.status)
        self.looks(path)
        main = self.page.locator("main")
        for text in texts:
            expect(main).to_contain_text(text)
        for text in without:
            expect(main).not_to_contain_text(text)

    def looks(self, name: str) -> None:
        page = self.page
        expect(page.locator("h1")).to_have_count(1)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the screen"
        if not self.preparation:
            expect(page.locator("body")).not_to_contain_text(NEVER)
        if folder := os.environ.get("PICTURES"):
            slug = name.strip("/").replace("/", "-").replace("?", "-") or "home"
            page.screenshot(path=Path(folder) / f"{page.viewport_size['width']}-{slug[:80]}.png", full_page=True)
        assert_axe_clean(page)

    def years(self) -> list[str]:
        return self.page.locator("nav.filters a[href*='year=']").all_inner_texts()


def test_the_public_reads_both_years_and_never_mixes_them(overlap, new_page, site):
    for phone, language in ((True, "zh"), (False, "en")):
        walker = Walker(new_page(phone=phone), None, site)
        zh = language == "zh"
        lang = f"lang={language}"
        walker.reads(f"/?{lang}", "2027", "2026")
        walker.reads(f"/kindergartens?{lang}", BOTH)
        row = walker.page.get_by_role("listitem").filter(has=walker.page.get_by_role("link", name=BOTH, exact=True))
        expect(row.locator("dd").nth(1)).to_contain_text("3")
        assert len(walker.years()) == 2
        with another_page(walker.page):
            walker.page.get_by_role("link", name="2026 年秋季" if zh else "Autumn 2026").click()
        walker.looks(f"kindergartens-2026-{language}")
        expect(walker.page.locator("main")).to_contain_text("2026")
        expect(row.locator("dd").nth(1)).to_contain_text("1")
        with another_page(walker.page):
            row.get_by_role("link", name=BOTH, exact=True).click()
        walker.looks(f"kindergarten-2026-{language}")
        for heading in (
            ("2027 年秋季学位", "2026 年秋季学位") if zh else ("Places for autumn 2027", "Places for autumn 2026")
        ):
            expect(walker.page.get_by_role("heading", name=heading)).to_be_visible()
        walker.reads(f"/rules?{lang}", "2027")
        assert len(walker.years()) == 2
        walker.reads(f"/rules?{lang}&year=2026", "2026")
        walker.reads(f"/rules/{AREA}?{lang}&year=2026", "2026", without=("2027 年第",))
        walker.reads(f"/rules/{AREA}?{lang}", "2027", without=("2026 年第",))
        walker.reads(f"/check?{lang}", "2025", without=("2020",))
        assert len(walker.years()) == 2
        walker.reads(f"/check?{lang}&year=2026", "2020")
        walker.reads(f"/coverage?{lang}", "2026")
        walker.reads(f"/draws?{lang}", "2026")
    assert walker.page.goto(f"/draws/{overlap.main_of_2028.id}").status == 404
    assert walker.page.goto(f"/draws/{overlap.main_of_2027.id}").status == 200
    assert "2028" not in walker.page.content()
    for path in (f"/rules/{AREA}?year=2028", "/kindergartens?year=2028", "/check?year=2028", "/coverage?year=2028"):
        walker.reads(path, "2027" if "coverage" not in path else "2026")


def test_a_family_with_a_child_in_each_year_on_one_phone(overlap, new_page, site):
    for language in ("zh", "en"):
        walker = Walker(new_page(phone=True), overlap.keys["parent"], site)
        lang = f"lang={language}"
        walker.reads(f"/parents?{lang}", "李子安", "李子宁", "2026", "2027")
        walker.reads(f"{overlap.applications['elder']}?{lang}", "2026", without=("2027 年秋季", "Autumn 2027"))
        walker.reads(f"{overlap.applications['younger']}?{lang}", "2027", without=("2026 年秋季", "Autumn 2026"))
        walker.reads(f"{overlap.applications['elder']}/wishes?{lang}", OLD, without=(NEW,))
        walker.reads(f"{overlap.applications['younger']}/wishes?{lang}", NEW, without=(OLD,))
        walker.reads(f"{overlap.applications['elder']}/result?{lang}", BOTH)
        walker.reads(f"{overlap.applications['younger']}/tasks?{lang}", "2027" if language == "en" else "")
        walker.reads(f"/parents/children/new?{lang}", "2027", "2026")
        walker.reads(f"/parents/messages?{lang}")


def test_a_helper_says_for_which_year_a_family_is_helped(overlap, new_page, site):
    walker = Walker(new_page(), overlap.keys["helper"], site)
    walker.reads("/helpers?lang=zh")
    walker.reads("/helpers/new", "2027", "2026")


def test_staff_see_the_year_of_everything_in_their_queue_and_lists(overlap, new_page, site):
    for language in ("zh", "en"):
        for desk in ("clerk", "head"):
            walker = Walker(new_page(), overlap.keys[desk], site)
            lang = f"lang={language}"
            walker.reads(f"/staff?{lang}")
            walker.reads(f"/staff/queue?{lang}")
            walker.reads(f"/staff/places?{lang}", "2027")
            assert len(walker.years()) == 2
            walker.reads(f"/staff/places?{lang}&year=2026", "2026")
            walker.reads(f"/staff/arrivals?{lang}&year=2026", "安娜")
            walker.reads(f"/staff/arrivals?{lang}&year=2027", without=("安娜",))
            walker.reads(f"/staff/roll?{lang}")
            walker.reads(f"/staff/corrections?{lang}")


SECTIONS = (
    "", "/season", "/policies", "/places", "/imports", "/rounds", "/review", "/duplicates", "/draws", "/unplaced",
    "/cases", "/corrections", "/coverage", "/audit",
)  # fmt: skip


@pytest.mark.parametrize("desk", ["area", "city"])
def test_officials_see_one_year_at_a_time(overlap, new_page, site, desk):
    of_years = {2026: "2026 补录批次", 2027: "2027 主批次", 2028: "2028 主批次"}
    for language in ("zh", "en"):
        walker = Walker(new_page(), overlap.keys[desk], site, preparation=True)
        for year, round_name in of_years.items():
            others = tuple(name for other, name in of_years.items() if other != year)
            for section in SECTIONS:
                path = f"/officials/{year}{section}"
                if walker.page.request.get(path).status in (403, 404):
                    continue
                walker.reads(f"{path}?lang={language}", without=others if section != "/audit" else ())
            walker.reads(f"/officials/{year}/rounds", round_name)
        nav = walker.page.locator("nav.desks")
        assert nav.evaluate("one => one.scrollWidth <= one.clientWidth"), "no section is cut off"
        if desk == "city":
            for found in (overlap.supplementary, overlap.main_of_2026, overlap.main_of_2027):
                walker.reads(f"/officials/{found.year}/rounds/{found.id}")
                walker.reads(f"/officials/{found.year}/rounds/{found.id}/draw")


SUPPLEMENTARY_RESULT = at(6, 14, year=2027)


@pytest.fixture
def drawn(site, now) -> tuple[Overlap, uuid.UUID]:
    """2026's supplementary round is drawn and checked, while its children arrive and 2027's families wait for their draw."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        made = _two_seasons(town)
        town.the_round = made.supplementary
        town.everyone_is_reviewed()
        town.announce_hour(SUPPLEMENTARY_RESULT)
        town.freeze()  # whoever takes part has a ticket from the main round
        run = town.run()
        made.keys |= {"second city": signed_in_key(session, made.second_official)}
        moment = town.now
    site.set_time(moment)
    return made, run.id


def test_the_supplementary_result_of_one_year_is_signed_and_told_while_the_next_year_goes_on(drawn, new_page, site):
    """Two officials sign 2026's on its pages; the family with a child in each year reads which year it is about."""
    overlap, run_id = drawn
    for desk in ("city", "second city"):
        city = Walker(new_page(), overlap.keys[desk], site, preparation=True)
        city.reads(f"/officials/2026/draws/runs/{run_id}", "2026 补录批次", without=("2027 主批次",))
        for box in city.page.locator("#sign input[type=checkbox]").all():
            box.check()
        if city.page.locator("#sign input[name=note]").count():
            city.page.locator("#sign input[name=note]").fill("补录只有一个孩子")
        city.page.locator("#sign button[type=submit]").click()
        expect(city.page).to_have_url(re.compile(f"/officials/2026/draws/runs/{run_id}"))
        city.looks(f"signed-{desk}")
    assert city.page.goto(f"/officials/2027/draws/runs/{run_id}").url.endswith(f"/officials/2026/draws/runs/{run_id}")
    with site.session() as session, session.begin():
        by = actor_of(session.get_one(Account, overlap.official))
        prepare_all(session, run_id, by=by, now=SUPPLEMENTARY_RESULT - dt.timedelta(minutes=5))
    with site.session() as session, session.begin():
        opening.open_run(session, run_id, now=SUPPLEMENTARY_RESULT)
    site.set_time(SUPPLEMENTARY_RESULT + dt.timedelta(minutes=1))
    for language, old, new in (
        ("zh", "2026 年秋季：派位结果", "2027 年秋季："),
        ("en", "Autumn 2026: The results", "Autumn 2027: "),
    ):
        family = Walker(new_page(phone=True), overlap.keys["parent"], site)
        family.reads(f"/parents/messages?lang={language}", old, new)
        family.reads(f"{overlap.applications['elder']}/result?lang={language}", OLD, without=(NEW,))
        family.reads(f"{overlap.applications['younger']}?lang={language}", "2027", without=(OLD,))
    for desk in ("clerk", "head"):
        staff = Walker(new_page(), overlap.keys[desk], site)
        staff.reads("/staff/arrivals?lang=zh&year=2026", "2026", "安娜")
        staff.reads(f"/staff/applications/{overlap.applications['placed'].rpartition('/')[2]}", "2026 年秋季")
    public = Walker(new_page(phone=True), None, site)
    public.reads(f"/draws/{overlap.supplementary.id}?lang=zh", "2026 补录批次", without=("2027 主批次",))
    public.reads(f"/draws/{overlap.supplementary.id}/verify?lang=zh", "2026 补录批次")
    area = Walker(new_page(), overlap.keys["area"], site, preparation=True)
    area.reads(f"/officials/2026/rounds/{overlap.supplementary.id}/draw", "2026 补录批次", without=("2027 主批次",))
    area.reads("/officials/2027/draws", without=("2026 补录批次",))


def test_a_helper_begins_for_one_of_two_years_and_the_guardian_reads_which(overlap, new_page, site):
    """The code is read out on the telephone; what the guardian is told names the year, and nothing of the other begins."""
    walker = Walker(new_page(phone=True), overlap.keys["helper"], site)
    page = walker.page
    page.goto("/helpers/new?lang=zh")
    page.get_by_label("监护人的手机号").fill("13811112222")
    page.get_by_label("2026").check()
    page.get_by_label("监护人同意").check()
    page.get_by_role("button", name="发送验证码").click()
    field = page.get_by_label("监护人读给您的验证码")
    expect(field).to_be_visible()
    with site.session() as session:
        text = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc()).limit(1)).one()
    field.fill(re.search(r"(?<!\d)\d{6}(?!\d)", text.body).group())
    page.get_by_role("button", name="开始代办").click()
    expect(page.locator(".acting")).to_contain_text("正在代手机尾号 2222 的家长填写")
    walker.looks("helper-begins")
    with site.session() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "mandate_by_code")).one()
    assert "2026 年" in notice_words(told.kind, told.params, in_language="zh")
    assert "2027" not in notice_words(told.kind, told.params, in_language="zh")


CLOSED_ON = at(7, 5, year=2027)


@pytest.fixture
def closed(overlap, site) -> Overlap:
    """2026 is closed, 2027 goes on."""
    with site.session() as session, session.begin():
        by = actor_of(session.get_one(Account, overlap.official))
        # its supplementary draw is told elsewhere
        session.execute(update(Round).where(Round.id == overlap.supplementary.id).values(stage=RoundStage.PUBLISHED))
        left = {each.id: each.version for each in entries.entries(session, 2026, by=by)}
        explanations.explain_many(session, 2026, left, "waits", by=by, now=CLOSED_ON)
        season_end.close(session, 2026, by=by, now=CLOSED_ON)
        second = actor_of(session.get_one(Account, overlap.second_official))
        season_end.close(session, 2026, by=second, now=CLOSED_ON)
    site.set_time(CLOSED_ON)
    return overlap


def test_a_closed_year_stays_readable_for_everybody(closed, new_page, site):
    for language, phone in (("zh", True), ("en", False)):
        lang = f"lang={language}"
        family = Walker(new_page(phone=phone), closed.keys["family of 安娜"], site)
        mine = closed.applications["placed"]
        family.reads(f"/parents?{lang}", "2026")
        family.reads(f"{mine}?{lang}", closed.codes["placed"])
        family.reads(f"{mine}/result?{lang}", BOTH)
        family.reads(f"{mine}/check-result?{lang}")
        assert family.page.request.get(f"{mine}/receipt.pdf").status in (200, 404)
        public = Walker(new_page(phone=phone), None, site)
        public.reads(f"/?{lang}", "2027", without=("2026",))
        public.reads(f"/draws/{closed.main_of_2026.id}?{lang}", "2026")
        public.reads(f"/rules/{AREA}?{lang}&year=2026", "2026")
        public.reads(f"/kindergartens?{lang}&year=2026", BOTH)
        public.reads(f"/coverage?{lang}&year=2026", "2026")
    clerk = Walker(new_page(), closed.keys["head"], site)
    clerk.reads("/staff/places?lang=zh&year=2026", "2026")
    clerk.reads("/staff/arrivals?year=2026", "2026")
    city = Walker(new_page(), closed.keys["city"], site, preparation=True)
    for section in ("", "/season", "/policies", "/places", "/rounds", "/draws", "/unplaced", "/cases", "/coverage"):
        city.reads(f"/officials/2026{section}")
        expect(city.page.get_by_role("note")).to_contain_text("2026 年已经结束")
    city.reads(f"/officials/2026/rounds/{closed.main_of_2026.id}/draw")
