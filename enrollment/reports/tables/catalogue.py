"""All reports, in the order of their lists."""

from collections.abc import Iterable

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import (
    applications,
    arriving,
    comparisons,
    gaps,
    movements,
    on_roll,
    pairs,
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
        places.LEDGER, places.DEMAND, reviewing.WORKLIST, reviewing.PROGRESS, applications.APPLICATIONS, reviewing.DISAGREEMENTS, pairs.PAIRS,
        review.RETURNS, review.REFUSALS, places.BY_WISH, arriving.ARRIVALS, arriving.CLASS_LIST, on_roll.ON_ROLL,
        movements.MOVEMENTS, on_roll.PROMOTION, gaps.GAPS,
        reconciliation.ROLL_FILE, comparisons.COMPARISONS, statistics.STATISTICS, units.VACANCIES, units.UNITS,
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


GROUPS = {
    "places": ("ledger", "demand", "applications", "vacancies", "units"),
    "review": ("worklist", "progress", "disagreements", "pairs", "returns", "refusals", "support_cases"),
    "results": ("by_wish", "arrivals", "class_list"),
    "roll": ("on_roll", "movements", "promotion", "gaps", "roll_file", "roll_comparisons"),
    "statistics": ("statistics", "two_shares", "high_quality", "readiness", "readiness_rows"),
}
"""The codes of the reports under the headings of their lists; the headings have words in the group `report_group`."""


def grouped(reports: Iterable[Report]) -> list[tuple[str, list[Report]]]:
    """The reports of a list under their headings, without empty ones."""
    known = {report.code: report for report in reports}
    listed = [(group, [known[code] for code in codes if code in known]) for group, codes in GROUPS.items()]
    return [(group, found) for group, found in listed if found]


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
