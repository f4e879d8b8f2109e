"""The two shares as they will be when the result of a run is in force."""

import uuid

from sqlalchemy import distinct, func, literal, select, union_all
from sqlalchemy.orm import Session

from allocation.coverage import Coverage
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.coverage import counts, indicator, newest_rolls
from enrollment.coverage.indicator import Children
from enrollment.coverage.shares import Shares
from enrollment.draw.run_rows import Placement
from enrollment.offers.offer_rows import LIVE, Offer
from enrollment.people.person_rows import ChildDocument
from enrollment.places.areas import level_in
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import on_roll_condition


def after_run(session: Session, run_id: uuid.UUID, figures: Shares) -> Coverage:
    """The city after the intake of a run that is not published yet, by the definition of `figures`.

    `figures` count every place that is held.  A child that the run places counts where it is placed, and no longer where
    it holds a place or is on a roll now; who keeps the place changes nothing.
    """
    placed = (
        select(Placement.programme_id.label("programme_id"), literal(1).label("one"))
        .join(Application, Application.id == Placement.application_id)
        .where(Placement.run_id == run_id, Placement.programme_id.is_not(None), Application.stage.not_in(DEAD_STAGES))
    )
    held = (
        select(Offer.programme_id, literal(-1))
        .join(Placement, Placement.application_id == Offer.application_id)
        .join(Application, Application.id == Placement.application_id)
        .where(
            Placement.run_id == run_id, Placement.programme_id.is_not(None), Application.stage.not_in(DEAD_STAGES),
            Offer.state.in_(LIVE),
        )
    )  # fmt: skip
    moved = union_all(placed, held).subquery()
    change = (
        select(moved.c.programme_id, func.sum(moved.c.one).label("children"))
        .group_by(moved.c.programme_id)
        .having(func.sum(moved.c.one) != 0)
        .subquery()
    )
    rows = session.execute(
        select(*counts.groups(Kindergarten.area_code), Programme.level, change.c.children)
        .select_from(change)
        .join(Programme, Programme.id == change.c.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(counts.PARENT, counts.PARENT.id == Kindergarten.parent_id)
        .where(counts.open_condition(figures.definition.on))
    )
    children = [Children(int(row.children), row.nature, row.level, row.attached, row.education) for row in rows]
    children += _leaving(session, run_id, figures)
    return figures.city.after + indicator.share(children, figures.definition)


def _leaving(session: Session, run_id: uuid.UUID, figures: Shares) -> list[Children]:
    """Children who are on a roll, hold no place yet and get one by the run: they no longer stay where they are."""
    on, year = figures.definition.on, figures.year
    holds = select(Offer.id).where(Offer.application_id == Application.id, Offer.state.in_(LIVE))
    newest = newest_rolls.query(on)
    grouped = (*counts.groups(Kindergarten.area_code), RollClass.level, RollClass.school_year)
    rows = session.execute(
        select(*grouped, func.count(distinct(RollChild.id)).label("children"))
        .select_from(Placement)
        .join(Application, Application.id == Placement.application_id)
        .join(ChildDocument, ChildDocument.child_id == Application.child_id)
        .join(RollChild, RollChild.id_index == ChildDocument.person_index)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(newest, newest_rolls.condition(newest))
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(counts.PARENT, counts.PARENT.id == Kindergarten.parent_id)
        .where(
            Placement.run_id == run_id, Placement.programme_id.is_not(None), Application.stage.not_in(DEAD_STAGES),
            ~holds.exists(), on_roll_condition(on), counts.open_condition(on),
            newest_rolls.for_school_condition(year).is_not(True),
        )
        .group_by(*grouped)
    )  # fmt: skip
    later = ((row, level_in(row.level, row.school_year, year)) for row in rows)
    return [Children(-row.children, row.nature, level, row.attached, row.education) for row, level in later if level]
