"""Reports about arrival: the list of the new children, and how many have come."""

from sqlalchemy import func, select

from enrollment.offers.arrivals import children
from enrollment.offers.arrivals.children import Group
from enrollment.offers.arrivals.rows import ArrivalContact, ContactOutcome
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.reports.tables.places import OF_A_PROGRAMME
from enrollment.reports.tables.report import PLACE, Column, Kind, Place, Question, Report, Row, Width


def _new_children(question: Question) -> list[Row]:
    listed = [
        each
        for group in (Group.ARRIVED, Group.EXPECTED)
        for each in children.children(question.session, question.year, group, by=question.by, here=question.here())
    ]
    areas = {each.id: each.area_code for each in question.session.scalars(select(Kindergarten).where(question.here()))}
    rows = [
        (
            Place(each.kindergarten_id, each.kindergarten, areas[each.kindergarten_id]), each.level, each.class_name, each.child_name, each.sex, each.born, each.registration_code,
            each.relation, each.masked_phone, "arrived" if each.state == OfferState.ARRIVED else "expected", None,
        )
        for each in listed
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row[0].name, row[1], row[2] or "~", row[6]))


CLASS_LIST = Report(
    "class_list",
    (
        *OF_A_PROGRAMME, Column("class"), Column("child", names=True), Column("sex", Kind.CODE, "sex"),
        Column("born", Kind.DAY, names=True), Column("code"), Column("relation", Kind.CODE, "relation"),
        Column("phone", names=True), Column("state", Kind.CODE, "arrival_group"), Column("signature"),
    ),
    _new_children,
    widest=Width.KINDERGARTEN,
)  # fmt: skip


def _arrivals(question: Question) -> list[Row]:
    tries = select(ArrivalContact.id).where(ArrivalContact.offer_id == Offer.id)
    newest = (
        select(ArrivalContact.outcome)
        .where(ArrivalContact.offer_id == Offer.id)
        .order_by(ArrivalContact.at.desc(), ArrivalContact.id)
        .limit(1)
        .scalar_subquery()
    )
    waits = Offer.state.in_(EXPECTED)
    found = (
        select(
            PLACE,
            Programme.level,
            func.count().filter(Offer.state == OfferState.OFFERED),
            func.count().filter(waits),
            func.count().filter(Offer.state == OfferState.ARRIVED),
            func.count().filter(waits, newest == ContactOutcome.NOT_COMING),
            func.count().filter(waits, ~tries.exists()),
            func.count().filter(Offer.state == OfferState.NO_SHOW),
            func.greatest(Programme.places + Programme.overhang - Programme.taken, 0),
        )
        .select_from(Programme)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Offer, Offer.programme_id == Programme.id)
        .where(Programme.year == question.year, question.here())
        .group_by(Programme.id, Kindergarten.id)
        .order_by(Kindergarten.sort_key, Programme.level)
    )
    return [tuple(row) for row in question.session.execute(found)]


ARRIVALS = Report(
    "arrivals",
    (
        *OF_A_PROGRAMME,
        *(
            Column(code, Kind.NUMBER, total=True)
            for code in ("offered", "expected", "arrived", "not_coming", "no_contact", "no_show", "free")
        ),
    ),
    _arrivals,
)
