"""What pages read as the city grows: `python -m bench.growth [--small N] [--children N] [--after] [--same-places] [--json FILE]`.

The same pages are opened in a city of 3,000 children and in one of 250,000 (`bench.large_city`), in a PostgreSQL of their
own.  A page that does not answer is named, the others are measured, and the command ends with 1.  With `--after` the results are published, and the pages are those of the days after.  With `--same-places` only families
are copied: a real city has the same few thousand kindergartens however many hand in.  Every reading statement of a page is explained again with `ANALYZE, BUFFERS`; its cost is the number of blocks that it
touched, which does not depend on what else the machine does.  The goal is at most 1.3 times as many.
"""

import argparse
import datetime as dt
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.large_city import build, database
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.coverage import rollup
from enrollment.draw.unserved import kept_entries
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.sign_in import WebSession
from enrollment.ground.vault import Keys
from enrollment.offers import tally
from enrollment.season import rounds
from enrollment.season.rounds import Round
from portal.app import create_app
from portal.config import Config
from portal.demo import people, season, time_travel
from portal.operations.embedded import Valkey
from portal.text.catalogues import compile_stale
from portal.web.clock import real_now
from portal.web.sessions import digest_of

SMALL, GOAL = 3_000, 1.3
READER = {
    "queue": "clerk1",
    "queue group": "clerk1",
    "queue filter": "clerk1",
    "case": "clerk1",
    "search": "clerk1",
    "area review": "area1",
    "review list": "area1",
}
BLOCKS = ("Shared Hit Blocks", "Shared Read Blocks")


def pages_after(session: Session) -> dict[str, str]:
    """The address of each measured page of the days after the results."""
    round_id = session.scalars(select(Round.id).where(Round.year == season.YEAR)).first()
    return {
        "unserved": f"/officials/{season.YEAR}/unplaced",
        "unserved, last page": f"/officials/{season.YEAR}/unplaced?page=9999",
        "round": f"/officials/{season.YEAR}/rounds/{round_id}/draw",
        "draws": f"/officials/{season.YEAR}/draws",
        "officials home": f"/officials/{season.YEAR}",
        "season river": f"/officials/{season.YEAR}/season/river",
        "cases": f"/officials/{season.YEAR}/cases",
        "public draws": "/draws",
    }


def pages_of(session: Session) -> dict[str, str]:
    """The address of each measured page, with objects of this city."""
    round_id = session.scalars(select(Round.id).where(Round.year == season.YEAR)).one()
    clerk = people.actor(session, "clerk1")
    here = select(Application).where(
        Application.stage == Stage.SUBMITTED, Application.review_kindergarten_id.in_(clerk.kindergartens)
    )
    some = session.scalars(here.order_by(Application.id).limit(1)).one()
    return {
        "queue": "/staff/queue",
        "queue group": "/staff/queue?group=new",
        "queue filter": "/staff/queue?ground=elder_sibling",
        "case": f"/staff/applications/{some.id}",
        "search": f"/staff/desk?code={some.registration_code}",
        "area review": f"/officials/{season.YEAR}/review",
        "review list": f"/officials/{season.YEAR}/review/{some.review_kindergarten_id}",
        "draws": f"/officials/{season.YEAR}/draws",
        "round": f"/officials/{season.YEAR}/rounds/{round_id}/draw",
        "public draws": "/draws",
        "officials home": f"/officials/{season.YEAR}",
        "season river": f"/officials/{season.YEAR}/season/river",
        "duplicates": f"/officials/{season.YEAR}/duplicates",
        "unserved": f"/officials/{season.YEAR}/unplaced",
        "cases": f"/officials/{season.YEAR}/cases",
        "statistics": f"/officials/{season.YEAR}/reports/statistics",
        "readiness": f"/officials/{season.YEAR}/quality/readiness",
        "forecast": f"/officials/{season.YEAR}/coverage/510104/forecast",
        "forecast of the city": f"/officials/{season.YEAR}/coverage/city/forecast",
        "coverage": f"/officials/{season.YEAR}/coverage",
        "coverage of an area": f"/officials/{season.YEAR}/coverage/510104",
        "high quality": f"/officials/{season.YEAR}/quality",
        "two shares": f"/officials/{season.YEAR}/reports/two_shares",
        "planning": f"/officials/{season.YEAR}/planning",
        "measures": f"/officials/{season.YEAR}/planning/measures",
        "laboratory": f"/officials/{season.YEAR}/laboratory",
        "season": f"/officials/{season.YEAR}/season",
        "refusals": f"/officials/{season.YEAR}/refusals",
        "corrections": f"/officials/{season.YEAR}/corrections",
        "audit": f"/officials/{season.YEAR}/audit",
        "public coverage": "/coverage",
    }


class Reads:
    """The reading statements of a page, and what they cost."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.seen, self.listening = engine, [], False
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if self.listening and not many and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            self.seen.append((statement, values))

    def cost(self, client: FlaskClient, address: str) -> dict[str, Any]:
        """The number of statements and of blocks of the page, and the statement that touched most of them."""
        client.get(address)  # fills what the process keeps
        self.seen, self.listening = [], True
        answer = client.get(address)
        self.listening = False
        if answer.status_code != (303 if "?code=" in address else 200):
            raise RuntimeError(f"{address}: {answer.status}")
        blocks = []
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            for statement, values in self.seen:
                with driver.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
                    plan = cursor.fetchone()[0][0]["Plan"]
                blocks.append((sum(plan[name] for name in BLOCKS), " ".join(statement.split())))
            connection.rollback()
        return {"statements": len(blocks), "blocks": sum(n for n, _ in blocks), "most": max(blocks, default=(0, ""))}


@contextmanager
def portal(engine: Engine, keys: Keys) -> Iterator[Any]:
    """The portal on this database, in demo mode for its clock."""
    folder = Path(tempfile.mkdtemp(prefix="bench-queue-"))
    valkey = Valkey(folder, folder / "log", durable=False)
    try:
        valkey.start()
        address = engine.url.render_as_string(hide_password=False)
        config = Config(database_url=address, redis_url=valkey.url(), secret_key=secrets.token_hex(32), keys=keys, demo=True,
                        public_url="http://localhost")  # fmt: skip
        yield create_app(config, engine)
    finally:
        valkey.stop()
        shutil.rmtree(folder, ignore_errors=True)


def begin_review(engine: Engine) -> None:
    """The first hour of the review: registration is closed and nobody has reviewed anything."""
    now = season.DATES["review"][0] + dt.timedelta(hours=1)
    with Session(engine) as session, session.begin():
        time_travel.set_clock(session, now)
        for found in rounds.rounds_of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)


def signed_in(app: Any, engine: Engine, login: str) -> FlaskClient:
    """A browser with a session of this account."""
    key, moment = secrets.token_urlsafe(32), real_now()
    with Session(engine) as session, session.begin():
        account = people.actor(session, login).account_id
        session.add(WebSession(
            digest=digest_of(key), account_id=account, data={"_user_id": str(account), "_fresh": True}, created_at=moment,
            seen_at=moment, expires_at=moment + dt.timedelta(hours=1),
        ))  # fmt: skip
    client: FlaskClient = app.test_client()
    client.set_cookie("session", key, domain="localhost")
    return client


def measured(children: int, *, small: int, after: bool, places: bool) -> dict[str, dict[str, Any] | None]:
    """The cost of each page in a city of this size, after the worker has counted what it keeps; None where it did not answer."""
    with database() as (_postgres, engine, keys):
        build(engine, children, "results" if after else "registration", first=small, places=places)
        if not after:
            begin_review(engine)
        with Session(engine) as session, session.begin():
            rollup.refresh(session, [season.YEAR], now=season.DATES["review"][0] + dt.timedelta(hours=1))
            tally.fold(session)
            kept_entries.refresh(session)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        with portal(engine, keys) as app:
            with Session(engine) as session:
                addresses = pages_after(session) if after else pages_of(session)
            reads = Reads(engine)
            found: dict[str, dict[str, Any] | None] = {}
            for name, address in addresses.items():
                login = None if name.startswith("public") else READER.get(name, "city1")
                client = app.test_client() if login is None else signed_in(app, engine, login)
                try:
                    found[name] = reads.cost(client, address)
                except RuntimeError as failure:
                    found[name] = None
                    print(f"{name}: not measured with {children} children: {failure}", flush=True)
            return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=SMALL)
    parser.add_argument("--children", type=int, default=250_000)
    parser.add_argument("--after", action="store_true", help="after the results were published")
    parser.add_argument("--same-places", action="store_true", help="copy families and not kindergartens")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    compile_stale()
    os.environ.setdefault("TZ", "Asia/Shanghai")
    load = MachineLoad()
    given = {"small": asked.small, "after": asked.after, "places": not asked.same_places}
    small, large = measured(asked.small, **given), measured(asked.children, **given)
    found: dict[str, Any] = {"small": asked.small, "large": asked.children, "goal": GOAL, "beyond": 0, "pages": {}}
    for name, before in small.items():
        now = large[name]
        if before is None or now is None:
            continue
        ratio = round(now["blocks"] / max(before["blocks"], 1), 2)
        found["pages"][name] = {"small": before, "large": now, "ratio": ratio}
        print(f"{name:22}{before['blocks']:10} blocks {now['blocks']:10} {ratio:8.2f} (goal {GOAL})")
        found["beyond"] += ratio > GOAL
        if ratio > GOAL:
            print(f"{'':22}{now['most'][0]} in: {now['most'][1][:150]}")
    found |= load.figures()
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    print(f"{len(found['pages'])} of {len(small)} pages, {found['beyond']} beyond {GOAL}, load {found['load_after']}")
    raise SystemExit(int(len(found["pages"]) < len(small)))


if __name__ == "__main__":
    main()
