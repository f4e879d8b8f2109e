"""Rehearses the first hour: `make rehearsal FAMILIES=1000 RATE=5`, or `python -m bench.rehearsal --families N --rate R`.

A whole `make serve` runs in a folder of its own: proxy, waiting line, pages, database, sender.  Families come at a rate that
does not care how the portal is doing (open loop), from few addresses, with time to think; some click twice, some give up,
who gets no answer sends again.  The first part comes at `--rate` families a second, the second at `--overload` times as
many, the third at `--rate` again.  Then every acknowledged submission is looked for in the tables.

Meanwhile a clerk opens her queue each second: whether the desks can work while families wait in line.  "Normal again" is the time from
the end of the overload until, for ten seconds, nobody is sent into the line and 99 of 100 pages of families come within half a second.
Beside it stand how long the families who waited at the end of the overload take at the best rate, when pages are quick again for those
inside, and when new families are let in at once again.

The figures stand beside their goals, in the terminal, in `rehearsal.json` and with charts in `rehearsal.html`.
"""

import argparse
import asyncio
import datetime as dt
import json
import math
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bench.charts import line_chart
from bench.desk_visits import Desk, sign_in
from bench.families import ADDRESSES, Family, Seen, Tally
from bench.machine import Machine, machine_line
from bench.processors import REQUESTS, Processors, for_a_city, of_hello, watched
from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import DemoClock
from enrollment.ground.outbox import SentMessage
from enrollment.ground.vault import Keys
from enrollment.places.kindergartens import Kindergarten
from portal.config import LEAST_CODES_PER_ADDRESS
from portal.operations.embedded import Postgres
from portal.web.clock import real_now
from tests.conftest import NOW
from tests.operations.serving import Serving
from tests.support.town import Town

ROOT = Path(__file__).parents[1]
STEP = 1.0
BATCH = 100
LATEST_COMMIT = dt.timedelta(seconds=10)
"""Messages are looked for again for so long after a later one was seen: two senders commit in another order than they date."""
SLOW, NORMAL_FOR = 0.5, 10
"""Seconds that a page of a family may take, 99 of 100, and how many seconds on end they must do so to be normal again."""

DESK_LIMIT = 1.0
"""Seconds that a clerk's queue may take, 99 of 100: above it who works there waits for the portal."""

GOALS = {"p99 below the limit, s": f"≤ {SLOW:g}", "place in line p99, s": "< 0.1", "errors": "0", "lost": "0", "double": "0",
         "requests a second of these processors": f"≥ {REQUESTS / 3600:.0f}", "goodput at overload": "≥ 0.9", "normal again after, s": "≤ 30",
         **{f"a clerk's queue {part}, p99, s": f"≤ {DESK_LIMIT:g}" for part in ("before", "at overload", "after")},
         "a clerk's queue, errors": "0"}  # fmt: skip


def codes_per_address(families: int) -> int:
    """The limit that `deploy/README.md` computes for a city, when all families come within an hour."""
    return max(LEAST_CODES_PER_ADDRESS, math.ceil(2 * families / ADDRESSES))


class City:
    """A portal that runs, with families whose form waits to be submitted (模拟数据)."""

    def __init__(self, folder: Path, families: int, think: float, environ: dict[str, str]):
        self.portal = Serving(folder, **({"CODES_PER_ADDRESS": str(codes_per_address(families))} | environ))
        self.codes: dict[str, str] = {}
        try:
            self._prepare(folder, families, think)
        except BaseException:
            self.portal.make_sure(self.portal.family())
            raise

    def _prepare(self, folder: Path, families: int, think: float) -> None:
        self.portal.hear("ready at")
        self.engine: Engine = open_engine(Postgres(folder / "postgres", folder).url("portal"))
        vault.unlock(Keys.from_file(folder / "keys" / "demo-keys.json"))
        self.families = list(self._families(families, think))

    def _families(self, number: int, think: float) -> Iterator[Family]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.add(DemoClock(ahead=NOW - real_now()))
            town = Town(session, NOW)
            gardens = [town.kindergarten(f"第{name}幼儿园", places=300) for name in "一二三"]
            town.round(levels=["lower", "middle"])
            self.clerk = town.clerk_of(gardens[0]).account_id
            for place in range(number):
                if place % BATCH == 0:
                    # SQLAlchemy looks through all objects of a session at each UPDATE: families would cost more and more
                    session.flush()
                    session.expunge_all()
                    gardens = list(session.scalars(select(Kindergarten).order_by(Kindergarten.code)).unique())
                name = "".join("零一二三四五六七八九"[int(digit)] for digit in str(place))
                # there are 500 numbers for one day of birth
                days = dt.timedelta(days=place // 100)
                family = town.family(f"彩{name}", born=dt.date(1980, 1, 1) + days)
                born = dt.date(2022, 9, 1) + days % dt.timedelta(days=360)
                child = town.child(f"演{name}", family=family, born=born, wishes=gardens, submit=False)
                yield Family(family.phone, str(child.id), self.codes.get, think)

    def start_reading_codes(self) -> Callable[[], None]:
        """Read the codes where the demo's gateway stores them, in the place of the families' phones; a function that ends it."""
        stopped = threading.Event()
        reader = threading.Thread(target=self._read_codes, args=(stopped,), daemon=True)
        reader.start()

        def stop() -> None:
            stopped.set()
            reader.join()

        return stop

    def _read_codes(self, stopped: threading.Event) -> None:
        since = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
        while not stopped.wait(0.1):
            with Session(self.engine) as session:
                kept_until = since - LATEST_COMMIT
                new = select(SentMessage.to, SentMessage.body, SentMessage.at).where(SentMessage.at >= kept_until)
                for to, body, at in session.execute(new.order_by(SentMessage.at)):
                    since = at
                    if found := re.search(r"(?<!\d)\d{6}(?!\d)", body):
                        self.codes[to] = found[0]

    def proof(self, acknowledged: set[str]) -> dict[str, int]:
        return proof(self.engine, acknowledged)

    def end(self) -> None:
        self.engine.dispose()
        family = self.portal.family()
        self.portal.end()
        self.portal.make_sure(family)


def proof(engine: Engine, acknowledged: set[str]) -> dict[str, int]:
    """Acknowledged submissions that are missing, and applications that were submitted more than once."""
    query = (
        "SELECT a.id::text, a.stage, (SELECT count(*) FROM application_version v WHERE v.application_id = a.id) versions"
        " FROM application a"
    )
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(text(query))}
    stored = {key for key, row in rows.items() if row.versions == 1 and row.stage == "submitted"}
    return {
        "acknowledged": len(acknowledged),
        "stored": sum(row.versions > 0 for row in rows.values()),
        "lost": len(acknowledged - stored),
        "double": sum(row.versions > 1 for row in rows.values()),
    }


async def come(
    city: City, parts: list[tuple[int, float]], tally: Tally, chance: random.Random, desk: Desk | None = None
) -> list[float]:
    """Let the families come, part after part at so many a second; when each part began and the last one ended."""
    coming, families, marks = [], iter(city.families), []
    working = asyncio.create_task(desk.work(tally.began)) if desk is not None else None
    for number, rate in parts:
        marks.append(tally.now())
        for _ in range(number):
            coming.append(asyncio.create_task(next(families).visit(city.portal.port, tally, chance)))
            await asyncio.sleep(chance.expovariate(rate))
    marks.append(tally.now())
    await asyncio.gather(*coming)
    if desk is not None and working is not None:
        desk.stop()
        await working
    return marks


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def per_second(seen: list[Seen], wanted: Callable[[Seen], bool]) -> list[float]:
    """How many requests ended well in each second."""
    ended = [each.at + each.seconds for each in seen if wanted(each)]
    counts = [0.0] * (int(max((each.at + each.seconds for each in seen), default=0)) + 1)
    for at in ended:
        counts[int(at)] += 1
    return counts


def is_served(one: Seen) -> bool:
    return 0 < one.status < 500 and not one.waited


def best_of(rates: list[float]) -> float:
    """The mean of the best ten seconds."""
    return max(statistics.mean(rates[at : at + 10]) for at in range(max(1, len(rates) - 10)))


def first_second(seen: list[Seen], since: float, is_normal: Callable[[list[Seen]], bool]) -> float:
    """Seconds from then on until what families see is normal for some seconds on end; infinity if never."""
    later = [each for each in seen if each.at >= since]
    last = max((each.at for each in later), default=since)
    for second in range(int(last - since - NORMAL_FOR) + 1):
        began = since + second
        if is_normal([each for each in later if began <= each.at < began + NORMAL_FOR]):
            return float(second)
    return math.inf


def are_quick(seen: list[Seen]) -> bool:
    """Whether 99 of 100 pages came in time; those inside see no others."""
    served = [each.seconds for each in seen if is_served(each)]
    return bool(served) and percentile(served, 0.99) <= SLOW


def are_let_in(seen: list[Seen]) -> bool:
    """Whether families who just came were let in at once."""
    new = [each for each in seen if each.new]
    return bool(new) and not any(each.waited for each in new)


def normal_again(seen: list[Seen], since: float) -> float:
    """Seconds from then on until the pages of families are quick and nobody waits in line for some seconds; infinity if never."""
    return first_second(seen, since, lambda here: are_quick(here) and not any(each.waited for each in here))


def work_that_waited(waiting: float, served: float, coming: float, seconds: float) -> float:
    """Seconds that a line of so many takes at best, when so many families are served a second and, for some seconds, so many still come."""
    if not waiting:
        return 0.0
    left = waiting - (served - coming) * seconds
    return seconds + left / served if left > 0 else waiting / (served - coming)


def after_overload(seen: list[Seen], marks: list[float], best: float) -> dict[str, float]:
    """How long it takes until the portal is as before, and how long the work that waited takes at the best rate."""
    homes = [each for each in seen if each.kind == "home"]
    came = [each for each in homes if each.new]
    waiting = sum(each.at < marks[2] for each in came) - sum(is_served(each) and each.at < marks[2] for each in homes)
    families_served = best * len(came) / max(1, sum(is_served(each) for each in seen))
    after = marks[3] - marks[2]
    coming = sum(each.at >= marks[2] for each in came) / after
    return {
        "normal again after, s": normal_again(seen, marks[2]),
        "of it work that waited, at the best rate, s": work_that_waited(
            max(0, waiting), families_served, coming, after
        ),
        "pages quick again after, s": first_second(seen, marks[2], are_quick),
        "new families let in at once after, s": first_second(seen, marks[2], are_let_in),
    }


def goodput_of_the_line(seen: list[Seen], rates: list[float], marks: list[float], best: float) -> float:
    """The goodput of the overload from the first page of the line on: before, fewer requests come than can be served."""
    first = min((each.at for each in seen if each.waited and marks[1] <= each.at < marks[2]), default=math.inf)
    served = rates[int(first) + 1 : int(marks[2])] if math.isfinite(first) else []
    return statistics.mean(served) / best if served else math.inf


def of_desk(seen: list[Seen], marks: list[float]) -> dict[str, float]:
    """Median and p99 of a clerk's queue in each part, and how many looks got no queue."""
    parts = {"before": (0.0, marks[1])}
    if len(marks) > 3:
        parts |= {"at overload": (marks[1], marks[2]), "after": (marks[2], math.inf)}
    found: dict[str, float] = {}
    for part, (begins, ends) in parts.items():
        took = [each.seconds for each in seen if begins <= each.at < ends and each.status == 200]
        found[f"a clerk's queue {part}, p50, s"] = percentile(took, 0.5)
        found[f"a clerk's queue {part}, p99, s"] = percentile(took, 0.99)
    return found | {"a clerk's queue, errors": sum(each.status != 200 for each in seen)}


def figures(
    tally: Tally,
    marks: list[float],
    proof: dict[str, int],
    spent: Processors,
    hello: float,
    desk: Sequence[Seen] = (),
) -> dict[str, float]:
    """The figures of a rehearsal; those of an overload only where there was one."""
    served = [each for each in tally.seen if is_served(each)]
    before = [each.seconds for each in served if each.at < marks[1]]
    places = [each.seconds for each in tally.seen if each.waited]
    found: dict[str, float] = {
        "families": tally.finished + tally.abandoned + len(tally.failed),
        "finished": tally.finished,
        "gave up": tally.abandoned,
        "errors": len(tally.failed) + sum(not is_served(each) and not each.waited for each in tally.seen),
        "requests": len(tally.seen),
        "pages of the line": len(places),
        "p50 below the limit, s": percentile(before, 0.5),
        "p99 below the limit, s": percentile(before, 0.99),
        "place in line p99, s": percentile(places, 0.99),
        "longest way in, s": max(tally.entered, default=0),
        **{name: float(value) for name, value in proof.items()},
    }
    rates = per_second(tally.seen, is_served)
    best = best_of(rates)
    found |= for_a_city(len(served), best, spent, hello)
    if len(marks) > 3:
        overload = rates[int(marks[1]) : int(marks[2])]
        found["requests a second at overload"] = statistics.mean(overload)
        found["goodput at overload"] = statistics.mean(overload) / best
        found["goodput while families wait in line"] = goodput_of_the_line(tally.seen, rates, marks, best)
        found |= after_overload(tally.seen, marks, best)
    return found | (of_desk(list(desk), marks) if desk else {})


def report(
    folder: Path,
    found: dict[str, float],
    tally: Tally,
    machine: dict[str, Any] | None = None,
    desk: Sequence[Seen] = (),
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = (machine or {}) | {name: value if math.isfinite(value) else None for name, value in found.items()}
    (folder / "rehearsal.json").write_text(json.dumps(kept | {"goals": GOALS}, indent=2, ensure_ascii=False) + "\n")
    seconds = len(per_second([*tally.seen, *desk], lambda _: True))
    queue = [0.0] * seconds
    for each in desk:
        queue[int(each.at + each.seconds)] = max(queue[int(each.at + each.seconds)], each.seconds)
    slow: list[list[float]] = [[] for _ in range(seconds)]
    for each in tally.seen:
        if is_served(each):
            slow[int(each.at + each.seconds)].append(each.seconds)
    charts = [
        line_chart("Answers", "a second", {
            "pages": per_second(tally.seen, is_served), "waiting line": per_second(tally.seen, lambda each: each.waited),
        }, STEP),
        line_chart("Time of a page", "s", {
            "median": [percentile(each, 0.5) for each in slow], "99 %": [percentile(each, 0.99) for each in slow],
        }, STEP),
        *([line_chart("Time of a clerk's queue", "s", {"slowest": queue}, STEP)] if desk else []),
    ]  # fmt: skip
    rows = "".join(f"<tr><td>{name}<td>{value:.4g}<td>{GOALS.get(name, '')}</tr>" for name, value in found.items())
    page = f"<!doctype html><meta charset=utf-8><title>Rehearsal</title><h1>Rehearsal (模拟数据)</h1>{''.join(charts)}"
    page += f"<p>{machine_line(machine)}</p>" if machine else ""
    (folder / "rehearsal.html").write_text(f"{page}<table><tr><th>figure<th>measured<th>goal</tr>{rows}</table>")


def rehearse(
    families: int, rate: float, *, overload: float, think: float, folder: Path, environ: dict[str, str] | None = None
) -> dict[str, float]:
    """Run a rehearsal and write its report; the figures."""
    chance = random.Random(20260522)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as data:
        hello = of_hello(Path(data))
        city = City(Path(data), families, think, environ or {})
        stop = city.start_reading_codes()
        desk = Desk(city.portal.port, sign_in(city.engine, city.clerk))
        machine = Machine()
        try:
            parts = [(families, rate)]
            if overload > 1:
                third = families // 5
                parts = [(third, rate), (families - 2 * third, rate * overload), (third, rate)]
            with watched(city) as spent:
                tally.began = time.monotonic()
                marks = asyncio.run(come(city, parts, tally, chance, desk))
            proof = city.proof(tally.acknowledged)
        finally:
            stop()
            city.end()
    found = figures(tally, marks, proof, spent, hello, desk.seen)
    description = machine.description(spent.share_of_others)
    report(folder, found, tally, description, desk.seen)
    print(machine_line(description))
    for fault in tally.failed[:5]:
        print("failed:", fault)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="make rehearsal", description=__doc__)
    parser.add_argument("--families", type=int, default=600)
    parser.add_argument("--rate", type=float, default=3.0, help="families a second below the limit")
    parser.add_argument(
        "--overload", type=float, default=3.0, help="how many times as many in the second part; 1 for none"
    )
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between two pages")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "rehearsal")
    options = parser.parse_args()
    # the portal that was started must end with this process
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    found = rehearse(
        options.families, options.rate, overload=options.overload, think=options.think, folder=options.folder
    )
    for name, value in found.items():
        print(f"{name:38} {value:10.4g}  {GOALS.get(name, '')}")
    print(f"charts: {options.folder / 'rehearsal.html'}")
    return int(found["lost"] or found["double"])


if __name__ == "__main__":
    sys.exit(main())
