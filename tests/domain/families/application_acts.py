"""Acts of families on their applications: wishes, submission, bonds, withdrawal, the child's name."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from enrollment.applications import applications, registration, sibling_binding, wishes
from enrollment.applications.application_rows import Application
from enrollment.offers import (
    joint_decisions,
    withdrawals,
)
from enrollment.people.person_rows import Child
from tests.domain.families.draws import CHILD, NAMES, ORDER, RARELY, WHO
from tests.domain.families.expectations import Expectations
from tests.domain.families.ledger import Act, any_value, exactly

DEAD = ("refused", "withdrawn")


class ApplicationActs(Expectations):
    """Most of them are made before the deadline, some are tried afterwards."""

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, order=ORDER, many=st.integers(0, 3), stale=st.booleans())
    def wish_from_a_page(self, number, who, order, many, stale):
        self.wish(number, who, order, many, stale)

    def wish(self, number: int, who: int, order: list[int], many: int, stale: bool) -> None:
        child, round_ = self.child(number), self.town.the_round
        actor, unit, wanted = self.person(child, who), self.unit(child), order[:many]
        page = self.pages.get((actor.account_id, child.id)) if stale else None
        new = self.lists(child, round_, wanted)
        open_ = self.open_round() is not None and not any(self.known["hold", each] for each in unit)
        fresh = page is None or page[1] == self.seen(child)
        act = Act(
            "wish", actor, who=frozenset({actor.account_id}),
            may={("list", each): exactly(new) for each in unit} | self.stages(unit, "submitted"),
            must={("list", each): new for each in unit},
            possible=self.cares(actor, *unit) and open_ and self.known["stage", child.id] not in DEAD and fresh,
        )  # fmt: skip
        ids = [self.town.programme_of(self.gardens[place]).id for place in wanted]
        version = page[0] if page else None
        self.make(act, lambda: wishes.set_wishes(
            self.session, child.id, round_.id, ids, version=version, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, first=st.integers(0, 8), second=st.integers(0, 8), orders=st.tuples(ORDER, ORDER))
    def two_open_pages(self, number, first, second, orders):
        """Two people, or one in two windows, open the page; both save it, the second without having seen the first."""
        self.open_page(number, second)
        self.wish(number, first, orders[0], 2, stale=False)
        self.wish(number, second, orders[1], 3, stale=True)

    def seen(self, child: Application) -> Any:
        return tuple(self.known[field, child.id] for field in ("list", "bond", "stage"))

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=st.integers(0, 8))
    def leave_a_page_open(self, number, who):
        self.open_page(number, who)

    def open_page(self, number: int, who: int) -> None:
        """Somebody opens the page of the wishes and leaves it open."""
        child = self.child(number)
        actor = self.person(child, who)
        self.session.refresh(child)
        self.pages[actor.account_id, child.id] = (child.version, self.seen(child))

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, again=st.booleans())
    def submit(self, number, who, again):
        child = self.child(number)
        actor, stage = self.person(child, who), self.known["stage", child.id]
        act = Act(
            "submit", actor, who=frozenset({actor.account_id}), may=self.stages([child.id], "submitted"),
            possible=self.cares(actor, child.id) and stage not in DEAD,
        )  # fmt: skip
        done = self.make(act, lambda: self.town.submit(child, by=actor))
        if done and again:
            twice = Act("submit twice", actor)
            assert self.make(twice, lambda: self.town.submit(child, by=actor)), twice.why

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, which=st.integers(0, 2), source=st.integers(0, 2))
    def bind(self, number, who, which, source):
        child = self.child(number)
        actor, mine = self.person(child, who), self.family_of(child)["children"]
        other, of = mine[which % len(mine)], mine[source % len(mine)]
        together = self.unit(child) | {other.id}
        lists = self.known["list", of.id]
        act = Act(
            "bind", actor, who=frozenset({actor.account_id}),
            may={("list", each): any_value for each in together}
            | {("bond", each): exactly(together - {each}) for each in together}
            | self.stages(together, "submitted"),
            possible=self.cares(actor, *together) and self.open_round() is not None,
        )  # fmt: skip
        if of.id in together:
            act.may |= {("list", each): exactly(lists) for each in together}
        self.make(act, lambda: sibling_binding.bind(
            self.session, sorted(together), list_of=of.id, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO)
    def separate(self, number, who):
        child = self.child(number)
        actor, others = self.person(child, who), self.known["bond", child.id]
        act = Act(
            "separate", actor, who=frozenset({actor.account_id}),
            may=self.leaves_bond(child.id), must={("bond", child.id): frozenset()},
            possible=self.cares(actor, child.id) and (not others or self.open_round() is not None),
        )  # fmt: skip
        self.make(act, lambda: sibling_binding.separate(self.session, child.id, by=actor, now=self.town.now))

    @rule(number=CHILD, who=WHO, rarely=RARELY)
    def withdraw(self, number, who, rarely):
        if rarely:
            return
        child = self.child(number)
        actor, stage, place = self.person(child, who), self.known["stage", child.id], self.known["place", child.id]
        may = self.leaves_bond(child.id) | self.stages([child.id], "withdrawn")
        may["decision", child.id] = any_value
        if place[0]:
            may["place", child.id] = lambda _was, is_now: is_now[:2] == (None, "declined")
        act = Act(
            "withdraw", actor, may=may, who=self.deciders(child.id, actor),
            possible=self.cares(actor, child.id) and not (self.known["hold", child.id] and stage not in DEAD)
            and place[1] != "arrived",
        )  # fmt: skip
        self.make(act, lambda: withdrawals.withdraw(self.session, child.id, by=actor, now=self.town.now))
        if not self.waits_for_nobody(child, actor) and self.known["stage", child.id] == "withdrawn" != stage:
            decision = joint_decisions.history(self.session, child.id)
            undoable = not place[0] and (self.open_round() is not None or stage == "draft")
            assert undoable or (decision and decision[0].state == "agreed"), "one of two withdrew for good alone"

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO)
    def apply_again(self, number, who):
        child = self.child(number)
        actor = self.person(child, who)
        act = Act(
            "apply again", actor, who=frozenset({actor.account_id}),
            may=self.stages([child.id], "draft"), possible=self.cares(actor, child.id),
        )  # fmt: skip
        if self.known["stage", child.id] == "withdrawn":
            self.make(act, lambda: applications.start(
                self.session, child.child_id, child.year, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, name=st.sampled_from(NAMES))
    def rename(self, number, who, name):
        """The form of the child's page, with another name."""
        child = self.child(number)
        actor = self.person(child, who)
        row = self.session.get_one(Child, child.child_id)
        new = (name, row.born, row.sex, row.id_kind, row.id_number)
        act = Act(
            "rename", actor, who=frozenset({actor.account_id}),
            may={("child", child.child_id): exactly(new)} | self.stages([child.id], "submitted"),
            must={("child", child.child_id): new},
            possible=self.cares(actor, child.id) and not self.ever_frozen(child),
        )  # fmt: skip
        relation = "mother" if actor == self.family_of(child)["mother"].actor else "father"
        self.make(act, lambda: registration.correct_child(
            self.session, child.id, name=name, id_kind=row.id_kind, id_number=row.id_number, relation=relation,
            by=actor, now=self.town.now))  # fmt: skip
