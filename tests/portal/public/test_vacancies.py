"""RP20 for everybody: the places that are free after the published result, as the report of the desk has them."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from enrollment.offers.arrivals import arrival
from enrollment.reports.tables.catalogue import report_of
from enrollment.reports.tables.report import Question, read
from enrollment.results import free_places
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


def since_of(town) -> tuple[dt.datetime, int]:
    ((_garden, _level, _free, since, *_more),) = town.session.execute(free_places.query(2026)).all()
    question = Question(town.session, 2026, town.head_of(town.here), town.now, town.here.id)
    (row,) = read(report_of("vacancies"), question, how="page").rows
    assert row[3] == since
    return since, row[4]


def test_a_place_is_free_since_somebody_gave_it_up_or_since_the_result(registered):
    """An answer, an arrival or a place of somebody else there frees nothing."""
    town = registered
    published = town.drawn(*town.three).published_at
    town.at(published + dt.timedelta(days=2))
    town.confirm(town.three[0])
    assert since_of(town) == (published, 2), "nobody was offered these two"
    town.decline(town.three[1])
    given_up = town.now
    town.at(given_up + dt.timedelta(days=1))
    town.session.expire_all()
    offer = town.offer_for(town.three[0])
    arrival.mark_arrived(town.session, offer.id, by=town.clerk_of(town.here), now=town.now, class_name="小一班")
    assert since_of(town) == (given_up, 1)
