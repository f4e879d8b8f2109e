"""`docs/lifecycle.md`, the diagrams of both lifecycles, equals the tables of moves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from enrollment.applications.application_rows import STAGES
from enrollment.applications.lifecycle import MOVES
from enrollment.ground.accounts import Role
from enrollment.ground.moves import Move
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import STATES
from portal.text.words import table

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
ROLE = {Role.GUARDIAN: "guardian", Role.HELPER: "helper on the guardian's behalf", Role.SYSTEM: "the system"}
HEAD = """# The lifecycles of an application and of an offer

Generated from `MOVES` in `enrollment/applications/lifecycle.py` and `OFFER_MOVES` in `enrollment/offers/offer_lifecycle.py`;
`python -m tests.guards.test_lifecycle_diagram` writes it again, and a test fails while the page differs
from the tables. An arrow is a move. A move is refused to every role that its row does not name.
"""
APPLICATION = """
## Application

A refusal needs a second person. An edit during or after the review puts the
application back into the review queue.

"""
OFFER = """
## Offer

A run offers the places of a round; where it gives a child a better place, it ends the offer that the child held and
makes a new one. An offer is revoked by two people.

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
    return HEAD + APPLICATION + applications + OFFER + _drawn(OFFER_MOVES, STATES, "state", "offer_state", "offer_move")


def test_the_drawing_is_the_table():
    assert PAGE.read_text("utf-8") == drawn(), "generate it again: python -m tests.guards.test_lifecycle_diagram"


def test_every_stage_and_every_state_can_be_reached():
    assert {move.to for move in MOVES.values()} == set(STAGES)
    assert {move.to for move in OFFER_MOVES.values()} == set(STATES)


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
