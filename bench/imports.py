"""Measures the import of a district's list against a plain COPY of the same rows.

    python -m bench.imports [--kindergartens 3000]

Prints seconds and ratios as JSON.  It uses a temporary embedded database.
"""

import argparse
import datetime as dt
import json
import time

from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.db import open_engine
from enrollment.places import areas
from enrollment.places.imports import importer
from enrollment.places.kindergartens import Kindergarten
from tests.support.keys import KEYS
from tests.support.office_files import csv_file, xlsx
from tests.support.servers import Servers

HEADINGS = [
    "学校标识码", "园所名称", "办园性质", "举办者", "招生区域", "街道", "地址", "经度", "纬度", "联系电话", "保教费", "班数",
]  # fmt: skip
NATURES = ("教办", "普惠性民办", "非普惠", "集体办")


def rows(count: int) -> list[list]:
    names = [row["name"] for row in areas.rows_of_file()]
    return [
        [
            f"51{number:08d}", f"模拟第{number}幼儿园", NATURES[number % 4], "模拟举办者", names[number % len(names)],
            f"模拟{number % 260}街道", f"模拟路 {number} 号", 103.9 + number % 100 / 500, 30.5 + number % 77 / 500,
            f"028-8{number:07d}", 300 + number % 40 * 50, 3 + number % 15,
        ]
        for number in range(count)
    ]  # fmt: skip


def seconds(act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def copy_rows(engine, table: str, columns: list[str]) -> float:
    """COPY the imported rows out and into an empty table with the same columns."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        cursor = raw.cursor()
        cursor.execute(f"CREATE TEMP TABLE plain (LIKE {table} INCLUDING ALL)")
        cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
        content = cursor.fetchall()

        def act():
            with cursor.copy(f"COPY plain ({', '.join(columns)}) FROM STDIN") as copy:
                for row in content:
                    copy.write_row(row)
            raw.commit()

        return seconds(act)


def measure(engine, count: int) -> dict:
    now = dt.datetime.now(dt.UTC)
    listed = rows(count)
    made = {"xlsx": xlsx(HEADINGS, listed), "csv_gbk": csv_file(HEADINGS, listed, "gbk")}

    def take(content):
        with Session(engine) as session:
            importer.import_file(session, "kindergartens", "bench", content, by=SYSTEM, now=now, year=2026)
            session.commit()

    found = {"kindergartens": count, "xlsx_bytes": len(made["xlsx"])}
    found["first_import_s"] = round(seconds(lambda: take(made["xlsx"])), 3)
    found["second_import_s"] = round(seconds(lambda: take(made["xlsx"])), 3)
    found["csv_import_s"] = round(seconds(lambda: take(made["csv_gbk"])), 3)
    columns = [column.name for column in Kindergarten.__table__.columns if column.name != "parent_id"]
    found["plain_copy_s"] = round(copy_rows(engine, "kindergarten", columns), 3)
    found["ratio_to_copy"] = round(found["first_import_s"] / found["plain_copy_s"], 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kindergartens", type=int, default=3000)
    count = parser.parse_args().kindergartens
    vault.unlock(KEYS)
    servers = Servers()
    addresses = servers.start()
    engine = open_engine(addresses.create("bench_imports"))
    try:
        print(json.dumps(measure(engine, count), indent=1))
    finally:
        engine.dispose()
        servers.stop()


if __name__ == "__main__":
    main()
