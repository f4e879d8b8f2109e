"""The values of the facts that a family claims, from its household and the details of its claims, stored or handed in."""

from collections.abc import Mapping
from typing import Any

from enrollment.people.household_rows import Household
from enrollment.season.facts import FACTS_OF_GROUND, Fact, Ground


def _said_place(household: Household) -> dict[str, Any] | None:
    place: dict[str, Any] = {
        "street": household.home_street,
        "community": household.home_community,
        "estate": household.home_estate,
    }
    if household.home_longitude is not None and household.home_latitude is not None:
        place["point"] = [float(household.home_longitude), float(household.home_latitude)]
    return {name: value for name, value in place.items() if value} or None


def said_by(household: Household | None, details: Mapping[str, Any]) -> dict[Fact, Any]:
    """All facts that the family claims: from its household, and from the details of its claims, keyed by fact code."""
    said: dict[Fact, Any] = {Fact(name): value for name, value in details.items() if name in set(Fact)}
    if household is not None:
        said |= {
            Fact.HUKOU_AREA: household.hukou_area,
            Fact.HUKOU_KIND: household.hukou_kind,
            Fact.HUKOU_STREET: household.hukou_street,
            Fact.HOME_AREA: household.home_area,
            Fact.HOME_PLACE: _said_place(household),
            Fact.HOME_OWNED: household.home_owned or None,
            Fact.WORK_AREA: household.work_area,
            Fact.RESIDENCE_PERMIT_AREA: household.residence_permit_area,
        }
    return {fact: value for fact, value in said.items() if value is not None}


def claimed_of(born: str, household: Household | None, claims: Mapping[str, Mapping[str, Any]]) -> dict[Fact, Any]:
    """The facts that the claimed grounds need, with the values that the family claims, and the date of birth."""
    return {Fact.BORN: born} | resting_on(household, claims)


def resting_on(household: Household | None, claims: Mapping[str, Mapping[str, Any]]) -> dict[Fact, Any]:
    """The facts that the claimed grounds need, with the values that the family claims.

    `claims` maps a ground to its details.  Household answers that no claimed ground needs are not shown in the review.
    """
    details: dict[str, Any] = {}
    for more in claims.values():
        details |= more
    said = said_by(household, details)
    needed = {fact for ground in claims for fact in FACTS_OF_GROUND[Ground(ground)]}
    return {fact: value for fact, value in said.items() if fact in needed}


def judged_in(answers: Mapping[str, Any]) -> dict[Fact, tuple[Any, Any]]:
    """What a finding about each claimed fact judges, in the answers of a version (`contents.gather`): the claimed value, and
    the answer beside it that says of which home or which child the fact is claimed."""
    home, elder = answers.get("household") or {}, answers.get("elder_sibling")
    household = Household(**home) if home else None
    beside = {
        Fact.HOME_PLACE: home.get("home_address"),
        Fact.HOME_OWNED: home.get("home_address"),
        Fact.SIBLING_AT: elder,
    }
    claimed = claimed_of(answers["child"]["born"], household, answers.get("claims") or {})
    return {fact: (value, beside.get(fact)) for fact, value in claimed.items()}
