"""Time that passes in a play, with the scheduled jobs."""

import datetime as dt

from hypothesis import strategies as st
from hypothesis.stateful import rule

from enrollment.applications.bonds import bond_notices
from enrollment.applications.guardian_access import phone_change_course
from enrollment.ground.accounts import SYSTEM
from enrollment.offers import (
    answer_deadlines,
    irrevocable_acts,
    joint_decisions,
)
from enrollment.season import rounds
from tests.domain.families.expectations import Expectations
from tests.domain.families.ledger import Act, any_value, exactly


class Clock(Expectations):
    """What comes without an act of a family or an office: reminders, ends of waiting times, silence."""

    @rule(hours=st.sampled_from((1, 25, 25, 73)))
    def time_passes(self, hours):
        self.tick(self.town.now + dt.timedelta(hours=hours))

    def tick(self, moment: dt.datetime) -> None:
        """The clock goes on, and the scheduled jobs run, each as the worker runs it."""
        town, session = self.town, self.session
        town.at(max(town.now, moment))
        now, phones = town.now, self.phones_waiting

        def remind() -> None:
            rounds.close_if_due(session, town.the_round.id, by=SYSTEM, now=now)
            bond_notices.remind_due(session, now=now)
            answer_deadlines.remind_due(session, now=now)

        self.make(Act("remind", None, may=self.later_answers()), remind)
        if phones:
            act = Act("phone waits end", None, may={("phone", each): exactly(new) for each, new in phones.items()})
            self.make(act, lambda: phone_change_course.end_waiting_times(session, now=now))
        if self.has("decision"):
            self.decisions_take_effect()
        if self.has("place"):
            self.make(self.silence(), lambda: answer_deadlines.expire_due(session, now=now))

    def decisions_take_effect(self) -> None:
        town, session = self.town, self.session
        waiting = {each: value for (name, each), value in self.known.items() if name == "decision" and value}
        names = frozenset(value[1] for value in waiting.values()) | {"system"}
        again = {("decision", each): any_value for each in waiting} | self.later_answers()
        self.make(
            Act("renew", None, may=again, who=names), lambda: irrevocable_acts.renew_after_holds(session, now=town.now)
        )
        for act_id in joint_decisions.due(session, now=town.now):
            act = Act("a decision takes effect", None, who=names)
            for each, (kind, _proposer, of, takes_effect_at) in waiting.items():
                if of == act_id:
                    assert takes_effect_at <= town.now, "too soon"
                    assert not self.known["hold", each], "in spite of a dispute"
                    act.may["decision", each] = any_value
                    act.may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
                    if kind == "withdraw":
                        act.may |= self.leaves_bond(each) | self.stages([each], "withdrawn")
            self.make(act, lambda act_id=act_id: irrevocable_acts.take_effect(session, act_id, now=town.now))

    def silence(self) -> Act:
        act = Act("answers_due", None, may=self.later_answers(), who=frozenset({"system"}))
        for (name, each), value in self.known.items():
            if name == "place" and value[1] == "offered" and value[2] <= self.town.now and not self.known["hold", each]:
                act.may["place", each] = lambda was, is_now: (
                    is_now[:2] == (None, "expired") or (is_now[:2] == was[:2] and is_now[2] > was[2]) or is_now == was
                )
        return act
