"""Reports about places: the ledger, demand, and what the draw gave by wish."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, distinct, func, select, true
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.chances.demand import Demand
from enrollment.ground.city_time import CHENGDU
from enrollment.offers.offer_rows import EXPECTED, LIVE, Offer, OfferState
from enrollment.places import class_plan
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.class_plan import LevelPlan
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger_rows import LedgerEntry
from enrollment.places.plans import receipts
from enrollment.places.programmes import Programme
from enrollment.reports.tables.report import Column, Kind, Place, Question, Report, Row
from enrollment.season.rounds import KINDS_WITH_WISHES, Round

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


def _programme_ids(question: Question) -> Select[Any]:
    """Inside a condition, so that a report of one kindergarten does not count the whole city before it joins."""
    return (
        select(Programme.id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == question.year, question.here())
    )


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
    ).where(Offer.year == question.year, Offer.programme_id.in_(_programme_ids(question)))
    states = {row[0]: row[1:] for row in question.session.execute(counted.group_by(Offer.programme_id))}
    approvals = _approvals(question)
    found = question.session.execute(_programmes(question)).all()
    plans: dict[uuid.UUID, dict[str, LevelPlan]] = {}
    for programme, kindergarten in found:
        plans.setdefault(kindergarten.id, {})[programme.level] = class_plan.plan_of(programme)
    rows = []
    for programme, kindergarten in found:
        limit = receipts.binding_limit(programme.level, plans[kindergarten.id], kindergarten.licensed_classes)
        offered, accepted, arrived = states.get(programme.id, (0, 0, 0))
        rows.append(
            (
                place_of(kindergarten), programme.level, kindergarten.licensed_classes, programme.planned_classes,
                programme.staffed_classes, programme.class_norm, programme.continuing, programme.withheld,
                programme.places, limit, offered, accepted, arrived, programme.overhang,
                programme.free, approvals.get(programme.id),
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


HANDED_IN = Application.stage.not_in((*DEAD_STAGES, Stage.DRAFT))


def _of_first_round(question: Question) -> ColumnElement[bool]:
    """Wishes in the round in which their child took part first: a child that wishes again in a later round counts once."""
    own, earlier, before = aliased(Round), aliased(Wish), aliased(Round)
    is_earlier = (
        select(earlier.rank)
        .join(before, before.id == earlier.round_id)
        .join(own, own.id == Wish.round_id)
        .where(earlier.application_id == Wish.application_id, before.number < own.number)
        .correlate(Wish)
    )
    rounds = (
        select(func.count()).select_from(Round).where(Round.year == question.year, Round.kind.in_(KINDS_WITH_WISHES))
    )
    return true() if (question.session.scalar(rounds) or 0) < 2 else ~is_earlier.exists()


def _tiers(question: Question) -> dict[uuid.UUID, tuple[tuple[str, dict[str, int]], ...]]:
    """The children of each tier who name a programme, as the newest count of its first round tells them; small ones are not kept."""
    counted = (
        select(Demand.programme_id, Demand.tiers)
        .join(Programme, Programme.id == Demand.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .join(Round, Round.id == Demand.round_id)
        .where(Programme.year == question.year, question.here())
        .order_by(Round.number.desc())
    )
    return {
        programme: tuple(("tier", {"tier": int(tier) + 1, "n": n}) for tier, n in sorted(tiers.items()))
        for programme, tiers in question.session.execute(counted)
    }


def _demand(question: Question) -> list[Row]:
    ranks = [func.count().filter(Wish.rank == rank) for rank in (1, 2, 3)]
    midnight = dt.datetime.combine(question.day, dt.time(), CHENGDU)
    before = func.count().filter(Wish.rank == 1, Application.submitted_at < midnight)
    counted = (
        select(Wish.programme_id, *ranks, func.count().filter(Wish.rank > 3), before)
        .join(Application, Application.id == Wish.application_id)
        .where(Application.year == question.year, HANDED_IN, _of_first_round(question))
        .where(Wish.programme_id.in_(_programme_ids(question)))
        .group_by(Wish.programme_id)
    )
    wishes = {row[0]: tuple(row[1:]) for row in question.session.execute(counted)}
    tiers = _tiers(question)
    rows = []
    for programme, kindergarten in question.session.execute(_programmes(question)):
        first, *others, yesterday = wishes.get(programme.id, (0, 0, 0, 0, 0))
        ratio = round(first / programme.places, 1) if programme.places else None
        by_tier = tiers.get(programme.id, ())
        rows.append(
            (place_of(kindergarten), programme.level, programme.places, first, yesterday, *others, ratio, by_tier)
        )
    return rows


DEMAND = Report(
    "demand",
    (
        *OF_A_PROGRAMME, Column("places", N, total=True), Column("wish_1", N, total=True),
        Column("wish_1_yesterday", N, total=True), Column("wish_2", N, total=True),
        Column("wish_3", N, total=True), Column("wish_more", N, total=True), Column("ratio", N),
        Column("by_tier", Kind.REMARKS, "report_tier"),
    ),
    _demand,
)  # fmt: skip


def _first_wishes(question: Question) -> dict[uuid.UUID, tuple[int, ...]]:
    """By programme of the first wish: all children, those without any place, bound children, those of them with a place,
    and those of them whose whole unit has its places at one kindergarten."""
    one = aliased(Programme)
    placed_at = select(Offer.child_id, one.kindergarten_id).join(one, one.id == Offer.programme_id)
    placed_at = placed_at.where(Offer.year == question.year, Offer.state.in_(LIVE))
    held = placed_at.subquery("held")
    member, its_place = aliased(Application), placed_at.subquery("its_place")
    named_here = (
        Application.year == question.year, HANDED_IN, _of_first_round(question), Wish.rank == 1,
        Wish.programme_id.in_(_programme_ids(question)),
    )  # fmt: skip
    units_here = select(Application.unit).join(Wish, Wish.application_id == Application.id).where(*named_here)
    of_units = (
        select(member.unit.label("unit"), func.count().label("children"), func.count(its_place.c.kindergarten_id).label("placed"),
               func.count(distinct(its_place.c.kindergarten_id)).label("kindergartens"))
        .outerjoin(its_place, its_place.c.child_id == member.child_id)
        .where(member.year == question.year, member.unit.in_(units_here), member.stage.not_in((*DEAD_STAGES, Stage.DRAFT)))
        .group_by(member.unit)
        .subquery("of_units")
    )  # fmt: skip
    bound, has_place = of_units.c.children > 1, held.c.child_id.is_not(None)
    together = and_(bound, of_units.c.placed == of_units.c.children, of_units.c.kindergartens == 1)
    counted = (
        select(
            Wish.programme_id, func.count(), func.count().filter(~has_place), func.count().filter(bound),
            func.count().filter(bound, has_place), func.count().filter(together),
        )
        .join(Application, Application.id == Wish.application_id)
        .outerjoin(held, held.c.child_id == Application.child_id)
        .outerjoin(of_units, of_units.c.unit == Application.unit)
        .where(*named_here)
        .group_by(Wish.programme_id)
    )  # fmt: skip
    return {row[0]: tuple(row[1:]) for row in question.session.execute(counted)}


def _by_wish(question: Question) -> list[Row]:
    ranks = [func.count().filter(Offer.rank == rank) for rank in (1, 2, 3)]
    counted = select(
        Offer.programme_id, *ranks, func.count().filter(Offer.rank > 3), func.count().filter(Offer.rank.is_(None)),
        func.count(),
    ).where(
        Offer.year == question.year, Offer.state.in_(LIVE), Offer.programme_id.in_(_programme_ids(question))
    )  # fmt: skip
    placed = {row[0]: tuple(row[1:]) for row in question.session.execute(counted.group_by(Offer.programme_id))}
    named_first = _first_wishes(question)
    rows = []
    for programme, kindergarten in question.session.execute(_programmes(question)):
        here = placed.get(programme.id, (0, 0, 0, 0, 0, 0))
        applicants, unplaced, bound, bound_placed, together = named_first.get(programme.id, (0, 0, 0, 0, 0))
        rows.append(
            (
                place_of(kindergarten), programme.level, programme.places, *here, applicants, unplaced,
                applicants - bound, applicants - unplaced - bound_placed, None, bound, bound_placed, None, together,
            )
        )  # fmt: skip
    return rows


BY_WISH = Report(
    "by_wish",
    (
        *OF_A_PROGRAMME, Column("places", N, total=True), Column("wish_1", N, total=True), Column("wish_2", N, total=True),
        Column("wish_3", N, total=True), Column("wish_more", N, total=True), Column("central", N, total=True),
        Column("placed", N, total=True), Column("applicants", N, total=True), Column("unplaced", N, total=True),
        Column("single", N, total=True), Column("single_placed", N, total=True),
        Column("single_share", Kind.SHARE, share_of=("single_placed", "single")),
        Column("bound", N, total=True), Column("bound_placed", N, total=True),
        Column("bound_share", Kind.SHARE, share_of=("bound_placed", "bound")),
        Column("together", N, total=True),
    ),
    _by_wish,
    parts=(
        ("placed", ("wish_1", "wish_2", "wish_3", "wish_more", "central")),
        ("applicants", ("single", "bound")),
        ("applicants", ("unplaced", "single_placed", "bound_placed")),
    ),
)  # fmt: skip
