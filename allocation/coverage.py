"""The two coverage shares of the city. Targets are compared in whole children, never with rounded percentages.

public share       = children in public kindergartens / all children in kindergarten
inclusive coverage = children in public and inclusive private kindergartens / all children in kindergarten
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Percent:
    """A percentage as a whole number of hundredths of a percent: ``Percent(5_100)`` is 51 %, ``Percent(10_000)`` all."""

    hundredths: int

    def __post_init__(self) -> None:
        if not 0 <= self.hundredths <= 10_000:
            raise ValueError(f"{self.hundredths} hundredths of a percent are not 0 to 100 %")

    @classmethod
    def of(cls, part: int, all: int) -> "Percent":
        """``part`` of ``all``, half rounded up."""
        return cls((20_000 * part + all) // (2 * all))

    @property
    def text(self) -> str:
        """With two digits and without the sign, as a share is printed: ``41.02``."""
        return f"{self.hundredths // 100}.{self.hundredths % 100:02d}"

    @property
    def short(self) -> str:
        """Without digits that say nothing, as a target is printed: ``51``, ``51.5``."""
        return self.text.rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Share:
    """``part`` of ``all`` children, with a target; ``None`` where nobody has set a target."""

    part: int
    all: int
    target: Percent | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.all:
            raise ValueError(f"{self.part} of {self.all} children is not a share")

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, in whole children; ``None`` where there is no child or no target."""
        if not self.all or self.target is None:
            return None
        return 10_000 * self.part >= self.target.hundredths * self.all

    @property
    def percent(self) -> Percent | None:
        """The share, half rounded up; ``None`` where there is no child."""
        return Percent.of(self.part, self.all) if self.all else None

    @property
    def text(self) -> str:
        """As printed, without the sign: ``41.02``; a dash where there is no child."""
        return self.percent.text if self.percent else "—"

    @property
    def to_move(self) -> int:
        """Children who would have to move to this kind of kindergarten from others: ⌈target·all⌉ − part."""
        if self.target is None:
            return 0
        return max(0, -(-self.target.hundredths * self.all // 10_000) - self.part)

    @property
    def to_add(self) -> int | None:
        """Additional filled places that are needed if the children come from outside: ⌈(target·all − part) / (1 − target)⌉.

        ``None`` where no number is enough: the target is 100 % and a child is in a kindergarten of another kind.
        """
        if not self.to_move or self.target is None:
            return 0
        rest = 10_000 - self.target.hundredths
        return -(-(self.target.hundredths * self.all - 10_000 * self.part) // rest) if rest else None


@dataclass(frozen=True)
class Coverage:
    """Children on roll: ``all``, of these ``public`` and ``inclusive`` (private inclusive)."""

    all: int
    public: int
    inclusive: int
    public_target: Percent | None = None
    inclusive_target: Percent | None = None

    @property
    def public_share(self) -> Share:
        """The share of children in public kindergartens."""
        return Share(self.public, self.all, self.public_target)

    @property
    def inclusive_coverage(self) -> Share:
        """The share of children in public and inclusive private kindergartens."""
        return Share(self.public + self.inclusive, self.all, self.inclusive_target)

    def with_targets(self, public: Percent | None, inclusive: Percent | None) -> "Coverage":
        """The same children beside other targets."""
        return replace(self, public_target=public, inclusive_target=inclusive)

    def __add__(self, other: "Coverage") -> "Coverage":
        """The children of both, beside the targets of the first."""
        return replace(
            self,
            all=self.all + other.all,
            public=self.public + other.public,
            inclusive=self.inclusive + other.inclusive,
        )
