"""The pages of the form: their order, the state of each, and the next one."""

import datetime as dt
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from enrollment.applications import completeness, sibling_binding, wishes
from enrollment.applications.applications import Application
from enrollment.applications.deadlines import Window
from enrollment.applications.lifecycle import CONFIRMED, IN_REVIEW, SUBMITTED
from enrollment.eligibility import claims, households, required_documents
from enrollment.ground.accounts import Actor
from enrollment.people import consents, guardians
from enrollment.season.rounds import Round

ORDER = ("consent", "guardian", "child", "household", "grounds", "evidence", "together", "wishes", "check")
PARTS = {
    "family": ("consent", "guardian"),
    "child": ("child",),
    "conditions": ("household", "grounds", "evidence", "together"),
    "wishes": ("wishes",),
    "submission": ("check",),
}
WITHOUT_APPLICATION = ("consent", "guardian", "child")
OPTIONAL = ("grounds", "together")


@dataclass(frozen=True)
class Step:
    """A page and its state: `done`, `now` (the next one), `todo`, `later`, `optional`, or `wanting` `n` documents."""

    page: str
    state: str
    n: int = 0
    href: str | None = None

    @property
    def blocks_submission(self) -> bool:
        """Whether this page must be done before the submission."""
        return self.state in ("now", "todo", "later")


@dataclass(frozen=True)
class FormState:
    """The saved state of a family's form; `round_` is the round that accepts wishes now, if any."""

    consented: bool
    guardian: bool
    application: Application | None = None
    household: bool = False
    claimed: int = 0
    papers_missing: int = 0
    may_bind: bool = False
    round_: Round | None = None
    wished: int = 0


def form_state(
    session: Session, application: Application | None, *, by: Actor, now: dt.datetime, times: Window | None = None
) -> FormState:
    consented = consents.live(session, consents.CHILD_DATA, by=by) is not None
    guardian = guardians.guardian_of(session, by=by)
    mine = FormState(consented=consented, guardian=guardian is not None and guardian.id_number is not None)
    if application is None:
        return mine
    gaps = {gap.part for gap in completeness.missing(session, application, by=by)}
    claimed_grounds = claims.of(session, application.id)
    round_ = times.open or times.last if times else None
    return FormState(
        consented=consented,
        guardian=mine.guardian,
        application=application,
        household=households.of(session, application.id) is not None and "household" not in gaps,
        claimed=sum(1 for ground in claimed_grounds if ground in claims.ASKED),
        papers_missing=len(required_documents.missing(session, application)),
        may_bind=bool(
            sibling_binding.may_bind(session, application, by=by) or sibling_binding.elders(session, application, by=by)
        ),
        round_=round_,
        wished=len(wishes.of(session, application.id, round_.id)) if round_ else 0,
    )


def steps(known: FormState) -> list[Step]:
    """Every page of this family's form in order, with its state."""
    listed = [page for page in ORDER if page != "together" or known.may_bind]
    found = [_step(page, known) for page in listed]
    first = next((step for step in found if step.state == "todo"), None)
    return [Step(step.page, "now", step.n, step.href) if step is first else step for step in found]


def next_step(listed: list[Step]) -> Step | None:
    """The first page that blocks the submission; None if there is none."""
    return next((step for step in listed if step.state == "now"), None)


def step_after(page: str, listed: list[Step]) -> Step:
    """The next page after this one that is not done, including optional pages."""
    later = listed[[step.page for step in listed].index(page) + 1 :]
    return next((step for step in later if step.state != "done"), listed[-1])


def progress_bar(listed: list[Step]) -> list[tuple[str, str]]:
    """The five parts of the progress bar, each with the state `done`, `now` or `todo`."""
    states, found = {step.page: step for step in listed}, []
    for part, pages in PARTS.items():
        open_pages = [states[page] for page in pages if page in states and states[page].blocks_submission]
        state = "done" if not open_pages else "now" if any(step.state == "now" for step in open_pages) else "todo"
        found.append((part, state))
    return found


def page_url(page: str, application: Application | None) -> str | None:
    """The address of a form page; None while there is no application for it."""
    if page in ("consent", "guardian"):
        return url_for(f"parents.{page}_page")
    if page == "child" and application is None:
        return url_for("parents.new_child")
    return url_for(f"parents.{page}_page", application_id=application.id) if application else None


def _step(page: str, known: FormState) -> Step:
    href = page_url(page, known.application)
    if known.application is None and page not in WITHOUT_APPLICATION:
        return Step(page, "later")
    if page == "child" and known.application is None and not (known.consented and known.guardian):
        return Step(page, "todo")
    if page == "evidence" and known.papers_missing:
        return Step(page, "wanting", known.papers_missing, href)
    if _done(page, known):
        return Step(page, "done", 0, href)
    return Step(page, "optional" if page in OPTIONAL else "todo", 0, href)


def _done(page: str, known: FormState) -> bool:
    application = known.application
    return {
        "consent": known.consented,
        "guardian": known.guardian,
        "child": application is not None,
        "household": known.household,
        "grounds": known.claimed > 0,
        "evidence": known.household,
        "together": application is not None and (application.unit or application.elder_id) is not None,
        "wishes": known.wished > 0,
        "check": application is not None and application.stage in (SUBMITTED, IN_REVIEW, CONFIRMED),
    }[page]
