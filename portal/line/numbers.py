"""The numbers of the line in Valkey, shared by all hosts.  While it is away, each host goes on with what it knows."""

import contextlib
import time
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

LAST, TURN = "line:last", "line:turn"

ADVANCE = """
local last = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
local turn = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[2]))
turn = math.min(last, turn + tonumber(ARGV[3]))
redis.call('SET', KEYS[1], last)
redis.call('SET', KEYS[2], turn)
return {last, turn}
"""
"""What was flushed is written again from the memory of the hosts, and a number is never given twice."""

NEXT = """
local last = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], last)
return last
"""

PATIENCE = 0.2
AGAIN = 2.0
"""Seconds without Valkey before it is asked again."""


class Numbers:
    def __init__(self, url: str):
        self.client = redis.asyncio.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self.away_until = 0.0

    async def advance(self, last: int, turn: int, by: int) -> tuple[int, int]:
        """Let `by` more numbers come in; the newest number and the turn of all hosts.  `last` and `turn` are known here."""
        answer = await self._run(ADVANCE, (LAST, TURN), (last, turn, by))
        return (int(answer[0]), int(answer[1])) if answer is not None else (last, min(last, turn + by))

    async def next(self, last: int) -> int | None:
        """A new number of all hosts, higher than `last`; None while Valkey is away, when the caller counts on by itself.

        Many wait here at once with the same `last`, so nothing that follows from it alone is a number of one of them.
        """
        answer = await self._run(NEXT, (LAST,), (last,))
        return int(answer) if answer is not None else None

    async def _run(self, script: str, keys: tuple[str, ...], values: tuple[int, ...]) -> Any:
        if time.monotonic() < self.away_until:
            return None
        try:
            return await self.client.eval(script, len(keys), *keys, *values)
        except (RedisError, OSError):
            self.away_until = time.monotonic() + AGAIN
            return None

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self.client.aclose()
