"""Whether a ground holds for a child at a kindergarten, given the facts of its household.

There is one function for each ground.  All are monotone: an additional fact never makes a ground fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact, Ground

Facts = Mapping[Fact, Any]


@dataclass(frozen=True)
class KindergartenFacts:
    """The facts of a kindergarten that rules use.

    `parent` is the code of its main kindergarten if it is a site; `sites` are the codes of its own sites; `estates` are
    the names of the estates in its admission notice.
    """

    code: str
    nature: str
    area: str
    parent: str | None = None
    sites: frozenset[str] = frozenset()
    estates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GroundTerms:
    """The terms of one ground in an area's policy; an empty set is no restriction."""

    documents: tuple[Document, ...] = ()
    streets: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    at_least: int = 2
    with_sites: bool = False


class Place(NamedTuple):
    """A wished kindergarten, and whether it serves the family's home."""

    kindergarten: KindergartenFacts
    serves: bool


Test = Callable[[Facts, Place, GroundTerms], bool]


def _local_hukou(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return (
        facts.get(Fact.HUKOU_AREA) == place.kindergarten.area
        and facts.get(Fact.HUKOU_KIND) == "local"
        and (not terms.streets or facts.get(Fact.HUKOU_STREET) in terms.streets)
    )


def _collective_hukou(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return facts.get(Fact.HUKOU_AREA) == place.kindergarten.area and facts.get(Fact.HUKOU_KIND) == "collective"


def _home_owner(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return facts.get(Fact.HOME_AREA) == place.kindergarten.area and facts.get(Fact.HOME_OWNED) is True


def _service_area(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return place.serves and Fact.HOME_PLACE in facts


def _estate_owner(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    home = facts.get(Fact.HOME_PLACE) or {}
    return facts.get(Fact.HOME_OWNED) is True and home.get("estate") in place.kindergarten.estates


def _residence_permit(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return facts.get(Fact.RESIDENCE_PERMIT_AREA) == place.kindergarten.area


def _workplace(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return facts.get(Fact.WORK_AREA) == place.kindergarten.area


def _at(code: Any, place: Place, terms: GroundTerms) -> bool:
    """Whether `code` is this kindergarten or, if the policy counts sites together, a site of the same kindergarten."""
    here = place.kindergarten
    return code is not None and (
        code == here.code or (terms.with_sites and (code == here.parent or code in here.sites))
    )


def _elder_sibling(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return _at(facts.get(Fact.SIBLING_AT), place, terms)


def _sibling_right(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return _at(facts.get(Fact.SIBLING_RIGHT_AT), place, terms)


def _staff_child(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return _at(facts.get(Fact.STAFF_CHILD_AT), place, terms)


def _policy_care(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    kind = facts.get(Fact.POLICY_CARE)
    return bool(kind) and (not terms.kinds or kind in terms.kinds)


def _special_need(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return facts.get(Fact.SPECIAL_NEED) is True


def _multi_child(facts: Facts, place: Place, terms: GroundTerms) -> bool:
    return (facts.get(Fact.CHILDREN_IN_FAMILY) or 0) >= terms.at_least


GROUND_TESTS: dict[Ground, Test] = {
    Ground.LOCAL_HUKOU: _local_hukou,
    Ground.COLLECTIVE_HUKOU: _collective_hukou,
    Ground.HOME_OWNER: _home_owner,
    Ground.SERVICE_AREA: _service_area,
    Ground.ESTATE_OWNER: _estate_owner,
    Ground.RESIDENCE_PERMIT: _residence_permit,
    Ground.WORKPLACE: _workplace,
    Ground.ELDER_SIBLING: _elder_sibling,
    Ground.SIBLING_RIGHT: _sibling_right,
    Ground.POLICY_CARE: _policy_care,
    Ground.STAFF_CHILD: _staff_child,
    Ground.SPECIAL_NEED: _special_need,
    Ground.MULTI_CHILD: _multi_child,
}

AT_KINDERGARTEN: dict[Ground, Fact] = {
    Ground.SERVICE_AREA: Fact.HOME_PLACE,
    Ground.ESTATE_OWNER: Fact.HOME_OWNED,
    Ground.ELDER_SIBLING: Fact.SIBLING_AT,
    Ground.SIBLING_RIGHT: Fact.SIBLING_RIGHT_AT,
    Ground.STAFF_CHILD: Fact.STAFF_CHILD_AT,
}
"""The grounds that depend on the kindergarten itself, each with a fact without which it fails.  Every other ground holds at all
kindergartens of an area or at none."""

TERMS_OF_GROUND: dict[Ground, tuple[str, ...]] = {
    Ground.LOCAL_HUKOU: ("streets",),
    Ground.ELDER_SIBLING: ("with_sites",),
    Ground.SIBLING_RIGHT: ("with_sites",),
    Ground.STAFF_CHILD: ("with_sites",),
    Ground.POLICY_CARE: ("kinds",),
    Ground.MULTI_CHILD: ("at_least",),
}
"""Which terms, beside `documents`, a policy may set for a ground."""
