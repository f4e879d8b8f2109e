"""All reports, in the order of their lists."""

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import (
    arriving,
    on_roll,
    places,
    quality,
    reconciliation,
    review,
    reviewing,
    statistics,
    support,
    units,
)
from enrollment.reports.tables.report import Report

REPORTS = {
    report.code: report
    for report in (
        places.LEDGER, places.DEMAND, reviewing.WORKLIST, reviewing.PROGRESS, reviewing.DISAGREEMENTS, reviewing.PAIRS,
        review.RETURNS, review.REFUSALS, places.BY_WISH, arriving.ARRIVALS, arriving.CLASS_LIST, on_roll.ON_ROLL,
        on_roll.MOVEMENTS, on_roll.PROMOTION, on_roll.GAPS,
        reconciliation.ROLL_FILE, statistics.STATISTICS, units.VACANCIES, units.UNITS,
    )
}  # fmt: skip


OFFICIAL_REPORTS = {
    report.code: report
    for report in (
        statistics.SHARES,
        quality.HIGH_QUALITY,
        quality.READINESS,
        quality.READINESS_ROWS,
        support.SUPPORT_CASES,
    )
}
"""Reports about areas, for officials alone; the others are for them too, as far as their `widest` allows."""


def official_report_of(code: str) -> Report:
    """The report with this code, of those that officials read.  NotFound for any other."""
    found = OFFICIAL_REPORTS.get(code) or REPORTS.get(code)
    if found is None:
        raise NotFound("report")
    return found


def report_of(code: str) -> Report:
    """The report with this code.  NotFound for any other."""
    if code not in REPORTS:
        raise NotFound("report")
    return REPORTS[code]
