"""Open data of the two shares: CSV with CSVW metadata, JSON, and a catalogue in DCAT.  All from the rows of the page."""

import json
from typing import Any

from flask import Response, url_for

from enrollment.coverage import open_data
from enrollment.coverage.indicator import Definition
from enrollment.coverage.open_data import Table
from portal.public import pages
from portal.web.guards import public
from portal.web.shared_views import coverage_metadata, coverage_tables, coverage_views
from portal.web.unit_of_work import city_day


@pages.get(
    "/coverage/data/<any(areas, history, forecast, accuracy):table>.<any('csv', 'csv-metadata.json', 'json'):suffix>"
)
@public
def coverage_data(table: str, suffix: str) -> Response:
    """A table as a file, or the meaning of its columns."""
    found = _tables()[table]
    if suffix == "csv-metadata.json":
        meaning = coverage_metadata.csvw(found, _path(table, "csv"), city_day().isoformat())
        return _answer(_json(meaning), "application/csvm+json")
    if suffix == "json":
        return _answer(_content(found)["json"], "application/json")
    answer = Response(_content(found)["csv"], content_type="text/csv; charset=utf-8; header=present")
    answer.headers["Content-Disposition"] = f'attachment; filename="coverage-{table}-{city_day()}.csv"'
    described_by = _path(table, "csv-metadata.json")
    answer.headers["Link"] = f'<{described_by}>; rel="describedby"; type="application/csvm+json"'
    return answer


@pages.get("/coverage/data/catalog.jsonld")
@public
def coverage_catalog() -> Response:
    """The tables as data sets of a catalogue (DCAT), which data portals read."""
    files = {name: _content(table) for name, table in _tables().items()}
    here = url_for("public.coverage", _external=True)
    made = coverage_metadata.catalogue(files, here, _address, city_day().isoformat())
    return _answer(_json(made), "application/ld+json")


def _tables() -> dict[str, Table]:
    """By the usual definition, today."""
    definition = Definition(city_day())
    figures = coverage_views.city_shares(definition, year=coverage_views.public_year())
    return open_data.tables(figures, coverage_views.outlook_of(figures))


def _content(table: Table) -> dict[str, bytes]:
    """The files of a table, as they are sent."""
    return {"csv": coverage_tables.csv(table), "json": _json(coverage_tables.rows(table))}


def _path(table: str, suffix: str) -> str:
    return url_for("public.coverage_data", table=table, suffix=suffix)


def _address(table: str, suffix: str) -> str:
    return url_for("public.coverage_data", table=table, suffix=suffix, _external=True)


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _answer(content: bytes, media: str) -> Response:
    return Response(content, content_type=f"{media}; charset=utf-8")
