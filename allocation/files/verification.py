"""Verification: whether a result is the one that the draw and the rule give."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from allocation import lottery
from allocation.checks import Report, check
from allocation.faults import Fault, MarketFault
from allocation.files.bundle import PUBLICATION, Bundle, DrawRecord2, unpack
from allocation.files.commitments import children_root, commitment_2
from allocation.files.json_objects import parse_object
from allocation.files.public_file import public_files
from allocation.files.public_reader import is_public, open_public
from allocation.files.public_verification import commitment_differences, seed_differences, verify_public
from allocation.files.publication import Publication, Settings
from allocation.files.reader import ParsedMarket, parse_files
from allocation.files.summary import digests, summary
from allocation.files.writer import result_blocks, result_files
from allocation.market import Market
from allocation.outcome import Outcome
from allocation.solve import solve

Progress = Callable[[str], None]


def verify(
    subject: Market | str | Path,
    outcome: Outcome | None = None,
    progress: Progress = lambda line: None,
    *,
    commitment: str | None = None,
    public: str | Path | None = None,
) -> list[str]:
    """What is wrong with a result, one line each; an empty list means that all of it is right.

    ``verify(path)`` opens a bundle (a zip file or the folder it was unpacked to), draws the tickets again, allocates
    again and compares every file. ``commitment`` (64 hex digits) is the one that was published before the draw; without
    it a bundle that was forged as a whole is not found. ``public`` is the public file of the same result; it is written
    again and compared. For a public file as ``path`` this is
    :func:`allocation.files.public_verification.verify_public`. ``verify(market, outcome)`` checks an outcome against the
    definitions, with code that the solver does not share, and against the outcome of the same market with its rows in
    another order. ``progress`` is called with lines of text. Raises :class:`~allocation.faults.MarketFault` for what is
    no bundle or no market.
    """
    if isinstance(subject, Market):
        if outcome is None:
            raise TypeError("verify(market, outcome) needs the outcome")
        return check(subject, outcome, solve, progress).failures
    if is_public(subject):
        return verify_public(subject, commitment)
    return _verify_bundle(unpack(subject), progress, commitment, public)


def _verify_bundle(
    bundle: Bundle, progress: Progress, published: str | None = None, public: str | Path | None = None
) -> list[str]:
    if bundle.compressed:
        progress("the zip file was packed again (the published one is not compressed); its content is compared")
    parsed = parse_files(bundle.market)
    market = parsed.market
    wrong = [f"{name} does not belong into a bundle" for name in bundle.unknown]
    wrong += commitment_differences(bundle.draw.commitment, published)
    wrong += _draw_differences(bundle, parsed)
    if published is None:
        progress(f"commitment {bundle.draw.commitment}: compare it with the one that was published before the draw")
    progress(f"{market.children} children read" + (", tickets drawn" if market.seed else ""))
    outcome = solve(market, progress)
    progress("allocated again")
    ours = {name: _compared(blocks, bundle.result[name]) for name, blocks in result_blocks(outcome)}
    different = [name for name, (_, same) in ours.items() if not same]
    if different:
        whole = result_files(outcome)
        wrong += [_first_difference(f"result/{name}", whole[name], bundle.result[name]) for name in different]
    wrong += _summary_differences(outcome, bundle, {name: digest for name, (digest, _) in ours.items()})
    return wrong + (list(_public_differences(bundle, outcome, public)) if public is not None else [])


def _compared(ours: Iterable[bytes], theirs: bytes) -> tuple[str, bool]:
    """The SHA-256 (hex) of our file, which comes in blocks, and whether it is the same as theirs."""
    digest, at, same = hashlib.sha256(), 0, True
    for block in ours:
        digest.update(block)
        same = same and theirs.startswith(block, at)
        at += len(block)
    return digest.hexdigest(), same and at == len(theirs)


def _public_differences(bundle: Bundle, outcome: Outcome, public: str | Path) -> Iterator[str]:
    """The public file, written again from the full one."""
    ours, theirs = public_files(publication(bundle, outcome)), open_public(public).files
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield _first_difference(f"public file: {name}", ours.get(name, b""), theirs.get(name, b""))


def publication(bundle: Bundle, outcome: Outcome | None = None) -> Publication:
    """What was published of the result in a bundle of ``draw/2``. Raises :class:`~allocation.faults.MarketFault`."""
    if bundle.publication is None or not isinstance(bundle.draw, DrawRecord2):
        raise MarketFault([Fault(PUBLICATION, -1, "", "is missing, so that the public file cannot be written again")])
    return Publication(bundle.market, bundle.draw, Settings.read(bundle.publication), outcome)


def _draw_differences(bundle: Bundle, parsed: ParsedMarket) -> Iterator[str]:
    draw, second = bundle.draw, parsed.salts is not None
    ours = commitment_2(bundle.market, children_root(parsed)) if second else lottery.commitment(bundle.market)
    if ours != draw.commitment:
        noted = _summary(bundle).get("inputs")
        changed = [name for name, digest in digests(bundle.market).items()
                   if isinstance(noted, dict) and noted.get(name) not in (None, digest)]  # fmt: skip
        where = f"; changed since the run: {', '.join(changed)}" if changed else ""
        yield (
            f"the commitment is not that of this market: {draw.commitment} was published, this list gives {ours}{where}"
        )
    if second != isinstance(draw, DrawRecord2):
        yield "draw.json and market.json are of different formats"
    elif isinstance(draw, DrawRecord2):
        yield from seed_differences(draw, parsed.head["seed"], parsed.head["draw_form"])
    elif parse_object(bundle.market["market.json"], "market.json").get("seed") != draw.seed:
        yield "the seed in market.json is not the one in draw.json"
    elif draw.seed is not None and draw.expected_seed() != draw.seed:
        yield "the seed does not come from commitment, beacon and ceremony"
    if draw.seed is None and parsed.market.ticket is None:
        yield "there is neither a seed nor tickets"


def _first_difference(name: str, ours: bytes, theirs: bytes) -> str:
    """The first row that differs, as it was published and as it was computed here."""
    shorter = min(len(ours), len(theirs))
    unequal = np.frombuffer(ours[:shorter], np.uint8) != np.frombuffer(theirs[:shorter], np.uint8)
    at = int(unequal.argmax()) if unequal.any() else shorter
    start = ours.rfind(b"\n", 0, at) + 1
    published, computed = (data[start:].split(b"\n", 1)[0][:200].decode(errors="replace") for data in (theirs, ours))
    row = ours.count(b"\n", 0, start) + 1
    return f"{name} differs from row {row} on: published {published or 'nothing'}, computed {computed or 'nothing'}"


def _summary(bundle: Bundle) -> dict[str, Any]:
    """The published summary; empty if it cannot be read."""
    try:
        return parse_object(bundle.result.get("summary.json", b"{}"), "summary.json")
    except MarketFault:
        return {}


_NOT_FROM_THE_RESULT = ("engine", "finished", "checks", "proposals", "inputs")


def _summary_differences(outcome: Outcome, bundle: Bundle, ours: Mapping[str, str]) -> Iterator[str]:
    published = _summary(bundle)
    if "summary.json" in bundle.result and not published:
        yield "result/summary.json cannot be read"
    computed = json.loads(json.dumps(summary(outcome, Report({}), inputs={}, outputs=ours)))
    for name in sorted({*computed} & {*published} - {*_NOT_FROM_THE_RESULT}):
        if computed[name] != published[name]:
            yield f"result/summary.json: {name} is {published[name]}, the result gives {computed[name]}"
