"""Elapsed and processor time of a step, and the load by other processes."""

import time

from allocation.benchmark import timing as machine


def test_work_is_processor_time_and_sleep_is_not():
    work = machine.time_call(lambda: sum(range(200_000)))
    assert 0 < work.cpu <= work.wall * 1.5 and work.waited >= 0
    pause = machine.time_call(lambda: time.sleep(0.01))
    assert pause.wall >= 0.01 > pause.cpu


def test_what_others_had_is_a_share_or_not_known(monkeypatch, tmp_path):
    found = machine.MachineLoad().figures()
    assert found["load_after"] >= 0
    statistics = tmp_path / "stat"
    monkeypatch.setattr(machine, "STATISTICS", statistics)
    monkeypatch.setattr(machine, "SCHEDULER", statistics)
    assert machine.MachineLoad().figures()["share_of_cores_used_by_others"] is None
    assert machine.time_call(int).waited == 0
    statistics.write_text("cpu 10 20 30 1000 2000 5 6 7 0 0\n")
    assert machine._busy() * machine.os.sysconf("SC_CLK_TCK") == 10 + 20 + 30 + 5 + 6 + 7
    before = machine.MachineLoad()
    statistics.write_text("cpu 10 20 31 1009 2009 5 6 7 0 0\n")
    before.begun -= 1  # a hundredth of a second of others in more than a second
    assert before.figures()["share_of_cores_used_by_others"] <= 0.01
