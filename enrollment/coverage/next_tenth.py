"""The kindergartens of the next tenth of a point of the public share."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.coverage import rollup
from enrollment.coverage.shares import Shares
from enrollment.coverage.steps import MOST_STEPS, Step


@dataclass(frozen=True)
class NextTenth:
    """The `wanted` children are a tenth of a point of the city's public share; `steps` bring the most."""

    wanted: int
    steps: tuple[Step, ...]

    @property
    def gain(self) -> int:
        return sum(step.gain for step in self.steps)


def next_tenth(session: Session, shares: Shares) -> NextTenth:
    """The kindergartens that bring the most children, from areas below their target if there are any."""
    wanted = -(-shares.city.now.all // 1000)
    below = [line.code for line in shares.areas if line.now.public_share.met is False]
    areas = below or [line.code for line in shares.areas if line.now.all]
    kept = rollup.steps(session, shares.definition.on, shares.year, areas)
    return NextTenth(wanted, tuple(sorted(kept, key=lambda step: (-step.gain, step.code))[:MOST_STEPS]))
