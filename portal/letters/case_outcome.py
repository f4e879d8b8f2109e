"""The letter about the outcome of a case, in the reader's language: what was asked, what was decided, and why."""

from enrollment.applications.applications import Application
from enrollment.results.letters import LetterPage
from enrollment.review.case_officers import Officer
from enrollment.review.cases import Case
from portal.letters.pages import letter_page
from portal.text.formats import day


def outcome_page(application: Application, case: Case, officer: Officer | None, *, demo: bool) -> LetterPage:
    """What the letter says.  The caller has checked that its reader may know the case, and that it is settled."""
    return letter_page(
        f"case-{case.id.hex}",
        "case_outcome",
        case=case,
        officer=officer,
        child_name=application.child.name,
        code=application.registration_code,
        year=application.year,
        opened=day(case.opened_at, year=True),
        settled=day(case.settled_at, year=True),
        demo=demo,
    )
