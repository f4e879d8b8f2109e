"""Claiming grounds: those that a family is asked about, and those that follow from its household."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import edits, elder_siblings
from enrollment.applications.application_rows import Application
from enrollment.applications.claim_rows import ASKED, DETAIL, Claim, VerifiedFact, of
from enrollment.applications.elder_siblings import Elder
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child
from enrollment.places import finder
from enrollment.season.facts import CARE_KINDS, Ground

__all__ = ["ASKED", "DETAIL", "Claim", "VerifiedFact", "of"]


def set_claims(
    session: Session,
    application_id: uuid.UUID,
    grounds: Mapping[Ground | str, Any],
    *,
    among: Collection[Ground] = ASKED,
    elder: Elder | None = None,
    version: int | None = None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Replace the claims of the grounds that a family was asked about: `among` are those that its page showed, and the claims of
    all others stay, with the elder sibling.

    `grounds` maps each claimed ground to its detail (a kindergarten's code, a kind, a number).  `elder` is the elder
    sibling of the ground `elder_sibling`.  Refuses a missing or wrong detail, with the ground's name as the field, and
    what `elder_siblings.keep` refuses.
    """
    application = edits.begin(session, application_id, by=by, now=now, version=version)
    said = {Ground(ground): detail for ground, detail in grounds.items()}
    wanted = {ground: details_of(session, ground, detail) for ground, detail in said.items()}
    _replace(session, application_id, among, wanted, now)
    if Ground.ELDER_SIBLING in among:
        elder_siblings.keep(
            session,
            application_id,
            elder if Ground.ELDER_SIBLING in wanted else None,
            child_number=session.get_one(Child, application.child_id).id_number,
            today=today(now),
        )
    edits.keep(session, application, by=by, now=now)


def follow_household(session: Session, application: Application, household: Household, *, now: dt.datetime) -> None:
    """Claim the grounds that follow from the household's answers, so that the family is not asked again."""
    _replace(session, application.id, tuple(carried_by(household)), following(household), now)


def following(household: Household) -> dict[Ground, dict[str, Any]]:
    """The claims that follow from a household's answers, with their details, which are empty."""
    return {ground: {} for ground, holds in carried_by(household).items() if holds}


def carried_by(household: Household) -> dict[Ground, bool]:
    """Each ground that can follow from a household's answers, and whether it follows from these answers."""
    owned = household.home_owned is True
    return {
        Ground.LOCAL_HUKOU: household.hukou_kind == "local",
        Ground.COLLECTIVE_HUKOU: household.hukou_kind == "collective",
        Ground.HOME_OWNER: owned and household.home_area is not None,
        Ground.SERVICE_AREA: bool(household.home_street or household.home_community or household.home_estate),
        Ground.ESTATE_OWNER: owned and household.home_estate is not None,
        Ground.RESIDENCE_PERMIT: household.residence_permit_area is not None,
        Ground.WORKPLACE: household.work_area is not None,
    }


def _replace(
    session: Session, application_id: uuid.UUID, among: Collection[Ground], wanted: dict[Ground, dict[str, Any]], now
) -> None:
    """Replace the claims of the grounds in `among` by `wanted`; a claim that existed before keeps its date."""
    rows = session.scalars(select(Claim).where(Claim.application_id == application_id, Claim.ground.in_(among)))
    there = {Ground(claim.ground): claim for claim in rows}
    for ground, claim in there.items():
        if ground not in wanted:
            session.delete(claim)
        elif claim.details != wanted[ground]:
            claim.details, claim.claimed_at = wanted[ground], now
    for ground in wanted.keys() - there.keys():
        session.add(Claim(application_id=application_id, ground=ground.value, details=wanted[ground], claimed_at=now))
    session.flush()


def details_of(session: Session, ground: Ground, detail: Any) -> dict[str, Any]:
    """The stored form of the detail of a ground.  Refuses a missing or wrong detail."""
    if ground not in DETAIL:
        raise Refused("ground_follows_household", field=ground.value)
    fact = DETAIL[ground]
    if ground == Ground.SPECIAL_NEED:
        return {fact.value: True}
    if ground == Ground.POLICY_CARE:
        if detail not in CARE_KINDS:
            raise Refused("care_kind_missing", field=ground.value)
        return {fact.value: detail}
    if ground == Ground.MULTI_CHILD:
        if not isinstance(detail, int) or not 2 <= detail <= 20:
            raise Refused("children_number_odd", field=ground.value)
        return {fact.value: detail}
    if not detail:
        raise Refused("which_kindergarten", field=ground.value)
    if not finder.is_open(session, detail):
        raise Refused("kindergarten_unknown", field=ground.value)
    return {fact.value: detail}
