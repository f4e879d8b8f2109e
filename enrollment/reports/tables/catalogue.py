"""All reports, in the order of their lists."""

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import arriving, on_roll, places, quality, review, reviewing, support
from enrollment.reports.tables.report import Report

REPORTS = {
    report.code: report
    for report in (
        places.LEDGER, places.DEMAND, reviewing.WORKLIST, reviewing.PROGRESS, reviewing.DISAGREEMENTS, reviewing.PAIRS,
        review.RETURNS, review.REFUSALS, places.BY_WISH, arriving.ARRIVALS, arriving.CLASS_LIST, on_roll.ON_ROLL,
        on_roll.MOVEMENTS, on_roll.PROMOTION, on_roll.GAPS,
    )
}  # fmt: skip


OFFICIAL_REPORTS = {
    report.code: report
    for report in (quality.HIGH_QUALITY, quality.READINESS, quality.READINESS_ROWS, support.SUPPORT_CASES)
}
"""Reports about areas, for officials."""


def official_report_of(code: str) -> Report:
    """The report for officials with this code.  NotFound for any other."""
    if code not in OFFICIAL_REPORTS:
        raise NotFound("report")
    return OFFICIAL_REPORTS[code]


def report_of(code: str) -> Report:
    """The report with this code.  NotFound for any other."""
    if code not in REPORTS:
        raise NotFound("report")
    return REPORTS[code]
