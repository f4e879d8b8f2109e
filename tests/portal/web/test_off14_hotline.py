"""OFF14: a page shows the telephone of its season, and none where none is set; no telephone is invented in the code."""

import re

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import update

from enrollment.season.calendar import Season
from tests.guards.test_texts_of_codes import ROOT
from tests.support.prepared import prepared

PAGES = ("/", "/help", "/privacy", "/accessibility", "/coverage", "/kindergartens", "/rules", "/no-such-page")
TELEPHONE = re.compile(r"\b0\d{2,3}[- ]\d{5,8}\b|\b028\d{5,8}\b|\b1[3-9]\d{9}\b|\b400[- ]?\d{3}[- ]?\d{4}\b")
EXAMPLE = re.compile(r"例如|请写成|such as|for example|Write 028|\bColumn\(")
PUBLISHED = "https://t0.tianditu.gov.cn"
"""The service of the national map tiles, as its own documentation names it."""


def telephones(page) -> set[str]:
    soup = BeautifulSoup(page.text, "lxml")
    return {link["href"] for link in soup.select('a[href^="tel:"]')} | set(TELEPHONE.findall(soup.text))


@prepared
def season(town):
    town.kindergarten("锦官", places=5)
    town.open_registration()
    town.session.commit()

    def with_hotline(number):
        town.session.execute(update(Season).values(hotline=number))
        town.session.commit()

    return with_hotline


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_the_telephone_of_the_season_stands_on_every_page(client, season, frozen_clock, town, path, language):
    frozen_clock.set(town.now)
    season("028-8765 4321")
    page = client.get(path, query_string={"lang": language})
    assert 'href="tel:02887654321"' in page.text
    assert telephones(page) == {"tel:02887654321"}
    season(None)
    assert telephones(client.get(path)) == set()


@pytest.mark.parametrize("path", PAGES)
def test_before_the_first_season_there_is_none(client, path):
    assert telephones(client.get(path)) == set()


def texts():
    for top in ("templates", "portal", "enrollment"):
        for file in sorted((ROOT / top).rglob("*")):
            named = file.suffix in (".html", ".py", ".toml", ".po", ".sql") and "demo" not in file.parts
            if named and file.is_file():
                for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                    if file.suffix == ".toml" and line.startswith("#"):
                        continue  # nobody reads it on a page; a source of a table stands there
                    yield f"{file.relative_to(ROOT)}:{number}", line


def test_no_telephone_address_or_page_is_invented():
    """Only an example in a hint or a refusal has a number, and says that it is one."""
    invented = re.compile(
        rf"{TELEPHONE.pattern}|[\w.]+@[\w-]+\.(?:cn|com|org)\b|[\w-]+\.gov\.cn|example\.(?:com|org|cn)"
    )
    found = {where: line.strip() for where, line in texts() if invented.search(line) and not EXAMPLE.search(line)}
    found = {where: line for where, line in found.items() if PUBLISHED not in line}
    assert found == {}


def test_no_office_hours_are_invented():
    assert [where for where, line in texts() if re.search(r"工作日 ?\d|working days \d", line)] == []
