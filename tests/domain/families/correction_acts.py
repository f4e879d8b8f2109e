"""Corrections of a frozen value: a family asks, a clerk and a head decide."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.review.correction_rows import CorrectionKind, CorrectionRequest
from tests.domain.families.draws import CHILD, NAMES, WHO
from tests.domain.families.expectations import Expectations
from tests.domain.families.ledger import Act, exactly


def requests_after(request: CorrectionRequest) -> dict[str, Any]:
    """The corrected values that the family asked for."""
    return json.loads(request.after)


class CorrectionActs(Expectations):
    """A clerk signs first, and the head of the kindergarten decides."""

    @rule(number=CHILD, who=WHO, name=st.sampled_from(NAMES))
    def ask_for_a_correction(self, number, who, name):
        child = self.child(number)
        actor = self.person(child, who)
        act = Act("ask for a correction", actor, possible=self.cares(actor, child.id))
        self.make(act, lambda: self.town.requests_correction(child, CorrectionKind.NAME, by=actor, name=name))

    @precondition(lambda self: self.corrections_waiting())
    @rule(agrees=st.booleans(), number=CHILD)
    def decide_a_correction(self, agrees, number):
        waiting = self.corrections_waiting()
        request = waiting[number % len(waiting)]
        child = self.session.get_one(Application, request.application_id)
        if child.review_kindergarten_id is None:
            return
        clerk, head = self.desk(child)
        by = clerk if request.state == "open" else head
        if not agrees:
            act = Act("refuse a correction", by)
            self.make(act, lambda: self.town.refuses(request, by))
            return
        was = self.known["child", child.child_id]
        said = requests_after(request)
        new = (said["name"], *was[1:])
        act = Act("agree to a correction", by, who=frozenset({"kindergarten"}))
        if request.state == "signed":
            act.may = {("child", child.child_id): exactly(new)}
            act.must = {("child", child.child_id): new}
        self.make(act, lambda: self.town.agrees(request, by))

    def corrections_waiting(self) -> list[CorrectionRequest]:
        undecided = select(CorrectionRequest).where(CorrectionRequest.state.in_(("open", "signed")))
        order = {each.id: number for number, each in enumerate(self.children)}
        found = self.session.scalars(undecided)
        return sorted(found, key=lambda each: (each.requested_at, order[each.application_id], each.kind))
