"""What is true in a play before an act, and what an act may change of it."""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.draw import runs
from enrollment.ground.accounts import Actor
from enrollment.season.rounds import Round
from tests.domain.families import ledger
from tests.domain.families.ledger import any_value, becomes, exactly
from tests.domain.families.people import People


class Expectations(People):
    """Questions to what was known before the act, and the changes that each kind of act may make."""

    # --- before the act --------------------------------------------------------------------------------------------

    def open_round(self) -> Round | None:
        """The round that takes wishes, by its dates and stage alone."""
        found = self.town.the_round
        return found if found.stage == "open" and found.opens_at <= self.town.now < found.closes_at else None

    def takes_edits(self) -> bool:
        """Families edit while a round is open, and some of them try it afterwards."""
        return not self.over and (self.open_round() is not None or len(self.told) % 4 == 0)

    def has(self, name: str) -> bool:
        """Whether something of this kind waits or stands for some child; an act without it would be idle."""
        return any(key[0] == name and bool(value[1] if name == "place" else value) for key, value in self.known.items())

    def ever_frozen(self, child: Application) -> bool:
        """Whether a list with this child was frozen: it had wishes in a round that is past its freeze."""
        numbers = {int(each.split()[0]) for each in self.known["list", child.id]}
        past = ("frozen", "drawn", "published")
        found = self.session.execute(select(Round.number, Round.stage)).all()
        return any(number in numbers and stage in past for number, stage in found)

    def latest_is_a_replay(self) -> bool:
        latest = runs.published(self.session, self.town.the_round.id) if self.stage == "published" else None
        return latest is not None and latest.replays is not None

    def waits_for_nobody(self, child: Application, actor: Actor) -> bool:
        return self.known["guardians", child.child_id] <= {actor.account_id}

    def answered_with(self, child: Application, actor: Actor) -> list[uuid.UUID]:
        """The child, and those bound to it at the same kindergarten in this person's care."""
        place = self.known["place", child.id]
        return [
            each for each in self.unit(child)
            if each == child.id or (self.known["place", each][:1] == place[:1] and self.cares(actor, each)
                                    and self.known["place", each][1] in ("offered", "confirmed", "confirmed_waiting"))
        ]  # fmt: skip

    def of_one_act(self, act_id: uuid.UUID) -> list[uuid.UUID]:
        """The applications of all children about whom one decision waits."""
        decisions = [(each, value) for (name, each), value in self.known.items() if name == "decision"]
        return [each for each, value in decisions if value and value[2] == act_id]

    def deciders(self, application_id: uuid.UUID, actor: Actor) -> frozenset[Any]:
        """Who may be named when this person acts: it, and who proposed what waits."""
        waiting = self.known["decision", application_id]
        units = self.known["bond", application_id]
        more = [self.known["decision", each] for each in units] + [waiting]
        return frozenset({actor.account_id, *(each[1] for each in more if each)})

    def has_heard(self, application_id: uuid.UUID, kind: str) -> bool:
        number = self.town.the_round.number
        if not any(each.startswith(f"{number} ") for each in self.known["list", application_id]):
            return True  # it takes no part in this round
        accounts = self.known["guardians", self.known["of", application_id]]
        told = {
            m.account_id
            for m in ledger.messages(self.session).values()
            if m.kind == kind and str(application_id) in m.about
        }
        return accounts <= told

    # --- what it may change ----------------------------------------------------------------------------------------

    def lists(self, child: Application, round_: Round, order: list[int]) -> tuple[str, ...]:
        """What is stored when these kindergartens are wished in the round: lists of other rounds stay."""
        others = [each for each in self.known["list", child.id] if not each.startswith(f"{round_.number} ")]
        mine = [f"{round_.number} {self.gardens[place].code}/lower" for place in order]
        return tuple(sorted(others + mine, key=lambda each: int(each.split()[0])))

    def stages(self, ids, *values: str) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        return {("stage", each): becomes(self.known["stage", each], *values) for each in ids}

    def leaves_bond(self, application_id: uuid.UUID) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        others = self.known["bond", application_id]
        left = {("bond", each): exactly(others - {each}) for each in others}
        return {("bond", application_id): exactly(frozenset())} | left

    def later_answers(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        """An answer may become due later, never sooner."""
        places = [each for (name, each), value in self.known.items() if name == "place" and value[0]]
        return {("place", each): lambda was, is_now: was[:2] == is_now[:2] and is_now[2] >= was[2] for each in places}

    def looser_bonds(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        """Children who are placed apart are not bound any more; nobody is bound anew."""
        bonds = [key for key, value in self.known.items() if key[0] == "bond" and value]
        return {key: lambda was, is_now: is_now < was for key in bonds}

    def voided(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        return {key: any_value for key, value in self.known.items() if key[0] == "decision" and value}

    def better(self, application_id: uuid.UUID) -> Callable[[Any, Any], bool]:
        """A draw gives a place of the child's list, and takes one only for a better one."""
        codes = {self.town.programme_of(each).id: f"{each.code}/lower" for each in self.gardens}
        listed = [each.split()[1] for each in self.known["list", application_id]]

        def rule(was, is_now):
            if is_now[0] is None or codes[is_now[0]] not in listed:
                return False
            if was[0] is None:
                return was[1] != "declined" or self.town.the_round.number > 1
            return was[1] in ("offered", "confirmed_waiting") and listed.index(codes[is_now[0]]) < listed.index(
                codes[was[0]]
            )

        return rule
