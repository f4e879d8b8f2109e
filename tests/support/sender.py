"""The sender for tests: its lanes in this process, and an outbox of a real database to fill and to look at."""

import contextlib
import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.delivery import claims, settlement
from enrollment.delivery.claims import ClaimedNotice
from enrollment.delivery.lanes import LanePolicy, policy_of_notices
from enrollment.delivery.settlement import Outcome, Verdict
from enrollment.ground import outbox
from enrollment.ground.accounts import Account, Role, RoleGrant
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.ground.phones import phone_index
from portal.config import Config
from portal.sender.breaker import Breaker
from portal.sender.lane import LaneSender
from portal.sender.pace import Pace, paces_of_texts
from portal.sender.process import policies, shares
from tests.support.keys import KEYS


def let_the_sender_send(config: Config, engine: Engine) -> None:
    """Send what is due, in both lanes."""
    for policy in policies(config):
        lane = LaneSender(config, engine, policy, Breaker(), Pace(policy.lane), 2)
        while lane.cycle():
            pass
        ended = threading.Event()
        ended.set()
        lane.run(ended)


def send_notices(session: Session, now: dt.datetime) -> list[ClaimedNotice]:
    """Claim the notices that are due and settle them as accepted, in the transaction of the test."""
    policy, token = policy_of_notices(), uuid.uuid4()
    looked = claims.has_due(session, policy.lane, now=now)
    claimed = claims.claim(session, policy, 500, token=token, now=now)
    assert looked or not claimed, "the look before a claim overlooks nothing"
    outcomes = [Outcome(message, Verdict.ACCEPTED) for message in claimed]
    settlement.settle(session, policy, outcomes, token=token, now=now)
    session.expire_all()
    return [message for message in claimed if isinstance(message, ClaimedNotice)]


def number(n: int) -> str:
    return f"+86139{n:08d}"


class Outbox:
    """Messages in a database of its own; times are real times."""

    def __init__(self, engine: Engine, gateway: str | None = None, **settings):
        self.engine = engine
        url = engine.url.render_as_string(hide_password=False)
        self.config = replace(
            Config(database_url=url, redis_url="", secret_key="x", keys=KEYS, message_gateway=gateway), **settings
        )

    def add_codes(self, *numbers: str, lasts: dt.timedelta = dt.timedelta(minutes=10)) -> list[uuid.UUID]:
        now = dt.datetime.now(dt.UTC)
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            made = [
                outbox.add_text_message(session, to, f"code for {to}", key=f"code:{uuid.uuid4()}", now=now, expires_at=now + lasts)
                for to in numbers
            ]  # fmt: skip
        return [each.id for each in made]

    def add_notices(self, *numbers: str) -> list[uuid.UUID]:
        """One notice to a new account of each number."""
        now = dt.datetime.now(dt.UTC)
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            accounts = [
                Account(name="", phone=to, phone_index=phone_index(to), created_at=now, grants=[RoleGrant(role=Role.GUARDIAN)])
                for to in numbers
            ]  # fmt: skip
            session.add_all(accounts)
            session.flush()
            notices = [
                Notice(id=uuid.uuid4(), key=f"n:{uuid.uuid4()}", kind="review_confirmed", account_id=account.id,
                       params={"code": "K7MQ-0001"}, created_at=now)
                for account in accounts
            ]  # fmt: skip
            session.add_all(notices)
        return [each.id for each in notices]

    def states(self, ids: list[uuid.UUID] | None = None) -> list[str]:
        """The states of these messages, or of all."""
        with Session(self.engine) as session:
            found = [
                *session.execute(select(TextMessage.id, TextMessage.state)),
                *session.execute(select(Notice.id, Notice.state)),
            ]
        by_id = {row.id: row.state for row in found}
        return [by_id[each] for each in ids] if ids is not None else list(by_id.values())

    def row(self, message_id: uuid.UUID) -> Notice | TextMessage:
        with Session(self.engine, expire_on_commit=False) as session:
            found = session.get(TextMessage, message_id) or session.get(Notice, message_id)
            assert found is not None
            return found

    @contextlib.contextmanager
    def sending(self, *, threads: int | None = None, breaker: Breaker | None = None) -> Iterator[Breaker]:
        """Both lanes run in this process, as `flask sender` runs them."""
        stopping, breaker = threading.Event(), breaker or Breaker()
        paces = paces_of_texts()
        lanes = [
            LaneSender(self.config, self.engine, policy, breaker, paces[policy.lane], each)
            for policy in self.policies()
            for each in ([threads] if threads else shares(self.config, policy.lane))
        ]
        running = [threading.Thread(target=lane.run, args=(stopping,)) for lane in lanes]
        for thread in running:
            thread.start()
        try:
            yield breaker
        finally:
            stopping.set()
            for thread in running:
                thread.join()

    def policies(self) -> list[LanePolicy]:
        return policies(self.config)


def settle_as_accepted(
    engine: Engine, policy: LanePolicy, before_it: Callable[[Session], None] = lambda _: None
) -> None:
    """Claim the messages of a lane and settle them as accepted; `before_it` happens while they are being sent."""
    token, now = uuid.uuid4(), dt.datetime.now(dt.UTC)
    with Session(engine) as session, session.begin():
        claimed = claims.claim(session, policy, 500, token=token, now=now)
    with Session(engine) as session, session.begin():
        before_it(session)
    with Session(engine) as session, session.begin():
        outcomes = [Outcome(message, Verdict.ACCEPTED) for message in claimed]
        settlement.settle(session, policy, outcomes, token=token, now=now)
