"""Grades of kindergartens and readiness on the officials' pages, in the public search, and in the files."""

import csv
import io

import openpyxl
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.staffing import counts
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.statements import counted

HERE = "/officials/2026/quality"


@prepared
def city(client, town):
    """Two kindergartens with a roll in 锦江区, one in 高新区, and a list of two grades."""
    town.garden, town.other = (
        town.kindergarten("锦官新城幼儿园", places=25),
        town.kindergarten("牡丹幼儿园", nature="private"),
    )
    far = town.kindergarten("远园", area="GXQ", places=10)
    for garden, children in ((town.garden, 24), (town.other, 30), (far, 10)):
        town.roll(garden, "middle", children)
    town.open_registration()
    town.first, town.second = town.city_pair()
    for each in (GradeNames("省级示范性幼儿园", "Provincial model", True), GradeNames("市一级", "City 1", False)):
        code_list.add(town.session, each, by=town.first, now=town.now)
    town.session.commit()
    return town


def text(client, path, **query):
    return client.get(path, query_string=query).text


def cells(page):
    rows = BeautifulSoup(page, "lxml").select("main table")[-1].select("tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in rows]


def test_the_city_keeps_the_list_and_an_area_reads_it(city, client):
    sign_in(client, city.first.account_id)
    fill_in(client, f"{HERE}/grades", name="高品质园", name_en="Quality", high_quality="y")
    assert "高品质园" in text(client, f"{HERE}/grades")
    assert "已经有这个名称" in fill_in(client, f"{HERE}/grades", name="高品质园", name_en="Other").text
    changed_to = {"name_en": "Quality", "in_use": "y"}
    fill_in(client, f"{HERE}/grades/g3", **changed_to, name="高品质领航园")
    changed = code_list.grade(city.session, "g3")
    assert (changed.name, changed.high_quality, changed.version) == ("高品质领航园", False, 2)
    sign_in(client, city.area_official().account_id)
    assert "加一个等级" not in text(client, f"{HERE}/grades")
    assert client.get(f"{HERE}/grades/g3").status_code == 403


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_area_enters_a_grade_and_families_find_it(city, client, lang):
    sign_in(client, city.area_official().account_id)
    page = f"{HERE}/kindergartens/{city.garden.id}"
    typed = {"grade": "g1", "since": "2024-05-01", "document": "川教〔2024〕8号"}
    assert fill_in(client, page, **typed | {"document": ""}).status_code == 200
    assert fill_in(client, page, **typed).status_code == 303
    shown = {"zh": "省级示范性幼儿园", "en": "Provincial model"}[lang]
    assert shown in text(client, page, lang=lang)
    assert client.get(f"{HERE}/kindergartens/{city.kindergarten('外', area='GXQ').id}").status_code == 404
    listed = BeautifulSoup(text(client, "/kindergartens", lang=lang, grade="quality"), "lxml")
    assert [card.get_text(strip=True) for card in listed.select(".kg .name")] == ["锦官新城幼儿园"]
    assert shown in listed.select_one(".kg .tag.pink").get_text()
    assert shown in listed.select_one('details.areas nav a[href*="grade=g1"]').get_text()
    own = text(client, f"/kindergartens/{city.garden.code}", lang=lang)
    assert shown in own and "川教〔2024〕8号" in own
    entered = held.history(city.session, city.garden.id)[0]
    form = f"{HERE}/held/{entered.id}"
    prefix = str(entered.id)[:8]
    token = BeautifulSoup(text(client, page), "lxml").select_one("input[name=csrf_token]")["value"]
    assert client.post(form, data={"csrf_token": token, f"{prefix}-until": "2023-01-01"}).status_code == 200
    assert client.post(form, data={"csrf_token": token, f"{prefix}-until": "2025-01-01"}).status_code == 303
    assert "锦官新城幼儿园" not in text(client, "/kindergartens", grade="quality")
    assert shown in text(client, f"/kindergartens/{city.garden.code}", lang=lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_count_of_high_quality_stands_beside_its_target(city, client, lang):
    held.give(city.session, city.garden.id, "g1", city.now.date(), "文件", by=city.area_official(), now=city.now)
    city.session.commit()
    sign_in(client, city.first.account_id)
    page = "/officials/2026/coverage/targets/2026"
    typed = {
        "scope": "city", "high_quality": "100", "in_force_from": "2026-01-01", "source_name": "计划", "source_date": "2026-01-05",
    }  # fmt: skip
    assert fill_in(client, page, action=page, **typed).status_code == 303
    assert {"zh": "没有目标", "en": "No target"}[lang] in text(client, HERE, lang=lang)
    sign_in(client, city.second.account_id)
    sign = BeautifulSoup(text(client, page), "lxml").select_one('form[action$="/sign"]')["action"]
    fill_in(client, page, action=sign)
    assert {"zh": "离 100 所还差 99 所", "en": "99 short of the target of 100"}[lang] in text(client, HERE, lang=lang)
    rows = cells(text(client, HERE, lang=lang))
    assert [row[-4:-1] for row in rows if row[0] in ("锦江区", "Jinjiang")] == [["1", "24", "25"]]
    assert "锦官新城幼儿园" in text(client, HERE, area="510104", lang=lang)
    sign_in(client, city.area_official().account_id)
    assert client.get(f"{HERE}?area=GXQ").status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_readiness_on_the_page_is_that_of_the_files(city, client, lang):
    counts.enter(city.session, city.garden.id, city.now.date(), 4, 2, by=city.clerk_of(city.garden), now=city.now)
    city.session.commit()
    sign_in(client, city.first.account_id)
    page = cells(text(client, f"{HERE}/readiness", lang=lang))
    assert len(page) == 24
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{HERE}/files/readiness.xlsx?lang={lang}").data))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows(min_row=2)]
    assert len(rows) == 23 * 5
    by_area = {row[0]: row for row in page[1:]}
    for area, _indicator, value, *_rest in rows:
        assert any(value in cell for cell in by_area[area]), (area, value)
    jinjiang = next(row for row in by_area.values() if row[0] in ("锦江区", "Jinjiang"))
    assert "44.44%" in jinjiang[2] and "100.00%" in jinjiang[4] and "1 : 13.5" in jinjiang[5]
    area = text(client, f"{HERE}/readiness/510104", lang=lang)
    assert {"zh": "1 所园没有填教职工人数", "en": "1 kindergarten has no staff count"}[lang] in area
    told = client.get(f"{HERE}/files/readiness_rows.csv?area=510104&lang={lang}").data.decode("utf-8-sig")
    listed = list(csv.reader(io.StringIO(told)))
    assert cells(area)[1:] == listed[1:]
    assert client.get(f"{HERE}/files/nothing.csv").status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_readiness_is_one_file_to_print(city, client, lang, portal_engine, frozen_clock):
    """All 23 units with their verdicts, and of one unit its kindergartens; the figures are those of the page."""
    counts.enter(city.session, city.garden.id, city.now.date(), 4, 2, by=city.clerk_of(city.garden), now=city.now)
    city.session.commit()
    frozen_clock.set(city.now)
    sign_in(client, city.first.account_id)

    def printed(address):
        answer = drawn_letter(client, portal_engine, frozen_clock, address)
        assert answer.mimetype == "application/pdf", answer.text
        return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.get_data())).pages]

    everything = printed(f"{HERE}/readiness.pdf?lang={lang}")
    for row in cells(text(client, f"{HERE}/readiness", lang=lang))[1:]:
        assert "".join(row[0].split()) in "".join(everything), row
    here = "".join(printed(f"{HERE}/readiness.pdf?area=510104&lang={lang}"))
    for told in ("44.44%", "1:13.5", "锦官新城幼儿园", *({"zh": ["负责人签名"], "en": ["Signature"]}[lang])):
        assert told in here, told
    assert client.get(f"{HERE}/readiness.pdf?area=nowhere").status_code == 404


def test_a_kindergarten_enters_its_staff(city, client):
    sign_in(client, city.clerk_of(city.garden).account_id)
    typed = {"teachers": "6", "carers": "3", "day": "2026-03-31"}
    assert fill_in(client, "/staff/roll/staff", **typed | {"day": "2030-01-01"}).status_code == 200
    assert fill_in(client, "/staff/roll/staff", **typed).status_code == 303
    assert cells(text(client, "/staff/roll/staff"))[1][1:3] == ["6", "3"]
    assert client.get(f"/staff/roll/staff?at={city.other.id}").status_code == 404


def test_the_statements_of_the_pages_do_not_grow_with_the_kindergartens(city, client):
    sign_in(client, city.first.account_id)
    pages = (HERE, f"{HERE}/readiness", f"{HERE}/readiness/510104")

    def number():
        found = []
        for page in pages:
            with counted(city.session) as asked:
                assert client.get(page).status_code == 200
            found.append(len(asked))
        return found

    number()
    before = number()
    for n in range(6):
        garden = city.kindergarten(f"新{n}园", places=5)
        city.roll(garden, "lower", 20)
        held.give(city.session, garden.id, "g1", city.now.date(), "文件", by=city.area_official(), now=city.now)
    city.session.commit()
    number()
    assert number() == before
