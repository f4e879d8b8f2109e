"""A number in a form, an address or a header is read by `portal.text.numbers`.

`"²".isdigit()` is true and `int("²")` raises; `int` raises for 5,000 digits; a number that is larger than its column makes the
database raise.  Each is an internal error that anybody can cause.
"""

import ast

import pytest

from portal.text.numbers import BIGINT, INTEGER, large_number, number_or, whole_number
from tests.guards.test_texts_of_codes import ROOT, python_files

TESTS_OF_TEXT = ("isdigit", "isdecimal", "isnumeric")
NOT_OF_REQUESTS = (
    "portal/gateways/kept_connection.py",
    "portal/gateways/stand_ins/",
    "portal/jobs/",
    "portal/text/numbers.py",
)
"""Workers read numbers of their own.  The connection to the gateway bounds the length of what it reads, and treats ValueError as no answer."""


def calls_in(tree: ast.AST) -> set[str]:
    return {
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }


def faults(name: str, tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            called = calls_in(node)
            if "isdigit" in called or ("int" in called and called & set(TESTS_OF_TEXT)):
                found.append(f"{name}:{node.lineno}: a text is tested and then read with int")
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
            types = [*node.args[2:], *(each.value for each in node.keywords if each.arg == "type")]
            if any(isinstance(each, ast.Name) and each.id == "int" for each in types):
                found.append(f"{name}:{node.lineno}: int reads a number of a request")
    return found


def test_no_page_reads_a_number_with_int():
    found = []
    for file in python_files():
        name = str(file.relative_to(ROOT))
        if name.startswith("portal/") and not name.startswith(NOT_OF_REQUESTS):
            found += faults(name, ast.parse(file.read_text("utf-8")))
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(t): return int(t) if t.isdigit() else -1",
        "lambda t: int(t) if t.isdecimal() else None",
        "request.args.get('page', 1, int)",
        "request.form.get('year', type=int)",
    ],
)
def test_the_guard_finds_each(code):
    assert faults("x.py", ast.parse(code))


ODD = ("²", "१²", "", " 7", "-1", "+1", "1_0", "1.0", "9" * 5000, str(INTEGER + 1), "一")


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_is_none(text):
    assert number_or(text, None) is None
    with pytest.raises(ValueError):
        whole_number(text)


def test_numbers_are_read_up_to_the_size_of_their_column():
    assert (number_or("0", None), number_or(None, -1), whole_number("０１２")) == (0, -1, 12)
    assert whole_number(str(INTEGER)) == INTEGER
    assert large_number(str(BIGINT)) == BIGINT
    with pytest.raises(ValueError):
        large_number(str(BIGINT + 1))
