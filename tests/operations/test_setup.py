"""`make setup`: quick when there is nothing to do, and useful without the right to install anything."""

import os
import subprocess
import time

from tests.operations.serving import ROOT


def run(*arguments, path_before=None):
    path = os.environ["PATH"] if path_before is None else f"{path_before}:{os.environ['PATH']}"
    return subprocess.run(
        [".ci/setup", *arguments],
        cwd=ROOT,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_second_setup_does_nothing_and_is_quick():
    assert run("--test").returncode == 0
    began = time.monotonic()
    again = run("--test")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert time.monotonic() - began < 10


def test_without_the_right_to_install_it_says_the_one_line_and_goes_on(tmp_path):
    """Nobody in particular, on a machine where no library is found."""
    for name, answer in (("ldconfig", ""), ("id", "echo 1000"), ("sudo", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    ended = run(path_before=tmp_path)
    assert ended.returncode == 0
    assert "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in ended.stderr
