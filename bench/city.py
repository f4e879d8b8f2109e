"""Measures the building of a demo city and its draw: `python -m bench.city [--children N] [--through review] [--json]`.

It starts a PostgreSQL of its own, builds the city as `flask demo` does, and takes it through freeze, seed, run and
publication with the service functions that the worker calls.  It prints wall time and CPU time (of the process and of
the database) for each step, and the load of the machine.  The reference of a run is the time of COPYing the same rows
out and in, measured directly after it: the goal is a ratio of at most 3.
"""

import argparse
import contextlib
import datetime as dt
import io
import json
import os
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from bench import machine
from enrollment.draw import execution, run_input, runs, snapshot
from enrollment.draw.publication import opening, preparation
from enrollment.draw.run_rows import Run
from enrollment.draw.seed import seeding
from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from enrollment.season.rounds import Round
from portal.demo import people, season
from portal.demo.actors import simulated_witnesses
from portal.demo.city_builder import STEPS, CityBuilder
from portal.operations.embedded import Postgres
from portal.operations.migrations import upgrade

Figures = dict[str, float]

MEGA = 1 << 20
LONGEST_END = 30
"""Seconds that a backend may take to end when its connection is closed."""
GOALS = {3_000: 60, 120_000: 15 * 60, 250_000: 30 * 60}
"""Seconds for a city in its registration, by the number of children; a city between two has the smaller one's."""

READ = {
    "freeze": ("application", "wish", "verified_fact"),
    "run": ("snapshot", "ticket"),
    "open": ("placement", "application", "guardianship"),
}
WRITTEN = {
    "freeze": ("snapshot", "ticket"),
    "run": ("run", "placement", "wish_reason", "cut_off", "opening"),
    "open": ("offer", "offer_move", "notice"),
}
"""The tables whose rows a step reads and writes; `freeze` with the seed."""


class Watch:
    """Time and memory of each step.  `megabytes` is the most that this process had until its end, or had together with those that
    it started; they and the database are sampled twice a second.  `cpu` is theirs too.

    The processor time of the database is that of all its processes.  A step ends when the backends of its connections have ended, so
    that what they took is in this step and in no other one.
    """

    def __init__(self, server: int):
        self.server = psutil.Process(server)
        self.steps: dict[str, Figures] = {}
        self.database_peak = 0
        self._database_before = self.database_cpu()
        self._over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self.database_peak = max(self.database_peak, together(self.server))

    def database_cpu(self) -> float:
        """Seconds since the server was started."""
        return machine.of_server(self.server.pid)

    def database_total(self) -> float:
        """Seconds of the database since this object was made: those of the steps and those between them."""
        return self.database_cpu() - self._database_before

    @contextlib.contextmanager
    def step(self, name: str, engine: Engine | None = None) -> Iterator[None]:
        """`engine`: its connections are closed at the end of the step."""
        began, ours, theirs = time.perf_counter(), own_cpu(), self.database_cpu()
        with (
            most_together(self.server) as sampled,
            contextlib.nullcontext() if engine is None else self._backends_end(engine),
        ):
            yield
        self.steps[name] = {
            "seconds": round(time.perf_counter() - began, 2),
            "cpu": round(own_cpu() - ours, 2),
            "database_cpu": round(self.database_cpu() - theirs, 2),
            "megabytes": max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, sampled[0] // MEGA),
            "load": round(os.getloadavg()[0], 1),
        }
        print(f"{name:14}" + "  ".join(f"{key} {value:8.2f}" for key, value in self.steps[name].items()), flush=True)

    @contextlib.contextmanager
    def _backends_end(self, engine: Engine) -> Iterator[None]:
        """Close the connections that are opened meanwhile, and wait until the server has waited for their backends."""
        backends: set[int] = set()

        def note(connection: Any, _record: object) -> None:
            backends.add(connection.info.backend_pid)

        engine.dispose()
        event.listen(engine, "connect", note)
        try:
            yield
        finally:
            event.remove(engine, "connect", note)
        engine.dispose()
        limit = time.monotonic() + LONGEST_END
        while backends & {child.pid for child in self.server.children()}:
            if time.monotonic() > limit:
                raise RuntimeError(f"backends of a step do not end within {LONGEST_END} s")
            time.sleep(0.005)

    def end(self) -> None:
        self._over.set()


def together(process: psutil.Process, *apart: psutil.Process) -> int:
    """Bytes of a process and of those that it started, what they share counted once; 0 when one of them has just ended.

    `apart` and what they started are left out.
    """
    with contextlib.suppress(psutil.Error):
        left_out = {one for each in apart for one in (each, *each.children(recursive=True))}
        processes = {process, *process.children(recursive=True)} - left_out
        return sum(each.memory_full_info().pss for each in processes)
    return 0


@contextlib.contextmanager
def most_together(server: psutil.Process) -> Iterator[list[int]]:
    """The most bytes of this process with those that it starts, but for the server, twice a second."""
    sampled, over, this = [0], threading.Event(), psutil.Process()

    def look() -> None:
        while not over.wait(0.5):
            sampled[0] = max(sampled[0], together(this, server))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield sampled
    finally:
        over.set()
        thread.join()


def own_cpu() -> float:
    """Seconds of processor time of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def process_of(postgres: Postgres) -> int:
    """The process of a running server."""
    assert postgres.child is not None
    assert postgres.child.process is not None
    return postgres.child.process.pid


def draw(
    engine: Engine, watch: Watch, in_its_process: Callable[[Callable[[], Figures]], Figures] = lambda step: step()
) -> None:
    """Freeze, seed, run and publication in the transactions of the worker; `in_its_process` runs a step."""
    now = season.DATES["draw"][0] + dt.timedelta(hours=1)

    @contextlib.contextmanager
    def transaction() -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def in_transactions(name: str, act: Callable[[], Figures | None]) -> None:
        def step() -> Figures:
            with watch.step(name, engine):
                more = act()
            return watch.steps[name] | (more or {})

        watch.steps[name] = in_its_process(step)

    def done(name: str, act: Callable[[Session], Figures | None]) -> None:
        def in_one() -> Figures | None:
            with transaction() as session:
                return act(session)

        in_transactions(name, in_one)

    with Session(engine) as session:
        first, second = people.actor(session, "city1"), people.actor(session, "city2")
        round_id = session.scalars(select(Round.id).where(Round.year == season.YEAR)).one()

    def compile_engine() -> Figures:
        with watch.step("compile"):
            execution.warm()
        return watch.steps["compile"]

    # a worker compiles in a job of its own: what the compiler takes is not in the memory of the other steps
    watch.steps["compile"] = in_its_process(compile_engine)
    later = now + dt.timedelta(minutes=5)
    with Session(engine) as session, session.begin():
        simulated_witnesses.declare(session, round_id, later, by=first, now=now)

    def freeze(session: Session) -> None:
        snapshot.freeze(session, round_id, by=first, now=now)

    done("freeze", freeze)
    with Session(engine) as session, session.begin():
        simulated_witnesses.enter(session, round_id, (first, second), now=later)

    def seed(session: Session) -> None:
        seeding.set_seed(session, season.YEAR, by=first, now=later)

    def start(session: Session) -> None:
        runs.start(session, round_id, by=first, now=later)

    done("seed", seed)
    done("start", start)
    with Session(engine) as session:
        run_id = session.scalars(select(Run.id)).one()

    def run() -> None:
        with transaction() as session:
            task = run_input.read(session, run_id)
        with transaction() as session:
            task = run_input.with_comparisons(session, task)
        placed = execution.place(task)
        with transaction() as session:
            execution.save(session, run_id, execution.complete(session, placed), now=later)

    def sign(session: Session) -> None:
        for by in (first, second):
            runs.sign(session, run_id, by=by, now=later)

    def prepare() -> None:
        preparation.prepare(transaction, run_id, by=lambda _session: second)
        with transaction() as session:
            preparation.finish(session, run_id, now=later)

    in_transactions("run", run)
    done("sign", sign)
    in_transactions("prepare", prepare)
    hour = season.DATES["result"][0]

    def open_(session: Session) -> Figures:
        reached: dict[dt.datetime, float] = {}

        def at_once(moment: dt.datetime) -> dt.datetime:
            reached[moment] = time.perf_counter()
            return moment

        opening.open_run(session, run_id, now=hour, wait=at_once)
        return {"locked": round(reached[hour] - reached[hour - opening.LAST_SECONDS], 2)}

    def clear(session: Session) -> None:
        preparation.clear(session, run_id)

    done("open", open_)
    done("clear", clear)


def copied(engine: Engine, watch: Watch) -> None:
    """COPY the same rows out of their tables and into empty ones with the same indexes and constraints, which are written to the
    WAL as those of the run are."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for name, tables in WRITTEN.items():
            content = {}
            for table in tables:
                content[table] = _out(driver, table)
                connection.execute(text(f"CREATE TABLE of_{table} (LIKE {table} INCLUDING ALL)"))
            connection.commit()  # into a table of the same transaction PostgreSQL may COPY in a cheaper way
            with watch.step(f"copy {name}"):
                for table in READ[name]:
                    _out(driver, table)
                for table, rows in content.items():
                    with driver.cursor() as cursor, cursor.copy(f"COPY of_{table} FROM STDIN") as copy:
                        copy.write(rows)
                connection.commit()
            connection.execute(text("DROP TABLE " + ", ".join(f"of_{table}" for table in tables)))
            connection.commit()


def _out(driver, table: str) -> bytes:
    target = io.BytesIO()
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        for part in copy:
            target.write(part)
    return target.getvalue()


def measured(children: int, through: str) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="bench-city-"))
    folder.chmod(0o755)
    vault.unlock(Keys({"bench": os.urandom(32)}, "bench", os.urandom(32)))
    postgres = Postgres(folder / "postgres", folder / "postgres.log")
    try:
        postgres.start()
        postgres.ensure_database("city")
        engine, watch = open_engine(postgres.url("city")), Watch(process_of(postgres))
        upgrade(engine)
        city = CityBuilder(engine, children, 2026, lambda step, done, of: None)
        for step in STEPS[: STEPS.index(through) + 1]:
            with watch.step(step):
                getattr(city, f"_{step}")()
        if through == "review":
            draw(engine, watch)
            copied(engine, watch)
        watch.end()
        with engine.connect() as connection:
            size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
        engine.dispose()
        return summary(children, watch, size)
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def summary(children: int, watch: Watch, size: int) -> dict:
    def seconds(*names: str) -> float:
        return sum(watch.steps[name]["seconds"] for name in names if name in watch.steps)

    def cpu(*names: str) -> float:
        return sum(watch.steps[name]["cpu"] + watch.steps[name]["database_cpu"] for name in names)

    figures = {
        "children": children,
        "city_seconds": round(seconds("places", "registration"), 1),
        "city_goal_seconds": max((goal for number, goal in GOALS.items() if number <= children), default=GOALS[3_000]),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "database_peak_megabytes": watch.database_peak // MEGA,
        "database_megabytes": size // MEGA,
        "database_cpu_seconds": round(watch.database_total(), 2),
        "database_cpu_seconds_of_steps": round(sum(step["database_cpu"] for step in watch.steps.values()), 2),
    }
    for name in WRITTEN:
        if f"copy {name}" in watch.steps:
            copy = f"copy {name}"
            figures[f"{name}_to_copy"] = round(seconds(name) / max(seconds(copy), 0.01), 2)
            figures[f"{name}_to_copy_in_cpu"] = round(cpu(name) / max(cpu(copy), 0.01), 2)
    return figures | {"steps": watch.steps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=3000)
    parser.add_argument(
        "--through", default="review", choices=STEPS, help="`review` goes on to the draw, step by step."
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.children, asked.through)
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if name != "steps":
            print(f"{name.replace('_', ' '):28}{value}")


if __name__ == "__main__":
    main()
