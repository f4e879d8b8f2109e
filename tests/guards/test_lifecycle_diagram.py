"""`docs/lifecycle.md`, the diagrams of both lifecycles, equals the tables of moves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from enrollment.applications.application_rows import STAGES
from enrollment.applications.lifecycle import MOVES
from enrollment.corrections.correction_lifecycle import CORRECTION_MOVES
from enrollment.ground.accounts import Role
from enrollment.ground.moves import Move
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import STATES
from enrollment.review.correction_rows import STATES as CORRECTION_STATES
from portal.text.words import table

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
ROLE = {Role.GUARDIAN: "guardian", Role.HELPER: "helper on the guardian's behalf", Role.SYSTEM: "the system"}
HEAD = """# The lifecycles of an application, of an offer and of a correction

Generated from `MOVES` in `enrollment/applications/lifecycle.py`, `OFFER_MOVES` in `enrollment/offers/offer_lifecycle.py` and
`CORRECTION_MOVES` in `enrollment/corrections/correction_lifecycle.py`;
`python -m tests.guards.test_lifecycle_diagram` writes it again, and a test fails while the page differs
from the tables. An arrow is a move. A move is refused to every role that its row does not name.
"""
APPLICATION = """
## Application

A refusal needs a second person, and so does taking it back (`reinstate`). An edit during or after the review puts the
application back into the review queue.

"""
OFFER = """
## Offer

A run offers the places of a round; where it gives a child a better place, it ends the offer that the child held and
makes a new one. An offer is revoked by two people.

"""
CORRECTION = """
## Correction after the deadline

A guardian, or a helper for it, requests with a paper; a clerk or an official requests on a finding of its own. One person
of the desk decides a fact or a move of home; two different people decide an identity, a duplicate and a court paper, and the second is a head
or an official. One person refuses, with a reason. Before publication a correction that may change a tier sends the
application back into the review (`reopen`), and a frozen list must be frozen again with a public reason. After publication
the result stays; a corrected identity gives the notice a new code and the roll a dated entry.

"""


def _drawn(moves: Mapping[str, Move], states: Sequence[str], noun: str, words_of_state: str, words_of_move: str) -> str:
    words = table()
    lines = ["```mermaid", "stateDiagram-v2"]
    for name, move in moves.items():
        begins = [state for state in states if state in move.from_] or ["[*]"]
        lines += [f"    {state} --> {move.to}: {name}" for state in begins]
    lines += ["```", "", f"| {noun} | 中文 | English |", "|---|---|---|"]
    for state in states:
        lines.append(f"| `{state}` | {words[words_of_state][state]['zh']} | {words[words_of_state][state]['en']} |")
    lines += ["", "| move | from | to | by | 经过 |", "|---|---|---|---|---|"]
    for name, move in moves.items():
        begins = [state for state in states if state in move.from_] or ["(new)"]
        who = ", ".join(ROLE.get(role, role.replace("_", " ")) for role in Role if role in move.by)
        lines.append(f"| `{name}` | {', '.join(begins)} | {move.to} | {who} | {words[words_of_move][name]['zh']} |")
    return "\n".join(lines) + "\n"


def drawn() -> str:
    applications = _drawn(MOVES, STAGES, "stage", "stage", "move")
    applications = applications.replace("stateDiagram-v2\n", "stateDiagram-v2\n    [*] --> draft\n", 1)
    offers = _drawn(OFFER_MOVES, STATES, "state", "offer_state", "offer_move")
    corrections = _drawn(CORRECTION_MOVES, CORRECTION_STATES, "state", "correction_state", "correction_move")
    return HEAD + APPLICATION + applications + OFFER + offers + CORRECTION + corrections


def test_the_drawing_is_the_table():
    assert PAGE.read_text("utf-8") == drawn(), "generate it again: python -m tests.guards.test_lifecycle_diagram"


def test_every_stage_and_every_state_can_be_reached():
    assert {move.to for move in MOVES.values()} == set(STAGES)
    assert {move.to for move in OFFER_MOVES.values()} == set(STATES)
    assert {move.to for move in CORRECTION_MOVES.values()} == set(CORRECTION_STATES)


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
