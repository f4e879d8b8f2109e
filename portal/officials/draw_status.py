"""What the worker does for a draw room, in words: how far it is, or why nothing came of it and what to do next."""

from flask_babel import gettext as _

from enrollment.draw.draw_jobs import JobStatus
from portal.text.formats import refusal
from portal.text.words import table, word


def progress(doing: JobStatus | None) -> dict:
    """What the page's script asks; it reads the whole page again when nothing is going on."""
    if doing is None:
        return {"state": "over", "done": 0, "of": 0, "step": ""}
    begun = doing.going_on and doing.step
    step = word("run_step", doing.step) if begun else _("等待后台接手")
    return {"state": doing.state, "done": doing.done, "of": doing.of, "step": step}


def why(doing: JobStatus) -> str:
    """Why it came to nothing.  A fault of ours is named by its place, which the operator understands."""
    if doing.refused is not None:
        return refusal(doing.refused)
    return word("draw_failed", doing.kind, error=doing.error or "—")


def next_step(doing: JobStatus) -> str:
    known = table()["draw_next"]
    code = doing.refused.code if doing.refused else "failed"
    return word("draw_next", code if code in known else doing.kind)
