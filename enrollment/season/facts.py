"""Facts and grounds.

A family claims *grounds* 优先依据; staff verify the *facts* of a ground; the policy computes the tier of each wish from
verified facts.  Nobody enters a tier.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Fact(StrEnum):
    """Facts about a child's household that staff verify.  The comment describes the value."""

    BORN = "born"  # ISO date
    HUKOU_AREA = "hukou_area"  # admission area's code
    HUKOU_KIND = "hukou_kind"  # local | collective | elsewhere
    HUKOU_STREET = "hukou_street"  # street's name
    HOME_AREA = "home_area"  # admission area's code
    HOME_PLACE = "home_place"  # {"street": …, "community": …, "estate": …, "road": …, "point": [longitude, latitude]}
    HOME_OWNED = "home_owned"  # true when the family owns the home it lives in
    WORK_AREA = "work_area"  # admission area's code
    RESIDENCE_PERMIT_AREA = "residence_permit_area"  # admission area's code
    SIBLING_AT = "sibling_at"  # kindergarten code where an elder sibling stays enrolled next year
    SIBLING_RIGHT_AT = "sibling_right_at"  # kindergarten code of a stored entitlement
    POLICY_CARE = "policy_care"  # one of CARE_KINDS
    STAFF_CHILD_AT = "staff_child_at"  # kindergarten code where a parent works
    SPECIAL_NEED = "special_need"  # true when a disability is certified
    CHILDREN_IN_FAMILY = "children_in_family"  # number


class Ground(StrEnum):
    LOCAL_HUKOU = "local_hukou"
    COLLECTIVE_HUKOU = "collective_hukou"
    HOME_OWNER = "home_owner"
    SERVICE_AREA = "service_area"
    ESTATE_OWNER = "estate_owner"
    RESIDENCE_PERMIT = "residence_permit"
    WORKPLACE = "workplace"
    ELDER_SIBLING = "elder_sibling"
    SIBLING_RIGHT = "sibling_right"
    POLICY_CARE = "policy_care"
    STAFF_CHILD = "staff_child"
    SPECIAL_NEED = "special_need"
    MULTI_CHILD = "multi_child"


SENSITIVE_GROUNDS = frozenset({Ground.POLICY_CARE, Ground.SPECIAL_NEED})
"""Grounds that nobody may be able to read out of what is published: a disability, and the work or fate of a parent."""

RARE_GROUNDS = SENSITIVE_GROUNDS | {Ground.SIBLING_RIGHT, Ground.STAFF_CHILD}
"""Grounds that about one child in a hundred has, or fewer."""

CARE_KINDS = ("martyr", "soldier", "police", "firefighter", "talent", "other")
"""The values of the fact `policy_care`."""


FACTS_OF_GROUND: dict[Ground, tuple[Fact, ...]] = {
    Ground.LOCAL_HUKOU: (Fact.HUKOU_AREA, Fact.HUKOU_KIND, Fact.HUKOU_STREET),
    Ground.COLLECTIVE_HUKOU: (Fact.HUKOU_AREA, Fact.HUKOU_KIND),
    Ground.HOME_OWNER: (Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED),
    Ground.SERVICE_AREA: (Fact.HOME_AREA, Fact.HOME_PLACE),
    Ground.ESTATE_OWNER: (Fact.HOME_PLACE, Fact.HOME_OWNED),
    Ground.RESIDENCE_PERMIT: (Fact.RESIDENCE_PERMIT_AREA,),
    Ground.WORKPLACE: (Fact.WORK_AREA,),
    Ground.ELDER_SIBLING: (Fact.SIBLING_AT,),
    Ground.SIBLING_RIGHT: (Fact.SIBLING_RIGHT_AT,),
    Ground.POLICY_CARE: (Fact.POLICY_CARE,),
    Ground.STAFF_CHILD: (Fact.STAFF_CHILD_AT,),
    Ground.SPECIAL_NEED: (Fact.SPECIAL_NEED,),
    Ground.MULTI_CHILD: (Fact.CHILDREN_IN_FAMILY,),
}


TESTED_FACTS = frozenset(fact for facts in FACTS_OF_GROUND.values() for fact in facts)
"""The facts that the rules of an area test.  A date of birth is verified too, and no rule tests it."""


def home_of(facts: Mapping[Fact, Any]) -> dict[str, Any] | None:
    """The home for a look-up of service areas: its place with the admission area; None without a home."""
    place = facts.get(Fact.HOME_PLACE)
    return {**place, "area": facts.get(Fact.HOME_AREA, "")} if place else None
