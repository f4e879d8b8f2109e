"""The background job of a draw room in words: its progress, or the reason of its failure and the next step."""

from flask_babel import gettext as _

from enrollment.draw.draw_jobs import JobStatus
from portal.text.formats import refusal
from portal.text.words import table, word


def progress(doing: JobStatus | None) -> dict:
    """The progress for the page's script, which reloads the page when the state is `over`."""
    if doing is None:
        return {"state": "over", "done": 0, "of": 0, "step": ""}
    begun = doing.going_on and doing.step
    step = word("run_step", doing.step) if begun else _("等待后台接手")
    return {"state": doing.state, "done": doing.done, "of": doing.of, "step": step}


def failure_reason(doing: JobStatus) -> str:
    """The reason of the failure.  A program error is named by its place in the code, for the operator."""
    if doing.refused is not None:
        return refusal(doing.refused)
    return word("draw_failed", doing.kind, error=doing.error or "—")


def next_step(doing: JobStatus) -> str:
    known = table()["draw_next"]
    code = doing.refused.code if doing.refused else "failed"
    return word("draw_next", code if code in known else doing.kind)
