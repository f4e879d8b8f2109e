"""Open data of the two shares: from the rows of the page, each column explained, nothing small."""

import csv
import datetime as dt
import decimal
import hashlib
import io
import itertools
import json
import math
import re

import pytest

from enrollment.places import spreadsheets
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


def texts(value) -> dict[str, str]:
    """A text in both languages, as JSON-LD says it: an array of values with a tag each."""
    assert all(set(each) == {"@language", "@value"} and each["@value"] for each in value)
    found = {each["@language"]: each["@value"] for each in value}
    assert set(found) == {"zh-CN", "en"}
    return found


def test_a_number_below_zero_is_a_number():
    assert [spreadsheets.escape_formula(cell) for cell in ("-0.42", "-3", "-3+1", "-a", "=1")] == [
        "-0.42", "-3", "'-3+1", "'-a", "'=1"
    ]  # fmt: skip


VALUES = {
    "integer": lambda cell: str(int(cell)) == cell,
    "decimal": lambda cell: math.isfinite(decimal.Decimal(cell)),
    "boolean": lambda cell: cell in ("true", "false"),
    "date": lambda cell: dt.date.fromisoformat(cell).isoformat() == cell,
    "string": lambda cell: True,
}
"""The lexical forms of the datatypes of CSVW that the tables use."""

DIALECT = {
    "commentPrefix", "delimiter", "doubleQuote", "encoding", "header", "headerRowCount", "lineTerminators", "quoteChar",
    "skipBlankRows", "skipColumns", "skipInitialSpace", "skipRows", "trim",
}  # fmt: skip
COLUMN = {"@type", "name", "titles", "datatype", "required", "dc:description"}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_its_json_and_its_metadata_say_the_same(client, city, name):
    answer = client.get(f"/coverage/data/{name}.csv")
    assert f'</coverage/data/{name}.csv-metadata.json>; rel="describedby"' in answer.headers["Link"]
    lines, plain = rows(answer), client.get(f"/coverage/data/{name}.json").get_json(force=True)
    described = client.get(f"/coverage/data/{name}.csv-metadata.json")
    assert described.mimetype == "application/csvm+json"
    meta = described.get_json(force=True)
    assert meta["@context"] == ["http://www.w3.org/ns/csvw", {"@language": "zh-CN"}]
    assert (meta["@type"], meta["url"]) == ("Table", f"/coverage/data/{name}.csv")
    assert set(meta["dialect"]) <= DIALECT
    content = answer.get_data().decode(meta["dialect"]["encoding"] + "-sig")
    assert content.count(meta["dialect"]["lineTerminators"][0]) == len(lines) + meta["dialect"]["headerRowCount"]
    for text in ("dc:title", "dc:description", "dc:publisher", "dc:rights"):
        texts(meta[text])
    assert meta["dc:license"]["@id"].startswith("https://creativecommons.org/licenses/")
    columns = meta["tableSchema"]["columns"]
    assert lines and [column["name"] for column in columns] == list(lines[0]) == list(plain[0])
    assert len(lines) == len(plain)
    keys = meta["tableSchema"]["primaryKey"]
    for column in columns:
        assert set(column) == COLUMN and re.fullmatch("[a-z][a-z0-9_]*", column["name"])
        assert set(column["titles"]) == {"zh-CN", "en"}
        assert all(column["name"] in titles for titles in column["titles"].values()), "the head of the file is a title"
        texts(column["dc:description"])
        assert column["required"] == (column["name"] in keys)
        cells = [line[column["name"]] for line in lines]
        assert all(VALUES[column["datatype"]](cell) for cell in cells if cell), column["name"]
        assert all(cells) or not column["required"]
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
    """What DCAT-AP 3 makes mandatory of a catalogue, a data set and a distribution, and what a copy is checked with."""
    catalogue = client.get("/coverage/data/catalog.jsonld").get_json(force=True)
    used = set(re.findall(r'"([a-z]+):[A-Za-z]+"', json.dumps(catalogue)))
    assert used <= set(catalogue["@context"]), "every prefix is in the context"
    assert catalogue["@type"] == "dcat:Catalog"
    for data_set in (catalogue, *catalogue["dcat:dataset"]):
        texts(data_set["dct:title"])
        texts(data_set["dct:description"])
        texts(data_set["dct:publisher"]["foaf:name"])
        assert data_set["dct:modified"]["@type"] == "xsd:date" and dt.date.fromisoformat(
            data_set["dct:modified"]["@value"]
        )
        assert {each["@id"].rpartition("/")[2] for each in data_set["dct:language"]} == {"zh", "en"}
    names = [catalogue["@id"]]
    for data_set in catalogue["dcat:dataset"]:
        assert data_set["@type"] == "dcat:Dataset"
        assert data_set["dct:accrualPeriodicity"]["@id"].endswith("/frequency/DAILY")
        assert {"dct:identifier", "dcat:contactPoint", "dcat:theme", "dct:spatial", "dct:rights"} <= set(data_set)
        names.append(data_set["@id"])
        forms = set()
        for distribution in data_set["dcat:distribution"]:
            names.append(distribution["@id"])
            address = distribution["dcat:downloadURL"]["@id"]
            assert distribution["dcat:accessURL"] == {"@id": address}
            answer = client.get(address)
            content, media = answer.get_data(), distribution["dcat:mediaType"]["@id"]
            assert media == f"https://www.iana.org/assignments/media-types/{answer.mimetype}"
            assert distribution["dcat:byteSize"]["@value"] == str(len(content))
            checksum = distribution["spdx:checksum"]
            assert checksum["spdx:algorithm"] == {"@id": "spdx:checksumAlgorithm_sha256"}
            assert checksum["spdx:checksumValue"]["@value"] == hashlib.sha256(content).hexdigest()
            assert distribution["dct:license"]["@id"] == catalogue["dct:license"]["@id"]
            if "dct:conformsTo" in distribution:
                assert client.get(distribution["dct:conformsTo"]["@id"]).mimetype == "application/csvm+json"
            forms.add(answer.mimetype)
        assert forms == {"text/csv", "application/json"}
    assert len(set(names)) == len(names) == 1 + 3 * len(TABLES), "each thing has a name of its own"
    assert client.get("/coverage/data/children.csv").status_code == 404


def test_every_table_is_named_on_the_page(client, city):
    page = client.get("/coverage").text
    for name in TABLES:
        assert words()["open_data"][name]["zh"] in page
        assert f'href="/coverage/data/{name}.csv"' in page
