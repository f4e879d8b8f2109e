"""Faults, columns and values of imports in the reader's language, for pages and commands."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from enrollment.places.areas import rows_of_file
from enrollment.places.imports.changes import as_text
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
    return word(fault.group, fault.code, in_language=in_language, **_with_row(fault.details, in_language))


def group_words(group: Mapping[str, Any], example: Mapping[str, Any]) -> str:
    """The text of one example of a kind of faults, from the report of a check."""
    return word(group["group"], group["code"], **_with_row(example["details"]))


def _with_row(details: Mapping[str, Any], in_language: str | None = None) -> dict[str, Any]:
    """The parameters of a text, with the other row that a fault names in words, and with its sheet if that is another one."""
    row = details.get("first", details.get("line"))  # a report of an earlier version says `line`
    if not isinstance(row, int):
        return dict(details)
    code = "row_of_sheet" if "sheet" in details else "row"
    return {
        **details,
        "first": word("import_report", code, in_language=in_language, row=row, sheet=details.get("sheet")),
    }


def counts(part_counts: Mapping[str, int], in_language: str | None = None) -> list[tuple[str, int]]:
    """(新增, 3), (有变化, 1) …; parts that do not occur are left out."""
    return [(word("import_part", part, in_language=in_language), n) for part, n in part_counts.items() if n]


def report_lines(report: Mapping[str, Any], in_language: str | None = None) -> list[tuple[str, list[str]]]:
    """What the check has to say beside the changes, each with examples: sheets, unused columns, left out rows, remarks."""
    spoken = in_language or language()
    colon, comma, stop = (": ", ", ", ".") if spoken == "en" else ("：", "、", "。")
    lines: list[tuple[str, list[str]]] = []
    if len(report["sheets"]) > 1:
        told = comma.join(f"{sheet['name']} {sheet['rows']}" for sheet in report["sheets"])
        lines.append((word("import_report", "sheets", in_language=spoken, n=len(report["sheets"]), names=told), []))
    for sheet in report["unread"]:
        reason = word("import_unread", sheet["reason"], in_language=spoken, column=sheet["column"])
        lines.append((word("import_report", "unread", in_language=spoken, name=sheet["name"], reason=reason), []))
    if report["ignored"]:
        told = comma.join(report["ignored"])
        lines.append((word("import_report", "ignored", in_language=spoken, names=told), []))
    if report["left_out_count"]:
        text = word("import_report", "left_out", in_language=spoken, n=report["left_out_count"])
        examples = [
            f"{left['place']} ({word('import_left_out', left['reason'], in_language=spoken)}){colon}{left['text']}"
            for left in report["left_out"]
        ]
        lines.append((text, examples))
    if report.get("hidden_count"):  # a report of an earlier version has none
        examples = [comma.join(report["hidden"])]
        if report["hidden_count"] > len(report["hidden"]):
            examples.append(
                word("import_report", "more", in_language=spoken, n=report["hidden_count"] - len(report["hidden"]))
                + stop
            )
        lines.append((word("import_report", "hidden", in_language=spoken, n=report["hidden_count"]), examples))
    for remark in report["remarks"]:
        examples = list(remark["examples"])
        if examples and remark["count"] > len(examples):
            examples.append(word("import_report", "more", in_language=spoken, n=remark["count"] - len(examples)) + stop)
        lines.append((word("import_note", remark["code"], in_language=spoken, n=remark["count"]), examples))
    return lines


def step_words(step: str | None, person: str | None, in_language: str | None = None) -> str:
    """What a job of an import does now; `person` is who has the turn while it waits."""
    code, _colon, holder = (step or "").partition(":")
    if not code:
        return word("import_report", "not_begun", in_language=in_language)
    if code == "waiting" and (person or holder):
        name = person or word("import_report", "operator", in_language=in_language)
        return word("import_report", "waiting_for", in_language=in_language, name=name)
    return word("import_step", code, in_language=in_language)


def list_headings(in_language: str) -> tuple[str, str, str]:
    """The headings of a list of faults: place, column, what to do."""
    return (
        word("import_report", "place", in_language=in_language),
        word("import_report", "column", in_language=in_language),
        word("import_report", "mend", in_language=in_language),
    )


def explanations(kind: str, in_language: str | None = None) -> dict[str, str]:
    return {c.key: word("import_column", c.key, in_language=in_language) for c in MODULES[kind].COLUMNS}
