"""Measures a run for a city: `python -m bench.run [--children N] [--json FILE]`.

Freeze, seed, run with its checks, signatures, preparation and opening, with the functions that the worker calls, in a
PostgreSQL of its own that holds a city made by `bench.large_city`.  The reference is the time of COPYing the same rows out
and in, directly afterwards.  The goal is 3 times that, and 1 GB.
"""

import argparse
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from allocation.benchmark.timing import MachineLoad
from bench.city import MEGA, Figures, Watch, copied, draw, process_of
from bench.large_city import build, database
from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys

GOAL, MEMORY = 3.0, 1024  # times the COPY; megabytes
STEPS = ("freeze", "seed", "start", "run", "sign", "prepare", "open", "clear")
COPIES = ("copy freeze", "copy run", "copy open")


def measured(children: int) -> dict[str, Any]:
    """All steps of a run, and the COPY of the rows that they read and wrote."""
    with database() as (postgres, engine, keys):
        build(engine, children, "review")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as worker:
            return worker.submit(_in_a_worker, postgres.url("city"), process_of(postgres), keys).result()


def _in_a_worker(url: str, server: int, keys: Keys) -> dict[str, Any]:
    """The steps in a process that has not built the city, and each in a fork of it, as the worker runs its jobs."""
    vault.unlock(keys)
    engine, load, watch = open_engine(url), MachineLoad(), Watch(server)
    draw(engine, watch, in_a_fork(engine))
    copied(engine, watch)
    watch.end()
    engine.dispose()
    return summary(watch) | load.figures()


def in_a_fork(engine: Engine) -> Callable[[Callable[[], Figures]], Figures]:
    """Runs each step in a fork, as the worker runs each job: what one step has freed does not count for the next."""
    context = multiprocessing.get_context("fork")

    def run(step: Callable[[], Figures]) -> Figures:
        ours, theirs = context.Pipe(duplex=False)

        def work() -> None:
            engine.dispose(close=False)
            theirs.send(step())

        child = context.Process(target=work)
        child.start()
        theirs.close()
        figures: Figures = ours.recv()
        child.join()
        return figures

    return run


def summary(watch: Watch) -> dict[str, Any]:
    def total(names: tuple[str, ...], *parts: str) -> float:
        return sum(watch.steps[name][part] for name in names for part in parts)

    wall, copy_wall = total(STEPS, "seconds"), total(COPIES, "seconds")
    cpu, copy_cpu = (total(names, "cpu", "database_cpu") for names in (STEPS, COPIES))
    return {
        "run_seconds": round(wall, 1),
        "copy_seconds": round(copy_wall, 1),
        "to_copy": round(wall / copy_wall, 1),
        "run_cpu_seconds": round(cpu, 1),
        "copy_cpu_seconds": round(copy_cpu, 1),
        "to_copy_in_cpu": round(cpu / copy_cpu, 1),
        "goal_to_copy": GOAL,
        "megabytes": max(watch.steps[name]["megabytes"] for name in STEPS),
        "database_megabytes": watch.database_peak // MEGA,
        "goal_megabytes": MEMORY,
        "steps": watch.steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=250_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    found = {"children": asked.children, **measured(asked.children)}
    for name, value in found.items():
        if name != "steps":
            print(f"{name.replace('_', ' '):32}{value}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
