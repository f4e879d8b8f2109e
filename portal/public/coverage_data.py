"""Open data of the two shares: CSV with CSVW metadata, JSON, and a catalogue in DCAT.  All from the rows of the page."""

import json
from typing import Any

from flask import Response, url_for

from enrollment.coverage import open_data
from enrollment.coverage.indicator import Definition
from enrollment.coverage.open_data import Column, Table
from portal.public import pages
from portal.text.words import word
from portal.web.guards import public
from portal.web.shared_views import coverage_tables, coverage_views
from portal.web.unit_of_work import city_day

LANGUAGES = {"zh": "zh-CN", "en": "en"}


@pages.get(
    "/coverage/data/<any(areas, history, forecast, accuracy):table>.<any('csv', 'csv-metadata.json', 'json'):suffix>"
)
@public
def coverage_data(table: str, suffix: str) -> Response:
    """A table as a file, or the meaning of its columns."""
    found = _tables()[table]
    if suffix == "csv-metadata.json":
        return _json(_csvw(found), "application/csvm+json")
    if suffix == "json":
        return _json(coverage_tables.rows(found), "application/json")
    answer = Response(coverage_tables.csv(found), content_type="text/csv; charset=utf-8; header=present")
    answer.headers["Content-Disposition"] = f'attachment; filename="coverage-{table}-{city_day()}.csv"'
    described_by = url_for("public.coverage_data", table=table, suffix="csv-metadata.json")
    answer.headers["Link"] = f'<{described_by}>; rel="describedby"; type="application/csvm+json"'
    return answer


@pages.get("/coverage/data/catalog.jsonld")
@public
def coverage_catalog() -> Response:
    """The tables as data sets of a catalogue (DCAT), which data portals read."""
    here = url_for("public.coverage", _external=True)
    return _json(
        {
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
            },
            "@id": here,
            "@type": "dcat:Catalog",
            "dct:title": _in_both("open_data", "catalog"),
            "dct:publisher": {"@type": "foaf:Organization", "foaf:name": _in_both("open_data", "publisher")},
            "dcat:dataset": [_data_set(name) for name in open_data.NAMES],
        },
        "application/ld+json",
    )


def _tables() -> dict[str, Table]:
    """By the usual definition, today."""
    definition = Definition(city_day())
    figures = coverage_views.city_shares(definition, year=coverage_views.public_year())
    return open_data.tables(figures, coverage_views.outlook_of(figures))


def _data_set(name: str) -> dict[str, Any]:
    def address(kind: str) -> str:
        return url_for("public.coverage_data", table=name, suffix=kind, _external=True)

    def distribution(kind: str, media: str) -> dict[str, Any]:
        return {"@type": "dcat:Distribution", "dcat:downloadURL": {"@id": address(kind)}, "dcat:mediaType": media}

    return {
        "@type": "dcat:Dataset",
        "@id": address("csv"),
        "dct:title": _in_both("open_data", name),
        "dct:description": _in_both("open_data", f"{name}_about"),
        "dct:modified": city_day().isoformat(),
        "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"},
        "dct:language": list(LANGUAGES.values()),
        "dct:rights": _in_both("open_data", "rights"),
        "dct:conformsTo": {"@id": address("csv-metadata.json")},
        "dcat:distribution": [distribution("csv", "text/csv"), distribution("json", "application/json")],
    }


def _csvw(table: Table) -> dict[str, Any]:
    """The metadata of a CSV file on the web (CSVW): each column with its type and meaning."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "url": url_for("public.coverage_data", table=table.name, suffix="csv"),
        "dc:title": {code: word("open_data", table.name, in_language=code) for code in LANGUAGES},
        "dc:description": {code: word("open_data", f"{table.name}_about", in_language=code) for code in LANGUAGES},
        "dc:rights": {code: word("open_data", "rights", in_language=code) for code in LANGUAGES},
        "dc:modified": city_day().isoformat(),
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ","},
        "tableSchema": {
            "columns": [_csvw_column(column) for column in table.columns],
            "primaryKey": [column.name for column in table.columns[: table.keys]],
        },
    }


def _csvw_column(column: Column) -> dict[str, Any]:
    titles = {code: word("open_data_column", column.name, in_language=code) for code in LANGUAGES}
    return {"name": column.name, "titles": [column.name], "datatype": column.datatype, "dc:description": titles}


def _in_both(group: str, code: str) -> list[dict[str, str]]:
    return [
        {"@language": tag, "@value": word(group, code, in_language=language)} for language, tag in LANGUAGES.items()
    ]


def _json(content: Any, media: str) -> Response:
    return Response(json.dumps(content, ensure_ascii=False, indent=1), content_type=f"{media}; charset=utf-8")
