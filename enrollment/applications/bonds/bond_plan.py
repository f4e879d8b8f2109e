"""The preview of a binding: its effect on each child's list of wishes.  A page shows it, and `bind` checks the choice."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, wishes
from enrollment.applications.application_rows import Application

Lists = Mapping[uuid.UUID, Sequence[uuid.UUID]]


@dataclass(frozen=True)
class BondMember:
    """A child that is to be bound, with its lists of programmes by round, in the rounds that are not frozen."""

    application: Application
    lists: Lists

    @property
    def handed_in(self) -> bool:
        return self.application.stage in lifecycle.HANDED_IN

    @property
    def programmes(self) -> list[uuid.UUID]:
        """The programmes of all its lists in order; there is nearly always one list."""
        return [programme for each in sorted(self.lists) for programme in self.lists[each]]


@dataclass(frozen=True)
class BondPlan:
    """Children before they are bound, in the order that the page shows."""

    members: tuple[BondMember, ...]

    @property
    def different(self) -> list[BondMember]:
        """One member for each different list that is not empty: the lists that the family can choose from."""
        found: list[BondMember] = []
        for member in self._preferred():
            if member.lists and all(member.lists != other.lists for other in found):
                found.append(member)
        return found

    @property
    def asks(self) -> bool:
        """Whether the family must say whose list counts."""
        return len(self.different) > 1

    @property
    def default(self) -> uuid.UUID:
        """Whose list counts unless the family says otherwise: one that was handed in, else the longest."""
        preferred = self.different or list(self.members)
        return preferred[0].application.id

    def _preferred(self) -> list[BondMember]:
        return sorted(self.members, key=lambda member: (not member.handed_in, -len(member.programmes)))


def plan(session: Session, applications: Sequence[Application]) -> BondPlan:
    """The plan for these children."""
    lists = wishes.lists(session, applications)
    return BondPlan(tuple(BondMember(each, lists[each.id]) for each in applications))
