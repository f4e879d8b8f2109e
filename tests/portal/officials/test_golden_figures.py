"""The published figures of 衡南县, from the workbook of a roll to every page, file and paper of the two shares.

25,113 children, 10,301 of them in public and 7,629 in inclusive kindergartens: 41.02 % and 71.40 %, 2,507 children to move.
"""

import csv
import io
import json
import re

import openpyxl
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from enrollment.ground.accounts import SYSTEM
from enrollment.places.areas import MOST_CHILDREN
from enrollment.places.imports import importer
from tests.support.counted_city import CountedCity
from tests.support.letters import drawn_letter
from tests.support.office_files import xlsx
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

CHILDREN = {"public": 10_301, "inclusive": 7_629, "private": 7_183}
SHARES = ("41.02", "71.40")
AREA, DESK = "510104", "/officials/2026/coverage"
LEVELS = ("小班", "中班", "大班")


@prepared
def official(client, town):
    """The roll of all kindergartens comes in as one workbook, a line for each class level."""
    city = CountedCity(town.session)
    city.targets()
    rows = []
    for nature, children in CHILDREN.items():
        left = children
        while left:
            school = city.kindergarten(nature, code=f"51510400{len(rows):02}")
            for level in LEVELS:
                number = min(left, MOST_CHILDREN)
                left -= number
                if number:
                    rows.append([school.code, level, level, number])
    content = xlsx(["学校标识码", "班级", "年级段", "在园人数"], rows, title=None)
    importer.import_file(town.session, "roll", "名册.xlsx", content, by=SYSTEM, now=town.now, year=2026)
    account = town.account_of_staff("city-1", "周工", "city_official")
    town.session.commit()
    return sign_in(client, account)


def bare(text: str) -> str:
    """Without blanks and commas, of which some stand between thousands."""
    return re.sub(r"[\s,]", "", text)


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_the_desk_and_of_everybody(official, language):
    page = BeautifulSoup(official.get(DESK, query_string={"lang": language}).text, "lxml")
    tiles = [" ".join(tile.text.split()) for tile in page.select(".tile")][:2]
    for tile, share, (part, move, add) in zip(
        tiles, SHARES, (("10,301", "2,507", "5,116"), ("17,930", "2,663", "14,793")), strict=True
    ):
        assert f"{share}%" in tile
        for number in (part, "25,113", move, add):
            assert bare(number) in bare(tile), (number, tile)
    public = official.get("/coverage", query_string={"lang": language}).text
    area = official.get(f"{DESK}/{AREA}", query_string={"lang": language}).text
    for share in SHARES:
        assert f"{share}%" in public and f"{share}%" in area
    said = {
        "zh": "41 个在公办园，71 个在公办或普惠园",
        "en": "41 are in a public one and 71 in a public or inclusive one",
    }[language]
    assert said in public, "in a hundred children, never rounded up"


def test_the_files(official):
    whole = rows_of(official.get("/coverage.csv?lang=zh"))[-1]
    assert (whole["在园幼儿"], whole["公办占比（%）"], whole["普惠覆盖率（%）"]) == ("25113", *SHARES)
    assert (whole["公办还差（由他园转入，人）"], whole["公办达标"]) == ("2507", "否")
    gardens = rows_of(official.get(f"{DESK}/{AREA}.csv?lang=zh"))
    of_kind = {"公办": 0, "普惠性民办": 0, "其他民办": 0}
    for line in gardens:
        of_kind[line["性质"]] += int(line["在园幼儿"])
    assert tuple(of_kind.values()) == tuple(CHILDREN.values())
    openly = rows_of(official.get("/coverage/data/areas.csv"))[-1]
    as_json = json.loads(official.get("/coverage/data/areas.json").text)
    for told in (openly, {key: str(value) for key, value in as_json[-1].items()}):
        assert (told["children"], told["public"], told["inclusive_private"]) == ("25113", "10301", "7629")
        assert (float(told["public_share"]), float(told["inclusive_coverage"])) == tuple(map(float, SHARES))


def test_the_statistics_return_as_page_csv_and_workbook(official):
    path = "/officials/2026/reports/two_shares"
    page = BeautifulSoup(official.get(path).text, "lxml")
    line = next(row for row in page.select("main tbody tr") if "锦江区" in row.text)
    shown = [cell.get_text(strip=True) for cell in line.select("th, td")]
    listed = next(
        row
        for row in csv.reader(io.StringIO(official.get(f"{path}/file.csv").data.decode("utf-8-sig")))
        if shown[0] in row
    )
    sheet = openpyxl.load_workbook(io.BytesIO(official.get(f"{path}/file.xlsx").data)).worksheets[0]
    cells = next(row for row in sheet.values if row[0] == shown[0])
    assert listed == shown == ["" if cell is None else str(cell) for cell in cells]
    for said in ("25113", "10301", "41.02%", "17930", "71.40%"):
        assert said in [each.replace(",", "") for each in shown]


def test_the_paper_of_the_area(official, portal_engine, frozen_clock):
    answer = drawn_letter(official, portal_engine, frozen_clock, f"{DESK}/{AREA}.pdf?lang=zh")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.get_data())).pages)
    for said in ("41.02%", "71.40%", "2,507"):
        assert bare(said) in bare(text), said
