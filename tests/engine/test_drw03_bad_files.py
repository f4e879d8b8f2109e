"""DRW03: public files and full files that are wrong in themselves: a line for each fault (status 1), or no such file (2)."""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from allocation import __main__ as command
from allocation import lottery
from allocation.files.bundle import DrawRecord, zip_bytes
from allocation.files.issued_copy import ISSUED, issued_copy
from allocation.files.public_verification import verify_public
from allocation.files.publication import Sensitive
from allocation.files.verification import verify
from allocation.market import Market, Pool
from tests.engine.bundles import packed, with_codes
from tests.engine.honest_draws import Published, honest, town
from tests.engine.small_markets import tiny_market
from tests.engine.three_files import a_draw, entries_of, opened

Change = Callable[[Published], None]


def cell(name: str, row: int, column: str, value: str) -> Change:
    return lambda file: file.cell(name, row, column, value)


def edit(name: str, **values) -> Change:
    return lambda file: file.change_json(name, **values)


def without(name: str) -> Change:
    return lambda file: file.public.pop(name) and None


def data(name: str, change: Callable[[bytes], bytes]) -> Change:
    def changed(file: Published) -> None:
        before = file.public[name]
        file.public[name] = change(before)
        assert file.public[name] != before

    return changed


def exchanged(first: int, second: int, *, numbered: bool = True) -> Change:
    """Two rows of the orders exchanged, the positions written again."""

    def changed(file: Published) -> None:
        rows = file.rows("orders.csv")
        rows[first], rows[second] = rows[second], rows[first]
        file.renumber(rows) if numbered else file.write("orders.csv", rows)

    return changed


def of_the_first_format(file: Published) -> None:
    """A record of ``draw/1`` in a public file."""
    draw = file.json("draw.json")
    file.public["draw.json"] = lottery.canonical(asdict(DrawRecord(draw["commitment"], seed=draw["seed"])))


def seed_without_a_form(file: Published) -> None:
    file.change_json("draw.json", form=None)
    file.change_json("market.json", draw_form=None)


def everybody_admitted(file: Published) -> None:
    """The state of a block says that all are admitted, and its order has refused children."""
    for column, value in {"state": "all", "line_position": "", "line_eligible": "", "line_tier": "", "line_ticket": ""}.items():  # fmt: skip
        file.cell("blocks.csv", 2, column, value)


WRONG: dict[str, tuple[Change, str]] = {
    "another seed in the market": (edit("market.json", seed="5e" * 32), "the seed in market.json is not the one in draw.json"),
    "a seed without a form": (seed_without_a_form, "the seed: no form of the draw was declared"),
    "no digests": (without("digests.csv"), "digests.csv is missing"),
    "digests without a seed": (edit("draw.json", seed=None), "digests.csv is there, but no seed"),
    "a family of nobody": (cell("digests.csv", 1, "children", "0"), "digests.csv has a family without children"),
    "a block of another number": (cell("blocks.csv", 3, "block", "9"), "blocks.csv: block 9 is not numbered 3"),
    "a pool that is not there": (cell("blocks.csv", 2, "pool", "nobody"), "block 2: not pools of P000001 that stand in no other block"),
    "a pool twice": (cell("blocks.csv", 4, "pool", "estate"), "block 4: not pools of P000002 that stand in no other block"),
    "more places than committed": (cell("blocks.csv", 2, "places", "54"), "block 2: 54 places, the committed files give 53"),
    "a hidden block with a line": (cell("blocks.csv", 1, "state", "all"), "block 1: a hidden block shows a line, or a shown block has none"),
    "a shown block without a state": (cell("blocks.csv", 2, "state", ""), "block 2: a hidden block shows a line, or a shown block has none"),
    "entries of two blocks mixed": (exchanged(225, 226), "orders.csv is not in the order of the blocks"),
    "an entry of a block that is not there": (cell("orders.csv", 1, "block", "99"), "orders.csv is not in the order of the blocks"),
    "positions that do not rise": (exchanged(226, 227, numbered=False), "block 2: the positions are not 1 to 176"),
    "a hidden order": (exchanged(1, 2), "block 1: the entries of a hidden block are not in the order of their codes"),
    "fewer filled than admitted": (cell("blocks.csv", 2, "filled", "52"), "block 2: 52 filled, the order has 53"),
    "everybody admitted, it says": (everybody_admitted, "block 2: the state all is not that of its order"),
    "a tier that nobody has": (cell("blocks.csv", 2, "line_tier", "16"), "block 2: no child can have the numbers of the line"),
    "a ticket that nobody has": (cell("blocks.csv", 2, "line_ticket", "301"), "block 2: no child can have the numbers of the line"),
    "a reason that is another's": (cell("blocks.csv", 2, "reason", "guaranteed_over"), "block 2: 0 stand over by a guarantee, which is not what its reason says"),
    "a reason that is none": (cell("blocks.csv", 2, "reason", "rain"), "block 2: rain is no reason"),
}  # fmt: skip

UNREADABLE: dict[str, tuple[Change, str]] = {
    "no blocks": (without("blocks.csv"), "blocks.csv is missing"),
    "a record of the first format": (of_the_first_format, "draw.json, column format: not draw/2"),
    "another format": (edit("public.json", format="public/3"), "public.json, column format: not as in public/2"),
    "a key too many": (edit("public.json", more=1), "public.json: not as in public/2"),
    "a market of the first format": (edit("market.json", format="market/1"), "market.json, column format: not market/2"),
    "witnesses without names": (edit("draw.json", witnesses=[{"part": "ceremony"}]), "column witnesses: not a list of a part and names each"),
    "a correction without a reason": (edit("draw.json", corrections=[{"time": "x"}]), "column corrections: not a list of time, reason and commitment each"),
    "a form that is none": (edit("draw.json", form={"ceremony": 1}), "draw.json, column form: ceremony is not an object with the fields of a form"),
    "a text for a number": (cell("blocks.csv", 2, "places", "many"), "blocks.csv, row 3, column places: not a whole number"),
    "an entry of other letters": (cell("orders.csv", 3, "entry", "g" * 32), "orders.csv, row 4, column entry: not 32 hex digits"),
    "a short entry": (cell("orders.csv", 3, "entry", "ab"), "orders.csv, row 4, column entry: not 32 hex digits"),
    "other columns": (data("orders.csv", lambda old: old.replace(b"outcome", b"result", 1)), "orders.csv, row 1: the columns are not block,position"),
    "a cell too many": (data("digests.csv", lambda old: old + b"a,b,c\n"), "digests.csv"),
    "a header alone": (data("digests.csv", lambda old: b"digest,children"), "digests.csv: CSV parse error"),
    "bytes that are no text": (data("blocks.csv", lambda old: old + b"\xff\xfe,\n"), "blocks.csv"),
}  # fmt: skip


def status_of(file: Published, folder, capsys) -> tuple[int, str]:
    """What the command says of a public file, and its exit status."""
    (folder / "public.zip").write_bytes(file.zip)
    status = command.main(["verify", str(folder / "public.zip")])
    said = capsys.readouterr()
    return status, said.out + said.err


@pytest.mark.parametrize("name", WRONG)
def test_drw03_a_public_file_that_is_wrong_in_itself_is_named(name, tmp_path, capsys):
    change, line = WRONG[name]
    file = honest(town())
    change(file)
    status, said = status_of(file, tmp_path, capsys)
    assert status == 1 and line in said, said


@pytest.mark.parametrize("name", UNREADABLE)
def test_drw03_what_is_no_public_file_is_refused(name, tmp_path, capsys):
    change, line = UNREADABLE[name]
    file = honest(town())
    change(file)
    status, said = status_of(file, tmp_path, capsys)
    assert status == 2 and line in said, said


def test_drw03_the_command_says_how_many_blocks_it_could_not_check(tmp_path, capsys):
    status, said = status_of(honest(town()), tmp_path, capsys)
    assert status == 0 and "not checked: the order and the line of 1 of 8 blocks" in said


def test_drw03_a_locked_pool_may_keep_free_places_though_children_are_refused():
    """Thirty children without the group ask for two places; three others are locked for a group that nobody has."""
    market = with_codes(
        Market.from_arrays(
            range(31), [0] * 30, [0] * 30, range(1, 31), [5], groups=[()] * 30,
            pools=[Pool(0, "r", 1, 3, (0,), "locked")],
        )
    )  # fmt: skip
    draw = a_draw(market, sensitive=Sensitive(groups=frozenset({str(market.codes.groups[0])})))
    file = opened(draw.public)
    assert [(block.hidden, block.places, block.filled, block.reasons) for block in file.blocks] == [
        (True, 5, 2, ("locked",))
    ]
    cheat = honest(draw)
    assert verify_public(opened(cheat.zip), cheat.known) == []
    cheat.cell("blocks.csv", 1, "reason", "")
    assert verify_public(opened(cheat.zip), cheat.known) == ["block 1: 28 refused while 3 places are free"]


# full files


def changed_full(name: str, change: Callable[[dict], dict]) -> bytes:
    """The full file of the town with another object in one of its JSON files."""
    entries = entries_of(town().full)
    entries[name] = lottery.canonical(change(json.loads(entries[name])))
    return zip_bytes(entries)


def of_two_formats() -> bytes:
    """A record of ``draw/2`` around a market of the first format."""
    entries = entries_of(packed(tiny_market(7, children=8)))
    return zip_bytes({**entries, "draw.json": entries_of(town().full)["draw.json"]} | {
        "publication.json": entries_of(town().full)["publication.json"]
    })  # fmt: skip


def without_entry(name: str) -> bytes:
    return zip_bytes({each: data for each, data in entries_of(town().full).items() if each != name})


def part_of(form: dict) -> dict:
    """A form that is one, but does not name both parts."""
    return {"ceremony": form["ceremony"]}


SETTINGS, HEAD, RECORD = "publication.json", "market/market.json", "draw.json"
NO_FULL: dict[str, tuple[Callable[[], bytes], str]] = {
    "settings of another format": (lambda: changed_full(SETTINGS, lambda old: {**old, "format": "publication/1"}), "not the settings of a publication"),
    "a run that is no number": (lambda: changed_full(SETTINGS, lambda old: {**old, "run": "x"}), "not the settings of a publication"),
    "no settings": (lambda: without_entry(SETTINGS), "publication.json: is missing, so that the public file cannot be written again"),
    "a negative ticket": (lambda: changed_full(HEAD, lambda old: {**old, "after": -1}), "column after: not a whole number"),
    "another number of children": (lambda: changed_full(HEAD, lambda old: {**old, "children": 299}), "column children: children.csv has 300"),
    "a seed without a form": (lambda: changed_full(HEAD, lambda old: {**old, "draw_form": None}), "column draw_form: there is a seed, and no form"),
    "a form that is none": (lambda: changed_full(HEAD, lambda old: {**old, "draw_form": {"ceremony": 1}}), "column draw_form: ceremony is not an object with the fields of a form"),
    "a form with a part left out": (lambda: changed_full(HEAD, lambda old: {**old, "draw_form": part_of(old["draw_form"])}), "column draw_form: not written in its one form"),
    "a record with a part left out": (lambda: changed_full(RECORD, lambda old: {**old, "form": part_of(old["form"])}), "column form: not written in its one form"),
    "no salts": (lambda: without_entry("market/salts.csv"), "salts.csv: the file is missing"),
    "salts in the first format": (lambda: zip_bytes({**entries_of(packed(tiny_market(7, children=8))), "market/salts.csv": b"child,salt\n"}), "salts.csv: not a file of market/1"),
    "a market of the first format": (of_two_formats, "market.json, column format: not market/2"),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FULL)
def test_drw03_what_is_no_full_file_is_refused(name, tmp_path, capsys):
    full, line = NO_FULL[name]
    (tmp_path / "full.zip").write_bytes(full())
    (tmp_path / "public.zip").write_bytes(town().public)
    status = command.main(["verify", str(tmp_path / "full.zip"), "--public", str(tmp_path / "public.zip")])
    assert status == 2 and line in capsys.readouterr().err


def test_drw03_record_and_market_of_different_formats_are_named(tmp_path):
    (tmp_path / "full.zip").write_bytes(of_two_formats())
    assert "draw.json and market.json are of different formats" in verify(tmp_path / "full.zip")


def test_drw03_a_copy_that_names_its_reader_is_verified_as_the_file_itself(tmp_path):
    """The mark of a reader is the only file that is added; a second copy replaces the first reader's."""
    full, reader, other = town().full, {"to": "notary"}, {"to": "auditor"}
    once, twice = issued_copy(full, reader), issued_copy(issued_copy(full, other), reader)
    assert entries_of(once) == {**entries_of(full), ISSUED: lottery.canonical({"format": "issued/1", **reader})}
    assert once == twice
    (tmp_path / "full.zip").write_bytes(once)
    (tmp_path / "public.zip").write_bytes(town().public)
    assert verify(tmp_path / "full.zip", commitment=town().record.commitment, public=tmp_path / "public.zip") == []
