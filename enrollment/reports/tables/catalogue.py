"""All reports, in the order of their lists."""

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import arriving, on_roll, places, quality, review
from enrollment.reports.tables.report import Report

REPORTS = {
    report.code: report
    for report in (
        places.LEDGER, places.DEMAND, places.BY_WISH, review.RETURNS, review.REFUSALS, arriving.ARRIVALS,
        arriving.CLASS_LIST, on_roll.ON_ROLL, on_roll.MOVEMENTS, on_roll.GAPS,
    )
}  # fmt: skip


OFFICIAL_REPORTS = {report.code: report for report in (quality.HIGH_QUALITY, quality.READINESS, quality.READINESS_ROWS)}
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
