"""TRU15, R8: page processes that end in order (SIGTERM) leave their socket to the next ones; found by `make torture`."""

import contextlib

import pytest

from tests.operations.serving import Serving, eventually, serving


def answers(portal: Serving) -> bool:
    with contextlib.suppress(OSError):  # a request waits at the socket while the next ones start
        return portal.get("/")[0] == 200
    return False


@pytest.mark.long
@pytest.mark.slow
def test_tru15_after_a_restart_in_order_families_are_served_again(tmp_path):
    tmp_path.chmod(0o755)
    with serving(tmp_path) as portal:
        portal.hear("ready at")
        before = portal.child("--name families")
        before.terminate()
        eventually(lambda: portal.has_another("--name families", before))
        eventually(lambda: answers(portal))
