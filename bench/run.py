"""Measures a run for a city: `python -m bench.run [--children N] [--json FILE] [--without-engine]`.

Freeze, seed, run with its checks, signatures, preparation and opening, with the functions that the worker calls, in a
PostgreSQL of its own, with the settings of `deploy/postgresql.conf`, that holds a city made by `bench.large_city`.  The reference
is the time of COPYing the same rows out and in, directly afterwards.  The goal is 3 times that, and 1 GB.

At the end the engine alone, with as many children: the check of a displacement chain (ENG03), and its commands from files to files
and on a bundle (ENG12).  Their goals are those of 250,000 children.
"""

import argparse
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from allocation import compilation
from allocation.benchmark import measurements
from allocation.warmup import compile_all
from bench.city import MEGA, Figures, Watch, copied, draw, process_of
from bench.large_city import build, database
from bench.machine import Machine, beside_goals, machine_line
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
        settle(engine)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as worker:
            return worker.submit(_in_a_worker, postgres.url("city"), process_of(postgres), keys).result()


def _in_a_worker(url: str, server: int, keys: Keys) -> dict[str, Any]:
    """The steps in a process that has not built the city, and each in a fork of it, as the worker runs its jobs."""
    vault.unlock(keys)
    compilation.return_freed_memory()
    engine, watch = open_engine(url), Watch(server)
    machine = Machine(watch.database_cpu)
    draw(engine, watch, in_a_fork(engine))
    copied(engine, watch)
    watch.end()
    engine.dispose()
    return summary(watch) | machine.description()


def settle(engine: Engine) -> None:
    """What a real city has had weeks for: rows that nobody writes any more are known as such, and lie in their files."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        connection.execute(text("CHECKPOINT"))


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
        "database_cpu_seconds": round(watch.database_total(), 1),
        "database_cpu_seconds_of_steps": round(sum(step["database_cpu"] for step in watch.steps.values()), 1),
        "steps": watch.steps,
    }


def of_the_engine(children: int) -> dict[str, Any]:
    """The figures of ENG03 and ENG12, and the goals of those that have one."""
    machine = Machine()
    compile_all()
    found = measurements.chain_figures(children) | measurements.file_figures(children)
    goals = {name: goal for name, goal in measurements.GOALS.items() if name in found}
    return found | {"children": children, "goals": goals} | machine.description()


def table(found: dict[str, Any]) -> str:
    rows = [
        ("run to COPY, by the clock", f"{found['to_copy']:.1f} ×", f"≤ {GOAL:g} ×"),
        ("run to COPY, by processor time", f"{found['to_copy_in_cpu']:.1f} ×", f"≤ {GOAL:g} ×"),
        ("most memory of a step, MB", found["megabytes"], f"≤ {MEMORY}"),
        ("run, seconds", found["run_seconds"], ""),
        ("COPY, seconds", found["copy_seconds"], ""),
        ("run, processor seconds", found["run_cpu_seconds"], ""),
        ("COPY, processor seconds", found["copy_cpu_seconds"], ""),
        ("database, MB", found["database_megabytes"], ""),
        ("database, processor seconds", found["database_cpu_seconds"], ""),
        ("  of them in steps", found["database_cpu_seconds_of_steps"], ""),
    ]
    return f"{machine_line(found)}, {found['children']} children\n{beside_goals(rows)}"


def engine_table(found: dict[str, Any]) -> str:
    names = {
        "chain_check_cpu_s": "ENG03: check of a displacement chain, processor s",
        "files_to_files_cpu_s": "ENG12: files to files, processor s",
        "files_to_files_mb": "ENG12: files to files, MB",
        "verify_cpu_s": "ENG12: verify, processor s",
    }
    at = "" if found["children"] == measurements.GOALS_AT else f" at {measurements.GOALS_AT} children"
    rows = [(text, found[name], f"≤ {found['goals'][name]:g}{at}") for name, text in names.items()]
    return f"the engine alone, {found['children']} children: {machine_line(found)}\n{beside_goals(rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=250_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--without-engine", action="store_true", help="leave out ENG03 and ENG12")
    asked = parser.parse_args()
    found = {"children": asked.children, **measured(asked.children)}
    print(table(found), flush=True)
    _write(asked.json, found)
    if not asked.without_engine:
        found["engine"] = of_the_engine(asked.children)
        print(engine_table(found["engine"]), flush=True)
        _write(asked.json, found)


def _write(file: Path | None, found: dict[str, Any]) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
