"""From facts to tiers: what a family claims, what staff verified, and which tier the policy gives for each wish.

Nobody types a tier.  An unverified claim counts nothing; a declined fact counts nothing; neither refuses anybody.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.eligibility import kindergarten_facts
from enrollment.ground.errors import Refused
from enrollment.people.guardians import Child
from enrollment.people.household_rows import Household
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import Lookup, lookup
from enrollment.season import policy_approval
from enrollment.season.facts import FACTS_OF_GROUND, Fact, Ground, home_of
from enrollment.season.grounds import Facts, Seen
from enrollment.season.policy_rows import Policy
from enrollment.season.rounds import Round, RoundPolicy
from enrollment.season.rules import Rules, Tiered


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
    """The facts on which the claimed grounds rest, as the family says them, and the day of birth."""
    return {Fact.BORN: born} | resting_on(household, claims)


def resting_on(household: Household | None, claims: Mapping[str, Mapping[str, Any]]) -> dict[Fact, Any]:
    """The facts on which the claimed grounds rest, as the family says them.

    `claims` maps a ground to its details.  What the household says beside its claims is nobody's business in the review.
    """
    details: dict[str, Any] = {}
    for more in claims.values():
        details |= more
    said = said_by(household, details)
    needed = {fact for ground in claims for fact in FACTS_OF_GROUND[Ground(ground)]}
    return {fact: value for fact, value in said.items() if fact in needed}


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
    # no fact rests on the address as it is written, which would have to be unsealed
    unread = defer(Household.home_address)
    households = session.scalars(select(Household).where(Household.application_id.in_(ids)).options(unread))
    household_of = {household.application_id: household for household in households}
    return {
        row.id: claimed_of(row.born.isoformat(), household_of.get(row.id), claims.get(row.id, {}))
        for row in session.execute(births.where(Application.id.in_(ids)))
    }


def likely_facts_of(session: Session, application_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Fact, Any]]:
    """What will count, as far as it is known: before and during the review, for trials and estimates.

    A fact that staff verified counts as verified, one that was declined counts nothing, and what nobody has looked at
    yet counts as the family claims it.
    """
    ids = list(application_ids)
    facts = claimed_facts_of(session, ids)
    found = select(VerifiedFact.application_id, VerifiedFact.fact, VerifiedFact.outcome, VerifiedFact.value)
    for row in session.execute(found.where(VerifiedFact.application_id.in_(ids))):
        known = facts.setdefault(row.application_id, {})
        known.pop(Fact(row.fact), None)
        if row.outcome == "verified":
            known[Fact(row.fact)] = row.value
    return facts


def verified_facts_of_round(session: Session, round_id: uuid.UUID) -> dict[uuid.UUID, dict[Fact, Any]]:
    """What counts for every application with a wish in this round; applications with no verified fact are left out."""
    wishing = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    rows = session.execute(
        select(VerifiedFact.application_id, func.jsonb_object_agg(VerifiedFact.fact, VerifiedFact.value))
        .where(VerifiedFact.outcome == "verified", VerifiedFact.application_id.in_(wishing))
        .group_by(VerifiedFact.application_id)
    )
    return {application_id: {Fact(fact): value for fact, value in facts.items()} for application_id, facts in rows}


class Spot(NamedTuple):
    """A kindergarten of a round: what the rules see of it, and the rules themselves."""

    kindergarten_id: uuid.UUID
    seen: Seen
    rules: Rules


class TierTable:
    """The tier of any facts at any programme of a round, under the round's frozen policy of the kindergarten's area.

    The whole city is read once, and the rules once for each area.
    """

    def __init__(self, session: Session, round_id: uuid.UUID):
        self._session = session
        self._round = session.get_one(Round, round_id)
        self._rules: dict[str, Rules] = {}
        self._lookup = Lookup(session, self._round.year)
        self._seen = kindergarten_facts.kindergartens(session)

    def tier(self, facts: Facts, programme: Programme) -> Tiered:
        """The tier (0 is the best) and the code of the rule and of the ground that give it."""
        return self.tiers(facts, [programme])[0]

    def tiers(self, facts: Facts, programmes: Iterable[Programme]) -> list[Tiered]:
        """The same for each of several wishes of one family, which are looked up together."""
        return self.tiers_at(facts, [programme.kindergarten for programme in programmes])

    def tiers_at(self, facts: Facts, kindergartens: Iterable[Kindergarten]) -> list[Tiered]:
        return self.tiers_of(facts, [self.spot(each) for each in kindergartens])

    def spot(self, kindergarten: Kindergarten) -> Spot:
        """For `tiers_of`: a draw looks up each kindergarten once and asks about it for a thousand families."""
        return Spot(kindergarten.id, self._seen[kindergarten.id], self.rules_of(kindergarten.area_code))

    def tiers_of(self, facts: Facts, spots: Iterable[Spot]) -> list[Tiered]:
        serving = self._lookup.serving(home_of(facts))
        return [rules.tier(facts, seen, bool(serving) and id_ in serving) for id_, seen, rules in spots]

    def holds(self, ground: Ground, facts: Facts, kindergarten: Kindergarten) -> bool:
        """Whether a ground holds there, whatever tier it gives: what a reserved pool asks."""
        serves = kindergarten.id in self._lookup.serving(home_of(facts))
        return self.rules_of(kindergarten.area_code).holds(ground, facts, self._seen[kindergarten.id], serves)

    def rules_of(self, area_code: str) -> Rules:
        """The area's rules in this round: frozen with it, or, before it opened, the policy in force.

        Refuses `area_without_policy`, and `policy_is_not_the_frozen_one` when the text is not what was frozen.
        """
        if area_code not in self._rules:
            self._rules[area_code] = rules_in_round(self._session, self._round, area_code)
        return self._rules[area_code]


@dataclass(frozen=True)
class Standing:
    """The tier of a family at a programme, and the grounds of the programme's reserved places that it holds there."""

    tiered: Tiered
    grounds: frozenset[str]


class Standings:
    """One family at a few programmes of a round, for a page; many families are the `TierTable`'s work."""

    def __init__(self, session: Session, round_: Round, facts: Facts, serving: set[uuid.UUID]):
        """`serving` are the kindergartens whose service area has the home."""
        self._session, self._round, self._facts, self._serving = session, round_, facts, serving
        self._rules: dict[str, Rules] = {}

    def at(self, programmes: Iterable[Programme]) -> list[Standing]:
        listed = list(programmes)
        known = kindergarten_facts.kindergartens(self._session, {each.kindergarten_id for each in listed})
        return [self._at(each, known[each.kindergarten_id]) for each in listed]

    def _at(self, programme: Programme, kindergarten: Seen) -> Standing:
        if kindergarten.area not in self._rules:
            self._rules[kindergarten.area] = rules_in_round(self._session, self._round, kindergarten.area)
        rules, serves = self._rules[kindergarten.area], programme.kindergarten_id in self._serving
        reserved = {ground for pool in programme.pools for ground in pool.groups}
        held = (ground for ground in reserved if rules.holds(Ground(ground), self._facts, kindergarten, serves))
        return Standing(rules.tier(self._facts, kindergarten, serves), frozenset(held))


def tier_at(session: Session, round_: Round, facts: Facts, kindergarten: Kindergarten) -> Tiered:
    """The tier of one family at one kindergarten, for a page."""
    known = kindergarten_facts.kindergartens(session, {kindergarten.id})[kindergarten.id]
    serves = kindergarten.id in lookup(session).serving(home_of(facts))
    return rules_in_round(session, round_, kindergarten.area_code).tier(facts, known, serves)


def rules_in_round(session: Session, round_: Round, area_code: str) -> Rules:
    """The rules that a round applies in an area.  Refuses what `TierTable.rules_of` refuses."""
    return policy_approval.rules_in(_text_in_round(session, round_, area_code))


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
    in_force = policy_approval.in_force(session, round_.year, area_code)
    if in_force is None:
        raise Refused("area_without_policy", area=area_code)
    return in_force.text
