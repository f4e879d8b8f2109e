"""Reports about places: the ledger, demand, and what the draw gave by wish."""

import uuid

from sqlalchemy import func, select

from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.offers.offer_rows import EXPECTED, LIVE, Offer, OfferState
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger_rows import LedgerEntry
from enrollment.places.programmes import Programme
from enrollment.reports.tables.report import Column, Kind, Place, Question, Report, Row

N = Kind.NUMBER
OF_A_PROGRAMME = (Column("kindergarten", Kind.PLACE), Column("level", Kind.CODE, "level"))


def place_of(kindergarten: Kindergarten) -> Place:
    return Place(kindergarten.id, kindergarten.name, kindergarten.area_code)


def _programmes(question: Question):
    return (
        select(Programme, Kindergarten)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == question.year, question.here())
        .order_by(Kindergarten.sort_key, Programme.level)
    )


def _limit(programme: Programme) -> str:
    """What binds the number of places: the staffed classes, or the planned ones."""
    return "staffed" if programme.staffed_classes < programme.planned_classes else "planned"


def _approvals(question: Question) -> dict[uuid.UUID, str]:
    """The newest approval that an entry of a programme names; found from the approvals, which are few."""
    entry = (LedgerEntry.programme_id == Programme.id) & (LedgerEntry.paper_id == ApprovalPaper.id)
    named = (
        select(Programme.id, papers.in_words())
        .select_from(ApprovalPaper)
        .join(Programme, Programme.kindergarten_id == ApprovalPaper.kindergarten_id)
        .join(LedgerEntry, entry)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == question.year, question.here())
        .order_by(LedgerEntry.number)
    )
    return {programme: said for programme, said in question.session.execute(named)}


def _ledger(question: Question) -> list[Row]:
    counted = select(
        Offer.programme_id,
        func.count().filter(Offer.state == OfferState.OFFERED),
        func.count().filter(Offer.state.in_(EXPECTED)),
        func.count().filter(Offer.state == OfferState.ARRIVED),
    ).where(Offer.year == question.year)
    states = {row[0]: row[1:] for row in question.session.execute(counted.group_by(Offer.programme_id))}
    approvals = _approvals(question)
    rows = []
    for programme, kindergarten in question.session.execute(_programmes(question)):
        offered, accepted, arrived = states.get(programme.id, (0, 0, 0))
        rows.append(
            (
                place_of(kindergarten), programme.level, kindergarten.licensed_classes, programme.planned_classes,
                programme.staffed_classes, programme.class_norm, programme.continuing, programme.withheld,
                programme.places, _limit(programme), offered, accepted, arrived, programme.overhang,
                programme.places + programme.overhang - programme.taken, approvals.get(programme.id),
            )
        )  # fmt: skip
    return rows


LEDGER = Report(
    "ledger",
    (
        *OF_A_PROGRAMME, Column("licensed", N), Column("planned", N), Column("staffed", N), Column("norm", N),
        Column("continuing", N, total=True), Column("reserved", N, total=True), Column("places", N, total=True),
        Column("limit", Kind.CODE, "report_limit"), Column("offered", N, total=True), Column("accepted", N, total=True),
        Column("arrived", N, total=True), Column("extra", N, total=True), Column("free", N, total=True),
        Column("approval"),
    ),
    _ledger,
)  # fmt: skip


def _demand(question: Question) -> list[Row]:
    ranks = [func.count().filter(Wish.rank == rank) for rank in (1, 2, 3)]
    counted = (
        select(Wish.programme_id, *ranks, func.count().filter(Wish.rank > 3))
        .join(Application, Application.id == Wish.application_id)
        .where(Application.year == question.year, Application.stage.not_in((*DEAD_STAGES, Stage.DRAFT)))
        .group_by(Wish.programme_id)
    )
    wishes = {row[0]: tuple(row[1:]) for row in question.session.execute(counted)}
    rows = []
    for programme, kindergarten in question.session.execute(_programmes(question)):
        first, *others = wishes.get(programme.id, (0, 0, 0, 0))
        ratio = round(first / programme.places, 1) if programme.places else None
        rows.append((place_of(kindergarten), programme.level, programme.places, first, *others, ratio))
    return rows


DEMAND = Report(
    "demand",
    (
        *OF_A_PROGRAMME, Column("places", N, total=True), Column("wish_1", N, total=True), Column("wish_2", N, total=True),
        Column("wish_3", N, total=True), Column("wish_more", N, total=True), Column("ratio", N),
    ),
    _demand,
)  # fmt: skip


def _by_wish(question: Question) -> list[Row]:
    ranks = [func.count().filter(Offer.rank == rank) for rank in (1, 2, 3)]
    counted = select(
        Offer.programme_id, *ranks, func.count().filter(Offer.rank > 3), func.count().filter(Offer.rank.is_(None)),
        func.count(),
    ).where(Offer.year == question.year, Offer.state.in_(LIVE))  # fmt: skip
    placed = {row[0]: tuple(row[1:]) for row in question.session.execute(counted.group_by(Offer.programme_id))}
    return [
        (place_of(kindergarten), programme.level, programme.places, *placed.get(programme.id, (0, 0, 0, 0, 0, 0)))
        for programme, kindergarten in question.session.execute(_programmes(question))
    ]


BY_WISH = Report(
    "by_wish",
    (
        *OF_A_PROGRAMME, Column("places", N, total=True), Column("wish_1", N, total=True), Column("wish_2", N, total=True),
        Column("wish_3", N, total=True), Column("wish_more", N, total=True), Column("central", N, total=True),
        Column("placed", N, total=True),
    ),
    _by_wish,
    parts=(("placed", ("wish_1", "wish_2", "wish_3", "wish_more", "central")),),
)  # fmt: skip
