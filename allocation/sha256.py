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


def digests(prefix: bytes, texts: Array, starts: Array) -> Array:
    """SHA-256 of ``prefix + text`` for each text (uint8[k, 32]).

    ``texts`` (uint8) holds all texts one after the other; text ``i`` is ``texts[starts[i]:starts[i + 1]]``.
    """
    out = np.empty((len(starts) - 1, 32), dtype=np.uint8)
    longest = int(np.diff(starts).max(initial=0)) + len(prefix)
    block = np.zeros(64 * ((longest + 9 + 63) // 64), dtype=np.uint8)
    block[: len(prefix)] = np.frombuffer(prefix, dtype=np.uint8)
    with np.errstate(over="ignore"):  # sums are meant modulo 2**32
        _digest_all(block, len(prefix), texts, starts, ROUND, START, out)
    return out


@jit
def _digest_all(
    block: Array, prefix: int, texts: Array, starts: Array, rounds: Array, start: Array, out: Array
) -> None:
    words = np.empty(64, dtype=np.uint32)
    state = np.empty(8, dtype=np.uint32)
    for i in range(starts.shape[0] - 1):
        length = prefix
        for at in range(starts[i], starts[i + 1]):
            block[length] = texts[at]
            length += 1
        blocks = (length + 9 + 63) // 64
        block[length] = 0x80
        for at in range(length + 1, 64 * blocks):
            block[at] = 0
        for at in range(8):
            block[64 * blocks - 1 - at] = ((8 * length) >> (8 * at)) & 0xFF
        state[:] = start
        for b in range(blocks):
            _compress(block, 64 * b, words, state, rounds)
        for word in range(8):
            for at in range(4):
                out[i, 4 * word + at] = (state[word] >> np.uint32(24 - 8 * at)) & np.uint32(0xFF)


@jit
def _turn(x: np.uint32, n: int) -> np.uint32:
    return (x >> np.uint32(n)) | (x << np.uint32(32 - n))


@jit
def _compress(block: Array, base: int, words: Array, state: Array, rounds: Array) -> None:
    """One block into the state (FIPS 180-4, 6.2.2)."""
    for t in range(16):
        words[t] = (
            (np.uint32(block[base + 4 * t]) << np.uint32(24))
            | (np.uint32(block[base + 4 * t + 1]) << np.uint32(16))
            | (np.uint32(block[base + 4 * t + 2]) << np.uint32(8))
            | np.uint32(block[base + 4 * t + 3])
        )
    for t in range(16, 64):
        x, y = words[t - 15], words[t - 2]
        small = _turn(x, 7) ^ _turn(x, 18) ^ (x >> np.uint32(3))
        large = _turn(y, 17) ^ _turn(y, 19) ^ (y >> np.uint32(10))
        words[t] = np.uint32(words[t - 16] + small + words[t - 7] + large)
    a, b, c, d = state[0], state[1], state[2], state[3]
    e, f, g, h = state[4], state[5], state[6], state[7]
    for t in range(64):
        chosen = (e & f) ^ (~e & g)
        one = np.uint32(h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + chosen + rounds[t] + words[t])
        most = (a & b) ^ (a & c) ^ (b & c)
        two = np.uint32((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + most)
        h, g, f, e = g, f, e, np.uint32(d + one)
        d, c, b, a = c, b, a, np.uint32(one + two)
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h
