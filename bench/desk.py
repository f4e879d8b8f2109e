"""What the review desk costs as its queue grows: `python -m bench.desk [--times 35] [--share 10] [--json FILE]`.

The clerk of the demo city of 3,000 children has some sixty files.  Thirty-five times as many families hand in at the same
kindergartens: about two thousand own files in a city of a hundred thousand.  In a copy of this city nine of ten of these files
are another kindergarten's, so that the clerk has two hundred.  The same pages are opened in both; the city is as large in both, because
`bench.growth` tells what a larger city costs.  Of each page are told its statements, the blocks that its reading statements
touch, and its milliseconds in this process with PostgreSQL, the median and the 95th of a hundred, opened in turns in both.  The page of one
application has thirty pages of papers.  The bulk act is drawn, sampled and confirmed as the clerk does it.

Goals: at most 12 statements and 300 ms (95 of 100) for an application, at most 1.3 times the blocks for ten times the queue, and at
most 1.3 times the time for each application of a bulk act.
"""

import argparse
import datetime as dt
import json
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, String, cast, delete, func, select, text, update
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.growth import GOAL, Reads, begin_review, portal, signed_in
from bench.large_city import COPIED, PLACES, build, database, multiply
from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.coverage import rollup
from enrollment.eligibility.evidence import PURPOSE
from enrollment.ground.db import open_engine
from enrollment.ground.vault import seal_file
from enrollment.offers import tally
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.review.queue import bulk_confirmation
from enrollment.season.document_kinds import Document
from portal.demo import people, season
from portal.text.catalogues import compile_stale
from portal.web.clock import real_now

CHILDREN = 3_000
PAPERS, CALLS, TURNS = 30, 100, 5
MOST_STATEMENTS, MOST_MS = 12, 300.0
FAMILIES = [*(table for table in COPIED if table not in PLACES), "register_answer"]


def addresses(session: Session) -> dict[str, str]:
    """The pages of the desk, with an application of the clerk."""
    some = _one_with_papers(session)
    return {
        "queue": "/staff/queue",
        "queue, one group": "/staff/queue?group=new",
        "queue, filter": "/staff/queue?ground=elder_sibling",
        "queue, search by name": "/staff/queue?q=li",
        "queue, search by code": f"/staff/queue?q={some.registration_code}",
        "today": "/staff",
        "window": "/staff/desk",
        "bulk, what agrees": "/staff/queue/matched",
        f"case with {PAPERS} papers": f"/staff/applications/{some.id}",
    }


def _mine(session: Session) -> Any:
    clerk = people.actor(session, "clerk1")
    return select(Application).where(
        Application.stage == Stage.SUBMITTED, Application.review_kindergarten_id.in_(clerk.kindergartens)
    )


def _one_with_papers(session: Session) -> Application:
    """The first application of the clerk, which gets thirty pages of papers; a page of the desk opens none of them."""
    some = session.scalars(_mine(session).order_by(Application.id).limit(1)).one()
    for number in range(PAPERS):
        page_id, shown = uuid.uuid4(), b"a page that nobody opens"
        session.add(
            EvidencePage(
                id=page_id, application_id=some.id, document=Document.HUKOU_BOOKLET, media_type="image/webp",
                size=len(shown), original_digest=f"bench {number}", content=seal_file(shown, PURPOSE, page_id),
                blurred=False, position=number, uploaded_at=real_now(),
            )
        )  # fmt: skip
    session.commit()
    return some


def milliseconds(client: Any, address: str, calls: int = CALLS) -> list[float]:
    """The milliseconds of each of so many calls of a page."""
    spent = []
    for _n in range(calls):
        began = time.perf_counter()
        client.get(address)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


def bulk(engine: Engine) -> dict[str, Any]:
    """Milliseconds for each application of a bulk act: drawing, opening the sample, confirming."""
    with Session(engine) as session:
        by, now = people.actor(session, "clerk1"), season.DATES["review"][0] + dt.timedelta(hours=1)
        began = time.perf_counter()
        drawn = bulk_confirmation.draw(session, by=by, now=now)
        for line in bulk_confirmation.find(session, drawn.id, by=by).sample:
            bulk_confirmation.open_sample(session, drawn.id, line.application_id, by=by, now=now)
        outcomes = bulk_confirmation.confirm(session, drawn.id, by=by, now=now)
        session.commit()
        number = sum(outcomes.values())
        return {"applications": number, "ms_each": (time.perf_counter() - began) * 1000 / number}


def hand_over(engine: Engine, share: int) -> None:
    """Leave the clerk one of `share` of the own files: all others, with their wishes here, are another kindergarten's."""
    with Session(engine) as session, session.begin():
        session.execute(text("SET LOCAL statement_timeout = 0"))
        own = people.actor(session, "clerk1").kindergartens
        other = select(Kindergarten.id).where(Kindergarten.id.not_in(own)).order_by(Kindergarten.code).limit(1)
        here = select(Programme.id).where(Programme.kindergarten_id.in_(own))
        moved = select(Application.id).where(
            Application.review_kindergarten_id.in_(own), func.hashtext(cast(Application.id, String)) % share != 0
        )
        ids = list(session.scalars(moved))
        session.execute(delete(Wish).where(Wish.application_id.in_(ids), Wish.programme_id.in_(here)))
        session.execute(
            update(Application).where(Application.id.in_(ids)).values(review_kindergarten_id=session.scalar(other))
        )


@contextmanager
def cities(times: int, share: int) -> Iterator[list[tuple[Engine, Any]]]:
    """The city with few own files and the one with many, each with its portal."""
    with database() as (postgres, engine, keys), ExitStack() as opened:
        build(engine, CHILDREN, "registration", first=CHILDREN)
        multiply(engine, times, copied=FAMILIES)
        begin_review(engine)
        with Session(engine) as session, session.begin():
            rollup.refresh(session, [season.YEAR], now=real_now())
            tally.fold(session)
        engine.dispose()
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE few TEMPLATE city")
        few = open_engine(postgres.url("few"))
        hand_over(few, share)
        for each in (few, engine):
            with each.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET statement_timeout = 0"))
                connection.execute(
                    text("REINDEX TABLE application")
                )  # no room that the files that were handed over left
                connection.execute(text("VACUUM ANALYZE"))
        yield [(each, opened.enter_context(portal(each, keys))) for each in (few, engine)]
        few.dispose()


def measured(pair: list[tuple[Engine, Any]]) -> list[dict[str, Any]]:
    """The desk in both cities; each page in one and the other by turns, so that both have the same minute of the machine."""
    found: list[dict[str, Any]] = []
    looks = []
    for engine, app in pair:
        with Session(engine) as session:
            own = session.scalar(select(func.count()).select_from(_mine(session).subquery())) or 0
            pages = addresses(session)
        found.append({"own": own, "pages": {}})
        looks.append((signed_in(app, engine, "clerk1"), Reads(engine), pages))
    for name in looks[0][2]:
        spent: list[list[float]] = [[], []]
        for city, (client, reads, pages) in zip(found, looks, strict=True):
            city["pages"][name] = reads.cost(client, pages[name])
        for _turn in range(TURNS):
            for times, (client, _reads, pages) in zip(spent, looks, strict=True):
                times += milliseconds(client, pages[name], CALLS // TURNS)
        for city, times in zip(found, spent, strict=True):
            city["pages"][name] |= {"ms": statistics.median(times), "ms_95": statistics.quantiles(times, n=20)[-1]}
    for city, (engine, _app) in zip(found, pair, strict=True):
        city["bulk"] = bulk(engine)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=35, help="how many times the families of the demo city")
    parser.add_argument("--share", type=int, default=10, help="the clerk of the other city has one of so many files")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    compile_stale()
    load = MachineLoad()
    with cities(asked.times, asked.share) as pair:
        small, large = measured(pair)
    print(f"\n{'':26}{small['own']:>8} own files {large['own']:>16} own files", flush=True)
    for name, one in small["pages"].items():
        other = large["pages"][name]
        ratio = other["blocks"] / max(one["blocks"], 1)
        marks = [f"{ratio:.2f} x blocks" + (f" (goal {GOAL})" if ratio > GOAL else "")]
        marks.append(f"{other['ms'] / one['ms']:.2f} x ms")
        if "case" in name and other["statements"] > MOST_STATEMENTS:
            marks.append(f"goal {MOST_STATEMENTS} statements")
        if "case" in name and other["ms_95"] > MOST_MS:
            marks.append(f"goal {MOST_MS:.0f} ms")
        told = [
            f"{each['statements']:3} st {each['blocks']:6} bl {each['ms']:6.1f}/{each['ms_95']:.1f} ms"
            for each in (one, other)
        ]
        print(f"{name:26}{told[0]}   {told[1]}   {', '.join(marks)}")
    each = large["bulk"]["ms_each"] / small["bulk"]["ms_each"]
    numbers = [f"{part['bulk']['applications']} at {part['bulk']['ms_each']:.1f} ms each" for part in (small, large)]
    print(f"{'bulk act':26}{numbers[0]}   {numbers[1]}   {each:.2f} x" + (f" (goal {GOAL})" if each > GOAL else ""))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {"small": small, "large": large, "goal": GOAL} | load.figures()
        asked.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
