"""Measures the public verification of a whole city: `python -m bench.verifier [--children N] [--slower 4]`.

Makes an invented market with bound twins and reserved places, draws and solves it, packs the bundle, and checks it as
the public does: by `python -m allocation verify`, in the page's worker in a headless Chromium, and once more on that
browser's main thread with the processor slowed down, which is how a phone is imitated. Prints JSON. The goal is 60 s.

Times are wall seconds with CPU seconds beside them, which other processes influence little.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Page

from allocation.benchmark.synthetic import synthetic_market
from tests.engine.bundles import packed
from tests.support.chromium import chromium, open_context
from tests.support.verifier import served

GOAL = 60.0

# What the page does, and beside it a clock on the main thread that notices when the page could not have answered.
IN_THE_WORKER = """async (address) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  const began = performance.now(), steps = {}, seen = [];
  let last = began, stall = 0, ticking = true, step = null, since = began;
  const tick = () => { const now = performance.now(); stall = Math.max(stall, now - last); last = now; if (ticking) setTimeout(tick, 10); };
  tick();
  const ended = (now) => { if (step) steps[step] = (steps[step] || 0) + (now - since) / 1000; since = now; };
  const found = await new Promise(async (done) => {
    worker.onmessage = ({ data }) => {
      if (!data.step) return done(data);
      seen.push(data.step);
      if (data.step !== step) { ended(performance.now()); step = data.step; }
    };
    worker.postMessage({ blob: await (await fetch(address)).blob(), job: 1 });
  });
  ended(performance.now());
  const seconds = (performance.now() - began) / 1000;
  const asked = performance.now();
  const family = await new Promise((done) => { worker.onmessage = ({ data }) => done(data.found); worker.postMessage({ find: '1' }); });
  ticking = false;
  return { seconds, steps, progress: seen.length, longest_stall_ms: stall, one_family_ms: performance.now() - asked,
    wishes: family.wishes.length, error: found.error, equal: (found.steps || []).every(({ ok }) => ok), children: found.children };
}"""
ON_THE_MAIN_THREAD = """async (address) => {
  const { verify } = await import('/verify.js');
  const blob = await (await fetch(address)).blob();
  const began = performance.now();
  const { steps } = await verify(blob);
  return { seconds: (performance.now() - began) / 1000, equal: steps.every(({ ok }) => ok) };
}"""


class Watched:
    """Memory of its own (without shared libraries) and CPU of the browser's processes while a check runs."""

    def __init__(self):
        self.peak: dict[str, int] = {}
        self.going = True
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                words = " ".join(process.cmdline())
                if "--type=renderer" in words:
                    yield "page", process
                elif "chromium" in words and "--type=" not in words:
                    yield "browser", process

    def _watch(self) -> None:
        while self.going:
            now: dict[str, int] = {}
            for name, process in self._processes():
                with contextlib.suppress(psutil.Error):
                    memory = process.memory_info()
                    now[name] = max(now.get(name, 0), memory.rss - memory.shared)
            for name, size in now.items():
                self.peak[name] = max(self.peak.get(name, 0), size)
            time.sleep(0.02)

    def cpu(self) -> float:
        total = 0.0
        for _, process in self._processes():
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:2])
        return total

    def __enter__(self) -> "Watched":
        self.began = self.cpu()
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.seconds = self.cpu() - self.began
        self.going = False
        self.thread.join()


def in_browser(folder: Path, slower: float) -> dict:
    with chromium(folder / "chromium") as browser, served(folder) as address:
        found = {"worker": _measured(_page(browser, address), IN_THE_WORKER)}
        page = _page(browser, address)
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        found[f"main_thread_{slower:g}_times_slower"] = _measured(page, ON_THE_MAIN_THREAD)
    return found


def _page(browser, address: str) -> Page:
    page = open_context(browser, phone=True).new_page()
    page.set_default_timeout(0)
    page.goto(address)
    return page


def _measured(page: Page, script: str) -> dict:
    with Watched() as watched:
        found = page.evaluate(script, "/bundles/bundle.zip")
    page.context.close()
    if not found["equal"]:
        raise AssertionError(f"the two implementations disagree: {found}")
    return _rounded(found) | {
        "cpu_seconds": round(watched.seconds, 2),
        "peak_mb_of_the_page": watched.peak.get("page", 0) // 1_000_000,
        "peak_mb_of_the_browser": watched.peak.get("browser", 0) // 1_000_000,
    }


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items() if one is not None}
    return round(value, 3) if isinstance(value, float) else value


def by_command(bundle: Path) -> dict:
    """`python -m allocation verify` in a process of its own, once for the compiler and once for the clock."""
    command = [sys.executable, "-c", COMMAND, "verify", str(bundle)]
    subprocess.run(command, check=True, capture_output=True)
    began, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime, 2),
        "peak_mb": int(done.stdout.split()[-1]) // 1000,
    }


COMMAND = """
import resource, sys
from allocation.__main__ import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def measured(children: int, slower: float) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        market = synthetic_market(children, units=True, pools=True, codes=True)
        bundle = packed(market, with_summary=True)
        (folder / "bundle.zip").write_bytes(bundle)
        found = {
            "children": children,
            "wishes": len(market.programme),
            "programmes": market.programmes,
            "bundle_mb": round(len(bundle) / 1e6, 1),
            "made_in_seconds": round(time.perf_counter() - began, 1),
            "goal_seconds": GOAL,
            "cores": os.cpu_count(),
        }
        del market, bundle
        found["command"] = by_command(folder / "bundle.zip")
        found |= in_browser(folder, slower)
    return found | {"load": round(os.getloadavg()[0], 2)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=250_000)
    parser.add_argument("--slower", type=float, default=4, help="how much slower a phone is (default: 4)")
    options = parser.parse_args()
    print(json.dumps(measured(options.children, options.slower), indent=2, ensure_ascii=False))
