"""A registration code is found however it is typed: read aloud by a parent, copied from paper, with a Chinese keyboard."""

import ast
from pathlib import Path

import pytest

from enrollment.applications.guardian_access import desk_access
from enrollment.ground.random_codes import registration_code, typed_registration_code

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "typed",
    [
        "QMRJ-37TW",
        "qmrj37tw",
        "QMRJ 37TW",
        " qmrj - 37tw ",
        "ＱＭＲＪ－３７ＴＷ",
        "QMRJ–37TW",
        "QMRJ—37TW",
        "QMRJ_37TW",
    ],
)
def test_every_way_to_write_it(typed):
    assert typed_registration_code(typed) == "QMRJ-37TW"


@pytest.mark.parametrize("typed", ["", "QMRJ", "QMRJ-37TWX", "安娜", "%", "QMRJ-37T%"])
def test_what_is_no_code_becomes_none(typed):
    assert "-" not in typed_registration_code(typed)


def test_a_new_code_is_written_as_it_would_be_typed():
    code = registration_code()
    assert typed_registration_code(code.replace("-", "").lower()) == code


def test_the_desk_finds_the_family(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, clerk = town.child("安娜", wishes=[garden]), town.clerk_of(garden)
    for typed in (ana.registration_code, ana.registration_code.replace("-", "").lower()):
        assert desk_access.find_by_code(town.session, typed, by=clerk).id == ana.id
    assert desk_access.find_by_code(town.session, "", by=clerk) is None


def test_no_other_look_up_compares_what_was_typed():
    """`registration_code ==` takes a code from `typed_registration_code`, or one that was just drawn."""
    drawn = {"enrollment/applications/submission.py"}
    others = []
    for path in sorted(ROOT.glob("enrollment/**/*.py")) + sorted(ROOT.glob("portal/**/*.py")):
        text = path.read_text(encoding="utf-8")
        if "registration_code ==" not in text or str(path.relative_to(ROOT)) in drawn:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Compare) or not ast.unparse(node.left).endswith(".registration_code"):
                continue
            with_what = ast.unparse(node.comparators[0])
            named = f"{with_what} = typed_registration_code(" in text
            if isinstance(node.ops[0], ast.Eq) and not with_what.startswith("typed_registration_code(") and not named:
                others.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert others == []
