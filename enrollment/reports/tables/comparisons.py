"""How each kindergarten stands beside the national roll: its last comparison, and the two clocks of the rules."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import func, or_, select

from enrollment.coverage import counts
from enrollment.places import roll
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_change_rows import RollTransfer, TransferState
from enrollment.places.roll_rows import RollChild
from enrollment.reports.tables.comparison_rows import Comparison, Difference
from enrollment.reports.tables.places import place_of
from enrollment.reports.tables.reconciliation import DifferenceKind, record_by
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row

N = Kind.NUMBER
KINDS = tuple(each for each in DifferenceKind if each not in (DifferenceKind.MISSING_HERE, DifferenceKind.TRANSFER))


def _differences(question: Question, day: dt.date) -> dict[uuid.UUID, tuple[Counter[str], dt.date]]:
    """By kindergarten the differences of each kind, those past the two months (`late`), and since when the oldest stands."""
    found = (
        select(Difference.kindergarten_id, Difference.kind, Difference.since, RollChild.entered_on)
        .join(RollChild, RollChild.id == Difference.roll_child_id)
        .join(Kindergarten, Kindergarten.id == Difference.kindergarten_id)
        .where(Difference.school_year == question.school_year, question.here())
    )
    sums: dict[uuid.UUID, tuple[Counter[str], dt.date]] = {}
    for place, kind, since, entered_on in question.session.execute(found):
        counted, oldest = sums.get(place, (Counter(), since))
        is_late = kind == DifferenceKind.MISSING_THERE and record_by(entered_on) < day
        counted.update([kind, *(["late"] if is_late else [])])
        sums[place] = counted, min(oldest, since)
    return sums


def _transfers(question: Question, day: dt.date) -> dict[uuid.UUID, tuple[int, int]]:
    """By kindergarten the transfers from and to it that are open, and those past their ten working days."""
    found = (
        select(Kindergarten.id, func.count(), func.count().filter(RollTransfer.due_on < day))
        .join(RollTransfer, or_(RollTransfer.from_id == Kindergarten.id, RollTransfer.to_id == Kindergarten.id))
        .where(RollTransfer.state == TransferState.OPEN, question.here())
        .group_by(Kindergarten.id)
    )
    return {place: (n, late) for place, n, late in question.session.execute(found)}


def _kindergartens(question: Question) -> Iterator[Row]:
    day = roll.day_within(question.school_year, question.now)
    differences, transfers = _differences(question, day), _transfers(question, day)
    found = (
        select(Kindergarten, Comparison)
        .outerjoin(
            Comparison,
            (Comparison.kindergarten_id == Kindergarten.id) & (Comparison.school_year == question.school_year),
        )
        .where(question.here(), counts.open_condition(day))
        .order_by(Kindergarten.sort_key, Kindergarten.id)
    )
    for kindergarten, compared in question.session.execute(found):
        of_it, oldest = differences.get(kindergarten.id, (Counter[str](), None))
        yield (
            place_of(kindergarten), 0 if compared else 1, compared.compared_at if compared else None,
            compared.here if compared else 0, compared.there if compared else 0,
            *(of_it[kind] for kind in KINDS), of_it["late"], compared.missing_here if compared else 0, oldest,
            *transfers.get(kindergarten.id, (0, 0)),
        )  # fmt: skip


COMPARISONS = Report(
    "roll_comparisons",
    (
        Column("kindergarten", Kind.PLACE), Column("not_compared", N, total=True),
        Column("compared_at", Kind.MOMENT), Column("on_our_roll", N, total=True), Column("in_the_file", N, total=True),
        *(Column(f"differs_{kind}", N, total=True) for kind in KINDS),
        Column("past_two_months", N, total=True), Column("differs_missing_here", N, total=True),
        Column("differs_since", Kind.DAY),
        Column("open_transfers", N, total=True), Column("late_transfers", N, total=True),
    ),
    _kindergartens,
    line_each=True,
)  # fmt: skip
