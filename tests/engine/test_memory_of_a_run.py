"""The memory of the files of a run: what one more child of a city takes at most."""

import json
import random
import tracemalloc

from allocation.files import bundle, commitments, opening, public_file
from allocation.files.bundle import DrawRecord2
from allocation.files.publication import Publication, Settings
from allocation.files.reader import parse_files
from allocation.files.writer import result_files
from allocation.lottery import DIGEST_BYTES
from allocation.solve import solve

BLOCKS = [
    f"allocation.files.{name}"
    for name in ("csv_rows.ROWS_AT_ONCE", "public_file.ROWS_AT_ONCE", "opening.AT_ONCE", "commitments._AT_ONCE", "publication._CODES_AT_ONCE", "writer.CHILDREN_AT_ONCE")
]  # fmt: skip
WISHES, CHILDREN_OF_A_PROGRAMME = 4, 60
LARGEST = 1.5
"""Kilobytes of Python and numpy for one more child, its market files not counted: 1.2 were measured, and 2.3 when facts,
entries and files were kept as lists and as copies.  Arrow's memory does not count."""


def market_of(children: int) -> dict[str, bytes]:
    dice = random.Random(children)
    codes, programmes = ([f"{kind}{n:019}" for n in range(count)] for kind, count in (("C", children), ("P", children // CHILDREN_OF_A_PROGRAMME)))  # fmt: skip
    head = {"format": "market/1", "season": "2026", "round": "main", "seed": None, "pair_rule": "overhang"}
    wishes = (
        f"{code},{rank},{programme},{dice.randrange(3)}\n"
        for code in codes
        for rank, programme in enumerate(dice.sample(programmes, WISHES), start=1)
    )
    tables = {
        "programmes.csv": ("programme,kindergarten,level,nature,area,places,sibling_tier", [f"{p},{p},lower,public,510104,40,\n" for p in programmes]),
        "children.csv": ("child,family,unit,groups,elder,current", [f"{code},F{code},,,,\n" for code in codes]),
        "wishes.csv": ("child,rank,programme,tier", wishes),
        "tickets.csv": ("child,ticket", [f"{code},{n}\n" for n, code in enumerate(codes, start=1)]),
    }  # fmt: skip
    files = {name: f"{header}\n{''.join(rows)}".encode() for name, (header, rows) in tables.items()}
    files["market.json"] = json.dumps(head).encode()
    return commitments.market_files_2(files, None, salts=dice.randbytes(DIGEST_BYTES * children), after=children)


def most_of_a_run(children: int) -> int:
    """The most bytes that the steps of a run hold at once, with all that it keeps until its end."""
    files, draw = market_of(children), DrawRecord2("0" * 64)
    tracemalloc.start()
    try:
        parsed = parse_files(files)
        outcome = solve(parsed.market)
        results = result_files(outcome)
        publication = Publication(files, draw, Settings(1, bytes(DIGEST_BYTES)), outcome, parsed)
        kept = [*public_file.write_parts(publication), *bundle.pack_parts(files, draw, results)]
        made = sum(1 for _ in opening.make_all(publication))
        assert (made, bool(kept)) == (children, True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_one_more_child_takes_little_memory_in_a_run(monkeypatch):
    for where in BLOCKS:  # a small market is a few blocks, as a city is with larger ones
        monkeypatch.setattr(where, 64)
    most_of_a_run(600)  # what is imported and compiled at the first use
    small, large = 1_000, 4_000
    of_a_child = (most_of_a_run(large) - most_of_a_run(small)) / (large - small) / 1000
    assert of_a_child < LARGEST
