"""The one enumeration of facts and grounds.

A *ground* 优先依据 is what a family claims; each rests on *facts* that staff verify; the policy turns verified facts
into a tier for each wish.  Nobody types a tier.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Fact(StrEnum):
    """What can be true of a child's household, as staff verify it.  The comment says what its value is."""

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


def home_of(facts: Mapping[Fact, Any]) -> dict[str, Any] | None:
    """The home as a service area is asked about it: its place, and the admission area in which its names count."""
    place = facts.get(Fact.HOME_PLACE)
    return {**place, "area": facts.get(Fact.HOME_AREA, "")} if place else None
