"""The page that checks a published draw in the reader's browser: for everybody, and for a family with its own file."""

import uuid

from flask import abort, render_template

from enrollment.draw import draw_rooms
from enrollment.draw.run_rows import Run
from enrollment.results import published_runs
from portal.text.words import table, word
from portal.web.unit_of_work import db

SAID = ("verify_progress", "verify_step", "verify_wrong", "verify_bad", "verify_said")
"""Word groups that the page's script looks up by code."""
PREFIXED = {"reason": "reason_", "verify_why": "why_", "level": "level_", "round_kind": "round_"}
"""Word groups that the script looks up by this prefix and the code."""


def verify_page(round_id: uuid.UUID, run: Run | None, *, back: str, back_text: str, own_file: str | None = None) -> str:
    """The page; `own_file` is the address of a family's file, which the script then checks too."""
    room = draw_rooms.of_round(db(), round_id)
    if not room.snapshots:
        abort(404)
    return render_template(
        "public/verify_draw.html",
        room=room,
        run=run,
        size=published_runs.file_size(db(), run) if run else 0,
        commitments=published_runs.commitments(db(), round_id, run),
        words=_words(),
        back=back,
        back_text=back_text,
        own_file=own_file,
    )


def _words() -> dict[str, str]:
    found = {code: word(group, code) for group in SAID for code in table()[group]}
    return found | {prefix + code: word(group, code) for group, prefix in PREFIXED.items() for code in table()[group]}
