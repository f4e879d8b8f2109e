"""Random families of several children and guardians play a whole season; nothing of theirs changes in passing."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.families.season import Season


def play(engine, now, *, examples: int, steps: int) -> None:
    machine = type("Play", (Season,), {"engine": engine, "now": now})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.slow
def test_nothing_of_a_family_changes_without_an_act_that_says_so(engine, now):
    play(engine, now, examples=2, steps=30)
