"""OFF07: every act and every subject that the code can record has words in both languages.

The guard reads the calls of `record` and `record_many`.  Where the code computes an act, `COMPUTED` says from which codes;
a computed act that is not listed here fails, so that a new one cannot be forgotten.
"""

import ast
from collections.abc import Iterator

from enrollment.applications.lifecycle import MOVES
from enrollment.corrections import decisions, reinstatements
from enrollment.corrections.correction_lifecycle import CORRECTION_MOVES
from enrollment.draw import draw_jobs, duplicate_waivers, replay
from enrollment.maintenance import season_end
from enrollment.offers import revocations
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import OfferState
from enrollment.places.imports import importer
from enrollment.season import deadline_extensions, round_rows, season_lifecycle
from portal.text.audit_acts import ACTS
from portal.text.words import LANGUAGES, table
from tests.guards.test_texts_of_codes import ROOT, modules_with, python_files

COMPUTED = {
    ("draw/draw_jobs.py", "f'ask_{kind}'"): {f"ask_{kind}" for kind in draw_jobs.KINDS},
    ("offers/offer_lifecycle.py", "step.to"): {move.to for move in OFFER_MOVES.values()},
    ("offers/answer_deadlines.py", "OfferState.EXPIRED"): {OfferState.EXPIRED},
    ("offers/joint_decisions.py", "f'propose_{kind}'"): {f"propose_{kind}" for kind in DecisionKind},
    ("offers/joint_decisions.py", "f'end_{row.kind}'"): {f"end_{kind}" for kind in DecisionKind},
    ("corrections/correction_lifecycle.py", "act"): {f"{move}_correction" for move in CORRECTION_MOVES},
    ("season/round_rows.py", "f'{name}_round'"): {f"{move}_round" for move in round_rows.MOVES},
    ("season/season_lifecycle.py", "f'{move}_season'"): {f"{move}_season" for move in season_lifecycle.MOVES},
    ("applications/lifecycle.py", "move"): set(MOVES),
    ("season/deadline_extensions.py", "ACT"): {deadline_extensions.ACT},
    ("places/imports/importer.py", "kind"): set(importer.MODULES),
    ("ground/signatures.py", "subject"): {
        "policy",
        "run",
        "season",
        replay.STANDING,
        replay.WITHDRAWN_STANDING,
        duplicate_waivers.SUBJECT,
        revocations.SUBJECT,
        decisions.SUBJECT,
        reinstatements.SUBJECT,
        deadline_extensions.SUBJECT,
        season_end.SUBJECT,
    },
}
SIGNED = {
    "policy_approval.py": "'policy'",
    "runs.py": "'run'",
    "season_lifecycle.py": "'season'",
    "replay.py": "STANDING WITHDRAWN_STANDING",
    "duplicate_waivers.py": "SUBJECT",
    "revocations.py": "SUBJECT",
    "decisions.py": "SUBJECT",
    "reinstatements.py": "SUBJECT",
    "deadline_extensions.py": "SUBJECT",
    "season_end.py": "SUBJECT",
}
"""Who calls `signatures.sign`, and with which subjects; those of `COMPUTED` above."""


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for file, tree in modules_with(*names):
        for node in ast.walk(tree):
            called = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in names and len(node.args) >= 3:
                yield str(file.relative_to(ROOT)), node


def recorded() -> tuple[set[str], set[str], set[tuple[str, str]]]:
    """The acts, the subjects, and what is computed and not listed."""
    acts: set[str] = set()
    subjects: set[str] = set()
    unknown = set()
    for file, call in calls("record", "record_many"):
        for argument, found in ((call.args[1], acts), (call.args[2], subjects)):
            written = ast.unparse(argument)
            key = (file.removeprefix("enrollment/"), written)
            if isinstance(argument, ast.Constant):
                found.add(argument.value)
            elif key in COMPUTED:
                found |= {str(code) for code in COMPUTED[key]}
            else:
                unknown.add(key)
    return acts, subjects, unknown


def test_every_act_and_subject_has_words_in_both_languages():
    acts, subjects, unknown = recorded()
    assert unknown == set(), "say in COMPUTED from which codes these are made"
    assert len(acts) > 100, "the calls are found"
    with_words = {code for group in ACTS for code, words in table()[group].items() if all(map(words.get, LANGUAGES))}
    assert acts - with_words == set()
    assert {"ask_prepare_run", "set_aside_round", "end_decline"} <= acts
    assert subjects - table()["audit_subject"].keys() == set()


def test_what_is_listed_as_computed_is_there():
    """A list of codes that nothing uses any more would let a wrong one pass."""
    used = {
        (file.removeprefix("enrollment/"), ast.unparse(argument))
        for file, call in calls("record", "record_many")
        for argument in call.args[1:3]
    }
    assert COMPUTED.keys() - used == set()


def test_nobody_signs_another_subject():
    signed = [(file, call) for file, call in calls("sign") if ast.unparse(call.func) == "signatures.sign"]
    assert {file.rpartition("/")[2] for file, _call in signed} == set(SIGNED)
    for file, call in signed:
        assert ast.unparse(call.args[1]) in SIGNED[file.rpartition("/")[2]].split(), file


def test_rows_of_the_trail_are_made_in_one_place():
    """Another place could record an act that this guard does not read."""
    made = {
        str(file.relative_to(ROOT))
        for file in python_files()
        if "AuditEntry(" in file.read_text("utf-8").replace("class ", "")
    }
    assert made == {"enrollment/ground/audit.py"}


def test_every_reason_that_is_a_code_has_words():
    """A person's own words are shown as they are; a code of the program is not."""
    codes = {"desk"}  # PURPOSE of the desk
    for _file, tree in modules_with("reason"):
        for node in ast.walk(tree):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
                    codes.add(keyword.value.value)
    assert len(codes) > 10
    assert codes - table()["audit_reason"].keys() == set()
