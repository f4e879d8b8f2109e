"""How fast: each step on a synthetic market, as ratios against a plain C loop compiled in the same run.

Runs are paired (the yardstick and the step in turn) and the median ratio counts, so other work on the machine weighs
on both. Without a C compiler the ratios are missing and ``c_loop`` says so.
"""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from allocation import checks, explain, files
from allocation import deferred_acceptance as matching
from allocation.market import Market
from allocation.simulate import draw_many
from allocation.solve import compile_all, solve
from allocation.synthetic import synthetic_market

LOOP = Path(__file__).parent.parent / "bench" / "loop.c"
ROUNDS = 11
FILES_AT_MOST = 1_000_000  # children; above this only arrays are measured
SMALL = 25_000


def measure(children: int, say: Callable[[str], None] = lambda line: None) -> dict:
    """Everything measured, as one dictionary for JSON. Times in seconds unless the name says otherwise."""
    say("compiling")
    compile_all()
    solve(synthetic_market(2_000, units=True, pools=True))
    say(f"making a market of {children} children")
    market = synthetic_market(children)
    outcome = solve(market)
    found: dict[str, Any] = {
        "children": children,
        "wishes": len(market.programme),
        "programmes": market.programmes,
        "proposals": outcome.proposals,
        "cores": os.cpu_count(),
        "rounds": ROUNDS if children <= FILES_AT_MOST else 3,
    }
    say("comparing with the C loop")
    found |= _against_c(market, found["rounds"])
    say("pairs and pools")
    found |= _against_plain(children, market, found["rounds"])
    say("checks and reasons")
    found["check_s"] = _seconds(lambda: checks.check(market, outcome))
    explain.reasons(market, outcome)
    found["reasons_s"] = _seconds(lambda: explain.reasons(market, outcome))
    found |= _per_wish(market)
    if children <= FILES_AT_MOST:
        say("draws")
        found |= _draws(market)
        say("files to files")
        found |= _files(children)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return round(time.perf_counter() - start, 6)


def _solve_seconds(market: Market) -> float:
    return _seconds(lambda: solve(market))


def compile_loop(folder: str) -> Callable[[Market], tuple[float, np.ndarray]] | None:
    """The C loop as a function from a market to its seconds and placements; ``None`` without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not LOOP.exists():
        return None
    library = Path(folder) / "loop.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(LOOP)], check=True)  # noqa: S603
    match = ctypes.CDLL(str(library)).match
    match.restype = ctypes.c_int64

    def run(market: Market) -> tuple[float, np.ndarray]:
        base, heap, held, at, _ = _empty_pools(market)
        placed = np.empty(market.children, dtype=np.int32)
        arrays: Any = (
            market.offsets, market.programme, market.tier, market.ticket, market.places, base, heap, held, at, placed,
        )  # fmt: skip
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        start = time.perf_counter()
        match(ctypes.c_int64(market.children), *pointers)
        return time.perf_counter() - start, placed

    return run


def _empty_pools(market: Market):
    """The state arrays of the plain rule."""
    base = matching.heap_starts(market.programme, market.pools.start, market.pools.places)
    heap = np.zeros(base[-1], dtype=np.uint64)
    held = np.zeros(market.programmes, dtype=np.int32)
    limit = np.full(market.programmes, matching.NO_LIMIT, dtype=np.uint64)
    return base, heap, held, market.offsets[:-1].copy(), limit


def _matching_seconds(market: Market) -> float:
    base, heap, held, at, limit = _empty_pools(market)
    order = np.arange(market.children, dtype=np.int32)
    return _seconds(
        lambda: matching.match_singles(
            order,
            market.offsets,
            market.programme,
            market.tier,
            market.ticket,
            market.places,
            base,
            heap,
            held,
            limit,
            at,
        )
    )


def _against_c(market: Market, rounds: int) -> dict:
    """The matching loop alone and all of ``solve`` against the C loop."""
    with tempfile.TemporaryDirectory() as folder:
        loop = compile_loop(folder)
        if loop is None:
            ours = [(_matching_seconds(market), _seconds(lambda: solve(market))) for _ in range(rounds)]
            return {
                "c_loop": "no C compiler here",
                "matching_s": min(a for a, _ in ours),
                "solve_s": min(b for _, b in ours),
            }
        if not np.array_equal(loop(market)[1], solve(market).programme):
            raise AssertionError("the C loop and the engine disagree")
        runs = np.array(
            [(loop(market)[0], _matching_seconds(market), _seconds(lambda: solve(market))) for _ in range(rounds)]
        )
    return {
        "c_loop_s": round(runs[:, 0].min(), 6),
        "matching_s": runs[:, 1].min(),
        "solve_s": runs[:, 2].min(),
        "matching_to_c": round(float(np.median(runs[:, 1] / runs[:, 0])), 2),
        "solve_to_c": round(float(np.median(runs[:, 2] / runs[:, 0])), 2),
    }


def _against_plain(children: int, plain: Market, rounds: int) -> dict:
    """Bound pairs, open pools, and both, against the plain market, all by ``solve``."""
    found = {}
    for name, shape in (
        ("pairs", {"units": True}),
        ("pools", {"pools": True}),
        ("pairs_and_pools", {"units": True, "pools": True}),
    ):
        market = synthetic_market(children, **shape)
        runs = [(_solve_seconds(plain), _solve_seconds(market)) for _ in range(rounds)]
        found[f"{name}_s"] = min(b for _, b in runs)
        found[f"{name}_to_plain"] = round(float(np.median([b / a for a, b in runs])), 2)
    return found


def _per_wish(market: Market) -> dict:
    """Nanoseconds for a wish here and in a market that fits the cache."""
    small = synthetic_market(SMALL)
    here = min(_seconds(lambda: solve(market)) for _ in range(3)) / len(market.programme)
    there = min(_seconds(lambda: solve(small)) for _ in range(15)) / len(small.programme)
    return {
        "ns_per_wish": round(1e9 * here, 1),
        f"ns_per_wish_of_{SMALL}": round(1e9 * there, 1),
        "per_wish_ratio": round(here / there, 2),
    }


def _draws(market: Market, draws: int = 20) -> dict:
    draw_many(synthetic_market(100), 1)
    seconds = _seconds(lambda: draw_many(market, draws))
    return {"draws_per_s": round(draws / seconds, 1), "thousand_draws_s": round(1_000 * seconds / draws, 1)}


def _files(children: int) -> dict:
    """The whole command on files, in a process of its own, with a seed to draw from; its peak memory."""
    market = synthetic_market(children, codes=True)
    with tempfile.TemporaryDirectory() as folder:
        written = files.market_files(market)
        written.pop("tickets.csv")
        written["market.json"] = written["market.json"].replace(b'"seed":null', b'"seed":"' + b"5e" * 32 + b'"')
        (Path(folder) / "market").mkdir()
        for name, data in written.items():
            (Path(folder) / "market" / name).write_bytes(data)
        command = [sys.executable, "-c", _MEASURED, "solve", f"{folder}/market", "--out"]
        subprocess.run([*command, f"{folder}/first"], check=True, capture_output=True)  # noqa: S603 (fills the cache)
        start = time.perf_counter()
        done = subprocess.run([*command, f"{folder}/again"], check=True, capture_output=True, text=True)  # noqa: S603
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(folder, "again").iterdir())
    return {
        "files_to_files_s": round(seconds, 2),
        "files_to_files_mb": int(done.stdout) // 1024,
        "files_in_mb": round(sum(map(len, written.values())) / 1e6, 1),
        "files_out_mb": round(size / 1e6, 1),
    }


_MEASURED = """
import resource, sys
from allocation.__main__ import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""
