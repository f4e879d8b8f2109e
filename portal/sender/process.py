"""The process of `flask sender`: two lanes with their own connections, until SIGTERM."""

import signal
import threading
from types import FrameType

from flask import Flask

from enrollment.delivery.lanes import Lane, LanePolicy, policy_of_codes, policy_of_notices, policy_of_wechat
from enrollment.ground.db import open_engine
from portal.config import Config
from portal.sender.breaker import Breaker
from portal.sender.lane import LaneSender
from portal.sender.pace import Pace, paces_of_texts
from portal.web.unit_of_work import services

CODE_CONNECTIONS = 8
WECHAT_CONNECTIONS = 8
INBOX_CONNECTIONS = 2
"""Threads of a lane in the demo, where the gateway is a table."""

NOTICE_SENDERS, FEW = 2, 16
"""With fewer connections than `FEW` the gateway is the limit, and one sender is enough."""


def policies(config: Config) -> list[LanePolicy]:
    texts = [
        policy_of_codes(config.uncertain_codes),
        policy_of_notices(config.message_give_up_hours, config.uncertain_notices),
    ]
    return texts if config.wechat is None else [*texts, policy_of_wechat(config.message_give_up_hours)]


def connections(config: Config, lane: Lane) -> int:
    if lane == Lane.WECHAT:
        return WECHAT_CONNECTIONS
    if not config.message_gateway:
        return INBOX_CONNECTIONS
    return CODE_CONNECTIONS if lane == Lane.CODES else config.message_connections


def shares(config: Config, lane: Lane) -> list[int]:
    """The threads of each sender of a lane.  Notices have two: one stores and claims in the database while the other sends."""
    count = connections(config, lane)
    senders = NOTICE_SENDERS if lane == Lane.NOTICES and count >= FEW else 1
    return [count // senders + (number < count % senders) for number in range(senders)]


def lanes(config: Config) -> list[LaneSender]:
    """The lanes, each sender with its own connections to the database; the gateway of texts is down for both of its lanes or for
    none, WeChat for itself.  A pause is one lane's."""
    of_texts, of_wechat = Breaker(), Breaker()
    paces = {**paces_of_texts(), Lane.WECHAT: Pace(Lane.WECHAT)}
    found = []
    for policy in policies(config):
        breaker = of_wechat if policy.lane == Lane.WECHAT else of_texts
        for threads in shares(config, policy.lane):
            engine = open_engine(config.database_url, pool_size=1, max_overflow=INBOX_CONNECTIONS)
            found.append(LaneSender(config, engine, policy, breaker, paces[policy.lane], threads))
    return found


def serve(app: Flask) -> None:
    """Send messages until SIGTERM; then finish those in hand."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with app.app_context():
        running = [
            threading.Thread(target=lane.run, args=(stopping,), name=str(number))
            for number, lane in enumerate(lanes(services().config))
        ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
