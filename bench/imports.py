"""The roll of a city from an office's file, beside a working portal: make bench-imports.

    python -m bench.imports [--rows 250000] [--json var/bench-imports.json]

A workbook of invented children is uploaded, checked by a job, confirmed and written by a job, in a process of its own;
meanwhile this process asks the portal for pages.  Then the same file comes again, and one of 40,000 faulty rows.  The
figures stand beside their goals, with the share of the processors that other programs took.  The database is a temporary
one.
"""

import argparse
import datetime as dt
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import psutil
import xlsxwriter
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.accounts import Account, Actor, RoleGrant, actor_of
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.db import open_engine
from enrollment.ground.identity import check_character
from enrollment.places import areas
from enrollment.places.imports import uploads
from enrollment.places.imports.uploaded_files import ImportFile
from enrollment.places.roll import RollChild
from portal.app import create_app
from portal.config import Config
from portal.jobs import runner
from portal.web.clock import real_now
from tests.support.keys import KEYS
from tests.support.servers import Servers

ROOT = Path(__file__).parents[1]
GOALS = {"seconds": 60.0, "megabytes": 500}
CHILDREN_OF_A_CLASS = 25
CLASSES_OF_A_KINDERGARTEN = 12
HEADINGS = ["学校标识码", "园所名称", "班级", "年级", "姓名", "身份证号", "出生日期", "入园日期"]
FAMILY, GIVEN = "王李张刘陈杨赵黄周吴徐孙朱马胡郭何高林罗", "子涵欣怡宇轩浩然梓萱一诺雨桐思远嘉懿沐阳"
LEVELS = (("小", "小班", 2022), ("中", "中班", 2021), ("大", "大班", 2020))
PAGES = ("/", "/kindergartens", "/coverage")


def rows(count: int) -> Any:
    """Invented children (模拟数据) with valid numbers, in classes of 25."""
    for number in range(count):
        class_number, _seat = divmod(number, CHILDREN_OF_A_CLASS)
        kindergarten, in_kindergarten = divmod(class_number, CLASSES_OF_A_KINDERGARTEN)
        letter, level, year = LEVELS[in_kindergarten % 3]
        order, day = divmod(number, 300)
        born = dt.date(year - 1, 9, 2) + dt.timedelta(days=day)
        digits = f"{510104 + order // 1000 % 10}{born:%Y%m%d}{order % 1000:03d}"
        name = FAMILY[number % len(FAMILY)] + GIVEN[number // 7 % len(GIVEN)] + GIVEN[number // 133 % len(GIVEN)]
        yield [
            code_of(kindergarten), f"模拟第{kindergarten}幼儿园", f"{letter}{in_kindergarten // 3 + 1}班", level, name,
            digits + check_character(digits), f"{born:%Y-%m-%d}", "2025-09-01",
        ]  # fmt: skip


def code_of(kindergarten: int) -> str:
    return f"51{kindergarten:08d}"


def workbook(count: int, *, faulty: bool = False) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("在园名册")
        sheet.write_row(0, 0, HEADINGS)
        for line, row in enumerate(rows(count), start=1):
            sheet.write_row(line, 0, [*row[:5], "1234", "昨天", "昨天"] if faulty else row)
    return content.getvalue()


def fill(session: Session, kindergartens: int) -> Actor:
    areas.load(session)
    codes = [row["code"] for row in areas.rows_of_file()]
    columns = ("id", "code", "name", "sort_key", "nature", "area_code", "attached")
    copy_rows(session, "kindergarten", columns, [
        (uuid.uuid4(), code_of(n), f"模拟第{n}幼儿园", f"mo ni {n}", ("public", "inclusive", "private")[n % 3], codes[n % 23], False)
        for n in range(kindergartens)
    ])  # fmt: skip
    official = Account(id=uuid.uuid4(), login="city", name="模拟市级", password_hash="x", created_at=real_now())
    official.grants = [RoleGrant(role="city_official")]
    session.add(official)
    session.flush()
    return actor_of(official)


def machine_time() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0)


def own_time() -> float:
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def latencies(client: FlaskClient, until: Any) -> list[float]:
    """Seconds of page requests, one after the other with a short pause, until the condition holds."""
    found: list[float] = []
    while not until():
        for page in PAGES:
            began = time.perf_counter()
            answer = client.get(page)
            found.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{page}: {answer.status_code}")
            time.sleep(0.05)
    return found


def run_job(client: FlaskClient, url: str, job_id: uuid.UUID) -> dict[str, Any]:
    """Let another process do the job, and ask for pages meanwhile."""
    machine, own, began = machine_time(), own_time(), time.perf_counter()
    command = [sys.executable, "-m", "bench.imports", "--job", str(job_id), "--database", url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pages = latencies(client, lambda: process.poll() is not None)
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.read())
    took = time.perf_counter() - began
    others = (machine_time() - machine) - (own_time() - own)
    return found | {
        "page_median_ms": round(1000 * statistics.median(pages), 1),
        "page_slowest_ms": round(1000 * max(pages), 1),
        "share_of_others": round(max(others, 0.0) / (took * (os.cpu_count() or 1)), 2),
    }


def work(job_id: uuid.UUID, url: str) -> None:
    """What a worker does with one job; seconds, the peak of its memory and the outcome, as JSON."""
    runner.load_handlers()
    engine = open_engine(url)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    began, spent = time.perf_counter(), time.process_time()
    outcome = runner.run(engine, lambda _session: real_now(), job_id, "bench")
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = {"outcome": outcome, "seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}
    print(json.dumps(found | {"megabytes": peak, "base_megabytes": base}))


def measure(engine: Engine, client: FlaskClient, url: str, count: int) -> dict[str, Any]:
    content = workbook(count)
    found: dict[str, Any] = {"rows": count, "file_megabytes": round(len(content) / 1e6, 1)}
    with Session(engine) as session, session.begin():
        owner = fill(session, -(-count // (CHILDREN_OF_A_CLASS * CLASSES_OF_A_KINDERGARTEN)))
    alone = latencies(client, iter([False] * 20 + [True]).__next__)
    found["page_alone_median_ms"] = round(1000 * statistics.median(alone), 1)
    for name in ("first", "second"):
        file_id, check = upload(engine, content, owner)
        found[f"{name}_check"] = run_job(client, url, check)
        with Session(engine) as session, session.begin():
            report = uploads.report_of(uploads.own(session, file_id, by=owner, now=real_now()))
            found[f"{name}_added"], found[f"{name}_unchanged"] = (report["counts"][p] for p in ("added", "unchanged"))
            confirmed = uploads.confirm(session, file_id, by=owner, now=real_now(), overwrite=())
            apply = confirmed.job_id
        if name == "first":
            assert apply is not None
            found["apply"] = run_job(client, url, apply)
            with Session(engine) as session:
                found["on_roll"] = session.scalar(select(func.count(RollChild.id)))
    faulty = workbook(min(count, 40_000), faulty=True)
    file_id, check = upload(engine, faulty, owner)
    found["faulty_check"] = run_job(client, url, check)
    with Session(engine) as session:
        file = uploads.own(session, file_id, by=owner, now=real_now())
        found["faults"] = uploads.report_of(file)["total"]
        found["marked_megabytes"] = round(len(uploads.download_of(file, "marked")) / 1e6, 1)
    return found


def upload(engine: Engine, content: bytes, owner: Actor) -> tuple[uuid.UUID, uuid.UUID]:
    with Session(engine) as session, session.begin():
        # a file that waits for its turn no longer does: this measures one after the other
        session.execute(update(ImportFile).where(ImportFile.state == "applying").values(state="checked"))
        file = uploads.store(session, "roll", "名册.xlsx", content, by=owner, now=real_now(), year=2026)
        assert file.job_id is not None
        return file.id, file.job_id


def table(found: dict[str, Any]) -> str:
    lines = [("rows", found["rows"], ""), ("megabytes of the file", found["file_megabytes"], "")]
    for name, words in (
        ("first_check", "check"), ("apply", "write"), ("second_check", "check again"), ("faulty_check", "check, 40,000 faulty"),
    ):  # fmt: skip
        part = found[name]
        lines += [
            (f"{words}, s", part["seconds"], f"≤ {GOALS['seconds']:.0f}"),
            (f"{words}, s of a processor", part["processor_seconds"], ""),
            (f"{words}, MB at the most", part["megabytes"], f"≤ {GOALS['megabytes']}"),
            (f"{words}, page beside it, median ms", part["page_median_ms"], f"alone {found['page_alone_median_ms']}"),
            (f"{words}, page beside it, slowest ms", part["page_slowest_ms"], ""),
            (f"{words}, share of processors others took", part["share_of_others"], ""),
        ]
    lines += [("faults found", found["faults"], ""), ("children on roll", found["on_roll"], f"{found['rows']}")]
    return "\n".join(f"{name:44} {value:>10}   {goal}" for name, value, goal in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--job", type=uuid.UUID, help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    options = parser.parse_args()
    vault.unlock(KEYS)
    if options.job is not None:
        work(options.job, options.database)
        return
    servers = Servers(in_memory=False)
    addresses = servers.start()
    servers.make_template()
    url = addresses.create("bench_imports")
    engine = open_engine(url)
    try:
        config = Config(
            database_url=url, redis_url=addresses.redis, secret_key="for measuring only", keys=KEYS, demo=True,
            public_url="http://localhost", testing=True,
        )  # fmt: skip
        client = create_app(config, engine).test_client()
        taken = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "processors": os.cpu_count()}
        found = taken | measure(engine, client, url, options.rows)
    finally:
        engine.dispose()
        servers.stop()
    print(json.dumps(found, indent=1), file=sys.stderr)
    print(table(found))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
