"""Measures the sender of messages: `make bench-messages`, or `python -m bench.messages [--short] [--json FILE]`.

Each scenario runs the real `flask sender` against a test gateway in a process of its own, with a temporary PostgreSQL that
syncs to the disk:

* the rate through a gateway that takes 130 ms, and through one that takes 5 ms, with `MESSAGE_CONNECTIONS` as it is set;
* how long a one-time code takes while notices wait;
* kills: the sender is ended with SIGKILL again and again, while the gateway is unsteady (faults, broken connections, lost
  answers).  Then no message may be missing, and none may have reached a phone twice.

The table shows each figure beside its goal, and the share of the processors that other processes took in the meantime.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
from sqlalchemy import Engine, create_engine, text

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from portal.gateways.stand_ins.messages import TestGateway
from portal.operations.embedded import Postgres
from portal.operations.migrations import upgrade
from tests.operations.serving import environment, free_port
from tests.support.sender import Outbox, number

ROOT = Path(__file__).parents[1]
GOALS = {"rate_130_ms": 200, "rate_5_ms": 2000, "lost": 0, "twice": 0}
PATIENCE = 300


class Bench:
    def __init__(self, folder: Path):
        self.folder = folder
        self.keys = folder / "keys.json"
        Keys.write_new(self.keys, "demo-bench")
        vault.unlock(Keys.from_file(self.keys))
        self.postgres = Postgres(folder / "postgres", folder / "postgres.log", {"max_connections": "60"})
        self.postgres.start()
        self.started: list[subprocess.Popen] = []

    def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self.postgres.stop()

    def new_database(self, name: str) -> Engine:
        administration = create_engine(plain(self.postgres.url("postgres")), isolation_level="AUTOCOMMIT")
        with administration.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        administration.dispose()
        engine = open_engine(self.postgres.url(name))
        upgrade(engine)
        return engine

    def start_sender(self, engine: Engine, gateway: str) -> subprocess.Popen:
        environ = environment(
            self.folder,
            DATABASE_URL=engine.url.render_as_string(hide_password=False).replace("+psycopg", ""),
            REDIS_URL="redis://127.0.0.1:1/0",
            SECRET_KEY="demo-bench",
            KEY_FILE=str(self.keys),
            DEMO="1",
            MESSAGE_GATEWAY=gateway,
        )
        with (self.folder / "sender.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "sender"],
                cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process

    @contextlib.contextmanager
    def gateway_process(self, delay: float) -> Iterator[str]:
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "portal.gateways.stand_ins.messages",
            "--port",
            str(port),
            "--delay",
            str(delay),
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.started.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield url
        process.terminate()
        process.wait()

    def own_processor_time(self) -> float:
        """Seconds of processor time of this process and all that it started."""
        total = 0.0
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total


def plain(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def machine_time() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0)


def summary(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def until(what, seconds: float = PATIENCE) -> float:
    """Wait until `what()` is true; the seconds that it took."""
    began = time.perf_counter()
    while not what():
        if time.perf_counter() - began > seconds:
            raise SystemExit(f"not within {seconds} s")
        time.sleep(0.05)
    return time.perf_counter() - began


def fill(outbox: Outbox, count: int) -> None:
    for start in range(0, count, 1000):
        outbox.add_notices(*(number(n) for n in range(start, min(count, start + 1000))))


def waiting(engine: Engine) -> int:
    query = "SELECT (SELECT count(*) FROM notice WHERE sent_at IS NULL) + (SELECT count(*) FROM text_message WHERE sent_at IS NULL)"
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def codes_waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        query = "SELECT count(*) FROM text_message WHERE state IN ('waiting','sending')"
        return connection.execute(text(query)).scalar_one()


def rate(bench: Bench, delay: float, count: int) -> dict[str, float]:
    """The rate at which messages reach the gateway, from the first to the last, and the time of a code among them."""
    engine = bench.new_database(f"rate_{round(delay * 1000)}")
    outbox = Outbox(engine)
    fill(outbox, count)
    with bench.gateway_process(delay) as url:
        machine, own = machine_time(), bench.own_processor_time()
        began = time.perf_counter()
        sender = bench.start_sender(engine, url)
        until(lambda: summary(url)["delivered"] > 0)
        starting = psutil.Process(sender.pid).cpu_times()
        at_start = starting.user + starting.system
        until(lambda: summary(url)["delivered"] > count / 20)
        codes = []
        for n in range(3):
            outbox.add_codes(number(90_000_000 + n))
            codes.append(until(lambda: codes_waiting(engine) == 0))
        until(lambda: summary(url)["delivered"] >= count + 3)
        # the processor time of a process is gone when it has ended
        took = time.perf_counter() - began
        others = (machine_time() - machine) - (bench.own_processor_time() - own)
        found = summary(url)
        until(lambda: waiting(engine) == 0, 20)
        spent = psutil.Process(sender.pid).cpu_times()
        sender.send_signal(signal.SIGTERM)
        sender.wait(20)
    engine.dispose()
    return {
        "messages": found["delivered"],
        "requests": found["requests"],
        "a_second": round(found["delivered"] / found["seconds"], 1),
        "sender_cpu_ms_a_message": round(1000 * (spent.user + spent.system - at_start) / found["delivered"], 2),
        "code_seconds": round(statistics.median(codes), 2),
        "share_of_others": round(max(others, 0.0) / (took * (os.cpu_count() or 1)), 2),
    }


def kills(bench: Bench, count: int, times: int) -> dict[str, float]:
    """SIGKILL at random moments, with an unsteady gateway that takes 50 ms."""
    engine = bench.new_database("kills")
    outbox = Outbox(engine)
    fill(outbox, count)
    chosen = random.Random(11)
    with TestGateway(delay=0.05, unsteady=0.05) as gateway:
        killed = 0
        sender = bench.start_sender(engine, gateway.url)
        while killed < times and waiting(engine):
            before = gateway.calls.total()
            until(lambda before=before: gateway.calls.total() > before + 20 or not waiting(engine), 60)
            time.sleep(chosen.uniform(0.0, 0.6))
            sender.kill()
            sender.wait()
            killed += 1
            sender = bench.start_sender(engine, gateway.url)
        until(lambda: waiting(engine) == 0)
        sender.send_signal(signal.SIGTERM)
        sender.wait(20)
        reached = gateway.delivered
        with engine.connect() as connection:
            ids = [str(each) for each in connection.execute(text("SELECT id FROM notice")).scalars()]
        found = {
            "messages": count,
            "kills": killed,
            "requests": gateway.calls.total(),
            "lost": sum(each not in reached for each in ids),
            "twice": sum(each.times > 1 for each in reached.values()) + len(reached) - len(ids),
        }
    engine.dispose()
    return found


def table(found: dict) -> str:
    lines = [
        ("through 130 ms, a second", found["through_130_ms"]["a_second"], f"≥ {GOALS['rate_130_ms']}"),
        ("through 5 ms, a second", found["through_5_ms"]["a_second"], f"≥ {GOALS['rate_5_ms']}"),
        ("processor time of the sender, ms", found["through_5_ms"]["sender_cpu_ms_a_message"], "a message"),
        ("a code while 130 ms notices wait, s", found["through_130_ms"]["code_seconds"], "before all else"),
        ("a code while 5 ms notices wait, s", found["through_5_ms"]["code_seconds"], "before all else"),
        (f"lost in {found['kills']['kills']} kills", found["kills"]["lost"], f"{GOALS['lost']}"),
        (f"twice in {found['kills']['kills']} kills", found["kills"]["twice"], f"{GOALS['twice']}"),
        ("share of processors others took", found["through_5_ms"]["share_of_others"], ""),
    ]
    return "\n".join(f"{name:38} {value:>10}   {goal}" for name, value, goal in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a tenth of the messages and fewer kills")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    part = 10 if options.short else 1
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    folder.chmod(0o755)
    bench = Bench(folder)
    try:
        found = {
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "processors": os.cpu_count(),
            "through_130_ms": rate(bench, 0.13, 10_000 // part),
            "through_5_ms": rate(bench, 0.005, 40_000 // part),
            "kills": kills(bench, 10_000 // part, 25 if part == 1 else 4),
            "goals": GOALS,
        }
    finally:
        bench.end()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found, indent=1))
    print(table(found))
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
