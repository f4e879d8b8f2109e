"""The drawing of an application's way, `docs/lifecycle.md`, is the table of moves and nothing else."""

from pathlib import Path

from enrollment.applications.application_rows import STAGES
from enrollment.applications.lifecycle import MOVES
from portal.text.words import table

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
WHO = {"parent": "family", "staff": "clerk", "official": "official"}
HEAD = """# The way of an application

Drawn from `MOVES` in `enrollment/applications/lifecycle.py`; `python -m tests.guards.test_the_drawn_lifecycle` draws it anew,
and a test tells when somebody forgot. An arrow is a move. A refusal needs a second person; an edit during or after the
review sends the application back into the queue.

"""


def drawn() -> str:
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


def test_the_drawing_is_the_table():
    assert PAGE.read_text("utf-8") == drawn(), "draw it anew: python -m tests.guards.test_the_drawn_lifecycle"


def test_every_stage_can_be_reached():
    assert {move.to for move in MOVES.values()} == set(STAGES)


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
