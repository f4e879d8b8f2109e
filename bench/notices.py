"""Measures admission notices per second and core: `python -m bench.notices [--letters N] [--json FILE]`.

It counts CPU seconds, so other processes have little influence.  The goal is 9 a second and core.
"""

import argparse
import datetime as dt
import json
import time
from pathlib import Path
from types import SimpleNamespace

from flask import Flask

from bench.machine import Machine, beside_goals, machine_line
from enrollment.ground.city_time import CHENGDU
from enrollment.offers.arrivals.days import Arrival
from enrollment.results.admission_notice import Admission
from portal.letters.notice import notice_page
from portal.letters.pdf_renderer import draw
from portal.text import formats, languages
from portal.text.words import word

GOAL = 9.0
AT = dt.datetime(2026, 6, 8, 10, tzinfo=CHENGDU)
FAMILY_NAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_NAMES = "沐晨一诺子轩若曦雨桐宇航梓涵浩然思远欣怡俊杰诗琪嘉懿明哲佳宁"


def admission(number: int) -> Admission:
    """The notice of an invented family; names differ, so that letters are not copies."""
    kindergarten = SimpleNamespace(
        name=f"锦官新城第{number % 90 + 1}幼儿园",
        nature="public",
        address=f"锦江区静安路 {number % 300 + 1} 号（模拟数据）",
        phone="028-86123456",
        area=SimpleNamespace(name="锦江区", name_en="Jinjiang"),
    )
    name = FAMILY_NAMES[number % 20] + GIVEN_NAMES[number % 15 * 2 : number % 15 * 2 + 2]
    code = f"{number:012d}".translate(str.maketrans("0123456789", "CDFGHJKLMN"))
    return Admission(code, name, f"K7MQ-{number:04d}", kindergarten, "lower", 2026, AT, Arrival(AT, AT))


def drawn(number: int) -> bytes:
    return draw(notice_page(admission(number), public_url="https://ruyuan.example", demo=True).html)


def measured(letters: int) -> dict:
    machine = Machine()
    app = Flask("portal", root_path="portal", template_folder="../templates")
    languages.init(app)
    formats.init(app)
    app.jinja_env.globals.update(word=word)
    with app.app_context(), languages.speaking("zh"):
        began = time.perf_counter()
        size = len(drawn(0))
        first = time.perf_counter() - began
        began, cpu = time.perf_counter(), time.process_time()
        for number in range(1, letters + 1):
            drawn(number)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    return {
        "letters": letters,
        "per_second_and_core": round(letters / cpu, 2),
        "goal": GOAL,
        "milliseconds_of_cpu_each": round(1000 * cpu / letters, 1),
        "wall_seconds": round(wall, 2),
        "share_of_a_core_we_got": round(cpu / wall, 3),
        "first_letter_seconds": round(first, 2),
        "bytes": size,
        **machine.description(),
    }


def table(found: dict) -> str:
    rows = [
        ("notices a second and core", found["per_second_and_core"], f"≥ {GOAL:g}"),
        ("processor time of a notice, ms", found["milliseconds_of_cpu_each"], f"≤ {1000 / GOAL:.0f}"),
        ("seconds by the clock", found["wall_seconds"], ""),
        ("share of a core that was left for it", found["share_of_a_core_we_got"], ""),
        ("first notice, seconds", found["first_letter_seconds"], ""),
        ("bytes of a notice", found["bytes"], ""),
    ]
    return f"{machine_line(found)}, {found['letters']} notices\n{beside_goals(rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=100)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    found = measured(asked.letters)
    print(table(found))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
