"""The measurement of notices draws what the portal draws today."""

from bench import notices


def test_p5_the_measured_notices_can_be_drawn():
    found = notices.measured(1)
    assert found["bytes"] > 10_000
    assert found["per_second_and_core"] > 0
