"""DRW03: openings that do not agree with the public file, and a public file that is wrong where an opening looks."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from allocation import __main__ as command
from allocation.files.opening import Openings
from allocation.files.opening_verification import verify_opening
from allocation.files.publication import entry_code
from allocation.market import Market
from tests.engine.bundles import with_codes
from tests.engine.honest_draws import Published, honest, replay, town
from tests.engine.test_input_limits import gaps_and_blanks
from tests.engine.three_files import Draw, a_draw, opened

Change = Callable[[dict], None]
FIRST_GONE = "is not the one that was published with its commitment"


def brothers(place_for_elder: bool = True) -> Draw:
    """Twenty-one children; child 1 names child 0 of its own family as its elder, who is placed in the same kindergarten."""
    market = Market.from_arrays(
        range(22), [1, *[0] * 20], [3] * 21, range(1, 22), [9, 20 if place_for_elder else 0],
        family=[0, 0, *range(1, 20)], elder=[-1, 0, *[-1] * 19], level=[1, 2], kindergarten=[0, 0],
        sibling_tier=[1, 1],
    )  # fmt: skip
    return a_draw(with_codes(market))


def child_of(file: Published, asks: Callable[[dict], bool]) -> dict:
    return next(one for one in file.openings.values() if asks(one))


def in_a_hidden_block(one: dict) -> bool:
    return any(len(told["opened"]) > 2 for told in one["hidden"].values())


def a_hidden(one: dict) -> dict:
    return next(iter(one["hidden"].values()))


def in_another_block(one: dict) -> None:
    one["hidden"]["7"] = one["hidden"].pop(next(iter(one["hidden"])))


def of_another_pool(one: dict) -> None:
    a_hidden(one)["opened"][0][0] = "nobody"


def without_its_state(one: dict) -> None:
    for told in one["hidden"].values():
        told["opened"] = [each for each in told["opened"] if each[1] != "state"]


WRONG: dict[str, tuple[Change, str]] = {
    "another run": (lambda one: one.update(run=2), "the opening is not about this public file"),
    "no family": (lambda one: one.update(family=[], digest="ab" * 32), "is not the one that the seed gives: None"),
    "another digest": (lambda one: one.update(digest="ab" * 32), "the digest is not that of the family and the seed"),
    "a line of another block": (in_another_block, FIRST_GONE),
    "a block that is not there": (lambda one: one["hidden"].update({"99": a_hidden(one)}), FIRST_GONE),
    "a line of a pool that is not there": (of_another_pool, FIRST_GONE),
    "a line without its state": (without_its_state, "does not open the line of block 1 that decides"),
    "no line": (lambda one: one["hidden"].clear(), "does not open the line of block 1 that decides"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_drw03_what_an_opening_says_wrongly_is_named(name, tmp_path, capsys):
    change, line = WRONG[name]
    file = honest(town())
    one = child_of(file, in_a_hidden_block)
    change(one)
    (tmp_path / "public.zip").write_bytes(file.zip)
    (tmp_path / "opening.json").write_text(json.dumps(one))
    status = command.main(["verify", str(tmp_path / "public.zip"), "--opening", str(tmp_path / "opening.json")])
    assert status == 1 and line in capsys.readouterr().out


def younger_of(draw: Draw) -> dict:
    return next(one for one in draw.openings.values() if one["facts"]["elder"])


def test_drw03_the_place_of_an_elder_of_the_family_is_proved_by_its_facts():
    draw = brothers()
    younger = younger_of(draw)
    assert younger["elder"]["facts"]["child"] == younger["facts"]["elder"]
    assert younger["wishes"][0]["tier"] == 1, "the elder's place gives a better tier"
    file = opened(draw.public)
    assert verify_opening(file, younger) == []
    assert "the opening does not say where the elder is placed" in verify_opening(file, {**younger, "elder": None})
    other = next(one for one in draw.openings.values() if one["facts"]["family"] != younger["facts"]["family"])
    proof = {name: other[name] for name in ("facts", "salt", "path")}
    assert "the elder in the opening is not the one that was committed" in verify_opening(
        file, {**younger, "elder": proof}
    )


def test_drw03_an_elder_without_a_place_gives_no_better_tier():
    draw = brothers(place_for_elder=False)
    assert younger_of(draw)["wishes"][0]["tier"] == 3
    assert verify_opening(opened(draw.public), younger_of(draw)) == []


def test_drw03_an_opening_against_a_public_file_that_is_wrong_in_itself(tmp_path, capsys):
    """The command compares the opening after the faults of the public file, so it must bear any of them."""
    file = honest(town())
    one = child_of(file, lambda one: one["result"] is not None and one["result"]["rank"] == 1)
    home = one["result"]["programme"]
    file.write("blocks.csv", [row for row in file.rows("blocks.csv") if row[1] != home])
    (tmp_path / "public.zip").write_bytes(file.zip)
    (tmp_path / "opening.json").write_text(json.dumps(one))
    status = command.main(["verify", str(tmp_path / "public.zip"), "--opening", str(tmp_path / "opening.json")])
    said = capsys.readouterr().out
    assert status == 1 and f"{home}, general: the pool is in no block" in said and "the result is wish 1" in said
    for name in ("programmes.csv", "pools.csv"):
        file.write(name, [row for row in file.rows(name) if home not in row[:1]])
    assert f"wish 1: there is no programme {home}" in verify_opening(opened(file.zip), one)


def test_drw03_a_place_in_a_block_that_is_not_there_is_none():
    """A row of the orders that names no block of the file, where the nullifier of a guaranteed child stands."""
    file = honest(replay())
    one = child_of(file, lambda one: one["facts"]["current"] is not None and one["result"] is not None)
    before, rows = opened(file.zip), file.rows("orders.csv")
    row = next(row for row, cells in enumerate(rows) if cells[4] and is_entry(cells[2], one, before.run))
    file.cell("orders.csv", row, "block", "999")
    after = opened(file.zip)
    assert before.block_of_seat(rows[row][4]) is not None and after.block_of_seat(rows[row][4]) is None
    assert any("the place was guaranteed, and the child has none here" in line for line in verify_opening(after, one))


def is_entry(code: str, one: dict, run: str) -> bool:
    salt = bytes.fromhex(one["salt"])
    told = [(wish["programme"], each["block"]) for wish in one["wishes"] for each in wish["blocks"]]
    return code in {entry_code(salt, programme, block, run) for programme, block in told}


def test_the_opening_of_nobody_is_not_there():
    with pytest.raises(KeyError, match="nobody"):
        Openings(town().publication).of("nobody")


def test_facts_without_groups_have_an_empty_list():
    draw = a_draw(with_codes(Market.from_arrays(np.arange(4), [0, 0, 0], [0, 0, 0], [1, 2, 3], [2])))
    assert all(one["facts"]["groups"] == [] for one in draw.openings.values())


def test_drw03_ranks_with_gaps_are_committed_as_they_were_given():
    draw = a_draw(gaps_and_blanks())
    file = opened(draw.public)
    for one in draw.openings.values():
        assert verify_opening(file, one) == []
        assert [wish[0] for wish in one["facts"]["wishes"]] == [2 + 3 * place for place in range(len(one["wishes"]))]
