"""The proposals of a central run, as officials read them."""

import uuid
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw.run_rows import Placement
from enrollment.eligibility.households import Household
from enrollment.ground.random_codes import typed_registration_code
from enrollment.offers.offer_rows import CentralProposal
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme


@dataclass(frozen=True)
class Proposal:
    """A proposal as officials read it, without the name of the child."""

    registration_code: str
    area: str
    kindergarten: Kindergarten
    metres: int | None


@dataclass(frozen=True)
class ProposalPage:
    """One page of the proposals, counted from 1."""

    rows: tuple[Proposal, ...]
    total: int
    number: int
    last: int


def proposals(
    session: Session, run_id: uuid.UUID, *, words: str = "", area: str | None = None, page: int = 1, per_page: int = 50
) -> ProposalPage:
    """All proposals of a run, the farthest first; `words` are a registration code or part of a kindergarten's name."""
    home = func.coalesce(Household.home_area, "")
    found = (
        select(Application.registration_code, home, Programme, CentralProposal.metres)
        .select_from(Placement)
        .join(Application, Application.id == Placement.application_id)
        .join(Programme, Programme.id == Placement.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .outerjoin(
            CentralProposal,
            and_(CentralProposal.run_id == run_id, CentralProposal.application_id == Application.id),
        )
        .where(Placement.run_id == run_id)
    )
    if words.strip():
        name = Kindergarten.name.contains(words.strip(), autoescape=True)
        found = found.where(name | (Application.registration_code == typed_registration_code(words)))
    if area:
        found = found.where(home == area)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    last = max(1, -(-total // per_page))
    page = min(max(page, 1), last)
    order = (CentralProposal.metres.desc().nulls_last(), Application.registration_code)
    rows = session.execute(found.order_by(*order).limit(per_page).offset((page - 1) * per_page))
    return ProposalPage(
        tuple(Proposal(code or "", where, programme.kindergarten, metres) for code, where, programme, metres in rows),
        total,
        page,
        last,
    )
