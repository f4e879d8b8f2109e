"""Computes tiers from facts: what a family claims, what staff verified, and which tier the policy gives for each wish.

A tier is always computed, never entered.  Unverified claims and declined facts do not count; neither is a reason to
refuse an application.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, Uuid, any_, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, defer

from enrollment.applications.application_rows import APPLICATION, Application
from enrollment.applications.claim_rows import (
    CLAIMS,
    Claim,
    VerifiedFact,
    facts_as_json,
    facts_of_json,
    waits_for_second,
)
from enrollment.applications.judgements.claimed_values import claimed_of
from enrollment.eligibility import kindergarten_facts
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import Household, household_of
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceAreaIndex
from enrollment.season import policy_approval
from enrollment.season.facts import TESTED_FACTS, Fact, Ground, home_of
from enrollment.season.grounds import Facts, KindergartenFacts
from enrollment.season.kept_years import POLICIES
from enrollment.season.policy_rows import Policy
from enrollment.season.rounds import Round, RoundPolicy
from enrollment.season.rules import Rules, TierResult


def claimed_facts(session: Session, application_id: uuid.UUID) -> dict[Fact, Any]:
    """What the family of this application claims."""
    known = APPLICATION.ahead(session, application_id)
    if known:
        claimed = {claim.ground: claim.details for claim in CLAIMS.of(session, application_id)}
        return claimed_of(known[0].child.born.isoformat(), household_of(session, application_id), claimed)
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
    # no fact needs the full address, which would have to be decrypted
    unread = defer(Household.home_address)
    households = session.scalars(select(Household).where(Household.application_id.in_(ids)).options(unread))
    of_application = {household.application_id: household for household in households}
    return {
        row.id: claimed_of(row.born.isoformat(), of_application.get(row.id), claims.get(row.id, {}))
        for row in session.execute(births.where(Application.id.in_(ids)))
    }


def likely_facts_of(session: Session, application_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Fact, Any]]:
    """The facts that will probably count, for trials and estimates before and during the review.

    A verified fact has its verified value, a declined fact is left out, and a fact that is not reviewed yet has the
    value that the family claims.
    """
    ids = list(application_ids)
    facts = claimed_facts_of(session, ids)
    found = select(
        VerifiedFact.application_id, VerifiedFact.fact, VerifiedFact.outcome, VerifiedFact.plain_value,
        VerifiedFact.sealed_value,
    )  # fmt: skip
    for row in session.execute(found.where(VerifiedFact.application_id.in_(ids))):
        known = facts.setdefault(row.application_id, {})
        known.pop(Fact(row.fact), None)
        if row.outcome == "verified":
            known[Fact(row.fact)] = row.plain_value if row.sealed_value is None else row.sealed_value
    return facts


def verified_facts_of(session: Session, application_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[Fact, Any]]:
    """The facts that count in a draw: those that staff verified and rules test, with their values.

    Applications without such a fact are left out.
    """
    rows = session.execute(_counting(application_ids, facts_as_json()))
    return {application_id: facts_of_json(application_id, facts) for application_id, facts in rows}


def stored_facts_of(session: Session, application_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The same as they are stored, for `facts_of_text`: who reads them need not be the process that opens them."""
    rows = session.execute(_counting(application_ids, cast(facts_as_json(), Text)))
    return {application_id: facts for application_id, facts in rows}


def facts_of_text(application_id: uuid.UUID, stored: str) -> dict[Fact, Any]:
    """The facts of what `stored_facts_of` read for this application."""
    return facts_of_json(application_id, json.loads(stored))


def _counting(application_ids: Iterable[uuid.UUID], facts: ColumnElement[Any]) -> Select[Any]:
    """The facts that count in a draw, as an aggregate for each application."""
    return (
        select(VerifiedFact.application_id, facts)
        .where(
            VerifiedFact.outcome == "verified",
            ~waits_for_second(),
            VerifiedFact.fact.in_(sorted(TESTED_FACTS)),
            VerifiedFact.application_id == any_(literal(list(application_ids), ARRAY(Uuid))),
        )
        .group_by(VerifiedFact.application_id)
    )


class Entry(NamedTuple):
    """A kindergarten in a round: its facts, the rules of its area, and the grounds of the programme's reserved places."""

    kindergarten_id: uuid.UUID
    seen: KindergartenFacts
    rules: Rules
    reserved: tuple[Ground, ...] = ()

    @property
    def sibling_tier(self) -> int | None:
        """The tier of a younger child whose elder sibling is placed here in the same season; None where no rule gives it."""
        return self.rules.sibling_tier(self.seen.nature)


class Priority(NamedTuple):
    """The priority 优先级 of a family at a programme: its tier, and the grounds of the reserved places that it may claim."""

    tiered: TierResult
    grounds: frozenset[str]


NO_GROUNDS: frozenset[str] = frozenset()


class TierTable:
    """The priority of any family at any programme of a round, under the frozen policy of the kindergarten's area.

    `areas` tells which kindergartens serve a home.  Facts and rules are read once for each kindergarten and area.  `rules`
    of an area stand instead of those of the round, to compare.
    """

    def __init__(
        self, session: Session, round_: Round, areas: ServiceAreaIndex, rules: Mapping[str, Rules] | None = None
    ):
        self._session, self._round, self._areas = session, round_, areas
        self._rules: dict[str, Rules] = dict(rules or {})
        self._seen: dict[uuid.UUID, KindergartenFacts] = {}

    def entries(self, programmes: Iterable[Programme]) -> list[Entry]:
        """The entries of these programmes, for `priorities`; computed once because a draw uses each for many families.

        Refuses what `rules_in_round` refuses.
        """
        listed = list(programmes)
        self._read({each.kindergarten_id for each in listed})
        return [
            self.entry(each.kindergarten, {ground for pool in each.pools for ground in pool.groups}) for each in listed
        ]

    def entry(self, kindergarten: Kindergarten, reserved: Iterable[str] = ()) -> Entry:
        """The entry of one kindergarten; `reserved` are the grounds that `Priority.grounds` may contain."""
        self._read({kindergarten.id})
        area = kindergarten.area_code
        if area not in self._rules:
            self._rules[area] = rules_in_round(self._session, self._round, area)
        grounds = tuple(Ground(ground) for ground in sorted(reserved))
        return Entry(kindergarten.id, self._seen[kindergarten.id], self._rules[area], grounds)

    def priorities(self, facts: Facts, entries: Iterable[Entry]) -> list[Priority]:
        """The priority of a family with these facts at each entry, in the same order."""
        serving = self._areas.serving(home_of(facts))
        tested: dict[tuple[str, str], int] = {}
        return [
            _priority(facts, entry, bool(serving) and entry.kindergarten_id in serving, tested) for entry in entries
        ]

    def _read(self, kindergarten_ids: set[uuid.UUID]) -> None:
        unknown = {each for each in kindergarten_ids if each not in self._seen}  # `-` would look at all that are known
        if unknown:
            self._seen |= kindergarten_facts.kindergartens(self._session, unknown)


def _priority(facts: Facts, entry: Entry, serves: bool, tested: dict[tuple[str, str], int]) -> Priority:
    _, seen, rules, reserved = entry
    tiered = rules.tier(facts, seen, serves, tested)
    if not reserved:
        return Priority(tiered, NO_GROUNDS)
    return Priority(tiered, frozenset(ground for ground in reserved if rules.holds(ground, facts, seen, serves)))


def rules_in_round(session: Session, round_: Round, area_code: str) -> Rules:
    """The rules of a round in an area: those frozen with the round or, before the round opened, the policy in force.

    Refuses `area_without_policy`, and `policy_is_not_the_frozen_one` if the text differs from the frozen text.
    """
    return policy_approval.rules_in_force(_text_in_round(session, round_, area_code))


def _text_in_round(session: Session, round_: Round, area_code: str) -> str:
    policies = POLICIES.of(session)
    applied = next((each for each in round_.policies if each.area_code == area_code), None) if policies else None
    if policies is not None and applied is not None:
        frozen_policy = policies.by_id[applied.policy_id]
        if frozen_policy.digest != applied.digest:
            raise Refused("policy_is_not_the_frozen_one", area=area_code)
        return frozen_policy.text
    frozen = session.execute(
        select(Policy.text, Policy.digest, RoundPolicy.digest.label("frozen"))
        .join(RoundPolicy, RoundPolicy.policy_id == Policy.id)
        .where(RoundPolicy.round_id == round_.id, RoundPolicy.area_code == area_code)
    ).one_or_none()
    if frozen is not None:
        if frozen.digest != frozen.frozen:
            raise Refused("policy_is_not_the_frozen_one", area=area_code)
        return frozen.text
    in_force = policy_approval.policy_in_force(session, round_.year, area_code)
    if in_force is None:
        raise Refused("area_without_policy", area=area_code)
    return in_force.text
