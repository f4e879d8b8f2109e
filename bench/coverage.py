"""How long the coverage pages take with half a million children on the rolls: `python -m bench.coverage [--children N] [--json FILE]`.

A demo city of some thousand children, whose roll rows SQL copies with new identity numbers until there are as many.  Printed are
the times of the cockpit, one area, the public page and an area's tile, each opened by the test client of one process, beside the goal of
300 ms; and what the worker takes to count an area again after a change.
"""

import argparse
import datetime as dt
import json
import statistics
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.growth import portal, signed_in
from bench.large_city import database
from enrollment.coverage import rollup
from enrollment.places.roll_rows import RollChild
from portal.demo import season
from portal.demo.city_builder import CityBuilder

GOAL, FIRST, AREA = 300.0, 3_000, "510104"
LOOKS = 9

# on the roll now, each in the class of the child that it is copied from
COPIES = """
    INSERT INTO roll_child (id, class_id, kept_as, name, id_number, id_index, born, school_from, entered_on)
    SELECT gen_random_uuid(), class_id, kept_as, name, id_number, sha256(id_index || convert_to(n::text, 'UTF8')), born, school_from,
           entered_on
    FROM roll_child AS original CROSS JOIN generate_series(1, :copies) AS n
    WHERE original.left_on IS NULL AND original.id_index IS NOT NULL
"""


def fill_rolls(engine: Engine, children: int) -> int:
    """Copy the children on rolls until there are so many; how many there are."""
    with engine.begin() as connection:
        here = (
            select(func.count())
            .select_from(RollChild)
            .where(RollChild.left_on.is_(None), RollChild.id_index.is_not(None))
        )
        first = connection.scalar(here) or 1
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the copies follow from checked rows
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(COPIES), {"copies": max(children // first - 1, 0)})
        found = connection.scalar(here) or 0
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    return found


def measured(children: int) -> dict[str, Any]:
    """The milliseconds of each page, and the seconds of one area's count and of all."""
    load, now = MachineLoad(), season.SEASON_OPENS_AT
    with database() as (_postgres, engine, keys):
        CityBuilder(engine, FIRST, 2026, lambda step, done, of: None).build("registration")
        found: dict[str, Any] = {"children on rolls": fill_rolls(engine, children), "goal_ms": GOAL}
        found["all areas counted, s"] = _counted(engine, now, "DELETE FROM coverage_rollup")
        found["one area counted, s"] = _counted(engine, now, f"DELETE FROM coverage_rollup WHERE area_code = '{AREA}'")
        with portal(engine, keys) as app:
            official = signed_in(app, engine, "city1")
            pages = {
                "cockpit": (official, f"/officials/{season.YEAR}/coverage"),
                "one area": (official, f"/officials/{season.YEAR}/coverage/{AREA}"),
                "officials' home": (official, f"/officials/{season.YEAR}"),
                "public coverage": (app.test_client(), "/coverage"),
            }
            for name, (client, address) in pages.items():
                found[f"{name}, ms"] = _milliseconds(client, address)
    return found | load.figures()


def _counted(engine: Engine, now: dt.datetime, before: str) -> float:
    with Session(engine) as session, session.begin():
        session.execute(text(before))
        began = time.perf_counter()
        rollup.refresh(session, [season.YEAR], now=now)
        return round(time.perf_counter() - began, 2)


def _milliseconds(client: Any, address: str) -> float:
    """The median of several looks after the first."""
    took = []
    for _look in range(LOOKS + 1):
        began = time.perf_counter()
        answer = client.get(address)
        took.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status}")
    return round(statistics.median(took[1:]), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=500_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    found = measured(asked.children)
    for name, value in found.items():
        print(f"{name:28} {value}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
