"""Steps of the offices: the review, the draw, the replay, a supplementary round, the day of arrival."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.offer_rows import Offer
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review import cases, duplicates, refusals
from enrollment.review.case_rows import Case
from tests.domain.families import ledger
from tests.domain.families.clock import Clock
from tests.domain.families.draws import CHILD
from tests.domain.families.ledger import Act, becomes
from tests.support.town import Town
from tests.support.town_season import at


def published(town: Town) -> None:
    """The one place where the play publishes: two people sign the newest run."""
    town.publish()


class OfficeSteps(Clock):
    """The season goes on with the next step of the officials whose step it is."""

    @precondition(lambda self: self.stage == "closed")
    @rule(number=CHILD, what=st.sampled_from(("confirm", "send_back", "refuse")))
    def clerk_reviews(self, number, what):
        child = self.child(number)
        if self.known["stage", child.id] != "submitted":
            return
        clerk, head = self.desk(child)
        becomes_ = {"confirm": "confirmed", "send_back": "returned", "refuse": "refused"}[what]
        act = Act(f"{what}", clerk, may=self.stages([child.id], becomes_), who=frozenset({"kindergarten"}))
        if what == "refuse":
            act.may |= self.leaves_bond(child.id)

        def perform():
            if what == "confirm":
                self.town.clerk_confirms(child, by=clerk)
            elif what == "send_back":
                self.town.clerk_sends_back(child, "hukou_booklet", by=clerk)
            else:
                proposal = self.town.clerk_proposes_refusal(child, by=clerk)
                refusals.decide_refusal(self.session, proposal.id, upheld=True, by=head, now=self.town.now)

        assert self.make(act, perform), act.why

    @precondition(lambda self: self.has("hold"))
    @rule()
    def settle_case(self):
        case = self.session.scalars(
            select(Case).where(Case.settled_at.is_(None), Case.kind == "guardians_dispute").order_by(Case.opened_at)
        ).first()
        if case is None:
            return
        official = self.town.city_pair()[0]
        may = {} if case.application_id is None else {("hold", case.application_id): becomes(False, True)}
        act = Act("settle a case", official, may=may, who=frozenset({"city_office"}))
        assert self.make(act, lambda: cases.settle(
            self.session, case.id, outcome="settled", reason="已协商", by=official, now=self.town.now)), act.why  # fmt: skip

    @precondition(lambda self: not self.over)
    @rule()
    def the_office_goes_on(self):
        """The next step of the season, made by the officials whose step it is."""
        town = self.town
        self.session.refresh(town.the_round)
        if self.stage == "open":
            if town.now < town.the_round.closes_at:
                self.tick(town.the_round.closes_at - dt.timedelta(hours=2))
                self.tick(town.the_round.closes_at + dt.timedelta(minutes=1))
            if self.stage == "open":
                self.office("close", town.close_registration)
        elif self.stage == "closed":
            self.freeze()
        elif self.stage == "frozen":
            self.office("seed", town.seed)
        elif self.stage == "drawn":
            self.draw_and_publish()
        elif self.stage == "published":
            self.after_the_result()

    def office(self, name: str, perform: Callable[[], object], **what: Any) -> None:
        act = Act(name, None, who=frozenset({"city_office", "system", "kindergarten"}), **what)
        assert self.make(act, perform), f"{name} was refused: {act.why}"

    def freeze(self) -> None:
        """The list is frozen when everybody is reviewed; a supplementary round that nobody wished in ends the rounds."""
        self.everybody_is_reviewed()
        self.office("judge the pairs that look like one child", self.pairs_are_judged)
        act = Act("freeze", None)
        if not self.make(act, self.town.freeze):
            assert act.why == "nobody_takes_part", act.why
            self.children_arrive()

    def everybody_is_reviewed(self) -> None:
        waiting = [
            each
            for (name, each), stage in self.known.items()
            if name == "stage" and stage in ("submitted", "in_review")
        ]
        may = self.stages(waiting, "confirmed")
        self.office("review everybody", self.town.everyone_is_reviewed, may=may)

    def pairs_are_judged(self) -> None:
        """Children whom families gave one name and one birth date are different ones here."""
        official = self.town.city_pair()[0]
        for hint in self.session.scalars(select(DuplicateHint).where(DuplicateHint.decided_at.is_(None))).all():
            said = {"verdict": "different", "reason": "父母不同"}
            duplicates.judge(self.session, hint.id, **said, by=official, now=self.town.now)

    def draw_and_publish(self) -> None:
        town = self.town
        self.office("run", town.run)
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {}
        for name, each in list(self.known):
            if name == "place" and self.known["stage", each] in ("confirmed", "returned"):
                may["place", each] = self.better(each)
        self.office("publish", lambda: published(town), may=may | self.voided() | self.looser_bonds())
        for (name, each), stage in self.known.items():
            if name == "stage" and stage in ("confirmed", "returned"):
                assert self.has_heard(each, "result_published"), "a result, and the family was not told"

    def after_the_result(self) -> None:
        town = self.town
        due = [
            value[2]
            for (name, each), value in self.known.items()
            if name == "place" and value[1] == "offered" and not self.known["hold", each]
        ]
        if due and max(due) > town.now:
            self.tick(max(due) - dt.timedelta(hours=20))
            self.tick(max(due) + dt.timedelta(minutes=5))
        elif not self.latest_is_a_replay() and self.tried != town.the_round.id:
            self.hand_on()
            self.tried = town.the_round.id
        elif town.the_round.kind == "main":
            self.tick(at(6, 15))
            town.the_round.stage = "published"
            self.office("supplementary", self.open_supplementary)
        else:
            self.children_arrive()

    def hand_on(self) -> None:
        """A replay, if there is a free place that somebody in line wants."""
        may = {("place", each): self.better(each) for (name, each), _ in self.known.items() if name == "place"}
        may |= self.looser_bonds() | self.voided()
        act = Act("replay", None, may=may, who=frozenset({"city_office", "system"}))
        done = self.make(act, lambda: self.town.replay())
        assert done or act.why == "nothing_to_hand_on", act.why

    def open_supplementary(self) -> None:
        self.town.round(
            kind="supplementary",
            **(
                {"opens_at": self.town.now, "closes_at": self.town.now + dt.timedelta(days=4)}
                if self.town.now > at(6, 15)
                else {}
            ),
        )
        self.town.open_registration()

    def children_arrive(self) -> None:
        town, self.over = self.town, True
        self.tick(at(8, 25))
        for (name, each), value in list(self.known.items()):
            if name != "place" or value[1] not in ("confirmed", "confirmed_waiting"):
                continue
            offer = self.session.scalars(
                select(Offer).where(Offer.application_id == each, Offer.state == value[1])
            ).one()
            garden = next(one for one in self.gardens if town.programme_of(one).id == value[0])
            comes = self.next() % 3 != 0
            state = (value[0], "arrived") if comes else (None, "no_show")
            head = self.heads[garden.id]
            act = Act(
                "arrival", head, may={("place", each): lambda _was, is_now, state=state: is_now[:2] == state} | self.voided(),
                who=frozenset({"kindergarten"}),
            )  # fmt: skip
            how: dict[str, Any] = {"by": head, "now": town.now}
            if comes:
                self.make(act, lambda offer=offer, how=how: arrival.mark_arrived(self.session, offer.id, **how))
            else:
                self.make(act, lambda offer=offer, how=how: absences.mark_no_show(
                    self.session, offer.id, reason="家长来电", **how))  # fmt: skip
            assert not act.why, act.why
