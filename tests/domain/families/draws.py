"""What Hypothesis draws for an act."""

from hypothesis import strategies as st

WHO = st.integers(0, 9)
"""Which person of a family acts: mostly one of its guardians, sometimes a stranger."""
CHILD = st.integers(0, 11)
ORDER = st.permutations(range(3))
NAMES = ("周一一", "周二二", "周三三")
RARELY = st.integers(0, 2)
"""An act that few families make: it is left out unless this is 0."""
