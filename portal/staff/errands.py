"""What waits for the person who opens the desk, beside the review: transfers, files, large numbers, the ledger beside the roll."""

import datetime as dt
from dataclasses import dataclass

from flask import url_for

from enrollment.reports.staff_worklist import StaffWorklist


@dataclass(frozen=True)
class Errand:
    """`code` has words in the group `desk_errand`, with `n` of them; `due` is the day of the first."""

    code: str
    n: int
    href: str
    due: dt.date | None = None


def errands(work: StaffWorklist, year: int) -> list[Errand]:
    """The errands of the signed-in person, those with a day first.

    The law gives a transfer ten working days.  Who entered a number, or asked for a file, does not agree to it.
    """
    found = [Errand("files", work.files, url_for("staff.reports"))]
    found += [
        Errand("ledger", n, url_for("staff.places", at=kindergarten, year=year))
        for kindergarten, n in work.levels.items()
    ]
    if work.count_class is not None:
        found.insert(0, Errand("counts", work.counts, url_for("staff.roll_class", class_id=work.count_class)))
    if work.transfers:
        found.insert(0, Errand("transfers", work.transfers, url_for("staff.roll_transfers"), work.transfer_due))
    return sorted((each for each in found if each.n), key=lambda each: (each.due is None, each.due or dt.date.max))
