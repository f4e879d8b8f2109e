"""Run times of each step on a synthetic market, with ratios to a plain C loop that is compiled in the same run.

Runs are paired (the reference and the step in turn), and the median of the ratios of processor time counts, so that
other work on the machine slows down both. ``…_s`` is elapsed time, ``…_cpu_s`` processor time, ``…_waited_s`` the time
in which a run waited for a core that other processes used. Without a C compiler there are no ratios.
"""

import ctypes
import json
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

from allocation import checks, files, lottery, renumber
from allocation import deferred_acceptance as matching
from allocation import reasons as explain
from allocation.arrays import Array
from allocation.benchmark.synthetic import displacement_chain, synthetic_market
from allocation.benchmark.timing import Duration, MachineLoad, time_call
from allocation.files import bundle
from allocation.files.reader import draw_tickets
from allocation.lottery import draw_market
from allocation.market import Market
from allocation.renumber import BLOCK, number_by_first_wish, renumber_market
from allocation.simulation import simulate
from allocation.solve import solve
from allocation.units import require_tickets
from allocation.warmup import compile_all

LOOP = Path(__file__).parents[2] / "bench" / "loop.c"
ROUNDS = 11
FEWEST_CHILDREN = 1
FILES_AT_MOST = 1_000_000  # children; above this only the steps from array to array are measured
SMALL = 25_000
DRAWS = 100
SEED = "5e" * 32
GOALS_AT = 250_000  # children
GOALS = {
    "matching_to_c": 1.5, "solve_to_c": 2, "pairs_to_plain": 2, "pools_to_plain": 4, "thousand_draws_s": 60,
    "chain_check_cpu_s": 3, "files_to_files_cpu_s": 1.2, "files_to_files_mb": 600, "verify_cpu_s": 1,
}  # fmt: skip


def measure(children: int, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """All measurements on a market of this many children, ready for JSON."""
    load = MachineLoad()
    say("compiling")
    found: dict[str, Any] = {"compile_s": round(time_call(compile_all).wall, 2)}
    solve(synthetic_market(2_000, units=True, pools=True))
    say(f"making a market of {children} children")
    market = synthetic_market(children)
    rounds = ROUNDS if children <= FILES_AT_MOST else 3
    found |= {
        "children": children,
        "wishes": len(market.programme),
        "programmes": market.programmes,
        "proposals": solve(market).proposals,
        "cores": os.cpu_count(),
        "rounds": rounds,
    }
    say("comparing with the C loop")
    found |= _against_c(market, rounds)
    found |= _per_wish(market)
    if children <= FILES_AT_MOST:
        say("pairs and pools")
        found |= _against_plain(children, market, rounds)
        say("draws")
        found |= _draws(market)
        say("one chain through all children")
        found |= chain_figures(children)
        say("files to files")
        found |= file_figures(children)
    if children == GOALS_AT:
        found["goals"] = GOALS
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found | load.figures()


def compile_loop(folder: str) -> Callable[[Market], tuple[Duration, Array]] | None:
    """The C loop as a function from a market to its seconds and placements; ``None`` without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not LOOP.exists():
        return None
    library = Path(folder) / "loop.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(LOOP)], check=True)  # noqa: S603
    match = ctypes.CDLL(str(library)).match
    match.restype = ctypes.c_int64

    def run(market: Market) -> tuple[Duration, Array]:
        base, heap, held, at, _ = _empty_pools(market)
        placed = np.empty(market.children, dtype=np.int32)
        arrays: Any = (
            market.offsets, market.programme, market.tier, market.ticket, market.places, base, heap, held, at, placed,
        )  # fmt: skip
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        return time_call(lambda: match(ctypes.c_int64(market.children), *pointers)), placed

    return run


def _empty_pools(market: Market) -> tuple[Array, Array, Array, Array, Array]:
    """The state arrays of the plain rule."""
    base = matching.heap_starts(market.programme, market.pools.start, market.pools.places)
    heap = np.zeros(base[-1], dtype=np.uint64)
    held = np.zeros(market.programmes, dtype=np.int32)
    limit = np.full(market.programmes, matching.NO_LIMIT, dtype=np.uint64)
    return base, heap, held, market.offsets[:-1].copy(), limit


def _matching(market: Market) -> Duration:
    """The matching loop alone."""
    base, heap, held, at, limit = _empty_pools(market)
    order = np.arange(market.children, dtype=np.int32)
    columns = market.offsets, market.programme, market.tier, require_tickets(market), market.places
    return time_call(lambda: matching.match_singles(order, *columns, base, heap, held, limit, at))


def _solving(market: Market) -> Duration:
    return time_call(lambda: solve(market))


def _fastest(name: str, runs: list[Duration]) -> dict[str, float]:
    """The figures of the run with the least processor time."""
    best = min(runs, key=lambda run: run.cpu)
    seconds = zip(("s", "cpu_s", "waited_s"), best, strict=True)
    return {f"{name}_{unit}": round(second, 6) for unit, second in seconds}


def _ratio(runs: list[Duration], reference: list[Duration]) -> float:
    return round(float(np.median([run.cpu / other.cpu for run, other in zip(runs, reference, strict=True)])), 2)


def _against_c(market: Market, rounds: int) -> dict[str, Any]:
    """The matching loop alone and all of ``solve`` against the C loop; in large markets the C loop renumber_market, too."""
    large = market.children >= renumber.LARGE_MARKET
    local = renumber_market(market, number_by_first_wish(market, BLOCK)) if large else market
    with tempfile.TemporaryDirectory() as folder:
        loop = compile_loop(folder)
        if loop is None:
            pairs = [(_matching(local), _solving(market)) for _ in range(rounds)]
            ours, whole = map(list, zip(*pairs, strict=True))
            return {"c_loop": "no C compiler here"} | _fastest("matching", ours) | _fastest("solve", whole)
        if not np.array_equal(loop(market)[1], solve(market).programme):
            raise AssertionError("the C loop and the engine disagree")
        runs = [(loop(market)[0], loop(local)[0], _matching(local), _solving(market)) for _ in range(rounds)]
    c, c_local, ours, whole = map(list, zip(*runs, strict=True))
    found: dict[str, Any] = _fastest("c_loop", c) | _fastest("matching", ours) | _fastest("solve", whole)
    found |= {"matching_to_c": _ratio(ours, c_local), "solve_to_c": _ratio(whole, c)}
    if large:
        found |= _fastest("c_loop_renumbered", c_local)
        found |= _fastest("renumber", [time_call(lambda: renumber_market(market, number_by_first_wish(market, BLOCK)))])
    return found


def _against_plain(children: int, plain: Market, rounds: int) -> dict[str, Any]:
    """Bound pairs, open pools, and both, against the plain market, all by ``solve``."""
    found: dict[str, float] = {}
    for name, shape in (
        ("pairs", {"units": True}),
        ("pools", {"pools": True}),
        ("pairs_and_pools", {"units": True, "pools": True}),
    ):
        market = synthetic_market(children, **shape)
        runs = [(_solving(plain), _solving(market)) for _ in range(rounds)]
        without, with_them = map(list, zip(*runs, strict=True))
        found |= _fastest(name, with_them) | {f"{name}_to_plain": _ratio(with_them, without)}
    return found


def _per_wish(market: Market) -> dict[str, Any]:
    """Nanoseconds of processor time per wish in this market, with renumbering, and in one that fits into the cache."""
    small = synthetic_market(SMALL)
    here = min(_solving(market).cpu for _ in range(3)) / len(market.programme)
    there = min(_solving(small).cpu for _ in range(15)) / len(small.programme)
    return {
        "ns_per_wish": round(1e9 * here, 1),
        f"ns_per_wish_of_{SMALL}": round(1e9 * there, 1),
        "per_wish_ratio": round(here / there, 2),
    }


def _draws(market: Market) -> dict[str, Any]:
    """Many draws on all cores, extrapolated to a thousand."""
    simulate(synthetic_market(100), 1)
    cpu = time.process_time()
    wall = time_call(lambda: simulate(market, DRAWS)).wall
    times = 1_000 / DRAWS
    return {
        "draws": DRAWS,
        "thousand_draws_s": round(times * wall, 1),
        "thousand_draws_cpu_s": round(times * (time.process_time() - cpu), 1),
    }


def chain_figures(children: int) -> dict[str, Any]:
    """A market in which one newcomer displaces everybody: solving and checking it (goal: 3 s for 250,000 children)."""
    market = displacement_chain(children)
    outcome = solve(market)
    checked = time_call(lambda: checks.check(market, outcome, solve))
    return _fastest("chain_solve", [time_call(lambda: solve(market))]) | _fastest("chain_check", [checked])


def file_figures(children: int) -> dict[str, Any]:
    """Each step of the command on files, then whole commands in processes of their own, with their peak memory."""
    market = draw_market(synthetic_market(children, codes=True), bytes.fromhex(SEED))
    written = files.market_files(market)
    found = _steps(written)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "market").mkdir()
        for name, data in written.items():
            (Path(folder) / "market" / name).write_bytes(data)
        found |= _command("files_to_files", ["solve", f"{folder}/market", "--out"], [f"{folder}/{n}" for n in range(3)])
        result = {path.name: path.read_bytes() for path in Path(folder, "0").iterdir()}
        fixed = lottery.commitment(written)
        drawn = bundle.DrawRecord(fixed, seed=lottery.seed_bytes(fixed).hex())
        written["market.json"] = lottery.canonical({**json.loads(written["market.json"]), "seed": drawn.seed})
        outcome = solve(files.parse_market(written))
        Path(folder, "bundle.zip").write_bytes(bundle.pack(written, drawn, files.result_files(outcome)))
        found |= _command("verify", ["verify"], 3 * [f"{folder}/bundle.zip"])
    return found | {
        "files_in_mb": round(sum(map(len, written.values())) / 1e6, 1),
        "files_out_mb": round(sum(map(len, result.values())) / 1e6, 1),
    }


def _command(name: str, command: list[str], last: list[str]) -> dict[str, Any]:
    """The run with the least processor time of the command, each run with another last argument."""
    runs = []
    for argument in last:
        start = time.perf_counter()
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _MEASURED, *command, argument], check=True, capture_output=True, text=True
        )
        cpu, memory = done.stdout.split()[-2:]
        runs.append((float(cpu), time.perf_counter() - start, int(memory) // 1024))
    cpu_s, wall_s, megabytes = min(runs)
    return {f"{name}_s": round(wall_s, 2), f"{name}_cpu_s": round(cpu_s, 2), f"{name}_mb": megabytes}


def _steps(written: dict[str, bytes]) -> dict[str, Any]:
    """Reading (with the tickets), checking, reasons and writing."""
    market = files.parse_market(written)
    outcome = solve(market)
    steps = {
        "read": lambda: files.parse_market(written),
        "tickets": lambda: draw_tickets(market, bytes.fromhex(SEED)),
        "check": lambda: checks.check(market, outcome, solve),
        "reasons": lambda: explain.reasons(market, outcome),
        "write": lambda: files.result_files(outcome),
    }
    return {f"{name}_s": round(time_call(step).wall, 4) for name, step in steps.items()}


_MEASURED = r"""
import pathlib, re, resource, sys
from allocation.__main__ import main
ended = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
status = pathlib.Path("/proc/self/status")  # ru_maxrss also counts the process before exec
peak = re.search(r"VmHWM:\s+(\d+)", status.read_text())[1] if status.exists() else used.ru_maxrss
print(used.ru_utime + used.ru_stime, peak)
sys.exit(ended)
"""
