"""All reports, in the order of the list."""

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import arriving, on_roll, places, review, reviewing
from enrollment.reports.tables.report import Report

REPORTS = {
    report.code: report
    for report in (
        places.LEDGER, places.DEMAND, reviewing.WORKLIST, reviewing.PROGRESS, reviewing.DISAGREEMENTS, reviewing.PAIRS,
        review.RETURNS, review.REFUSALS, places.BY_WISH, arriving.ARRIVALS, arriving.CLASS_LIST, on_roll.ON_ROLL,
        on_roll.MOVEMENTS, on_roll.PROMOTION, on_roll.GAPS,
    )
}  # fmt: skip


def report_of(code: str) -> Report:
    """The report with this code.  NotFound for any other."""
    if code not in REPORTS:
        raise NotFound("report")
    return REPORTS[code]
