"""RP20 for everybody: the places that are free after the published result, as the report of the desk has them."""

import pytest
from bs4 import BeautifulSoup

from enrollment.reports.tables.catalogue import report_of
from enrollment.reports.tables.report import Question, read
from tests.support.prepared import prepared


@prepared
def registered(town, frozen_clock):
    here, full = town.kindergarten("锦官园", places=4), town.kindergarten("武侯园", area="510107", places=1)
    town.open_registration()
    town.three = [
        town.child("安安", wishes=[here]), town.child("贝贝", wishes=[here]), town.child("辰辰", wishes=[full])
    ]  # fmt: skip
    town.here = here
    town.session.commit()
    return town


def page_of(client, path="/vacancies"):
    return BeautifulSoup(client.get(path).text, "lxml")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_free_places_are_public_from_the_result_on(registered, client, frozen_clock, lang):
    town = registered
    frozen_clock.set(town.now)
    before = page_of(client, f"/vacancies?lang={lang}")
    assert before.select("tbody tr") == [], "before the result every place would be free"
    town.drawn(*town.three)
    town.session.commit()
    frozen_clock.set(town.now)
    rows = page_of(client, f"/vacancies?lang={lang}").select("tbody tr")
    (cells,) = [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in rows]
    assert (cells[0], cells[3]) == ("锦官园", "2")
    assert cells[5] in ("0", "不到 10 个", "fewer than 10")
    table = read(
        report_of("vacancies"),
        Question(town.session, 2026, town.head_of(town.here), town.now, town.here.id),
        how="page",
    )
    assert [(row[0].name, row[2]) for row in table.rows] == [("锦官园", 2)], "page and report are one query"
    assert page_of(client, "/vacancies?area=510107").select("tbody tr") == []
    assert len(page_of(client, "/vacancies?area=510104&page=9").select("tbody tr")) == 1
    assert client.get("/vacancies?area=nowhere&page=-1").status_code == 200
    assert page_of(client, "/draws").select_one('a[href="/vacancies"]') is not None
