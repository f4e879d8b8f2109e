"""What follows after the main round of the demo city: the first replay, and the supplementary round (ADR 54).

A city that is built to its end goes through both at once; for a visitor who moves the clock they come step by step.
"""

import datetime as dt
import functools
import uuid

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.draw import execution, replay
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run
from enrollment.draw.seed import declared_forms
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.offers import answer_deadlines
from enrollment.season import rounds
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round
from portal.demo import people, season, time_travel
from portal.demo.actors import bulk_acts, simulated_draw
from portal.demo.offers import supplementary_round
from portal.demo.rounds.registration import Registration, Report


class LaterRounds:
    """After the answers of the main round; `families` are those of the city."""

    def __init__(self, families: Registration):
        self.families = families
        self.engine: Engine = families.engine
        self.report: Report = families.report

    @classmethod
    def of_the_city(cls, engine: Engine, report: Report) -> "LaterRounds":
        """Those of the city of the database, for a visitor who moves the clock."""
        return cls(Registration.of_the_city(engine, report))

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

    def replay(self, now: dt.datetime, *, leave_demo_family: bool = False) -> None:
        """The first replay, signed by two like a run, and the answers to its new offers; in a small city nobody may wait."""
        try:
            with self._session() as session, session.begin():
                round_ = session.scalars(select(Round).where(Round.year == season.YEAR)).one()
                run = replay.start(session, round_.id, by=people.actor(session, "city1"), now=now)
        except Refused as refused:
            if refused.code != "nothing_to_hand_on":
                raise
            return
        with self._session() as session, session.begin():
            execution.execute(session, run.id, now=now)
        hour = hours.next_morning(now)
        simulated_draw.publish(self.engine, run.id, now, hour)
        report = functools.partial(self.report, "replay")
        bulk_acts.finish_answers(self.engine, hour + dt.timedelta(hours=5), report, leave_demo_family=leave_demo_family)

    def supplementary(self) -> None:
        """Who has no place asks for one that is free, and families who come late; then as in the main round."""
        if self._open(frozenset()):
            self._finish(leave_demo_family=False)

    def open_for_visitor(self, late: dt.datetime | None = None) -> bool:
        """After the main round's answers: the first replay, and the supplementary round with its families.  Whether it was opened.

        A visitor who has planned a supplementary round keeps it, and the visitors' own families decide for themselves.
        `late` is when, if something kept it from happening after the days of the answers.
        """
        with self._session() as session, session.begin():
            found = rounds.rounds_of_year(session, season.YEAR)
            if len(found) != 1 or found[0].stage != RoundStage.PUBLISHED:
                return False
            replayed = session.scalar(select(Run.id).where(Run.replays.is_not(None)).limit(1)) is not None
            leave = bulk_acts.families_that_answer(session)
        due = late or season.DATES["confirmation"][1]
        for moment in (due, due + answer_deadlines.GRACE):
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)
        if not replayed:
            self.replay(due + answer_deadlines.GRACE + dt.timedelta(hours=1), leave_demo_family=True)
        return self._open(leave)

    def finish_for_visitor(self, late: dt.datetime | None = None) -> bool:
        """Review, draw and answers of the round that was opened by itself, if nobody has begun its draw.  Whether it was drawn.

        `late` is when, if something kept it from happening in its days.
        """
        with self._session() as session:
            round_ = supplementary_round.of_the_demo(session)
            if round_ is None:
                return False
            begun = declared_forms.newest(session, round_.id) is not None
            begun = begun or round_.stage not in (RoundStage.OPEN, RoundStage.CLOSED)
            if begun and simulated_draw.unfinished(session, round_.id) is None:
                return False
        self._finish(leave_demo_family=True, late=late)
        return True

    def _open(self, leave: frozenset[uuid.UUID]) -> bool:
        """Open the round; the families ask, but those of the accounts in `leave`.  Whether anybody asks."""
        families = self.families
        with self._session() as session, session.begin():
            round_ = supplementary_round.open_round(session, people.actor(session, "city1"))
            offers = supplementary_round.with_free_places(session, families.offers(session, round_.id))
            asked = supplementary_round.ask_again(session, round_, offers, leave)
            coming = supplementary_round.who_come_late(offers, asked, families.in_time(session))
            late = {area: number for area, number in coming.items() if area in families.city.layout.neighbourhoods}
            if not sum(late.values()) + sum(asked.values()):
                return False
            families.register(
                session, round_, offers, late, supplementary_round.FIRST_PHONE, supplementary_round.REGISTERED
            )
        families.ask_registers(supplementary_round.REGISTERED)
        return True

    def _finish(self, *, leave_demo_family: bool, late: dt.datetime | None = None) -> None:
        reviewed_at, drawn_at = late or supplementary_round.REVIEWED, late or supplementary_round.DRAWN
        with self._session() as session, session.begin():
            round_ = supplementary_round.of_the_demo(session)
            if round_ is None:
                return
            rounds.close_if_due(session, round_.id, by=SYSTEM, now=reviewed_at)
        bulk_acts.finish_reviews(self.engine, reviewed_at, functools.partial(self.report, "review"))
        run_id = simulated_draw.draw(self.engine, drawn_at, functools.partial(self.report, "draw"), round_.id)
        report = functools.partial(self.report, "answers")
        if late is not None:
            answered_at = time_travel.follow(self.engine, simulated_draw.publish_late(self.engine, run_id, late))
            bulk_acts.finish_answers(self.engine, answered_at, report, leave_demo_family=leave_demo_family)
            return
        signed_at, hour = supplementary_round.DRAWN + dt.timedelta(hours=1), supplementary_round.OPENED
        simulated_draw.publish(self.engine, run_id, signed_at, hour)
        bulk_acts.finish_answers(self.engine, hour + dt.timedelta(hours=5), report, leave_demo_family=leave_demo_family)
        due = supplementary_round.CONFIRM_BY
        for moment in (due, due + answer_deadlines.GRACE):
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)
