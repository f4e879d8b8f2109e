"""One play: its town in a transaction of its own, its families, and the check of each act against the model."""

import datetime as dt
import os
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.errors import NotFound, Refused, Stale
from tests.domain.families import ledger
from tests.domain.families.ledger import Act
from tests.support.town import Town


class Play(RuleBasedStateMachine):
    """What a play knows: the town, its families, what was true before the next act, and what its people remember."""

    engine: Any = None
    now: dt.datetime

    def __init__(self) -> None:
        super().__init__()
        self.chance = pytest.MonkeyPatch()
        chance = random.Random(0)  # the same ids, codes and salts, so the same draw, when a play is repeated
        self.chance.setattr(os, "urandom", chance.randbytes)  # `uuid`, and the defaults of columns
        self.chance.setattr(random, "_urandom", chance.randbytes)  # `secrets`
        self.connection = self.engine.connect()
        self.outer = self.connection.begin()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        self.town = Town(self.session, self.now)
        self.families: list[dict[str, Any]] = []
        self.children: list[Application] = []
        self.pages: dict[tuple[uuid.UUID, uuid.UUID], tuple[int, Any]] = {}
        self.phones_waiting: dict[uuid.UUID, str] = {}
        self.over = False
        self.tried: uuid.UUID | None = None
        self.serial = 0

    def teardown(self) -> None:
        self.chance.undo()
        self.session.close()
        self.outer.rollback()
        self.connection.close()

    @property
    def stage(self) -> str:
        return self.town.the_round.stage

    def next(self) -> int:
        self.serial += 1
        return self.serial

    def look_again(self) -> None:
        """What is true before the next act."""
        self.known, self.told = ledger.standing(self.session), ledger.messages(self.session)

    def make(self, act: Act, perform: Callable[[], object]) -> bool:
        """Whether the act was done.  One that is refused changes nothing and tells nobody."""
        session, before, told, audited = self.session, self.known, self.told, ledger.last_audited(self.session)
        try:
            with session.begin_nested():
                perform()
                session.flush()
        except (Refused, NotFound, Stale) as refusal:
            session.expire_all()
            act.why = getattr(refusal, "code", type(refusal).__name__)
            assert ledger.standing(session) == before, f"{act.name} was refused and changed something"
            assert ledger.messages(session).keys() == told.keys(), f"{act.name} was refused and told somebody"
            return False
        session.expire_all()
        after = ledger.standing(session)
        assert act.possible or after == before, f"{act.name} had to be refused"
        self.told = ledger.messages(session)
        fresh = [each for id_, each in self.told.items() if id_ not in told]
        ledger.check_changes(act, before, after)
        ledger.check_messages(session, act, before, after, fresh)
        ledger.check_audit(session, act, before, after, audited)
        if after != before:
            self.known = after
            self.check_all()
        return True

    def check_all(self) -> None:
        ledger.check_facts(self.session)
        ledger.check_receipts(self.session, self.known)
        ledger.check_ways_on(self.session, self.known, self.town.now)
