"""OFF13: the processes of a city that is no demo start from its settings, are heard of, and end when they are told to."""

import subprocess
import sys

import pytest

from portal.operations import doctor
from tests.operations.serving import ROOT, environment, eventually
from tests.portal.commands.test_every_command import PROCESSES, settings_of_a_city
from tests.support.keys import write_key_file


@pytest.mark.long
def test_off13_worker_and_scheduler_are_heard_of_and_end_when_told(addresses, real_database, redis_url, tmp_path):
    settings = settings_of_a_city(addresses, real_database, redis_url, write_key_file(tmp_path / "keys.json"))
    log_file = tmp_path / "log"
    with log_file.open("a") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", *(part.format(folder=tmp_path) for part in command)],
                cwd=ROOT,
                env=environment(tmp_path, **settings),
                stdout=log,
                stderr=log,
            )
            for command in PROCESSES
        ]
    try:
        eventually(
            lambda: all(each.well for each in doctor.examine(real_database, redis_url) if each.part != "letters")
        )
    finally:
        for process in started:
            process.terminate()
        ended = [process.wait(60) for process in started]
    assert set(ended) == {0}, log_file.read_text()
