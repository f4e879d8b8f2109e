"""A small first hour through a whole `make serve`: nothing lost, nothing twice; and what its pages weigh over the wire."""

import asyncio
import random
import re

import pytest

from bench.families import Browser, Family, Tally, fields_of
from bench.processors import Processors
from bench.rehearsal import City, come, figures, report
from tests.support.coroutines import run_in_a_thread

pytestmark = [pytest.mark.slow, pytest.mark.long]

FIRST, NEXT = 60_000, 15_000
"""Bytes of the first page of a family with all its files, and of each next one with the files kept."""


class Weighing(Browser):
    """Counts what comes over the wire, and keeps static files."""

    def __init__(self, port: int):
        super().__init__(port, Tally(), random.Random(1))
        self.kept: set[str] = set()

    async def weight(self, path: str) -> int:
        """Bytes of this page with its style sheets, scripts and icon that are not kept yet."""
        total = 0
        page = await self.ask("page", path)
        assert page.status == 200, path
        total += page.wire
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.body.decode()):
            if address not in self.kept:
                file = await self.ask("file", address)
                assert file.status == 200
                assert "immutable" in file.headers["cache-control"]
                self.kept.add(address)
                total += file.wire
        return total


async def weigh(city: City) -> dict[str, int]:
    browser, family = Weighing(city.portal.port), city.families[0]
    weights = {"/": await browser.weight("/")}
    weights["/sign-in"] = await browser.weight("/sign-in")
    await sign_in(browser, family)
    form = f"/parents/applications/{family.application}"
    for path in (
        "/parents",
        form,
        f"{form}/tasks",
        f"{form}/household",
        f"{form}/wishes",
        f"{form}/check",
        "/kindergartens",
    ):
        weights[path.replace(family.application, "…")] = await browser.weight(path)
    browser.close()
    fresh = Weighing(city.portal.port)
    fresh.cookies = browser.cookies
    weights["first page of a family"] = await fresh.weight("/parents")
    fresh.close()
    return weights


async def sign_in(browser: Browser, family: Family) -> None:
    page = await browser.ask("page", "/sign-in")
    entered = [
        (name, family.phone.removeprefix("+86") if name == "phone" else value) for name, value in fields_of(page)
    ]
    await browser.ask("send", "/sign-in", entered)
    page = await browser.ask("page", "/sign-in/code")
    for _ in range(300):
        if code := family.codes(family.phone):
            break
        await asyncio.sleep(0.1)
    await browser.ask(
        "send", "/sign-in/code", [(name, code if name == "code" else value) for name, value in fields_of(page)]
    )


def test_tru14_a_small_first_hour(tmp_path):
    city = City(tmp_path / "var", 21, 0.3, {})
    stop = city.start_reading_codes()
    try:
        weights = run_in_a_thread(weigh(city))
        city.families = city.families[1:]
        tally = Tally()
        marks = run_in_a_thread(come(city, [(20, 3.0)], tally, random.Random(2)))
        proof = city.proof(tally.acknowledged)
    finally:
        stop()
        city.end()
    assert tally.failed == []
    assert tally.finished + tally.abandoned == 20
    assert tally.finished >= 8, "about one family of four gives up; which ones, depends on who asks first"
    assert proof == {"acknowledged": tally.finished, "stored": tally.finished, "lost": 0, "double": 0}
    report(tmp_path, figures(tally, marks, proof, Processors(1.0, 0.5, 0.1), 1000.0), tally)
    assert "<svg" in (tmp_path / "rehearsal.html").read_text()
    assert weights.pop("first page of a family") <= FIRST, weights
    assert weights.pop("/") <= FIRST, weights
    assert max(weights.values()) <= NEXT, weights
