"""``python -m allocation solve | verify | explain | bench``: the engine on files."""

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from allocation.faults import Fault, MarketFault

GOOD, DIFFERS, BAD_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (a bundle differs, a check failed) or 2 (bad input)."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except MarketFault as fault:
        for line in fault.faults:
            print(line, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or 'file'}: {error.strerror}", file=sys.stderr)
    except zipfile.BadZipFile as error:
        print(f"a broken zip file: {error}", file=sys.stderr)
    return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m allocation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    one = commands.add_parser("solve", help="place the children of a market")
    one.add_argument("market", type=Path, help="a folder or a zip")
    one.add_argument("--out", type=Path, required=True, help="the folder for the result; must not exist")
    one.set_defaults(run=solve_command)
    one = commands.add_parser("verify", help="do the draw and the allocation of a bundle again and compare")
    one.add_argument("bundle", type=Path)
    one.set_defaults(run=verify_command)
    one = commands.add_parser("explain", help="the wishes of one child, with the reason for each")
    one.add_argument("result", type=Path, help="a result folder, or a bundle")
    one.add_argument("--child", required=True, help="the child's code")
    one.set_defaults(run=explain_command)
    one = commands.add_parser("bench", help="measure on a synthetic market; prints JSON")
    one.add_argument("--children", type=int, default=250_000)
    one.set_defaults(run=bench_command)
    return parser


def say(line: str) -> None:
    """Progress, for whoever waits."""
    print(line, file=sys.stderr, flush=True)


def solve_command(options) -> int:
    """Read, draw, solve, check, write; the result folder appears complete or not at all."""
    from allocation import checks, files
    from allocation.files.summary import summary
    from allocation.solve import solve

    if options.out.exists():
        raise MarketFault([Fault(str(options.out), -1, "", "exists already")])
    inputs = files.read_files(options.market, files.MARKET_FILES)
    market = files.parse_market(inputs)
    say(f"{market.children} children, {len(market.programme)} wishes, {market.programmes} programmes read")
    outcome = solve(market, say)
    say(f"{outcome.placed} children placed; checking")
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(files.result_files, outcome)
        report = checks.check(market, outcome, solve)
    if not report.ok:
        for line in report.failures:
            say(line)
        return DIFFERS
    results = written.result()
    head = summary(outcome, report, inputs=inputs, outputs=results, finished=datetime.now(UTC))
    _write_folder(
        options.out, {**results, "summary.json": json.dumps(head, indent=2, ensure_ascii=False).encode() + b"\n"}
    )
    say(f"result written to {options.out}")
    return GOOD


def _write_folder(folder: Path, contents: dict[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in contents.items():
            (unfinished / name).write_bytes(data)
        unfinished.chmod(0o777 & ~_umask())
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def verify_command(options) -> int:
    """Compare a bundle with what the draw and the rule give."""
    from allocation.files import bundle

    wrong = bundle.verify(options.bundle, say)
    for line in wrong:
        print(line)
    if not wrong:
        print("verified: commitment, seed, tickets and every result file are right")
    return DIFFERS if wrong else GOOD


def explain_command(options) -> int:
    """Print the rows of one child in words."""
    from allocation import files

    name = "reasons.csv"
    found = files.read_files(options.result, [name, f"result/{name}"])
    if not found:
        raise MarketFault([Fault(str(options.result), -1, "", f"{name} is missing")])
    rows = csv.DictReader(next(iter(found.values())).decode().splitlines())
    mine = [row for row in rows if row["child"] == options.child]
    if not mine:
        raise MarketFault([Fault(name, -1, "child", f"{options.child} has no wish in this result")])
    for row in mine:
        print(in_words(row))
    return GOOD


_WORDS = {
    "placed": "placed in pool {pool}",
    "placed_higher": "not needed: a wish before it was granted",
    "no_places": "no place here that was not guaranteed to somebody",
    "not_eligible": "the places left are for other groups",
    "closed_by_unit": "the next in line was a bound pair or triplet that did not fit; the place waits",
    "tier_below_cutoff": "tier {tier}; the line in pool {pool} was drawn in tier {cutoff_tier}",
    "ticket_after_cutoff": "ticket {ticket}; the last admitted in tier {cutoff_tier} of pool {pool} was {cutoff_ticket}",
}


def in_words(row: dict[str, str]) -> str:
    """One row of ``reasons.csv`` as a sentence."""
    return f"wish {row['rank']}, {row['programme']}: " + _WORDS[row["reason"]].format(**row)


def bench_command(options) -> int:
    """Print the measurements as JSON."""
    from allocation.benchmark.measurements import measure

    print(json.dumps(measure(options.children, say), indent=2))
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
