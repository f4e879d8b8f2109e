"""One move of a lifecycle: from which states, to which state, and in which roles somebody may make it.

A lifecycle is a table of moves by name.  The tables stand where the rows are: `applications.lifecycle`,
`offers.offer_lifecycle`.
"""

from dataclasses import dataclass

from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused


@dataclass(frozen=True)
class Move:
    """`from_` is empty where the move creates the row."""

    from_: frozenset[str]
    to: str
    by: frozenset[Role]

    def admits(self, by: Actor) -> bool:
        """Whether the actor has one of the roles.  A helper counts only while it acts on behalf of a guardian."""
        roles = self.by & by.roles
        return bool(roles - {Role.HELPER}) or (Role.HELPER in roles and by.on_behalf is not None)

    def require_role(self, by: Actor) -> None:
        """Refuse `move_not_for_this_role`."""
        if not self.admits(by):
            raise Refused("move_not_for_this_role")
