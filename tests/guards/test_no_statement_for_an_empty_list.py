"""An INSERT or UPDATE of many rows goes through `write_rows`: with an empty list, `Session.execute` would write a row of
defaults or change every row of the table."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from enrollment.ground.bulk_copy import write_rows
from enrollment.places.population.rows import Estate

ROOT = Path(__file__).parents[2]
ITS_OWN = ROOT / "enrollment" / "ground" / "bulk_copy.py"


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _lists(source: str) -> Iterator[int]:
    """Lines that execute an INSERT or UPDATE with a second argument that is not one row written as a dict."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute"):
            continue
        if (
            len(node.args) > 1
            and _first_name(node.args[0]) in {"insert", "update"}
            and not isinstance(node.args[1], ast.Dict)
        ):
            yield node.lineno


def test_many_rows_are_written_by_the_one_function():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in ("enrollment", "portal", "allocation")
        for path in (ROOT / package).rglob("*.py")
        if path != ITS_OWN
        for line in _lists(path.read_text())
    ]
    assert found == []


def test_a_list_is_found():
    assert list(_lists("session.execute(insert(Estate), rows)\nsession.execute(update(Estate), [])")) == [1, 2]
    assert not list(
        _lists("session.execute(insert(Estate), {'name': 1})\nsession.execute(insert(Estate).values(name=1))")
    )


@pytest.mark.parametrize("statement", [insert(Estate), update(Estate)], ids=["insert", "update"])
def test_no_rows_are_no_statement(session, statement):
    write_rows(session, statement, [])
    assert session.query(Estate).count() == 0
