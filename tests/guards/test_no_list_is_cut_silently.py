"""A query that stops after some rows turns pages, knows that there are more, or is named here with what it is for (ADR 72)."""

import ast
from collections.abc import Iterator

from tests.guards.test_texts_of_codes import ROOT, python_files

BATCHES = {
    "enrollment/applications/date_notices.py:tell_new_date",
    "enrollment/applications/register_answers.py:to_ask",
    "enrollment/corrections/escalation.py:hand_on_overdue",
    "enrollment/delivery/claims.py:_claim_notices",
    "enrollment/delivery/claims.py:_claim_texts",
    "enrollment/delivery/wechat.py:claim",
    "enrollment/offers/registration_reminders.py:remind",
    "enrollment/ground/audit_chain/sealing.py:seal",
    "enrollment/ground/jobs.py:overdue_in_queue",
    "enrollment/ground/jobs.py:queue_due",
    "enrollment/ground/key_rotation.py:rotate_batch",
    "enrollment/ground/retention.py:delete_rows",
    "enrollment/maintenance/family_retention.py:_empty",
    "enrollment/maintenance/family_retention.py:next_family_batch",
    "enrollment/maintenance/reindexing.py:_next",
    "enrollment/maintenance/sealing.py:seal_texts",
    "enrollment/offers/round_notices.py:remind_without_wishes",
    "enrollment/offers/round_notices.py:tell_round_open",
    "enrollment/results/admission_notice.py:of_run",
    "enrollment/review/queue/bulk_confirmation.py:draw",
}
"""Work that goes on until nothing is left; the page of the bulk act says how many one act takes."""

PART = {
    "enrollment/coverage/steps.py:_to_fill": "the first steps towards a target",
    "enrollment/coverage/steps.py:_to_turn": "the first steps towards a target",
    "enrollment/draw/vacancies/near_home.py:near_home": "the nearest places",
    "enrollment/eligibility/wish_candidates.py:others": "suggestions beside the family's own list",
    "enrollment/results/letters.py:_expected": "counts who is ahead, for a waiting time",
    "enrollment/review/plausibility/hints.py:_pairs": "a hint to look at a file, which eight others give as well as eighty",
    "enrollment/planning/problem_reader.py:_willing": "the newest registration, and the one before it",
    "portal/public/demo.py:demo_inbox": "the newest messages of the demo",
    "portal/web/shared_views/correction_forms.py:_code_of_kindergarten": "whether a name is one kindergarten's alone",
}
"""What is a choice by its nature, and no list in which somebody looks for a row."""


def limits(tree: ast.Module) -> Iterator[str]:
    """The functions with a limit of several rows that neither turn pages nor read one row more than they show."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        body = [node for statement in function.body for node in ast.walk(statement)]
        calls = [node for node in body if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        if any(call.func.attr == "offset" for call in calls):
            continue
        for call in calls:
            if call.func.attr != "limit" or len(call.args) != 1:
                continue
            most = call.args[0]
            if isinstance(most, ast.BinOp) or (isinstance(most, ast.Constant) and most.value == 1):
                continue
            yield function.name


def found() -> set[str]:
    return {
        f"{path.relative_to(ROOT)}:{name}"
        for path in python_files()
        if path.is_relative_to(ROOT / "enrollment") or path.is_relative_to(ROOT / "portal")
        if not path.is_relative_to(ROOT / "portal" / "demo")
        for name in limits(ast.parse(path.read_text()))
    }


def test_a_query_that_stops_after_some_rows_is_a_page_a_batch_or_a_choice():
    assert found() == BATCHES | PART.keys()


def test_the_guard_sees_a_list_that_is_cut():
    cut = "def listing(session):\n    return session.scalars(query.limit(MOST)).all()\n"
    assert list(limits(ast.parse(cut))) == ["listing"]
    assert list(limits(ast.parse(cut.replace("limit(MOST)", "limit(MOST + 1)")))) == []
    assert list(limits(ast.parse(cut.replace("limit(MOST)", "offset(skip).limit(MOST)")))) == []
