"""A signed number has a plus or a minus sign, and what rounds to zero has none."""

import pytest

from portal.text.formats import signed


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (1.25, 1, "+1.2"),
        (-0.4, 1, "−0.4"),
        (-0.04, 1, "0.0"),
        (0.0, 2, "0.00"),
        (-0.005, 1, "0.0"),
        (12345, 0, "+12\u202f345"),
        (-7, 0, "−7"),
        (0, 0, "0"),
        (10, 0, "+10"),
    ],
)
def test_signed(value, digits, written):
    assert signed(value, digits) == written
