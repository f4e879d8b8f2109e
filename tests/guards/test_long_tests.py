"""What `make test` may leave to `make test-long` (docs/adr/0017-two-commands-for-the-tests.md)."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.conftest import COLLECTED
from tests.support.findings import finding_of

NEVER_LONG = ("tests/domain/", "tests/guards/", "tests/portal/", "tests/browser/test_smoke.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def collected(request) -> list[pytest.Item]:
    """Every test of the repository, whatever `-m` chose."""
    items = request.config.stash[COLLECTED]
    folders = {item.nodeid.split("/")[1] for item in items}
    if not folders >= {each.parent.name for each in (ROOT / "tests").glob("*/test_*.py")}:
        pytest.skip("judged where the whole suite is collected, as `make test` does")
    return items


def is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def test_every_finding_has_a_test_in_make_test(collected):
    tests = defaultdict(list)
    for item in collected:
        if finding := finding_of(item):
            tests[finding].append(item)
    assert tests
    assert [finding for finding, items in tests.items() if all(map(is_long, items))] == []


def test_no_guard_and_no_story_and_no_page_is_long(collected):
    assert [item.nodeid for item in collected if item.nodeid.startswith(NEVER_LONG) and is_long(item)] == []


def test_each_command_has_tests(collected):
    assert any(map(is_long, collected))
    assert not all(map(is_long, collected))
