"""The three files of a draw, made from small markets as in the real season: full, public, and the openings."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from allocation import files, lottery
from allocation.draw_form import DrawForm
from allocation.files import bundle, opening, public_file, public_reader
from allocation.files.archive import Archive
from allocation.files.commitments import commitment, market_files_2
from allocation.files.opening_packing import unpack
from allocation.files.publication import Publication, Sensitive, Settings
from allocation.market import Market
from tests.engine.bundles import with_codes

FORM = DrawForm.parse(
    {
        "ceremony": {"kind": "integers", "count": 3, "least": 1, "most": 6, "distinct": False, "order": "drawn"},
        "beacon": {
            "kind": "integers", "name": "双色球", "issue": "2026063", "published_at": "2026-06-04T13:15:00Z",
            "groups": [
                {"count": 6, "least": 1, "most": 33, "distinct": True, "order": "sorted"},
                {"count": 1, "least": 1, "most": 16, "distinct": True, "order": "sorted"},
            ],
        },
    }
)  # fmt: skip
CEREMONY, BEACON = "3 5 6", "2 7 11 19 23 31 + 9"
SECRET = bytes(range(32))


@dataclass(frozen=True)
class Draw:
    """The files of one draw."""

    market: Mapping[str, bytes]
    record: bundle.DrawRecord2
    publication: Publication

    @cached_property
    def full(self) -> bytes:
        result = files.result_files(self.publication.outcome)
        return bundle.pack(self.market, self.record, result, self.publication.settings.file())

    @cached_property
    def public(self) -> bytes:
        return public_file.write(self.publication)

    @cached_property
    def openings(self) -> dict[str, dict[str, Any]]:
        """As a family gets them: through JSON."""
        return {
            self.publication.child_codes[child]: json.loads(unpack(one))
            for child, one in opening.make_all(self.publication)
        }


def a_draw(
    market: Market,
    *,
    drawn: bool = True,
    held: int = 0,
    run: int = 1,
    sensitive: Sensitive | None = None,
    replays: int | None = None,
    hides_few_moves: bool = False,
) -> Draw:
    """The draw of a market: with a seed of its own, or with the tickets that the market has.

    With a seed, the first ``held`` children hold tickets of an earlier draw.
    """
    market = market if len(market.codes.children) else with_codes(market)
    codes = [str(code) for code in market.codes.children]
    one = files.market_files(replace(market, ticket=None) if drawn else market)
    if held:
        rows = "".join(f"{code},{place}\n" for place, code in enumerate(codes[:held], start=1))
        one["tickets.csv"] = b"child,ticket\n" + rows.encode()
    number = {code: 7919 * place + 1 for place, code in enumerate(codes)}
    salts = b"".join(number[code].to_bytes(32, "big") for code in sorted(codes))
    written = market_files_2(one, FORM if drawn else None, after=held, salts=salts)
    record = bundle.DrawRecord2(commitment(written), "2026-06-01T10:00:00+08:00", FORM if drawn else None)
    if drawn:
        witnesses = ({"part": "ceremony", "names": ["王一", "李二"]},)
        record = replace(record, beacon=BEACON, ceremony=CEREMONY, witnesses=witnesses)
        record = replace(record, seed=record.expected_seed())
        written["market.json"] = lottery.canonical({**json.loads(written["market.json"]), "seed": record.seed})
    settings = Settings(run, SECRET, sensitive or Sensitive(), replays, hides_few_moves)
    return Draw(written, record, Publication(written, record, settings))


def entries_of(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def opened(packed: bytes) -> public_reader.PublicFile:
    return public_reader.read_public(Archive(entries_of(packed)), "public.zip")
