"""``python -m allocation solve | verify | explain | bench``: the engine on files."""

import argparse
import gc
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from allocation.faults import Fault, MarketFault

GOOD, DIFFERS, BAD_INPUT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (a bundle differs, a check failed) or 2 (bad input)."""
    options = _parser().parse_args(arguments)
    try:
        with _one_command():
            status: int = options.run(options)
        return status
    except MarketFault as fault:
        for line in fault.lines():
            print(line, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or 'file'}: {error.strerror}", file=sys.stderr)
    return BAD_INPUT


@contextmanager
def _one_command() -> Iterator[None]:
    """Settings of a process that runs one command and ends; together they save 0.15 s of processor time at its start.

    numpy would start a thread for each further core that waits for matrices to multiply, and there are none. The collector
    would look through all modules several times while they are imported; memory of arrays is freed without it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m allocation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    one = commands.add_parser("solve", help="place the children of a market")
    one.add_argument("market", type=Path, help="a folder or a zip")
    one.add_argument("--out", type=Path, required=True, help="the folder for the result; must not exist")
    one.set_defaults(run=solve_command)
    one = commands.add_parser(
        "verify", help="check a public file, or do the draw and the allocation of a full one again"
    )
    one.add_argument(
        "bundle", type=Path, help="a public file or a full bundle: a zip, or the folder it was unpacked to"
    )
    one.add_argument("--commitment", type=_commitment, metavar="HEX", help="the one that was published before the draw")
    one.add_argument("--opening", type=Path, metavar="JSON", help="the opening of a child: check its result too")
    one.add_argument("--public", type=Path, metavar="FILE", help="beside a full bundle: compare its public file too")
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
    from concurrent.futures import ThreadPoolExecutor

    from allocation import checks, files
    from allocation.compilation import keep_freed_memory
    from allocation.files.summary import digests, summary
    from allocation.solve import solve

    if options.out.exists():
        raise MarketFault([Fault(str(options.out), -1, "", "exists already")])
    keep_freed_memory()
    inputs = files.read_files(options.market, files.MARKET_FILES)
    market = files.parse_market(inputs)
    say(f"{market.children} children, {len(market.programme)} wishes, {market.programmes} programmes read")
    outcome = solve(market, say)
    say(f"{outcome.placed} children placed; checking")
    with _unfinished_folder(options.out) as folder, ThreadPoolExecutor(1) as executor:
        written = executor.submit(_write_results, folder, files.result_blocks(outcome))
        report = checks.check(market, outcome, solve, say)
        if not report.ok:
            for line in report.failures:
                say(line)
            return DIFFERS
        head = summary(
            outcome, report, inputs=digests(inputs), outputs=written.result(), finished=datetime.now(UTC)
        )  # fmt: skip
        (folder / "summary.json").write_bytes(json.dumps(head, indent=2, ensure_ascii=False).encode() + b"\n")
        folder.chmod(0o777 & ~_umask())
        folder.rename(options.out)
    say(f"result written to {options.out}")
    return GOOD


@contextmanager
def _unfinished_folder(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` for its files; whoever has written all of them renames it, else it is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_results(folder: Path, results: Iterable[tuple[str, Iterable[bytes]]]) -> dict[str, str]:
    """Write each file block by block; the SHA-256 (hex) of each."""
    digests = {}
    for name, blocks in results:
        digest = hashlib.sha256()
        with (folder / name).open("wb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
        digests[name] = digest.hexdigest()
    return digests


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _commitment(given: str) -> str:
    from allocation.files.json_objects import is_digest

    if not is_digest(given.lower()):
        raise argparse.ArgumentTypeError("a commitment has 64 hex digits")
    return given.lower()


def verify_command(options: argparse.Namespace) -> int:
    """Check a public file, or compare a full bundle with what the draw and the rule give; say what was not checked."""
    from allocation import verify
    from allocation.compilation import keep_freed_memory
    from allocation.files.public_reader import is_public

    keep_freed_memory()
    is_full = not is_public(options.bundle)
    wrong = verify(options.bundle, progress=say, commitment=options.commitment, public=options.public)
    if options.opening is not None:
        wrong += _opening_differences(options, is_full)
    for line in wrong:
        print(line)
    if wrong:
        return DIFFERS
    known = "" if options.commitment is not None else " in itself"
    what = (
        "commitment, seed, tickets and every result file are right"
        if is_full else "commitment, seed, orders, lines and places agree"
    )  # fmt: skip
    print(f"verified{known}: {what}" + ("; the opening is right" if options.opening is not None else ""))
    for line in _not_checked(options, is_full):
        print(f"not checked: {line}")
    return GOOD


def _opening_differences(options: argparse.Namespace, is_full: bool) -> list[str]:
    """An opening against the public file; a full bundle gives the public file that belongs to it."""
    from allocation.files import bundle, opening_reader, opening_verification, public_file, public_reader, verification
    from allocation.files.archive import Archive

    opening = opening_reader.read_opening(options.opening.read_bytes())
    if is_full:
        files = public_file.public_files(verification.publication(bundle.unpack(options.bundle)))
        public = public_reader.read_public(Archive(files), options.bundle.name)
    else:
        public = public_reader.open_public(options.bundle)
    return opening_verification.verify_opening(public, opening)


def _not_checked(options: argparse.Namespace, is_full: bool) -> Iterator[str]:
    """What a good answer does not say, in plain words."""
    if options.commitment is None:
        yield (
            "whether this is the draw that was announced. A file that was forged as a whole, market, seed and result, "
            "agrees with itself. Give --commitment with the 64 digits that were published before the draw"
        )
    if not is_full:
        from allocation.files.public_verification import hidden_blocks

        hidden, count = hidden_blocks(options.bundle)
        if hidden:
            yield (
                f"the order and the line of {hidden} of {count} blocks, which are hidden because they are about few "
                "children or a sensitive ground; who asked there checks them with --opening"
            )
    if not is_full and options.opening is None:
        yield (
            "the facts, tickets and tiers behind the entries. A family checks its own with --opening, an auditor checks "
            "all of them with the full file"
        )


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
