"""Every fault of an import has a text, and every column of a template has an explanation."""

import ast
from pathlib import Path

import pytest

from enrollment.places.imports.headers import normalise_header
from enrollment.places.imports.importer import MODULES
from portal.text.words import table

PLACES = Path(__file__).parents[2] / "enrollment" / "places"


def constant(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def fault_codes() -> set[tuple[str, str]]:
    """(group, code) of every fault in the code of the imports."""
    found = set()
    for file in PLACES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            group = next((constant(k.value) for k in node.keywords if k.arg == "group"), None) or "import_fault"
            places = {"CellError": 0, "ImportFault": 0, "refuse": 0, "_code_for": 1, "fault": 2, "repetition": 2}
            place = places.get(name)
            if place is not None and len(node.args) > place and constant(node.args[place]):
                found.add((group, constant(node.args[place])))
    return found


def test_every_fault_has_a_text():
    found = fault_codes()
    assert len(found) > 50
    assert {(group, code) for group, code in found if code not in table()[group]} == set()


def test_no_text_belongs_to_an_unused_fault():
    assert set(table()["import_fault"]) - {code for _group, code in fault_codes()} == set()


@pytest.mark.parametrize("kind", MODULES)
def test_every_column_has_an_explanation(kind):
    assert {column.key for column in MODULES[kind].COLUMNS} <= set(table()["import_column"])


@pytest.mark.parametrize("kind", MODULES)
def test_no_header_means_two_columns(kind):
    names = [
        normalise_header(name)
        for column in MODULES[kind].COLUMNS
        for name in {normalise_header(n): n for n in column.names}.values()
    ]
    assert sorted(names) == sorted(set(names))
