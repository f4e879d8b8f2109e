"""An English count of one is in the singular wherever it is said: in a template, in Python, in the words of a code."""

import ast
import re
from pathlib import Path

import pytest
from flask_babel import gettext, lazy_gettext

from portal.text.plurals import SINGULARS
from tests.guards.test_writing import texts

TRANSLATORS = ("_", "_l", "gettext", "lazy_gettext", "word", "notice_words")

PORTAL = Path(__file__).parents[2] / "portal"

NOT_COUNTED = frozenset(
    (
        "asks", "begins", "belongs", "counts", "decides", "describes", "differs", "does", "exists", "gives", "has",
        "holds", "is", "lacks", "needs", "opens", "proposes", "says", "scans", "stands", "stays", "tells", "this",
        "treats", "waits", "was",
    )
)  # fmt: skip
"""Verbs of a name or a code in front of them, and a pronoun."""


def test_every_noun_after_a_number_is_known():
    """`plurals.SINGULARS` has it: else a page says "1 sheets"."""
    unknown = {}
    for text in texts():
        for noun in re.findall(r"(?:%\(\w+\)s|\{\w+\}) ([a-z]+s|people|children)\b", text.en):
            if noun not in SINGULARS and noun not in NOT_COUNTED:
                unknown[noun] = text.where
    assert not unknown


def test_no_text_writes_both_numbers():
    assert [text.where for text in texts() if re.search(r"[a-z]\(s\)", text.en)] == []


@pytest.mark.parametrize(("n", "said"), [(1, "1 page"), ("1", "1 page"), (2, "2 pages"), ("1,001", "1,001 pages")])
def test_what_python_says_is_counted(app, n, said):
    with app.test_request_context("/?lang=en"):
        assert gettext("%(n)s 页", n=n) == said
        assert str(lazy_gettext("%(n)s 页", n=n)) == said
    with app.test_request_context("/?lang=zh"):
        assert gettext("%(n)s 页", n=n) == f"{n} 页"


def test_no_view_fills_a_translation_itself():
    """`_("…%(n)s…") % {…}` would leave the count as it is: the values go into the call."""
    found = []
    for file in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            filled = None
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
                filled = node.left
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
                filled = node.func.value
            called = filled.func if isinstance(filled, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in TRANSLATORS:
                found.append(f"{file.relative_to(PORTAL)}:{node.lineno}")
    assert not found
