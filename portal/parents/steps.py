"""The pages of the form: one tuple is their order, one function says how far each is, one what comes next."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from flask import url_for
from sqlalchemy.orm import Session

from enrollment.applications import completeness, deadlines, sibling_binding, wishes
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import WITH_AUTHORITY
from enrollment.eligibility import claims, households, required_documents
from enrollment.ground.accounts import Actor
from enrollment.people import consents, guardians

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
    """A page and how far it is: done, now (the one to go on with), todo, later, optional, or wanting `n` things."""

    page: str
    state: str
    n: int = 0
    href: str | None = None

    @property
    def stops(self) -> bool:
        """Whether the way to the submission leads through this page."""
        return self.state in ("now", "todo", "later")


class FormState:
    """How far a family's form is.  Each answer is looked up when a page first asks for it, and kept for this request.

    `application` is None before a child was entered.
    """

    def __init__(self, session: Session, application: Application | None, *, by: Actor, now: dt.datetime):
        self.session, self.application, self.by, self.now = session, application, by, now

    @cached_property
    def consented(self) -> bool:
        return consents.live(self.session, consents.CHILD_DATA, by=self.by) is not None

    @cached_property
    def guardian(self) -> bool:
        guardian = guardians.guardian_of(self.session, by=self.by)
        return guardian is not None and guardian.id_number is not None

    @cached_property
    def household(self) -> bool:
        household = households.of(self.session, self._application.id)
        return not completeness.household_gaps(household)

    @cached_property
    def claimed(self) -> bool:
        return any(ground in claims.ASKED for ground in claims.of(self.session, self._application.id))

    @cached_property
    def papers_missing(self) -> int:
        return len(required_documents.missing(self.session, self._application))

    @cached_property
    def may_bind(self) -> bool:
        if self.application is None:
            return False
        candidates = (sibling_binding.may_bind, sibling_binding.elders)
        return any(found(self.session, self.application, by=self.by) for found in candidates)

    @cached_property
    def wished(self) -> bool:
        """Whether there are wishes in the round that takes them now, or in the last one that did."""
        times = deadlines.of(self.session, self._application, now=self.now)
        round_ = times.open or times.last
        return round_ is not None and bool(wishes.of(self.session, self._application.id, round_.id))

    @property
    def _application(self) -> Application:
        if self.application is None:
            raise LookupError("nothing is asked of an application before a child was entered")
        return self.application


def steps(form: FormState) -> list[Step]:
    """Every page of this family's form in its order, each with its state."""
    found = [_step(page, form) for page in ORDER if _is_shown(page, form)]
    first = next((step for step in found if step.state == "todo"), None)
    return [Step(step.page, "now", step.n, step.href) if step is first else step for step in found]


def next_step(listed: list[Step]) -> Step | None:
    """The page to go on with: the first that stops the submission."""
    return next((step for step in listed if step.state == "now"), None)


def after(page: str, form: FormState) -> Step:
    """Where saving a page leads: to the next page that is not done, an optional one included; at last to the check.

    Pages are asked in their order and only as far as that one, because this runs at every save.
    """
    *later, last = ORDER[ORDER.index(page) + 1 :]
    for each in later:
        if _is_shown(each, form) and (step := _step(each, form)).state != "done":
            return step
    return _step(last, form)


def bar(listed: list[Step]) -> list[tuple[str, str]]:
    """The five parts of the progress bar, each done, now or todo."""
    states, found = {step.page: step for step in listed}, []
    for part, pages in PARTS.items():
        open_pages = [states[page] for page in pages if page in states and states[page].stops]
        state = "done" if not open_pages else "now" if any(step.state == "now" for step in open_pages) else "todo"
        found.append((part, state))
    return found


def address(page: str, application: Application | None) -> str | None:
    """Where a page of the form stands; None while there is nothing yet that it could be about."""
    if page in ("consent", "guardian"):
        return url_for(f"parents.{page}_page")
    if page == "child" and application is None:
        return url_for("parents.new_child")
    return url_for(f"parents.{page}_page", application_id=application.id) if application else None


def _is_shown(page: str, form: FormState) -> bool:
    return page != "together" or form.may_bind


def _step(page: str, form: FormState) -> Step:
    href = address(page, form.application)
    if form.application is None and page not in WITHOUT_APPLICATION:
        return Step(page, "later")
    if page == "child" and form.application is None and not (form.consented and form.guardian):
        return Step(page, "todo")
    if page == "evidence" and form.papers_missing:
        return Step(page, "wanting", form.papers_missing, href)
    if _done(page, form):
        return Step(page, "done", 0, href)
    return Step(page, "optional" if page in OPTIONAL else "todo", 0, href)


def _done(page: str, form: FormState) -> bool:
    application = form.application
    match page:
        case "consent":
            return form.consented
        case "guardian":
            return form.guardian
        case "child":
            return application is not None
        case "household" | "evidence":
            return form.household
        case "grounds":
            return form.claimed
        case "together":
            return application is not None and (application.unit or application.elder_id) is not None
        case "wishes":
            return form.wished
        case "check":
            return application is not None and application.stage in WITH_AUTHORITY
    raise LookupError(page)
