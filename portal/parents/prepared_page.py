"""The result page of the first minutes: the prepared result in the shape that the template of the page reads."""

import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from enrollment.offers.offer_rows import OfferState
from enrollment.results import prepared_results
from enrollment.results.family_results import Origin
from enrollment.results.prepared_results import FreshResult
from enrollment.season import openings
from enrollment.season.openings import Chance, Opening
from portal.parents.people import decisions
from portal.text.area_names import area_name_of
from portal.web.unit_of_work import actor, clock, db


@dataclass(frozen=True)
class NextChance:
    """What the page says of the next registration; the part of `ApplicationStatus` that it needs."""

    application: Any
    chance: Chance | None
    office: str | None
    may_wish: bool = True
    wished_now: bool = False
    in_next_draw: None = None
    """A result of the first minutes is the newest: no later round waits for its own."""

    @property
    def looks_for_a_place(self) -> bool:
        return self.chance is not None


def prepared_page(application_id: uuid.UUID) -> str | None:
    """The page as it was prepared; None where it has to be made from the rows of today.  It asks for nothing but the one row."""
    found = prepared_results.look(db(), application_id, by=actor(), now=clock())
    if found is None:
        return None
    decisions.note_that_none_waits()
    application = SimpleNamespace(
        id=application_id,
        year=found.year,
        agrees_to_central=found.agrees_to_central,
        child=SimpleNamespace(name=found.child_name),
    )
    return render_template(
        "parents/result.html",
        application=application,
        result=_result(found),
        form=None,
        outside=found.lives_outside,
        status=_next_chance(db(), found, application),
        after=None,
        receipts=(),
        has_opening=found.has_opening,
        held=False,
        unanswered=False,
        waiting=None,
        may_take_back=False,
        gave_up_by=None,
        bound_in_receipt="",
        answered_names="",
    )


def _result(found: FreshResult) -> SimpleNamespace:
    place = found.content["place"]
    offer = None
    if place is not None:
        offer = SimpleNamespace(state=OfferState.OFFERED, rank=place["rank"], answer_by=found.answer_by)
    return SimpleNamespace(
        offer=offer,
        holds=offer is not None,
        place=None if place is None else SimpleNamespace(level=place["level"], kindergarten=SimpleNamespace(**place)),
        wishes=[_wish(each, place) for each in found.content["wishes"]],
        ticket=found.content["ticket"],
        bound=1,
        may_wait=offer is not None and offer.rank > 1,
        waits_on=offer is None,
        withdrew=False,
        origin=Origin(),
        run=SimpleNamespace(replays=None),
        round=SimpleNamespace(pair_rule=found.pair_rule),
    )


def _wish(told: dict[str, Any], place: dict[str, Any] | None) -> SimpleNamespace:
    """A wish; its place in line is that of the opening, for a family that waits for it."""
    waits = place is None or told["rank"] < place["rank"]
    shown = {**told, "in_line": told["in_line"] if waits else None, "line_at_opening": True}
    return SimpleNamespace(
        **shown,
        kindergarten=SimpleNamespace(name=told["name"]),
        programme=SimpleNamespace(pools=told["has_pools"]),
    )


def _next_chance(session: Session, found: FreshResult, application: Any) -> NextChance:
    if found.content["place"] is not None:
        return NextChance(application, None, None)
    chance = openings.next_chance(session, found.year, found.level, now=clock())
    late = chance.opening in (Opening.LATE, Opening.NONE)
    return NextChance(application, chance, area_name_of(session, found.home_area) if late else None)
