"""Code compares a stage, a state, a role, a nature or a level with a member of its enumeration, so that a typo is an error."""

import ast
from collections.abc import Iterator

import pytest

from enrollment.applications.application_rows import Stage
from enrollment.draw.run_rows import RunState
from enrollment.ground.accounts import Role
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.jobs import JobState
from enrollment.ground.outbox import MessageState
from enrollment.offers.offer_rows import OfferState
from enrollment.places.programmes import ProgrammeState
from enrollment.review.correction_rows import CorrectionState
from enrollment.season.round_rows import RoundKind, RoundStage
from tests.guards.test_texts_of_codes import ROOT, python_files

ENUMERATIONS = (
    Stage,
    OfferState,
    RunState,
    CorrectionState,
    JobState,
    MessageState,
    ProgrammeState,
    RoundKind,
    RoundStage,
    Role,
    Nature,
    Level,
)
VALUES = {str(member) for enumeration in ENUMERATIONS for member in enumeration}
CODED = {"stage", "state", "role", "nature", "level"}
SHOWN = {"self", "step", "at_hand", "line"}
"""Objects of pages whose state is not a row's: a step of a form or of the calendar, a line of a list, a job as it is shown."""


def is_coded(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr not in CODED:
        return False
    return not (isinstance(node.value, ast.Name) and node.value.id in SHOWN)


def literals(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and node.value in VALUES:
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for each in node.elts:
            yield from literals(each)


def spelled_out(source: str) -> list[str]:
    """The comparisons of a module that spell a code out."""
    found = []
    for node in ast.walk(ast.parse(source)):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("in_", "not_in"):
                sides = [node.func.value, *node.args]
            elif node.func.attr == "is_any" and any(True for each in node.args for _ in literals(each)):
                found.append(ast.unparse(node))
        if any(is_coded(side) for side in sides) and any(True for side in sides for _ in literals(side)):
            found.append(ast.unparse(node))
    return found


def test_no_comparison_spells_a_code_out():
    found = {
        file.relative_to(ROOT).as_posix(): said
        for file in python_files()
        if (said := spelled_out(file.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "application.stage == 'submitted'",
        "run.state in ('waiting', 'running')",
        "Offer.state.in_(('confirmed', 'arrived'))",
        "by.is_any('city_official')",
        "'public' != kindergarten.nature",
    ],
)
def test_the_guard_sees_a_code_that_is_spelled_out(source):
    assert spelled_out(source)


def test_the_members_are_what_the_database_holds():
    assert [str(stage) for stage in Stage] == [
        "draft", "submitted", "in_review", "returned", "confirmed", "refused", "withdrawn",
    ]  # fmt: skip
    assert f"{Role.CITY_OFFICIAL}" == "city_official" and Nature("public") is Nature.PUBLIC
