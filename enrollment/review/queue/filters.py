"""The groups of the review queue, and what a queue can be limited to."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import Claim
from enrollment.ground.accounts import Actor
from enrollment.places.areas import LEVELS
from enrollment.season.facts import Ground

OTHER_BIT = 1
GROUND_BITS = {
    ground: 2 << place
    for place, ground in enumerate(
        (
            Ground.ELDER_SIBLING, Ground.SIBLING_RIGHT, Ground.MULTI_CHILD, Ground.LOCAL_HUKOU, Ground.COLLECTIVE_HUKOU,
            Ground.HOME_OWNER, Ground.SERVICE_AREA, Ground.ESTATE_OWNER, Ground.RESIDENCE_PERMIT, Ground.WORKPLACE,
        )
    )
}  # fmt: skip
"""The bit of each ground in `Application.grounds`, as the function `grounds_of_claims` of the database sets them.  A ground that
is stored as a token has none of its own but `OTHER_BIT`: nobody can read in the column which one it is."""


class Group(StrEnum):
    """What must be done.  The order is that of the page and of `take_next`."""

    SECOND = "second"
    ANSWERED = "answered"
    DUE = "due"
    NEW = "new"
    DIFFERS = "differs"
    PAPERS = "papers"
    AGREES = "agrees"
    RETURNED = "returned"
    DONE = "done"


@dataclass(frozen=True)
class Filter:
    """What a queue is limited to; an empty filter limits nothing.  `only` are the hits of a search."""

    ground: Ground | None = None
    level: str | None = None
    mine: bool = False
    only: Collection[uuid.UUID] | None = None

    def conditions(self, by: Actor) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.ground is not None:
            found += _claims(self.ground)
        if self.level:
            found.append(Application.level == self.level)
        if self.mine:
            found.append(and_(Application.stage == Stage.IN_REVIEW, Application.reviewer_id == by.account_id))
        if self.only is not None:
            found.append(Application.id.in_(list(self.only)))
        return found


def _claims(ground: Ground) -> list[ColumnElement[bool]]:
    """SQL conditions: the application claims the ground.  The claims are read of those alone that may have it."""
    bit = GROUND_BITS.get(ground, OTHER_BIT)
    conditions: list[ColumnElement[bool]] = [Application.grounds.bitwise_and(bit) != 0]
    if bit == OTHER_BIT:
        conditions.append(exists().where(Claim.application_id == Application.id, Claim.ground == ground.value))
    return conditions


EVERYTHING = Filter()


def codes_of(limited: Filter, group: Group | None) -> dict[str, str]:
    """A filter as the codes of an address."""
    found = {
        "group": group.value if group else "",
        "ground": limited.ground.value if limited.ground else "",
        "level": limited.level or "",
        "mine": "yes" if limited.mine else "",
    }
    return {name: code for name, code in found.items() if code}


def filter_of(codes: Mapping[str, str]) -> tuple[Filter, Group | None]:
    """The filter and the group of the codes of an address; unknown codes limit nothing."""
    ground, level, group = codes.get("ground", ""), codes.get("level", ""), codes.get("group", "")
    limited = Filter(
        ground=Ground(ground) if ground in set(Ground) else None,
        level=level if level in LEVELS else None,
        mine=codes.get("mine") == "yes",
    )
    return limited, Group(group) if group in set(Group) else None
