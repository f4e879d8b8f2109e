"""An English count of one is in the singular wherever it is said: in a template, in Python, in the words of a code."""

import ast
import re
from pathlib import Path

import pytest
from flask_babel import gettext, lazy_gettext

from portal.text import plurals
from portal.text.plurals import SINGULARS
from tests.guards.test_writing import texts

TRANSLATORS = ("_", "_l", "gettext", "lazy_gettext", "word", "notice_words")

PORTAL = Path(__file__).parents[2] / "portal"
TEMPLATES = PORTAL.parent / "templates"

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


OF_A_NUMBER = re.compile(
    r"(?P<number>\{\{[^{}]*\}\})\s*(?:</?(?:b|strong|small|a|span)\b(?:\{\{.*?\}\}|[^>])*>\s*)+\{\{ _\(\"(?P<text>[^\"]*)\"\) \}\}"
)
"""A number in an element of its own, and a text without a number behind it."""
WITH_DECIMALS = ("signed(", '"%.')


def uncounted(source: str) -> list[str]:
    """The texts behind a number that stay in the plural when it is one."""
    begins = plurals.COUNT
    return [
        found["text"]
        for found in OF_A_NUMBER.finditer(source)
        if not any(each in found["number"] for each in WITH_DECIMALS)
        and begins.match(plurals.NUMBER + str(gettext(found["text"])))
    ]


def test_a_text_behind_a_number_in_its_own_element_is_counted(app):
    with app.test_request_context("/?lang=en"):
        found = {
            str(file.relative_to(TEMPLATES)): texts
            for file in TEMPLATES.rglob("*.html")
            if (texts := uncounted(file.read_text("utf-8")))
        }
        assert not found
        assert uncounted('<b>{{ n }}</b> <a href="{{ url_for("x") }}">{{ _("个批准的学位") }}</a>') == ["个批准的学位"]


@pytest.mark.parametrize(
    ("text", "n", "said"),
    [
        ("个", 1, "place"),
        ("个", 2, "places"),
        ("个孩子有学位", 1, "child has a place"),
        ("个批准的学位", 1, "approved place"),
        ("件争议 48 小时内到期", 1, "dispute due within 48 hours"),
        ("第一志愿填本园，由本园审核", 1, "first wish here, reviewed by you"),
        ("名册上接着在园", 1, "child staying on the roll"),
    ],
)
def test_what_stands_behind_a_number_is_counted(app, text, n, said):
    with app.test_request_context("/?lang=en"):
        assert plurals.after_number(gettext(text), n) == said
    with app.test_request_context("/?lang=zh"):
        assert plurals.after_number(gettext(text), n) == text
