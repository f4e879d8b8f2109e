"""`docs/lifecycle.md`, the diagram of the lifecycle, is equal to the table of moves."""

from pathlib import Path

from enrollment.applications.application_rows import STAGES
from enrollment.applications.lifecycle import MOVES
from portal.text.words import table

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
WHO = {"parent": "family", "staff": "clerk", "official": "official"}
HEAD = """# The lifecycle of an application

Generated from `MOVES` in `enrollment/applications/lifecycle.py` with `python -m tests.guards.test_lifecycle_diagram`; a test
compares the two. An arrow is a move. A refusal needs a second person. An edit during or after the review puts the
application back into the review queue.

"""


def diagram() -> str:
    words = table()
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft"]
    for name, move in MOVES.items():
        lines += [f"    {stage} --> {move.to}: {name}" for stage in STAGES if stage in move.from_]
    lines += ["```", "", "| stage | 阶段 | |", "|---|---|---|"]
    lines += [f"| `{stage}` | {words['stage'][stage]['zh']} | {words['stage'][stage]['en']} |" for stage in STAGES]
    lines += ["", "| move | from | to | who | 经过 |", "|---|---|---|---|---|"]
    for name, move in MOVES.items():
        begins = ", ".join(stage for stage in STAGES if stage in move.from_)
        who = WHO[move.by] + (" or helper" if move.helped else "")
        lines.append(f"| `{name}` | {begins} | {move.to} | {who} | {words['move'][name]['zh']} |")
    return HEAD + "\n".join(lines) + "\n"


def test_the_diagram_equals_the_table():
    assert PAGE.read_text("utf-8") == diagram(), "generate it again: python -m tests.guards.test_lifecycle_diagram"


def test_every_stage_can_be_reached():
    assert {move.to for move in MOVES.values()} == set(STAGES)


if __name__ == "__main__":
    PAGE.write_text(diagram(), "utf-8")
