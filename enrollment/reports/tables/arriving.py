"""Reports about arrival: the list of the new children, and how many have come."""

from sqlalchemy import func, select

from enrollment.applications.child_needs.rows import ChildNeeds
from enrollment.draw.run_rows import Run
from enrollment.ground.city_time import today
from enrollment.offers.arrivals import children, days
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
    told = select(ChildNeeds.application_id).where(
        ChildNeeds.application_id.in_([each.application_id for each in listed])
    )
    with_needs = set(question.session.scalars(told))
    areas = {each.id: each.area_code for each in question.session.scalars(select(Kindergarten).where(question.here()))}
    rows = [
        (
            Place(each.kindergarten_id, each.kindergarten, areas[each.kindergarten_id]), each.level, each.class_name, each.child_name, each.sex, each.born, each.registration_code,
            each.guardian, each.relation, each.masked_phone, "yes" if each.application_id in with_needs else None,
            "arrived" if each.state == OfferState.ARRIVED else "expected", None,
        )
        for each in listed
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row[0].name, row[1], row[2] or "~", row[6]))


CLASS_LIST = Report(
    "class_list",
    (
        *OF_A_PROGRAMME, Column("class"), Column("child", names=True), Column("sex", Kind.CODE, "sex"),
        Column("born", Kind.DAY, names=True), Column("code"), Column("guardian", names=True),
        Column("relation", Kind.CODE, "relation"), Column("phone", names=True),
        Column("needs", Kind.CODE, "report_needs", sensitive=True), Column("state", Kind.CODE, "arrival_group"), Column("signature"),
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
    number_of_tries = (
        select(func.count(ArrivalContact.id))
        .where(ArrivalContact.offer_id == Offer.id)
        .correlate(Offer)
        .scalar_subquery()
    )
    called = select(Run.id).where(Run.id == Offer.run_id, Run.replays.is_not(None)).correlate(Offer).exists()
    last_day = days.ends_at(question.session, question.year)
    found = (
        select(
            PLACE,
            Programme.level,
            func.count().filter(Offer.state == OfferState.OFFERED),
            func.count().filter(waits),
            func.count().filter(Offer.state == OfferState.ARRIVED),
            func.count().filter(waits, newest == ContactOutcome.NOT_COMING),
            func.count().filter(waits, ~tries.exists()),
            func.coalesce(func.sum(number_of_tries), 0),
            func.count().filter(Offer.state == OfferState.NO_SHOW),
            Programme.free,
            func.count().filter(called),
        )
        .select_from(Programme)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Offer, Offer.programme_id == Programme.id)
        .where(Programme.year == question.year, question.here())
        .group_by(Programme.id, Kindergarten.id)
        .order_by(Kindergarten.sort_key, Programme.level)
    )
    until = today(last_day) if last_day else None
    return [(*row, until) for row in question.session.execute(found)]


ARRIVALS = Report(
    "arrivals",
    (
        *OF_A_PROGRAMME,
        *(
            Column(code, Kind.NUMBER, total=True)
            for code in (
                "offered",
                "expected",
                "arrived",
                "not_coming",
                "no_contact",
                "tries",
                "no_show",
                "free",
                "called",
            )
        ),
        Column("expected_until", Kind.DAY),
    ),
    _arrivals,
)
