"""The two coverage shares of the city. Targets are compared in whole children, never with rounded percentages.

public share       = children in public kindergartens / all children in kindergarten
inclusive coverage = children in public and inclusive private kindergartens / all children in kindergarten
"""

from dataclasses import dataclass

PUBLIC_TARGET = 51
INCLUSIVE_TARGET = 82


@dataclass(frozen=True)
class Share:
    """``part`` of ``all`` children, with a target in percent (0 to 99)."""

    part: int
    all: int
    target: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.all:
            raise ValueError(f"{self.part} of {self.all} children is not a share")
        if not 0 <= self.target < 100:
            raise ValueError(f"a target of {self.target} % is not 0 to 99 %")

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, in whole children; ``None`` where there is no child."""
        return 100 * self.part >= self.target * self.all if self.all else None

    @property
    def hundredths(self) -> int | None:
        """The share in hundredths of a percent, half rounded up: 4102 is 41.02 %."""
        return (20_000 * self.part + self.all) // (2 * self.all) if self.all else None

    @property
    def text(self) -> str:
        """As printed, without the sign: ``41.02``; a dash where there is no child."""
        return "—" if self.hundredths is None else f"{self.hundredths // 100}.{self.hundredths % 100:02d}"

    @property
    def to_move(self) -> int:
        """Children who would have to move to this kind of kindergarten from others: ⌈target·all⌉ − part."""
        return max(0, -(-self.target * self.all // 100) - self.part)

    @property
    def to_add(self) -> int:
        """Additional filled places that are needed if the children come from outside: ⌈(target·all − part) / (1 − target)⌉."""
        return max(0, -(-(self.target * self.all - 100 * self.part) // (100 - self.target)))


@dataclass(frozen=True)
class Coverage:
    """Children on roll: ``all``, of these ``public`` and ``inclusive`` (private inclusive)."""

    all: int
    public: int
    inclusive: int
    public_target: int = PUBLIC_TARGET
    inclusive_target: int = INCLUSIVE_TARGET

    @property
    def public_share(self) -> Share:
        """The share of children in public kindergartens; its target is 51 %."""
        return Share(self.public, self.all, self.public_target)

    @property
    def inclusive_coverage(self) -> Share:
        """The share of children in public and inclusive private kindergartens; its target is 82 %."""
        return Share(self.public + self.inclusive, self.all, self.inclusive_target)

    def __add__(self, other: "Coverage") -> "Coverage":
        return Coverage(
            self.all + other.all,
            self.public + other.public,
            self.inclusive + other.inclusive,
            self.public_target,
            self.inclusive_target,
        )
