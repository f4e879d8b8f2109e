"""SHA-256 (FIPS 180-4) of many short texts, each after the same prefix, in one compiled loop."""

from math import isqrt

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit


def _constants() -> tuple[Array, Array]:
    """The first 32 bits of the fractions of cube roots (64) and square roots (8) of the first primes."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, isqrt(n) + 1))]
    cubes = [_cube_root(p << 96) & 0xFFFF_FFFF for p in primes]
    squares = [isqrt(p << 64) & 0xFFFF_FFFF for p in primes[:8]]
    return np.array(cubes, dtype=np.uint32), np.array(squares, dtype=np.uint32)


def _cube_root(value: int) -> int:
    """The whole part of a cube root."""
    found: int = round(value ** (1 / 3))
    while found**3 > value:
        found -= 1
    while (found + 1) ** 3 <= value:
        found += 1
    return found


ROUND, START = _constants()
LANES = 32  # texts that are hashed side by side, which the compiler turns into vector instructions


def digests(prefix: bytes, texts: Array, starts: Array) -> Array:
    """SHA-256 of ``prefix + text`` for each text (uint8[k, 32]).

    ``texts`` (uint8) holds all texts one after the other; text ``i`` is ``texts[starts[i]:starts[i + 1]]``.
    """
    out = np.empty((len(starts) - 1, 32), dtype=np.uint8)
    longest = int(np.diff(starts).max(initial=0)) + len(prefix)
    message = np.zeros((LANES, 64 * ((longest + 9 + 63) // 64)), dtype=np.uint8)
    message[:, : len(prefix)] = np.frombuffer(prefix, dtype=np.uint8)
    with np.errstate(over="ignore"):  # sums are meant modulo 2**32
        _digest_all(message, len(prefix), texts, starts, ROUND, START, out)
    return out


@jit
def _digest_all(
    message: Array, prefix: int, texts: Array, starts: Array, rounds: Array, start: Array, out: Array
) -> None:
    """As :func:`digests`; row ``lane`` of ``message`` begins with the prefix and has room for the longest text."""
    words = np.empty((64, LANES), dtype=np.uint32)
    state, mixed = np.empty((8, LANES), dtype=np.uint32), np.empty((8, LANES), dtype=np.uint32)
    blocks = np.empty(LANES, dtype=np.int64)
    count = starts.shape[0] - 1
    for first in range(0, count, LANES):
        lanes = min(LANES, count - first)
        for lane in range(lanes):
            blocks[lane] = _pad(message[lane], prefix, texts[starts[first + lane] : starts[first + lane + 1]])
        for word in range(8):
            state[word, :] = start[word]
        for block in range(blocks[:lanes].max()):
            _compress(message, 64 * block, words, state, mixed, rounds)
            for word in range(8):
                for lane in range(lanes):
                    if block < blocks[lane]:
                        state[word, lane] += mixed[word, lane]
        for lane in range(lanes):
            for word in range(8):
                for at in range(4):
                    out[first + lane, 4 * word + at] = (state[word, lane] >> np.uint32(24 - 8 * at)) & np.uint32(0xFF)


@jit
def _pad(message: Array, prefix: int, text: Array) -> int:
    """Write the text after the prefix, then the padding (FIPS 180-4, 5.1.1); the number of blocks."""
    length = prefix + len(text)
    for at in range(len(text)):
        message[prefix + at] = text[at]
    blocks = (length + 9 + 63) // 64
    message[length] = 0x80
    for at in range(length + 1, 64 * blocks):
        message[at] = 0
    for at in range(8):
        message[64 * blocks - 1 - at] = ((8 * length) >> (8 * at)) & 0xFF
    return blocks


@jit
def _turn(x: np.uint32, n: int) -> np.uint32:
    return (x >> np.uint32(n)) | (x << np.uint32(32 - n))


@jit
def _compress(message: Array, base: int, words: Array, state: Array, mixed: Array, rounds: Array) -> None:
    """Mix the block of each message from ``base`` on with ``state`` into ``mixed`` (FIPS 180-4, 6.2.2).

    The registers a to h are not moved from round to round: in round ``t``, register ``r`` is ``mixed[(r - t) % 8]``.
    All lanes are mixed, also those without a text: loops of a fixed length become vector instructions.
    """
    for t in range(16):
        for lane in range(LANES):
            at = base + 4 * t
            words[t, lane] = (
                (np.uint32(message[lane, at]) << np.uint32(24))
                | (np.uint32(message[lane, at + 1]) << np.uint32(16))
                | (np.uint32(message[lane, at + 2]) << np.uint32(8))
                | np.uint32(message[lane, at + 3])
            )
    for t in range(16, 64):
        for lane in range(LANES):
            x, y = words[t - 15, lane], words[t - 2, lane]
            small = _turn(x, 7) ^ _turn(x, 18) ^ (x >> np.uint32(3))
            large = _turn(y, 17) ^ _turn(y, 19) ^ (y >> np.uint32(10))
            words[t, lane] = np.uint32(words[t - 16, lane] + small + words[t - 7, lane] + large)
    mixed[:] = state
    for t in range(64):
        for lane in range(LANES):
            a, b, c, d = (mixed[-t & 7, lane], mixed[1 - t & 7, lane], mixed[2 - t & 7, lane], mixed[3 - t & 7, lane])
            e, f, g, h = (
                mixed[4 - t & 7, lane], mixed[5 - t & 7, lane], mixed[6 - t & 7, lane], mixed[7 - t & 7, lane]
            )  # fmt: skip
            chosen = (e & f) ^ (~e & g)
            one = np.uint32(h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + chosen + rounds[t] + words[t, lane])
            most = (a & b) ^ (a & c) ^ (b & c)
            two = np.uint32((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + most)
            mixed[3 - t & 7, lane] = np.uint32(d + one)
            mixed[7 - t & 7, lane] = np.uint32(one + two)
