"""What the review desk costs as its queue grows: `python -m bench.desk [--small 4] [--large 35] [--json FILE]`.

The clerk of the demo city of 3,000 children has some sixty files.  The same pages are opened where four times and thirty-five times as many
families hand in at the same kindergartens: about two hundred and two thousand own files.  Of each page are told its statements, the blocks that its
reading statements touch (as in `bench.growth`, which does the same for a city of 250,000), and its milliseconds in this process with
PostgreSQL, the median and the 95th of a hundred.  The page of one application has thirty pages of papers.  The bulk act is drawn, sampled and
confirmed as the clerk does it.

Goals: at most 12 statements and 300 ms (95 of 100) for an application, at most 1.3 times the blocks for ten times the queue, and at
most 1.3 times the time for each application of a bulk act.
"""

import argparse
import datetime as dt
import json
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.growth import GOAL, Reads, begin_review, portal, signed_in
from bench.large_city import COPIED, PLACES, build, database, multiply
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.coverage import rollup
from enrollment.eligibility.evidence import PURPOSE
from enrollment.ground.vault import seal_file
from enrollment.offers import tally
from enrollment.review.queue import bulk_confirmation
from enrollment.season.document_kinds import Document
from portal.demo import people, season
from portal.text.catalogues import compile_stale
from portal.web.clock import real_now

CHILDREN = 3_000
PAPERS, CALLS = 30, 40
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


def milliseconds(client: Any, address: str) -> tuple[float, float]:
    """The median and the 95th of a hundred of a page's time."""
    spent = []
    for _n in range(CALLS):
        began = time.perf_counter()
        client.get(address)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[-1]


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


def measured(times: int) -> dict[str, Any]:
    """The desk where so many times the families of the demo city hand in at its kindergartens."""
    with database() as (_postgres, engine, keys):
        build(engine, CHILDREN, "registration", first=CHILDREN)
        multiply(engine, times, copied=FAMILIES)
        begin_review(engine)
        with Session(engine) as session, session.begin():
            rollup.refresh(session, [season.YEAR], now=real_now())
            tally.fold(session)
        with Session(engine) as session:
            own = session.scalar(select(func.count()).select_from(_mine(session).subquery())) or 0
            pages = addresses(session)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        with portal(engine, keys) as app:
            client, reads, found = signed_in(app, engine, "clerk1"), Reads(engine), {}
            for name, address in pages.items():
                found[name] = reads.cost(client, address)
                found[name]["ms"], found[name]["ms_95"] = milliseconds(client, address)
        return {"own": own, "pages": found, "bulk": bulk(engine)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=4, help="how many times the queue of the demo city")
    parser.add_argument(
        "--large", type=int, default=35, help="how many times the queue of the demo city, in the other one"
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    compile_stale()
    load = MachineLoad()
    small, large = measured(asked.small), measured(asked.large)
    print(f"\n{'':26}{small['own']:>8} own files {large['own']:>16} own files", flush=True)
    for name, one in small["pages"].items():
        other = large["pages"][name]
        ratio = other["blocks"] / max(one["blocks"], 1)
        marks = [f"{ratio:.2f} x blocks" + (f" (goal {GOAL})" if ratio > GOAL else "")]
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
