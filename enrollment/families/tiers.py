"""From facts to tiers: what a family claims, what staff verified, and which tier the policy gives for each wish.

Nobody types a tier.  An unverified claim counts nothing; a declined fact counts nothing; neither refuses anybody.
"""

import functools
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from enrollment.families.application_rows import Application, Wish
from enrollment.families.claim_rows import Claim, VerifiedFact
from enrollment.families.household_rows import Household
from enrollment.families.people import Child
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import Lookup, ServiceArea
from enrollment.places.service_areas import serves as serves_place
from enrollment.season import policies, policy
from enrollment.season.facts import FACTS_OF_GROUND, Fact, Ground, home_of
from enrollment.season.grounds import Facts, Seen
from enrollment.season.rounds import Round, RoundPolicy
from enrollment.season.rules import Rules, Tiered
from enrollment.season.signed_policies import Policy


@functools.lru_cache(maxsize=128)
def _rules_in(text: str) -> Rules:
    return policy.read(text)


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
    """All that the family says: its household, and the details of its claims, which carry the fact's code."""
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
    """The facts on which the claimed grounds rest, as the family says them, and the day of birth.

    `claims` maps a ground to its details.  What the household says beside its claims is nobody's business in the review.
    """
    details: dict[str, Any] = {}
    for more in claims.values():
        details |= more
    said = said_by(household, details)
    needed = {fact for ground in claims for fact in FACTS_OF_GROUND[Ground(ground)]}
    return {Fact.BORN: born} | {fact: value for fact, value in said.items() if fact in needed}


def claimed_facts(session: Session, application_id: uuid.UUID) -> dict[Fact, Any]:
    """What the family of this application claims."""
    return claimed_facts_of(session, [application_id]).get(application_id, {})


def claimed_facts_of(session: Session, application_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Fact, Any]]:
    """The same for many applications, in three queries."""
    ids = list(application_ids)
    births = select(Application.id, Child.born).join(Child, Child.id == Application.child_id)
    claims: dict[uuid.UUID, dict[str, dict[str, Any]]] = {}
    for claim in session.execute(
        select(Claim.application_id, Claim.ground, Claim.details).where(Claim.application_id.in_(ids))
    ):
        claims.setdefault(claim.application_id, {})[claim.ground] = claim.details
    households = session.scalars(select(Household).where(Household.application_id.in_(ids)))
    household_of = {household.application_id: household for household in households}
    return {
        row.id: claimed_of(row.born.isoformat(), household_of.get(row.id), claims.get(row.id, {}))
        for row in session.execute(births.where(Application.id.in_(ids)))
    }


def verified_facts(session: Session, application_id: uuid.UUID) -> dict[Fact, Any]:
    """What counts: the facts that staff verified, with their values."""
    rows = session.execute(
        select(VerifiedFact.fact, VerifiedFact.value).where(
            VerifiedFact.application_id == application_id, VerifiedFact.outcome == "verified"
        )
    )
    return {Fact(row.fact): row.value for row in rows}


def verified_facts_of_round(session: Session, round_id: uuid.UUID) -> dict[uuid.UUID, dict[Fact, Any]]:
    """What counts for every application with a wish in this round; applications with no verified fact are left out."""
    wishing = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    rows = session.execute(
        select(VerifiedFact.application_id, func.jsonb_object_agg(VerifiedFact.fact, VerifiedFact.value))
        .where(VerifiedFact.outcome == "verified", VerifiedFact.application_id.in_(wishing))
        .group_by(VerifiedFact.application_id)
    )
    return {application_id: {Fact(fact): value for fact, value in facts.items()} for application_id, facts in rows}


def _frozen(value: Any) -> Any:
    """A value as part of a key: lists and places become tuples; a place's point plays no part (see `serves`)."""
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(more)) for name, more in value.items() if name != "point"))
    return tuple(value) if isinstance(value, list) else value


class TierTable:
    """The tier of any facts at any programme of a round, under the round's frozen policy of the kindergarten's area.

    Rules are read once for each area and each answer is kept, because 120,000 families have few different facts.
    """

    def __init__(self, session: Session, round_id: uuid.UUID):
        self._session = session
        self._round = session.get_one(Round, round_id)
        self._rules: dict[str, Rules] = {}
        self._lookup = Lookup(session, self._round.year)
        self._seen: dict[uuid.UUID, Seen] = {}
        self._sites = self._codes_of_sites()
        self._estates = self._names_of_estates()
        self._answers: dict[tuple, Tiered] = {}

    def tier(self, facts: Facts, programme: Programme) -> Tiered:
        """The tier (0 is the best) and the code of the rule and of the ground that give it."""
        return self.tiers(facts, [programme])[0]

    def tiers(self, facts: Facts, programmes: Iterable[Programme]) -> list[Tiered]:
        """The same for each of several wishes of one family, which are looked up together."""
        return self.tiers_at(facts, [programme.kindergarten for programme in programmes])

    def tiers_at(self, facts: Facts, kindergartens: Iterable[Kindergarten]) -> list[Tiered]:
        serving = self._lookup.serving(home_of(facts))
        key = tuple(sorted((str(fact), _frozen(value)) for fact, value in facts.items()))
        return [self._tier_at(facts, key, each, each.id in serving) for each in kindergartens]

    def _tier_at(self, facts: Facts, key: tuple, kindergarten: Kindergarten, serves: bool) -> Tiered:
        asked = (kindergarten.id, serves, key)
        answer = self._answers.get(asked)
        if answer is None:
            rules = self.rules_of(kindergarten.area_code)
            answer = self._answers[asked] = rules.tier(facts, self._as_seen(kindergarten), serves)
        return answer

    def serving(self, facts: Facts) -> set[uuid.UUID]:
        """The kindergartens whose service area has the home."""
        return self._lookup.serving(home_of(facts))

    def holds(self, ground: Ground, facts: Facts, kindergarten: Kindergarten) -> bool:
        """Whether a ground holds there, whatever tier it gives: what a reserved pool asks."""
        serves = kindergarten.id in self._lookup.serving(home_of(facts))
        return self.rules_of(kindergarten.area_code).holds(ground, facts, self._as_seen(kindergarten), serves)

    def rules_of(self, area_code: str) -> Rules:
        """The area's rules in this round: frozen with it, or, before it opened, the policy in force.

        Refuses `area_without_policy`, and `policy_is_not_the_frozen_one` when the text is not what was frozen.
        """
        if area_code not in self._rules:
            self._rules[area_code] = rules_in_round(self._session, self._round, area_code)
        return self._rules[area_code]

    def _as_seen(self, kindergarten: Kindergarten) -> Seen:
        if kindergarten.id not in self._seen:
            family = self._sites.get(kindergarten.parent_id or kindergarten.id, {})
            estates = self._estates.get(kindergarten.id, frozenset())
            self._seen[kindergarten.id] = _seen(kindergarten, family, estates)
        return self._seen[kindergarten.id]

    def _codes_of_sites(self) -> dict[uuid.UUID, dict[uuid.UUID, str]]:
        """By the parent's id: the codes of the parent and of all its sites."""
        parents = select(Kindergarten.parent_id).where(Kindergarten.parent_id.is_not(None))
        rows = self._session.execute(
            select(Kindergarten.id, Kindergarten.parent_id, Kindergarten.code).where(
                or_(Kindergarten.parent_id.is_not(None), Kindergarten.id.in_(parents))
            )
        )
        families: dict[uuid.UUID, dict[uuid.UUID, str]] = {}
        for row in rows:
            families.setdefault(row.parent_id or row.id, {})[row.id] = row.code
        return families

    def _names_of_estates(self) -> dict[uuid.UUID, frozenset[str]]:
        rows = self._session.execute(
            select(ServiceArea.kindergarten_id, func.array_agg(ServiceArea.name))
            .where(ServiceArea.kind == "estate")
            .group_by(ServiceArea.kindergarten_id)
        )
        return {kindergarten_id: frozenset(names) for kindergarten_id, names in rows}


def tier_at(session: Session, round_: Round, facts: Facts, kindergarten: Kindergarten) -> Tiered:
    """The tier of one family at one kindergarten, for a page; many are the `TierTable`'s work."""
    family = kindergarten.parent_id or kindergarten.id
    sites = select(Kindergarten.id, Kindergarten.code).where(
        or_(Kindergarten.id == family, Kindergarten.parent_id == family)
    )
    codes = {row.id: row.code for row in session.execute(sites)}
    estates = session.scalars(
        select(ServiceArea.name).where(ServiceArea.kindergarten_id == kindergarten.id, ServiceArea.kind == "estate")
    )
    seen = _seen(kindergarten, codes, frozenset(estates))
    serves = serves_place(session, kindergarten.id, home_of(facts))
    return rules_in_round(session, round_, kindergarten.area_code).tier(facts, seen, serves)


def _seen(kindergarten: Kindergarten, family: Mapping[uuid.UUID, str], estates: frozenset[str]) -> Seen:
    """`family` are the codes of the parent and of all its sites, by their ids."""
    return Seen(
        code=kindergarten.code,
        nature=kindergarten.nature,
        area=kindergarten.area_code,
        parent=family.get(kindergarten.parent_id) if kindergarten.parent_id else None,
        sites=frozenset(code for site, code in family.items() if site != kindergarten.id),
        estates=estates,
    )


def rules_in_round(session: Session, round_: Round, area_code: str) -> Rules:
    """The rules that a round applies in an area.  Refuses what `TierTable.rules_of` refuses."""
    return _rules_in(_text_in_round(session, round_, area_code))


def _text_in_round(session: Session, round_: Round, area_code: str) -> str:
    frozen = session.execute(
        select(Policy.text, Policy.digest, RoundPolicy.digest.label("frozen"))
        .join(RoundPolicy, RoundPolicy.policy_id == Policy.id)
        .where(RoundPolicy.round_id == round_.id, RoundPolicy.area_code == area_code)
    ).one_or_none()
    if frozen is not None:
        if frozen.digest != frozen.frozen:
            raise Refused("policy_is_not_the_frozen_one", area=area_code)
        return frozen.text
    in_force = policies.in_force(session, round_.year, area_code)
    if in_force is None:
        raise Refused("area_without_policy", area=area_code)
    return in_force.text
