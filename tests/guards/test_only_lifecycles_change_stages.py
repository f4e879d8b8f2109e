"""The stage of an application and the state of an offer change in their lifecycles alone, and so do their histories."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.guards.test_texts_of_codes import ROOT, python_files

LIFECYCLES = ("enrollment/applications/lifecycle.py", "enrollment/offers/offer_lifecycle.py")
OTHER_MODELS = {
    "run.state": "enrollment/draw/",
    "request.state": "enrollment/corrections/correction_lifecycle.py",
    "found.stage": "enrollment/season/round_rows.py",
    "programme.state": "enrollment/places/ledger.py",
    "message.state": "enrollment/delivery/receipts.py",
    "study.state": "enrollment/laboratory/",
    "plan.state": "enrollment/planning/",
    "row.state": "enrollment/planning/simulations.py",
    "simulated.state": "enrollment/planning/simulations.py",
    "seat_search.state": "enrollment/planning/seat_searches.py",
    "measure.stage": "enrollment/places/measures/library.py",
    "loss.state": "enrollment/places/plans/class_loss.py",
    "count.state": "enrollment/places/roll_changes/counts.py",
    "transfer.state": "enrollment/places/roll_changes/transfers.py",
}
"""Assignments that are not about applications or offers, and where they stand."""

BEGINS = ("enrollment/applications/applications.py", "stage=Stage.DRAFT")
"""An application begins as a draft; the two guardians may begin it in the same moment, so it is no ORM object."""

MODELS, HISTORIES = {"Application", "Offer"}, {"MoveMade", "OfferMove"}
STATEMENT = re.compile(r"\b(UPDATE|INSERT\s+INTO|MERGE\s+INTO)\s+(offer|application|offer_move|move_made)\b", re.I)


def names_in(node: ast.AST) -> set[str]:
    return {each.id if isinstance(each, ast.Name) else getattr(each, "attr", "") for each in ast.walk(node)}


def targets_of(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        yield node.target


def written_by(call: ast.Call) -> Iterator[str]:
    """The columns that a call names: keywords, and keys of a dictionary that is passed whole."""
    for keyword in call.keywords:
        if keyword.arg:
            yield f"{keyword.arg}={ast.unparse(keyword.value)}"
    for passed in call.args:
        if isinstance(passed, ast.Dict):
            yield from (f"{key.value}={ast.unparse(value)}" for key, value in zip(passed.keys, passed.values, strict=True)
                        if isinstance(key, ast.Constant))  # fmt: skip


def changes_in(source: str, where: str) -> list[str]:
    """What in a module changes a stage, a state or a history outside the lifecycles."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for target in targets_of(node):
            if isinstance(target, ast.Attribute) and target.attr in ("stage", "state"):
                stands = OTHER_MODELS.get(ast.unparse(target))
                if stands is None or not where.startswith(stands):
                    found.append(ast.unparse(node))
        if isinstance(node, ast.Call):
            called = names_in(node.func)
            if isinstance(node.func, ast.Name) and node.func.id == "setattr":
                named = node.args[1]
                if isinstance(named, ast.Constant) and named.value in ("stage", "state"):
                    found.append(ast.unparse(node))
            creates = isinstance(node.func, ast.Name) and node.func.id in HISTORIES
            if creates or (called & {"insert", "update"} and names_in(node) & HISTORIES):
                found.append(ast.unparse(node))
            if called & MODELS and (called & {"values", "update", "insert"} or isinstance(node.func, ast.Name)):
                columns = [column for column in written_by(node) if column.startswith(("stage=", "state="))]
                found += [column for column in columns if (where, column) != BEGINS]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.search(node.value):
            found.append(node.value)
    return found


def test_nothing_but_the_lifecycles_changes_a_stage_or_a_state():
    found = {}
    for file in python_files():
        where = file.relative_to(ROOT).as_posix()
        if where not in LIFECYCLES and (changes := changes_in(file.read_text("utf-8"), where)):
            found[where] = changes
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "application.stage = Stage.CONFIRMED",
        "before, offer.state = offer.state, 'confirmed'",
        "run.state = 'published'",
        "setattr(offer, 'state', 'confirmed')",
        "session.execute(update(Offer).where(Offer.id == one).values(state='expired', ended_at=now))",
        "session.execute(update(Application).values({'stage': 'confirmed'}))",
        "Offer(child_id=child, state='confirmed')",
        "insert(Application).values(stage=Stage.CONFIRMED)",
        "session.add(OfferMove(offer_id=one, move='confirm'))",
        "session.execute(insert(MoveMade), rows)",
        "session.execute(text('UPDATE offer SET state = :to'))",
        "session.execute(text(f'INSERT INTO offer_move {columns}'))",
    ],
)
def test_the_guard_sees_a_change_outside(source):
    assert changes_in(source, "enrollment/offers/arrivals.py")
