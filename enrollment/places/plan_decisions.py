"""Decisions about plans that wait: those of an area that a page showed, and sending the plan of a kindergarten back."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused, Stale
from enrollment.places import kindergartens, ledger, place_plans, scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger import PlanProposal
from enrollment.places.programmes import Programme


@dataclass
class AreaApproval:
    """Number of approved kindergartens, and the refused ones with the reason."""

    kindergartens: int = 0
    refused: list[tuple[Kindergarten, Refused]] = field(default_factory=list)


def approve_area(
    session: Session, area: str, year: int, *, seen: Collection[uuid.UUID], by: Actor, now: dt.datetime
) -> AreaApproval:
    """Approve the valid waiting plans of an area that the page showed; the others stay open and are returned with their reason.

    `seen` are the proposals of the page.  A plan that came or changed since is `plan_changed_meanwhile`, if the page
    showed an earlier one; plans that the page did not show wait on.
    """
    done, shown = AreaApproval(), _by_kindergarten(session, seen)
    for kindergarten_id in session.scalars(place_plans.waiting_query(by, year, area)).all():
        if kindergarten_id not in shown:
            continue
        try:
            with session.begin_nested():
                ledger.approve_kindergarten(session, kindergarten_id, year, seen=shown[kindergarten_id], by=by, now=now)
            done.kindergartens += 1
        except Stale:
            changed = Refused("plan_changed_meanwhile")
            done.refused.append((kindergartens.by_id(session, kindergarten_id), changed))
        except Refused as refused:
            done.refused.append((kindergartens.by_id(session, kindergarten_id), refused))
    return done


def _by_kindergarten(session: Session, proposal_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    found = (
        select(Programme.kindergarten_id, PlanProposal.id)
        .join(PlanProposal, PlanProposal.programme_id == Programme.id)
        .where(PlanProposal.id.in_(list(proposal_ids)))
    )
    shown: dict[uuid.UUID, set[uuid.UUID]] = {}
    for kindergarten_id, proposal_id in session.execute(found):
        shown.setdefault(kindergarten_id, set()).add(proposal_id)
    return shown


def send_back_kindergarten(
    session: Session,
    kindergarten_id: uuid.UUID,
    year: int,
    *,
    seen: Collection[uuid.UUID],
    by: Actor,
    now: dt.datetime,
    remark: str,
) -> int:
    """Send all open proposals of a kindergarten back with one remark.  Returns how many levels.

    `seen` are the open proposals of the page: Stale if others are open now.
    """
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    ledger.require_seen(session, kindergarten.id, year, seen)
    plan = place_plans.place_plan(session, kindergarten_id, year, by=by, now=now)
    proposed = [line.proposal for line in plan.lines if line.proposal]
    if not proposed:
        raise Refused("nothing_proposed")
    for proposal in proposed:
        ledger.send_back(session, proposal.programme_id, by=by, now=now, remark=remark)
    return len(proposed)
