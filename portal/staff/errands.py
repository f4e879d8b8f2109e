"""What waits for the person who opens the desk, beside the review: transfers, files, large numbers, the ledger beside the roll."""

import datetime as dt
from dataclasses import dataclass

from flask import url_for

from enrollment.places import place_plans
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_changes import counts, transfers
from enrollment.reports.tables import exports
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.admission_year import shown_year
from portal.web.unit_of_work import actor, clock, db


@dataclass(frozen=True)
class Errand:
    """`code` has words in the group `desk_errand`, with `n` of them; `due` is the day of the first."""

    code: str
    n: int
    href: str
    due: dt.date | None = None


def errands() -> list[Errand]:
    """The errands of the signed-in person, those with a day first."""
    found = [_transfers(), _counts(), _files(), *(_ledger(here) for here in own_kindergartens())]
    waiting = [each for each in found if each is not None and each.n]
    return sorted(waiting, key=lambda each: (each.due is None, each.due or dt.date.max))


def _transfers() -> Errand | None:
    """Children whose transfer waits for the word of this side; the law gives it ten working days."""
    waits = [line.transfer.due_on for line in transfers.listing(db(), by=actor()) if line.waits_here]
    return Errand("transfers", len(waits), url_for("staff.roll_transfers"), min(waits)) if waits else None


def _counts() -> Errand | None:
    """Large changes of a number that a colleague entered: who entered it does not agree to it."""
    listed = counts.open_counts(db(), by=actor())
    others = [of for count, of, _at, _maker in listed if count.made_by != actor().account_id]
    return Errand("counts", len(others), url_for("staff.roll_class", class_id=others[0].id)) if others else None


def _files() -> Errand:
    return Errand("files", exports.waiting_for(db(), by=actor(), now=clock()), url_for("staff.reports"))


def _ledger(here: Kindergarten) -> Errand:
    """Levels whose continuing children are others on the roll than in the plan, or whose proposal was sent back."""
    plan = place_plans.place_plan(db(), here.id, shown_year(), by=actor(), now=clock())
    levels = [line for line in plan.lines if line.differs or line.sent_back]
    return Errand("ledger", len(levels), url_for("staff.places", at=here.id, year=plan.year))
