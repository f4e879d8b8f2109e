"""Open data of the two shares: from the rows of the page, each column explained, nothing small."""

import csv
import io
import itertools

import pytest

from portal.text.words import table as words
from tests.domain.coverage.test_forecast import write_past
from tests.support.counted_city import CountedCity
from tests.support.prepared import prepared

TABLES = ("areas", "history", "forecast", "accuracy")
GROUPS = ("level", "sex", "hukou", "ground", "kindergarten", "class")
"""What could make a cell small: no table of these is published."""


@prepared
def city(portal_session):
    city = CountedCity(portal_session)
    city.targets()
    city.kindergarten("public", {"lower": 60, "middle": 50, "upper": 40})
    city.kindergarten("private", {"lower": 40, "middle": 50, "upper": 60})
    write_past(portal_session, 2012)
    portal_session.commit()
    return city


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_its_json_and_its_metadata_say_the_same(client, city, name):
    answer = client.get(f"/coverage/data/{name}.csv")
    assert f'</coverage/data/{name}.csv-metadata.json>; rel="describedby"' in answer.headers["Link"]
    lines, plain = rows(answer), client.get(f"/coverage/data/{name}.json").get_json(force=True)
    meta = client.get(f"/coverage/data/{name}.csv-metadata.json").get_json(force=True)
    columns = [column["name"] for column in meta["tableSchema"]["columns"]]
    assert lines and columns == list(lines[0]) == list(plain[0])
    assert len(lines) == len(plain)
    assert meta["@context"][0] == "http://www.w3.org/ns/csvw"
    for column in meta["tableSchema"]["columns"]:
        assert set(column["dc:description"]) == {"zh", "en"}
        if column["datatype"] == "integer":
            assert all(line[column["name"]].lstrip("-").isdecimal() or not line[column["name"]] for line in lines)
        if column["datatype"] == "boolean":
            assert {line[column["name"]] for line in lines} <= {"true", "false", ""}
    keys = meta["tableSchema"]["primaryKey"]
    assert len({tuple(line[key] for key in keys) for line in lines}) == len(lines)


def test_the_figures_are_those_of_the_page_and_cross_foot(client, city):
    lines = rows(client.get("/coverage/data/areas.csv"))
    whole = lines[-1]
    assert whole["public_share"] in client.get("/coverage").text
    for column in ("children", "public", "inclusive_private"):
        assert sum(int(line[column]) for line in lines[:-1]) == int(whole[column])
    history = rows(client.get("/coverage/data/history.csv"))
    for _year, group in itertools.groupby(
        sorted(history, key=lambda line: line["school_year"]), lambda line: line["school_year"]
    ):
        group = list(group)
        city_line = next(line for line in group if line["area_code"] == "510100")
        assert sum(int(line["children"]) for line in group) == 2 * int(city_line["children"])


def test_no_table_tells_of_a_small_group(client, city):
    """Totals of areas are public; a group by ground, level or kindergarten stands in no table, so none can be found by
    subtraction, between tables or between versions."""
    for name in TABLES:
        columns = rows(client.get(f"/coverage/data/{name}.csv"))[0]
        assert not [column for column in columns if any(group in column for group in GROUPS)]


def test_the_catalogue_leads_to_every_table(client, city):
    catalogue = client.get("/coverage/data/catalog.jsonld").get_json(force=True)
    assert catalogue["@type"] == "dcat:Catalog"
    for data_set in catalogue["dcat:dataset"]:
        for distribution in data_set["dcat:distribution"]:
            address = distribution["dcat:downloadURL"]["@id"]
            assert client.get(address).status_code == 200
    assert len(catalogue["dcat:dataset"]) == len(TABLES)
    assert client.get("/coverage/data/children.csv").status_code == 404


def test_every_table_is_named_on_the_page(client, city):
    page = client.get("/coverage").text
    for name in TABLES:
        assert words()["open_data"][name]["zh"] in page
        assert f'href="/coverage/data/{name}.csv"' in page
