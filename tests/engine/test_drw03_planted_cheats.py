"""DRW03: each planted cheat is found, and by whom; the page finds the same (`test_drw03_javascript.py`)."""

from pathlib import Path

import pytest

from allocation import verify
from allocation.faults import MarketFault
from allocation.files.opening_verification import verify_opening
from allocation.files.public_verification import verify_public
from tests.engine.cheats import AUDITOR, CHEATS, FAMILY, PUBLIC
from tests.engine.honest_draws import Published, honest, replay, siblings, town
from tests.engine.three_files import opened

ADR = Path(__file__).parents[2] / "docs" / "adr" / "0019-three-files-of-a-draw.md"
READERS = (PUBLIC, FAMILY, AUDITOR)


def found_by(published: Published, folder: Path) -> dict[str, list[str]]:
    """What each reader finds: anybody with the public file, the families that look, an auditor with all files."""
    (folder / "full.zip").write_bytes(published.full)
    (folder / "public.zip").write_bytes(published.zip)
    public = opened(published.zip)
    openings = [published.openings[child] for child in published.harmed]
    found = {
        PUBLIC: verify_public(public, published.known),
        FAMILY: [line for one in openings for line in verify_opening(public, one)],
        AUDITOR: verify(folder / "full.zip", commitment=published.known, public=folder / "public.zip"),
    }
    return {reader: lines for reader, lines in found.items() if lines}


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_is_found_by_the_readers_that_can(name, tmp_path):
    cheat = CHEATS[name]
    found = found_by(cheat.make(), tmp_path)
    assert set(found) == set(cheat.finds), found
    for reader, (line, _) in cheat.finds.items():
        assert any(line in each for each in found[reader]), found[reader]


@pytest.mark.parametrize("draw", [town, replay, siblings])
def test_nobody_finds_anything_in_an_honest_draw(draw, tmp_path):
    published = honest(draw())
    published.harmed = list(published.openings)
    assert found_by(published, tmp_path) == {}


def test_the_table_of_cheats_is_the_one_in_the_documentation():
    assert len(CHEATS) >= 20 and all(cheat.finds for cheat in CHEATS.values())
    assert {reader for cheat in CHEATS.values() for reader in cheat.finds} == set(READERS)
    rows = [
        f"| {name} | " + " | ".join("finds it" if reader in cheat.finds else "" for reader in READERS) + " |"
        for name, cheat in CHEATS.items()
    ]
    table = "\n".join(["| cheat | public | family | auditor |", "|---|---|---|---|", *rows]).replace("|  |", "| |")
    print(table.replace("|  |", "| |"))
    assert table.replace("|  |", "| |") in ADR.read_text("utf-8")


def test_a_forgery_as_a_whole_is_not_found_without_the_published_commitment(tmp_path):
    """DRW10: this is why the command says that it did not check it."""
    forged = CHEATS["a whole forged draw"].make()
    (tmp_path / "full.zip").write_bytes(forged.full)
    assert verify(tmp_path / "full.zip") == [] and verify_public(opened(forged.zip)) == []


SHAPES = {
    "a number for a text": {"salt": 7}, "no facts": {"facts": {}}, "a path of numbers": {"path": [["L", 5]]},
    "an unknown key": {"more": 1}, "another format": {"format": "opening/1"}, "wishes that are not there": {"wishes": []},
    "a text for a list": {"unit": "x"}, "a hidden block of texts": {"hidden": {"1": "x"}}, "a result of texts": {"result": "x"},
    "a family of numbers": {"family": [1]}, "an elder of nothing": {"elder": {}}, "half a character": {"elder": {"seat": "\ud800"}},
    "a place without a rank": {"result": {"rank": "1", "programme": "P", "pool": "general", "block": "1"}},
    "a hidden block of half a character": {"hidden": {"\ud800": {"fields": [], "opened": []}}},
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_an_opening_of_another_shape_is_refused(name):
    published = honest(town())
    one = next(iter(published.openings.values()))
    with pytest.raises(MarketFault, match="not as in opening/2"):
        verify_opening(opened(published.zip), {**one, **SHAPES[name]})


SHAPES_OF_A_WISH = [
    {"tier": "1"}, {"rank": None}, {"programme": 5}, {"blocks": [{"block": [], "entry": "", "position": 1, "outcome": ""}]},
]  # fmt: skip


@pytest.mark.parametrize("change", SHAPES_OF_A_WISH)
def test_a_wish_of_another_shape_is_refused(change):
    published = honest(town())
    one = next(iter(published.openings.values()))
    one["wishes"][0].update(change)
    with pytest.raises(MarketFault, match="column wishes: not as in opening/2"):
        verify_opening(opened(published.zip), one)
