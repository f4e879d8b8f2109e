"""The eligibility check without an account: a family's grounds, papers and tiers.  No answer is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.judgements import claimed_values
from enrollment.eligibility import claims, kindergarten_facts, required_documents
from enrollment.people.household_rows import Household
from enrollment.places.areas import NATURES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.places.service_areas import service_area_index
from enrollment.season import policy_approval
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Ground, home_of
from enrollment.season.rules import Rules, TierResult


@dataclass(frozen=True)
class There:
    """A kindergarten that takes children of the level this year, with the tier that the answers would give there."""

    kindergarten: Kindergarten
    tiered: TierResult
    serves: bool


@dataclass(frozen=True)
class InArea:
    """One area: `tiers` has the best first.  `signed` False: its rules of this year are not public yet, so no tier."""

    area: str
    signed: bool
    may_apply: bool
    tiers: tuple[tuple[TierResult, tuple[There, ...]], ...]


@dataclass(frozen=True)
class Foreseen:
    """`grounds` count in at least one of the areas; each paper is listed with the grounds that require it."""

    grounds: tuple[Ground, ...]
    papers: tuple[tuple[Document, tuple[Ground, ...]], ...]
    areas: tuple[InArea, ...]


def foresee(session: Session, year: int, level: str, household: Household, details: Mapping[Ground, Any]) -> Foreseen:
    """The result of these answers in the season of `year`.  `household` is not in the database; `details` as for a claim.

    Refuses a missing or wrong detail, with the ground's name as the field.
    """
    claimed: dict[str, Mapping[str, Any]] = {
        ground.value: {} for ground, holds in claims.carried_by(household).items() if holds
    }
    claimed |= {ground.value: claims.details_of(session, ground, detail) for ground, detail in details.items()}
    facts = claimed_values.resting_on(household, claimed)
    serving = service_area_index(session).serving(home_of(facts))
    offering = _offering(session, year, level, _areas(session, household, claimed))
    known = kindergarten_facts.kindergartens(session, {each.id for area in offering.values() for each in area})
    rules = {
        area: policy_approval.rules_of(found)
        for area in offering
        if (found := policy_approval.policy_in_force(session, year, area))
    }
    grounds = tuple(ground for ground in Ground if ground.value in claimed)
    asked = required_documents.asked_for(rules.values(), grounds)
    return Foreseen(
        grounds=tuple(ground for ground in grounds if any(ground in each.grounds for each in rules.values())),
        papers=tuple((document, tuple(asked[document])) for document in Document if document in asked),
        areas=tuple(
            _in_area(
                area, rules.get(area), [(each, known[each.id], each.id in serving) for each in found], facts, grounds
            )
            for area, found in offering.items()
        ),
    )


def _areas(session: Session, household: Household, claimed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The areas where the family lives, is registered or works, and where its other children are; the home first."""
    named = [code for details in claimed.values() for code in details.values() if isinstance(code, str)]
    there = session.scalars(select(Kindergarten.area_code).where(Kindergarten.code.in_(named))).all() if named else []
    said = [household.home_area, household.hukou_area, household.residence_permit_area, household.work_area, *there]
    return list(dict.fromkeys(area for area in said if area))


def _offering(session: Session, year: int, level: str, areas: list[str]) -> dict[str, list[Kindergarten]]:
    """The kindergartens of each area with an approved programme of the level, in the order of their pinyin."""
    found: dict[str, list[Kindergarten]] = {area: [] for area in areas}
    query = (
        select(Kindergarten)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .where(
            Programme.year == year,
            Programme.level == level,
            Programme.state == ProgrammeState.APPROVED,
            Kindergarten.closed_on.is_(None),
            Kindergarten.area_code.in_(areas),
        )
    )
    for kindergarten in session.scalars(query.order_by(Kindergarten.sort_key, Kindergarten.code)):
        found[kindergarten.area_code].append(kindergarten)
    return found


def _in_area(area: str, rules: Rules | None, places: Iterable[tuple], facts, grounds: tuple[Ground, ...]) -> InArea:
    if rules is None:
        return InArea(area, signed=False, may_apply=True, tiers=())
    there = [There(each, rules.tier(facts, known, serves), serves) for each, known, serves in places]
    there.sort(key=lambda one: (one.tiered.tier, not one.serves, NATURES.index(one.kindergarten.nature)))
    grouped: dict[TierResult, list[There]] = {}
    for one in there:
        grouped.setdefault(one.tiered, []).append(one)
    return InArea(
        area,
        signed=True,
        may_apply=rules.may_apply(grounds),
        tiers=tuple((tiered, tuple(found)) for tiered, found in grouped.items()),
    )
