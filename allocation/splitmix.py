"""SplitMix64 (Steele, Lea & Flood 2014): random numbers for simulations, the same for the same state on every machine."""

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit


@jit
def mix(value: int | np.uint64) -> np.uint64:
    """SplitMix64: the ``value``-th number of a fixed sequence (uint64)."""
    z = np.uint64(value) * np.uint64(0x9E37_79B9_7F4A_7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))


@jit
def below(state: Array, limit: int) -> np.int64:
    """A number from 0 to ``limit - 1``; the state is advanced."""
    state[0] += np.uint64(1)
    return np.int64((mix(state[0]) >> np.uint64(33)) % np.uint64(limit))
