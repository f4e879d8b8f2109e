"""What the benches compute from what they measured."""

import itertools
import math
import subprocess
import sys
import time

import psutil
import pytest

from bench import machine
from bench.families import Seen
from bench.rehearsal import (
    after_overload,
    codes_per_address,
    goodput_of_the_line,
    normal_again,
    of_desk,
    work_that_waited,
)
from bench.web import paths
from bench.web.__main__ import table

SERVER = """
import subprocess, sys
for _ in range(12):
    subprocess.run([sys.executable, "-S", "-E", "-c", "sum(range(1_000_000))"], check=True)
sys.stdin.read()
"""


def test_processor_time_of_children_that_end_is_counted_once():
    server = subprocess.Popen([sys.executable, "-S", "-E", "-c", SERVER], stdin=subprocess.PIPE)
    samples: list[float] = []
    limit = time.monotonic() + 60
    while psutil.Process(server.pid).children() or len(samples) < 20 or samples[-1] != samples[-20]:
        samples.append(machine.of_server(server.pid))
        time.sleep(0.005)
        assert time.monotonic() < limit
    server.communicate()
    ticks = 0.02  # a child's ticks are rounded down while it runs
    assert all(later >= sooner - ticks for sooner, later in itertools.pairwise(samples))
    assert max(samples) <= samples[-1] + ticks


def seen(at: float, seconds: float = 0.1, *, waited: bool = False) -> Seen:
    return Seen("page", at, seconds, 503 if waited else 200, waited)


def test_normal_again_is_when_pages_are_quick_and_nobody_waits_in_line():
    quick = [seen(each) for each in range(100, 140)]
    assert normal_again(quick, 100) == 0
    assert normal_again([*quick, seen(103.5, 2.0)], 100) == 4
    assert normal_again([*quick, seen(107.5, waited=True)], 100) == 8
    assert normal_again([seen(each, 2.0) for each in range(100, 140)], 100) == math.inf
    assert normal_again([seen(99, 2.0), *quick], 100) == 0


def test_work_that_waited_is_the_line_at_the_best_rate():
    assert work_that_waited(0, 10, 10, 30) == 0
    assert work_that_waited(100, 20, 10, 30) == 10
    assert work_that_waited(400, 20, 10, 30) == 30 + 100 / 20
    assert work_that_waited(100, 10, 20, 30) == 30 + 400 / 10


def test_what_is_normal_again_for_those_inside_and_for_those_who_come():
    """Of three families two come in at once, one waits for ten seconds from the end of the overload on, all ask for pages."""
    homes = [Seen("home", at, 0.1, 503 if waited else 200, waited, new) for at, waited, new in (
        (5, False, True), (21, True, True), (31, False, False), (35, False, True),
    )]  # fmt: skip
    pages = [Seen("page", at, 2.0 if at < 24 else 0.1, 200, waited=False) for at in range(20, 80)]
    new = [Seen("home", at, 0.1, 200, waited=False, new=True) for at in range(40, 80)]
    found = after_overload([*homes, *pages, *new], [0, 10, 20, 80], 1.0)
    assert found["normal again after, s"] == 4
    assert found["pages quick again after, s"] == 4
    assert found["new families let in at once after, s"] == 6


def test_goodput_of_the_line_begins_with_the_first_page_of_the_line():
    rates = [1.0] * 14 + [4.0] * 6
    assert goodput_of_the_line([seen(13.2, waited=True)], rates, [0, 10, 20, 30], 5.0) == 0.8
    assert goodput_of_the_line([seen(12)], rates, [0, 10, 20, 30], 5.0) == math.inf


def test_a_desk_is_measured_before_during_and_after_an_overload():
    looks = [seen(5, 0.2), seen(15, 0.4), seen(25, 0.3), seen(26, waited=True)]
    found = of_desk(looks, [0, 10, 20, 30])
    assert [found[f"a clerk's queue {part}, p99, s"] for part in ("before", "at overload", "after")] == [0.2, 0.4, 0.3]
    assert found["a clerk's queue, errors"] == 1


@pytest.mark.parametrize(("families", "most"), [(600, 600), (1801, 601), (250_000, 83_334)])
def test_codes_of_an_address_follow_the_formula_of_the_deployment(families, most):
    assert codes_per_address(families) == most


def test_a_table_has_each_figure_beside_its_goal():
    row = {
        "path": "status", "statements": 2, "python_ms": 5.0, "postgres_ms": 1.0, "bytes": 9, "rate": 100.0, "p99_ms": 200.0, "ratio": 0.05,
        "cpu_ratio": 0.04, "rival": "hello", "beside": 2000.0, "others": 0.01, "p99_many_ms": 1300.0,
        "goals": {"statements": 3, "p99_many_ms": 1280, "ratio": 0.12, "stretch": 0.25},
    }  # fmt: skip
    line = table([row]).splitlines()[-1]
    for figure in ("2 (≤ 3)", "1300 (≤ 1280)", "5.0% (≥ 12.0%, 25.0%)"):
        assert f"| {figure} |" in line
    assert paths.OTHER_WRITE.ratio == paths.SUBMISSION.ratio / 2
    description = machine.Machine().description()
    assert f"{description['cores']} cores" in machine.machine_line(description)
