"""``python -m allocation solve | verify | explain | bench``: the engine on files."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from allocation.faults import Fault, MarketFault

GOOD, DIFFERS, BAD_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (a bundle differs, a check failed) or 2 (bad input)."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except MarketFault as fault:
        for line in fault.lines():
            print(line, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or 'file'}: {error.strerror}", file=sys.stderr)
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
    """Print one line of progress."""
    print(line, file=sys.stderr, flush=True)


def solve_command(options: argparse.Namespace) -> int:
    """Read, draw, solve, check and write. The result folder is renamed into place, so it is complete or does not exist."""
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
    with ThreadPoolExecutor(1) as executor:
        written = executor.submit(files.result_files, outcome)
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


def verify_command(options: argparse.Namespace) -> int:
    """Compare a bundle with what the draw and the rule give."""
    from allocation import verify

    wrong = verify(options.bundle, progress=say)
    for line in wrong:
        print(line)
    if not wrong:
        print("verified: commitment, seed, tickets and every result file are right")
    return DIFFERS if wrong else GOOD


def explain_command(options: argparse.Namespace) -> int:
    """Print the wishes of one child in words."""
    from allocation import explain

    for wish in explain(options.result, options.child):
        print(wish)
    return GOOD


def bench_command(options: argparse.Namespace) -> int:
    """Print the measurements as JSON."""
    from allocation.benchmark.measurements import FEWEST_CHILDREN, measure

    if options.children < FEWEST_CHILDREN:
        message = f"{options.children} is too few to measure; the least is {FEWEST_CHILDREN}"
        raise MarketFault([Fault("bench", -1, "children", message)])
    print(json.dumps(measure(options.children, say), indent=2))
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
