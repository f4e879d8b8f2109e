"""The two lanes of messages and their rules: how long a claim lasts, when to try again, and when to give up."""

import datetime as dt
import random
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """`CODES` are one-time codes, for which a person waits; `NOTICES` are all other messages; `WECHAT` are notices that also
    go to WeChat."""

    CODES = "codes"
    NOTICES = "notices"
    WECHAT = "wechat"


TEXT_LANES = (Lane.CODES, Lane.NOTICES)
"""The lanes that every sender has."""


class Uncertain(StrEnum):
    """What is done with a message whose sending broke off, so that it may or may not have been accepted.

    `SEND_AGAIN` is at least once: nothing is lost, and a gateway that knows idempotency keys sends nothing twice.
    `GIVE_UP` is at most once, for a gateway that knows none: nothing is sent twice, and the desk is told what may be lost.
    """

    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True)
class LanePolicy:
    """`first_wait` is doubled with each try, up to `longest_wait`; `give_up_after` is the sum of the waits.

    Only tries count that failed while the gateway served others, so a gateway that is down for days uses up none.
    """

    lane: Lane
    lease: dt.timedelta
    first_wait: dt.timedelta
    longest_wait: dt.timedelta
    give_up_after: dt.timedelta
    uncertain: Uncertain = Uncertain.SEND_AGAIN

    def wait(self, tries: int) -> dt.timedelta:
        """The wait after this many tries, without jitter."""
        doubled: dt.timedelta = self.first_wait * 2 ** min(tries - 1, 20)
        return min(doubled, self.longest_wait)

    def wait_with_jitter(self, tries: int) -> dt.timedelta:
        """Between three and five quarters of the wait, so that what failed together is not tried together."""
        return self.wait(tries) * random.uniform(0.75, 1.25)

    @property
    def most_tries(self) -> int:
        """The number of tries that fit into `give_up_after`."""
        tries, waited = 1, dt.timedelta()
        while (waited := waited + self.wait(tries)) < self.give_up_after:
            tries += 1
        return tries


def policy_of_codes(uncertain: Uncertain = Uncertain.SEND_AGAIN) -> LanePolicy:
    """A code is tried until it expires, which `claims.expire_codes` sees."""
    seconds = dt.timedelta(seconds=1)
    return LanePolicy(Lane.CODES, 15 * seconds, 2 * seconds, 20 * seconds, dt.timedelta(hours=1), uncertain)


def policy_of_notices(give_up_hours: int = 24, uncertain: Uncertain = Uncertain.SEND_AGAIN) -> LanePolicy:
    seconds = dt.timedelta(seconds=1)
    return LanePolicy(
        Lane.NOTICES, 15 * seconds, 15 * seconds, dt.timedelta(hours=1), dt.timedelta(hours=give_up_hours), uncertain
    )


def policy_of_wechat(give_up_hours: int = 24) -> LanePolicy:
    """WeChat knows the key of a message, so one that may have been sent is sent again."""
    seconds = dt.timedelta(seconds=1)
    return LanePolicy(Lane.WECHAT, 15 * seconds, 15 * seconds, dt.timedelta(hours=1), dt.timedelta(hours=give_up_hours))
