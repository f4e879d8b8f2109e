"""The raw table of applications: a row for each wish, without names, for tables of one's own."""

from sqlalchemy import select
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application, Wish
from enrollment.offers.offer_rows import Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.reports.tables.places import OF_A_PROGRAMME
from enrollment.reports.tables.report import PLACE, Column, Kind, Question, Report, Row, Width
from enrollment.season.round_rows import Round


def _wishes(question: Question) -> list[Row]:
    """Wishes of applications that were ever handed in; the offer is the newest one of this place."""
    newest = (
        select(Offer.state)
        .where(Offer.application_id == Application.id, Offer.programme_id == Wish.programme_id)
        .order_by(Offer.made_at.desc(), Offer.id)
        .limit(1)
        .correlate(Application, Wish)
        .scalar_subquery()
    )
    beside = aliased(Application)
    bound = (
        select(beside.id)
        .where(beside.unit == Application.unit, beside.year == Application.year, beside.id != Application.id)
        .correlate(Application)
        .exists()
    )
    found = (
        select(
            PLACE, Programme.level, Application.registration_code, Application.stage, Application.submitted_at,
            Round.number, Wish.rank, newest, bound, Application.entered_for.is_not(None),
        )
        .select_from(Wish)
        .join(Application, Application.id == Wish.application_id)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == question.year, Application.submitted_at.is_not(None), question.here())
        .order_by(Kindergarten.sort_key, Programme.level, Application.registration_code, Round.number, Wish.rank)
    )  # fmt: skip
    return [(*row, _yes(is_bound), _yes(helped)) for *row, is_bound, helped in question.session.execute(found)]


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


APPLICATIONS = Report(
    "applications",
    (
        *OF_A_PROGRAMME, Column("code"), Column("stage", Kind.CODE, "stage"), Column("submitted_at", Kind.MOMENT),
        Column("round", Kind.NUMBER), Column("rank", Kind.NUMBER), Column("offer", Kind.CODE, "report_offer"),
        Column("is_bound", Kind.CODE, "report_yes_no"), Column("helped", Kind.CODE, "report_yes_no"),
    ),
    _wishes,
    widest=Width.AREA,
)  # fmt: skip
