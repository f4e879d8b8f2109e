"""The market of a round as values: who takes part with which wishes, and which places there are.  No rows, no files.

Everybody is known by a code.  Child and family codes are pseudonyms; the code of a programme is `Programme.code`.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple


class Group(NamedTuple):
    """The families for whom a ground holds at one kindergarten: an estate's owners here, not those of any estate."""

    programme: str
    ground: str


@dataclass(frozen=True)
class ReservedPool:
    """Reserved places 预留学位 of a programme, for the families of these grounds."""

    code: str
    precedence: int
    places: int
    grounds: tuple[str, ...]
    unclaimed: str


@dataclass(frozen=True)
class OfferedProgramme:
    """A programme of the market.  `places` are those that nobody outside the market holds.

    `sibling_tier` is the tier of a younger child whose elder sibling is placed at this kindergarten, None without such
    a rule.  `pools` stand in their order of precedence.
    """

    id: uuid.UUID
    code: str
    kindergarten: str
    level: str
    nature: str
    area: str
    places: int
    sibling_tier: int | None
    pools: tuple[ReservedPool, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """A child who takes part.  `unit`, `elder` and `current` are "" where there is none.

    `unit` is shared by bound children, `elder` is the code of an elder sibling in the same market, `current` is the
    programme where the child holds a place.  `wishes` are programme codes, the first wish first; `tiers` are theirs.
    `ranks` are the numbers of these wishes in the family's own list; () for 1, 2, 3 …  `groups` are sorted.
    """

    child: str
    family: str
    unit: str
    elder: str
    current: str
    wishes: tuple[str, ...]
    tiers: tuple[int, ...]
    groups: tuple[Group, ...]
    ranks: tuple[int, ...] = ()

    @property
    def own_ranks(self) -> tuple[int, ...]:
        """The number of each wish in the family's own list."""
        return self.ranks or tuple(range(1, len(self.wishes) + 1))


@dataclass(frozen=True)
class RoundMarket:
    """`kind` is the round's kind; participants stand in the order of their child codes."""

    year: int
    kind: str
    pair_rule: str
    programmes: Sequence[OfferedProgramme]
    participants: Sequence[Participant]


def places_held(current: Iterable[str]) -> Counter[str]:
    """How many places of each programme the participants hold; `current` as in `Participant`."""
    return Counter(code for code in current if code)


def alike_units(members: Iterable[tuple[Hashable | None, Hashable]], most: int) -> set[Hashable]:
    """The units of two to `most` children that are alike.  `members` are (unit, what must be equal); None: no unit."""
    found: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
    for unit, likeness in members:
        if unit:
            found[unit].append(likeness)
    return {unit for unit, each in found.items() if 1 < len(each) <= most and len(set(each)) == 1}


def without_absent_elders(participants: Sequence[Participant]) -> list[Participant]:
    """An elder sibling who does not take part gives no priority."""
    present = {each.child for each in participants}
    return [each if not each.elder or each.elder in present else replace(each, elder="") for each in participants]
