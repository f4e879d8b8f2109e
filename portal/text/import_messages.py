"""Faults, columns and values of imports in the reader's language, for pages and commands."""

from functools import cache
from typing import Any

from enrollment.places.areas import rows_of_file
from enrollment.places.imports.changes import Difference, as_text
from enrollment.places.imports.faults import ImportFault
from enrollment.places.imports.importer import MODULES
from portal.text.words import language, table, word

CODED = {"nature": "nature", "level": "level", "kept_as": "kept_as", "state": "programme_state"}
JOINED = {"zh": "、", "en": ", "}


@cache
def _column_names(kind: str) -> dict[str, dict[str, str]]:
    """The Chinese and the English header of each column."""
    return {
        column.key: {
            "zh": column.names[0],
            "en": next((name for name in column.names if name.isascii()), column.key).capitalize(),
        }
        for column in MODULES[kind].COLUMNS
    }


@cache
def _areas() -> dict[str, dict[str, str]]:
    return {row["code"]: {"zh": row["name"], "en": row["name_en"]} for row in rows_of_file()}


def field_name(kind: str, key: str, in_language: str | None = None) -> str:
    names = _column_names(kind).get(key)
    return names[in_language or language()] if names else word("import_column", key, in_language=in_language)


def value_words(key: str, value: Any, in_language: str | None = None) -> str:
    """A value in words; `—` for none."""
    if value is None or value in ("", []):
        return "—"
    spoken = in_language or language()
    if isinstance(value, bool):
        return {"zh": "是" if value else "否", "en": "yes" if value else "no"}[spoken]
    if key == "area_code":
        return _areas()[value][spoken]
    if key in CODED:
        return word(CODED[key], value, in_language=spoken)
    if key == "groups":
        return JOINED[spoken].join(_group(code, spoken) for code in value)
    return str(as_text(value))


def _group(code: str, spoken: str) -> str:
    return word("ground", code, in_language=spoken) if code in table().get("ground", {}) else code


def fault_words(fault: ImportFault, in_language: str | None = None) -> str:
    return word(fault.group, fault.code, in_language=in_language, **fault.details)


def counts(difference: Difference, in_language: str | None = None) -> list[tuple[str, int]]:
    """(新增, 3), (有变化, 1) …; parts that do not occur are left out."""
    return [(word("import_part", part, in_language=in_language), n) for part, n in difference.counts.items() if n]


def explanations(kind: str, in_language: str | None = None) -> dict[str, str]:
    return {c.key: word("import_column", c.key, in_language=in_language) for c in MODULES[kind].COLUMNS}
