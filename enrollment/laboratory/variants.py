"""One way to admit: what of the round's rules is different.  A variant is plain values and is kept as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.season.facts import Ground
from enrollment.season.rules import PAIR_RULES, WORST


class Method(StrEnum):
    """Ranked wishes, all placed together; or phases in which each family names one kindergarten."""

    RANKED = "ranked"
    ONE_WISH = "one_wish"


class Reserve(StrEnum):
    """The reserved places: those of the plan, none, or a part of every programme for one ground, tried first or last."""

    PLAN = "plan"
    NONE = "none"
    FIRST = "first"
    LAST = "last"
    ONLY = "only"
    """First, and empty when the group does not claim them."""


class Numbers(StrEnum):
    """One number of the draw for all kindergartens, or one for each."""

    ONE = "one"
    EACH = "each"


MOST_WISHES, MOST_PHASES, MOST_MOVED = 20, 4, 2000
DAYS_OF_A_PHASE = 15
"""From naming to the answer, as in Chengdu's phases."""


@dataclass(frozen=True)
class Variant:
    """`wishes` None: as many as the family declared; 0: its whole list.

    `tiers` is the new tier of each tier from 0 on (() as it is); `ground` gets the tier `ground_tier` wherever it holds.
    `moved` are pairs of a programme's code and the places added there (negative: taken away).  `policy` is the id
    of a version of an area's rules that gives the tiers there instead of those of the round.
    """

    name: str
    method: Method = Method.RANKED
    wishes: int | None = None
    phases: int = 2
    tiers: tuple[int, ...] = ()
    ground: Ground | None = None
    ground_tier: int = 0
    reserve: Reserve = Reserve.PLAN
    reserve_ground: Ground = Ground.SERVICE_AREA
    reserve_percent: int = 50
    pair_rule: str = ""
    numbers: Numbers = Numbers.ONE
    moved: tuple[tuple[str, int], ...] = ()
    policy: str = ""

    @property
    def is_band(self) -> bool:
        """Whether the result depends on how many families calculate, so that it is drawn for three shares of them."""
        return self.method == Method.ONE_WISH

    @property
    def rounds_for_a_family(self) -> int:
        """How often a family names wishes and waits for an answer."""
        return self.phases if self.is_band else 1

    @property
    def days(self) -> int:
        """From the opening of the first phase to the answer of the last."""
        return 1 + DAYS_OF_A_PHASE * self.rounds_for_a_family

    def checked(self) -> "Variant":
        """The variant, its name without blanks.  Refuses what cannot be drawn, at its field."""
        name = self.name.strip()
        if not name:
            raise Refused("variant_name_missing", "name")
        if self.wishes is not None and not 0 <= self.wishes <= MOST_WISHES:
            raise Refused("variant_wishes", "wishes", most=MOST_WISHES)
        if not 1 <= self.phases <= MOST_PHASES:
            raise Refused("variant_phases", "phases", most=MOST_PHASES)
        if any(not 0 <= tier <= WORST for tier in self.tiers):
            raise Refused("variant_tiers", "tiers", most=WORST + 1)
        if not 0 <= self.ground_tier <= WORST:
            raise Refused("variant_tiers", "ground_tier", most=WORST + 1)
        if not 1 <= self.reserve_percent <= 100:
            raise Refused("variant_percent", "reserve_percent")
        if self.pair_rule not in ("", *PAIR_RULES):
            raise Refused("variant_pair_rule", "pair_rule")
        if any(abs(places) > MOST_MOVED for _code, places in self.moved):
            raise Refused("variant_moved", "moved", most=MOST_MOVED)
        return replace(self, name=name)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"tiers": list(self.tiers), "moved": [list(pair) for pair in self.moved]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Variant":
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        known |= {
            "method": Method(known.get("method", Method.RANKED)),
            "reserve": Reserve(known.get("reserve", Reserve.PLAN)),
            "reserve_ground": Ground(known.get("reserve_ground", Ground.SERVICE_AREA)),
            "numbers": Numbers(known.get("numbers", Numbers.ONE)),
            "ground": Ground(known["ground"]) if known.get("ground") else None,
            "tiers": tuple(known.get("tiers", ())),
            "moved": tuple((code, int(places)) for code, places in known.get("moved", ())),
        }
        return cls(**known)


AS_DECLARED = Variant("")
"""The round's own rules and the families' own lists."""
