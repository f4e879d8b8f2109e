"""The pages of the form: their order, the state of each, and the next one."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy.orm import Session

from enrollment.applications import completeness, deadlines, sibling_binding, wishes
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import WITH_AUTHORITY
from enrollment.eligibility import claims, required_documents
from enrollment.ground.accounts import Actor
from enrollment.people import consents, documents, guardians, household_rows
from portal.text.page_environment import address_of

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
    """A page and its state: `done`, `now` (the next one), `todo`, `later`, `optional`, or `wanting` `n` documents.

    `asks` is the page on which something of this one is still asked, and to which `href` leads.
    """

    page: str
    state: str
    n: int = 0
    href: str | None = None
    asks: str | None = None

    @property
    def leads_to(self) -> str:
        """The code of what a link to this step continues."""
        return self.asks or self.page

    @property
    def blocks_submission(self) -> bool:
        """Whether this page must be done before the submission."""
        return self.state in ("now", "todo", "later")


class FormState:
    """The saved state of a family's form.  Each value is read from the database at its first use, once per request.

    `application` is None before a child is entered.
    """

    def __init__(self, session: Session, application: Application | None, *, by: Actor, now: dt.datetime):
        self.session, self.application, self.by, self.now = session, application, by, now

    @cached_property
    def consented(self) -> bool:
        return consents.current_consent(self.session, consents.CHILD_DATA, by=self.by) is not None

    @cached_property
    def guardian(self) -> bool:
        guardian = guardians.guardian_of(self.session, by=self.by)
        return guardian is not None and guardian.id_number is not None

    @cached_property
    def asked_before(self) -> bool:
        """Whether the question about an earlier entry of the child has no answer yet."""
        return self.application is not None and documents.question_is_due(self.session, self.application.child_id)

    @cached_property
    def household(self) -> bool:
        household = household_rows.household_of(self.session, self._application.id)
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
        if self.application.unit is not None:
            return True
        siblings = sibling_binding.may_bind(self.session, self.application, by=self.by)
        return bool(siblings or sibling_binding.elders(self.session, self.application, now=self.now, by=self.by))

    @cached_property
    def wished(self) -> bool:
        """Whether there are wishes in the open round, or in the last one."""
        times = deadlines.of(self.session, self._application, now=self.now)
        round_ = times.current
        return round_ is not None and bool(wishes.of(self.session, self._application.id, round_.id))

    @property
    def _application(self) -> Application:
        if self.application is None:
            raise LookupError("there is no application before a child is entered")
        return self.application


def steps(form: FormState) -> list[Step]:
    """Every page of this family's form in order, with its state."""
    found = [_step(page, form) for page in ORDER if _is_shown(page, form)]
    first = next((step for step in found if step.state == "todo"), None)
    return [replace(step, state="now") if step is first else step for step in found]


def next_step(listed: list[Step]) -> Step | None:
    """The first page that blocks the submission; None if there is none."""
    return next((step for step in listed if step.state == "now"), None)


def step_after(page: str, form: FormState) -> Step:
    """The next page after this one that is not done, including optional pages; else the check page.

    It stops at the first such page, because it runs at every save.
    """
    *later, last = ORDER[ORDER.index(page) + 1 :]
    for each in later:
        if _is_shown(each, form):
            step = _step(each, form)
            if step.state != "done":
                return step
    return _step(last, form)


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
        return address_of(f"parents.{page}_page")
    if page == "child" and application is None:
        return address_of("parents.new_child")
    return address_of(f"parents.{page}_page", application_id=application.id) if application else None


def _is_shown(page: str, form: FormState) -> bool:
    return page != "together" or form.may_bind


def _step(page: str, form: FormState) -> Step:
    href = page_url(page, form.application)
    if form.application is None and page not in WITHOUT_APPLICATION:
        return Step(page, "later")
    if page == "child" and form.application is None and not (form.consented and form.guardian):
        return Step(page, "todo")
    if page == "child" and form.asked_before:
        return Step(page, "todo", 0, page_url("documents", form.application), asks="documents")
    if page == "evidence" and form.papers_missing:
        return Step(page, "wanting", form.papers_missing, href)
    if _done(page, form):
        return Step(page, "done", 0, href)
    if page == "wishes":  # an empty list has one act: to look for the first
        href = address_of("parents.find_wish", application_id=form.application.id) if form.application else None
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
