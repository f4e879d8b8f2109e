"""Without the compiler, so that each line is seen: the tests reach every branch of the engine."""

import pytest

from tests.engine import reached


@pytest.mark.slow
def test_every_branch_of_the_engine_is_reached():
    done = reached.run()
    assert done.returncode == 0, done.stdout
    assert "Required test coverage of 100% reached. Total coverage: 100.00%" in done.stdout
