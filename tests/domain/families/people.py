"""Who acts in a play, and about whom."""

import uuid
from typing import Any

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Actor
from tests.domain.families.play import Play


class People(Play):
    """The families and the people of the desks, found by the numbers that Hypothesis draws."""

    def offices_open(self) -> None:
        """The people of the desks exist before any act, so that an act that is refused does not take them away."""
        town = self.town
        town.city_pair()
        self.clerks = {each.id: town.clerk_of(each) for each in self.gardens}
        self.heads = {each.id: town.head_of(each) for each in self.gardens}
        town.__dict__["_reviewers"] = self.clerks

    def desk(self, child: Application) -> tuple[Actor, Actor]:
        """A clerk and the head of the kindergarten that reviews the application."""
        return self.clerks[child.review_kindergarten_id], self.heads[child.review_kindergarten_id]

    def child(self, number: int) -> Application:
        return self.children[number % len(self.children)]

    def family_of(self, child: Application) -> dict[str, Any]:
        return next(each for each in self.families if child in each["children"])

    def person(self, child: Application, who: int) -> Actor:
        own = self.family_of(child)
        if who == 9:
            return next(each for each in self.families if each is not own)["mother"].actor
        father = own["father"]
        if father and who > 5 and (who == 8 or father.account.id in self.known["guardians", child.child_id]):
            return father.actor
        return own["mother"].actor

    def cares(self, actor: Actor, *children: uuid.UUID) -> bool:
        return all(actor.account_id in self.known["guardians", self.known["of", each]] for each in children)

    def unit(self, child: Application) -> frozenset[uuid.UUID]:
        return self.known["bond", child.id] | {child.id}
