"""Answers to an offer, and decisions that wait for the other guardian."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import desk_access
from enrollment.ground.accounts import Actor
from enrollment.offers import (
    desk_answers,
    irrevocable_acts,
    joint_decisions,
    offers,
)
from enrollment.people.person_rows import Guardian
from tests.domain.families import ledger
from tests.domain.families.draws import CHILD, WHO
from tests.domain.families.expectations import Expectations
from tests.domain.families.ledger import Act, any_value, becomes


class AnswerActs(Expectations):
    """On the page and at the desk."""

    @precondition(lambda self: self.has("place"))
    @rule(
        number=CHILD,
        who=WHO,
        what=st.sampled_from(("confirm", "confirm", "confirm_and_wait", "decline", "decline")),
        desk=st.booleans(),
    )
    def answer(self, number, who, what, desk):
        self.answer_with(number, who, what, desk)

    def answer_with(self, number: int, who: int, what: str, desk: bool) -> None:
        placed = [each for each in self.children if self.known["place", each.id][1]]
        if not placed:
            return
        live = [each for each in placed if self.known["place", each.id][0]]
        child = live[number % len(live)] if live and number % 4 else placed[number % len(placed)]
        place = self.known["place", child.id]
        actor, offer = self.person(child, who), self.town.last_offer_for(child)
        together = self.answered_with(child, actor)
        late = place[2] is not None and self.town.now >= place[2]
        live = place[0] is not None and place[1] != "arrived"
        state = {"confirm": "confirmed", "confirm_and_wait": "confirmed_waiting", "decline": "declined"}[what]
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {("decision", each): any_value for each in together}
        may |= {("decision", each): any_value for each in self.unit(child)}
        may |= {("hold", each): any_value for each in self.unit(child)}
        for each in together:
            kept = None if what == "decline" else self.known["place", each][0]
            may["place", each] = lambda _was, is_now, kept=kept: is_now[:2] == (kept, state)
        act = Act(
            f"{what}", actor, may=may, who=self.deciders(child.id, actor),
            possible=self.cares(actor, child.id) and live and not any(self.known["hold", each] for each in together)
            and (what == "decline" or not late or (what == "confirm" and place[1] == "confirmed_waiting")),
        )  # fmt: skip
        alone = all(self.known["guardians", self.known["of", each]] <= {actor.account_id} for each in together)
        agrees = (self.known["decision", child.id] or (None, actor.account_id))[:2]
        if what == "decline" and not alone and agrees[1] == actor.account_id:
            for each in together:
                may.pop(("place", each))  # it waits for the other guardian
        elif what == "decline" and agrees[0] == "decline":
            # it agrees to what the other guardian proposed, also about a bound child that is in their care alone
            for each in self.of_one_act(self.known["decision", child.id][2]):
                may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
        if desk and child.review_kindergarten_id is not None and self.cares(actor, child.id):
            act.by = actor
            self.make(act, lambda: self.answer_at_desk(child, actor, what))
            return
        if what == "decline":
            self.make(act, lambda: offers.decline(self.session, offer.id, by=actor, now=self.town.now))
        else:
            wait = what == "confirm_and_wait"
            self.make(act, lambda: offers.confirm(self.session, offer.id, wait=wait, by=actor, now=self.town.now))

    @precondition(lambda self: self.has("place"))
    @rule(number=CHILD, who=st.integers(0, 8), what=st.sampled_from(("confirm", "confirm_and_wait", "decline")))
    def answer_on_the_page(self, number, who, what):
        """Most acts after a result are answers."""
        self.answer_with(number, who, what, desk=False)

    def answer_at_desk(self, child: Application, actor: Actor, what: str) -> None:
        clerk, _head = self.desk(child)
        guardian = self.session.scalars(select(Guardian).where(Guardian.account_id == actor.account_id)).one()
        desk_access.check_identity(
            self.session, child.id, actor.account_id, document_kind=guardian.id_kind or "",
            document_end=(guardian.id_number or "")[-4:], purpose="answer", by=clerk, now=self.town.now,
        )  # fmt: skip
        live = desk_answers.live_offer(self.session, child)
        seen = joint_decisions.state_seen(self.session, live) if live is not None else ""
        desk_answers.answer(self.session, child.id, actor.account_id, what, seen=seen, by=clerk, now=self.town.now)

    @precondition(lambda self: self.has("decision"))
    @rule(number=CHILD, who=WHO, what=st.sampled_from(("agree", "object", "take_back")))
    def answer_decision(self, number, who, what):
        undecided = [each for each in self.children if self.known["decision", each.id]]
        if not undecided:
            return
        child = undecided[number % len(undecided)]
        waiting = self.known["decision", child.id]
        actor, (kind, proposer, act_id, _) = self.person(child, who), waiting
        concerned = self.of_one_act(act_id)
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {("decision", each): any_value for each in concerned}
        if what == "agree":
            for each in concerned:
                may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
                if kind == "withdraw":
                    may |= self.leaves_bond(each) | self.stages([each], "withdrawn")
        if what == "object":
            may |= {("hold", each): becomes(True) for each in concerned}
        act = Act(
            f"{what}", actor, may=may, who=frozenset({actor.account_id, proposer}),
            possible=(actor.account_id == proposer) == (what == "take_back")
            and any(self.cares(actor, each) for each in concerned),
        )  # fmt: skip
        perform = {
            "agree": lambda: irrevocable_acts.agree(self.session, act_id, by=actor, now=self.town.now),
            "object": lambda: irrevocable_acts.object_to(
                self.session, act_id, text="不同意", by=actor, now=self.town.now
            ),
            "take_back": lambda: irrevocable_acts.take_back(self.session, act_id, by=actor, now=self.town.now),
        }
        self.make(act, perform[what])
