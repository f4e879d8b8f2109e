"""The metadata of the open data of the two shares: CSVW for each table, DCAT for the catalogue.

CSVW: "Metadata Vocabulary for Tabular Data", W3C Recommendation of 17 December 2015.  DCAT: "Data Catalog Vocabulary, version 3",
W3C Recommendation of 22 August 2024, with the properties that DCAT-AP 3 makes mandatory.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from enrollment.coverage.open_data import CITY_CODE, Column, Table
from portal.text.words import word

LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""The language of a text, and its tag (BCP 47)."""

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
"""Free to use when the source is named, which `rights` says in words."""

CSV, JSON = "text/csv", "application/json"
DAILY = "http://publications.europa.eu/resource/authority/frequency/DAILY"
EDUCATION = "http://publications.europa.eu/resource/authority/data-theme/EDUC"

DIALECT = {
    "encoding": "utf-8",
    "lineTerminators": ["\r\n"],
    "delimiter": ",",
    "quoteChar": '"',
    "doubleQuote": True,
    "header": True,
    "headerRowCount": 1,
}

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

Address = Callable[[str, str], str]
"""The address of a table (its name) in a form: csv, json or csv-metadata.json."""


def csvw(table: Table, address: str, day: str) -> dict[str, Any]:
    """The description of a CSV file: its dialect, and each column with its titles, its type and its meaning."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": LANGUAGES["zh"]}],
        "@type": "Table",
        "url": address,
        "dc:title": _in_both("open_data", table.name),
        "dc:description": _in_both("open_data", f"{table.name}_about"),
        "dc:publisher": _in_both("open_data", "publisher"),
        "dc:rights": _in_both("open_data", "rights"),
        "dc:license": {"@id": LICENCE},
        "dc:modified": {"@value": day, "@type": "xsd:date"},
        "dc:accrualPeriodicity": {"@id": DAILY},
        "dialect": DIALECT,
        "tableSchema": {
            "@type": "Schema",
            "columns": [_column(column, at < table.keys) for at, column in enumerate(table.columns)],
            "primaryKey": [column.name for column in table.columns[: table.keys]],
        },
    }


def _column(column: Column, is_key: bool) -> dict[str, Any]:
    """The head of the file has the name of the column, which is therefore a title in each language."""
    return {
        "@type": "Column",
        "name": column.name,
        "titles": {
            tag: [column.name, word("open_data_column", column.name, in_language=language)]
            for language, tag in LANGUAGES.items()
        },
        "dc:description": _in_both("open_data_column", column.name),
        "datatype": column.datatype,
        "required": is_key,
    }


def catalogue(files: Mapping[str, Mapping[str, bytes]], here: str, address: Address, day: str) -> dict[str, Any]:
    """The catalogue at `here`, with a data set for each table; `files` has the content of each by name and form."""
    return {
        "@context": CONTEXT,
        "@id": f"{here}#catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _in_both("open_data", "catalog"),
        "dct:description": _in_both("open_data", "catalog_about"),
        "dct:publisher": _publisher(here),
        "dct:language": _languages(),
        "dct:modified": _date(day),
        "dct:license": {"@id": LICENCE},
        "foaf:homepage": {"@id": here},
        "dcat:themeTaxonomy": {"@id": "http://publications.europa.eu/resource/authority/data-theme"},
        "dcat:dataset": [_data_set(name, forms, here, address, day) for name, forms in files.items()],
    }


def _data_set(name: str, forms: Mapping[str, bytes], here: str, address: Address, day: str) -> dict[str, Any]:
    return {
        "@id": f"{here}#{name}",
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": _in_both("open_data", name),
        "dct:description": _in_both("open_data", f"{name}_about"),
        "dct:publisher": _publisher(here),
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": _in_both("open_data", "publisher"),
            "vcard:hasURL": {"@id": here},
        },
        "dct:modified": _date(day),
        "dct:accrualPeriodicity": {"@id": DAILY},
        "dct:language": _languages(),
        "dct:spatial": {
            "@type": "dct:Location",
            "dct:identifier": CITY_CODE,
            "skos:prefLabel": _in_both("open_data", "city"),
        },
        "dcat:theme": {"@id": EDUCATION},
        "dcat:landingPage": {"@id": here},
        "dct:rights": {"@type": "dct:RightsStatement", "skos:prefLabel": _in_both("open_data", "rights")},
        "dcat:distribution": [
            _distribution(name, "csv", CSV, forms["csv"], address, day)
            | {"dct:conformsTo": {"@id": address(name, "csv-metadata.json")}},
            _distribution(name, "json", JSON, forms["json"], address, day),
        ],
    }


def _distribution(name: str, form: str, media: str, content: bytes, address: Address, day: str) -> dict[str, Any]:
    """A file as it was at the moment of the catalogue: its checksum tells whether a copy is this one."""
    return {
        "@id": f"{address(name, form)}#distribution",
        "@type": "dcat:Distribution",
        "dct:title": _in_both("open_data", name),
        "dcat:accessURL": {"@id": address(name, form)},
        "dcat:downloadURL": {"@id": address(name, form)},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media}"},
        "dcat:byteSize": {"@value": str(len(content)), "@type": "xsd:nonNegativeInteger"},
        "dct:license": {"@id": LICENCE},
        "dct:modified": _date(day),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": hashlib.sha256(content).hexdigest(), "@type": "xsd:hexBinary"},
        },
    }


def _publisher(here: str) -> dict[str, Any]:
    return {"@id": f"{here}#publisher", "@type": "foaf:Organization", "foaf:name": _in_both("open_data", "publisher")}


def _languages() -> list[dict[str, str]]:
    return [{"@id": f"http://id.loc.gov/vocabulary/iso639-1/{language}"} for language in LANGUAGES]


def _date(day: str) -> dict[str, str]:
    return {"@value": day, "@type": "xsd:date"}


def _in_both(group: str, code: str) -> list[dict[str, str]]:
    """A text in both languages, each with its tag."""
    return [
        {"@language": tag, "@value": word(group, code, in_language=language)} for language, tag in LANGUAGES.items()
    ]
