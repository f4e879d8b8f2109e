"""DRW03: a draw that everybody can check and in which no child can be found: public file, openings, full file."""

import json
import zipfile
from collections import Counter

import numpy as np
import pytest

from allocation import __main__ as command
from allocation import verify
from allocation.benchmark.synthetic import synthetic_market
from allocation.files import opening, public_file, publication
from allocation.files.commitments import MerkleTree, leaf, root_of
from allocation.files.opening_packing import CODE, DIGEST, WORDS, unpack
from allocation.files.opening_verification import verify_opening
from allocation.files.public_verification import verify_public
from allocation.files.publication import FEW, OUTCOMES, Sensitive
from allocation.lottery import canonical, tagged_hash
from allocation.market import Market
from tests.engine.small_markets import tiny_market
from tests.engine.three_files import SECRET, a_draw, entries_of, opened

SHAPES = (
    {"children": 6, "units": False, "pools": False},
    {"children": 8},
    {"children": 12, "programmes": 4, "siblings": True, "current": True},
    {"children": 9, "programmes": 4, "siblings": True, "pools": False},
    {"children": 10, "programmes": 4, "current": True, "units": False},
    {"children": 40, "programmes": 3},
    {"children": 60, "programmes": 4, "siblings": True, "current": True},
)


def a_round(number):
    rule, contrary = ("overhang", "close")[number // 7 % 2], number // 14 % 2 == 1
    market = tiny_market(number, pair_rule=rule, contrary=contrary, **SHAPES[number % 7])
    held = market.children // 3 if number % 5 == 4 else 0
    return a_draw(market, drawn=number % 3 > 0 or held > 0, held=held, run=number)


def assert_every_reader_agrees(draw):
    public = opened(draw.public)
    assert verify_public(public, draw.record.commitment) == []
    for code, one in draw.openings.items():
        assert verify_opening(public, one) == [], code


@pytest.mark.parametrize("few", [pytest.param(0, marks=pytest.mark.long), 2, pytest.param(FEW, marks=pytest.mark.long)])
def test_every_reader_agrees_on_an_honest_draw(few, monkeypatch):
    """With no block hidden, with some, and as in the season: every line, order and opening follows from the rule."""
    monkeypatch.setattr(publication, "FEW", few)
    seen = Counter()
    for number in range(84):
        draw = a_round(number)
        assert_every_reader_agrees(draw)
        seen.update(OUTCOMES[outcome] for outcome in draw.publication.entries.outcome)
        seen.update("hidden" if block.hidden else "shown" for block in draw.publication.blocks)
        seen.update(reason for block in opened(draw.public).blocks for reason in block.reasons)
    expected = {*OUTCOMES, "hidden", "closed_by_unit", "guaranteed_over", "unit_over"} | (
        {"shown"} if few < FEW else set()
    )
    assert expected <= set(seen) | ({"hidden"} if few == 0 else set())


@pytest.mark.parametrize("number", range(7, 14))
def test_the_full_file_gives_every_file_again(number, tmp_path):
    draw = a_round(number)
    (tmp_path / "full.zip").write_bytes(draw.full)
    (tmp_path / "public.zip").write_bytes(draw.public)
    assert verify(tmp_path / "full.zip", commitment=draw.record.commitment, public=tmp_path / "public.zip") == []
    assert verify(tmp_path / "public.zip", commitment=draw.record.commitment) == []


def test_a_town_with_pools_and_twins():
    draw = a_draw(synthetic_market(1_200, units=True, pools=True, codes=True))
    public = opened(draw.public)
    assert verify_public(public, draw.record.commitment) == []
    for code in list(draw.openings)[::29]:
        assert verify_opening(public, draw.openings[code]) == []
    assert (
        opening.make(draw.market, draw.record, draw.publication.outcome, run=1, secret=SECRET, child=code)
        == draw.openings[code]
    )
    assert public_file.make(draw.market, draw.record, run=1, secret=SECRET) == draw.public


def test_nothing_about_a_few_children_stands_alone():
    draw = a_draw(synthetic_market(1_200, units=True, pools=True, codes=True))
    shown = [block for block in opened(draw.public).blocks if not block.hidden]
    hidden = [block for block in opened(draw.public).blocks if block.hidden]
    assert shown and hidden
    assert all(block.filled == 0 or block.filled > FEW for block in shown)
    assert all(block.applicants == 0 or block.applicants > FEW for block in shown)
    assert all(block.line is None and not block.state for block in hidden)


def test_no_family_child_group_tier_or_salt_stands_in_the_public_file():
    market = synthetic_market(300, units=True, pools=True, codes=True)
    draw = a_draw(market)
    salts = [draw.publication.facts.salt(child).hex() for child in range(market.children)]
    private = [*market.codes.children, *market.codes.families, *salts]
    everything = b"\n".join(data for name, data in entries_of(draw.public).items())
    words = set(everything.decode().replace(",", "\n").replace('"', "\n").split("\n"))
    assert words.isdisjoint(map(str, private))


def test_entries_are_different_in_every_programme_and_run():
    market = synthetic_market(300, units=True, pools=True, codes=True)
    first, second = a_draw(market, run=1), a_draw(market, run=2)
    codes = [opened(draw.public).orders.entry for draw in (first, second)]
    assert len(np.unique(np.concatenate(codes))) == len(codes[0]) + len(codes[1])
    seats = [opened(draw.public).orders.nullifier for draw in (first, second)]
    assert not set(seats[0][seats[0] != b""]) & {*seats[1], *codes[0]}


def test_a_sensitive_group_and_a_sensitive_line_are_hidden():
    market = synthetic_market(1_200, units=True, pools=True, codes=True)
    plain = a_draw(market)
    block = next(each for each in opened(plain.public).blocks if not each.hidden and each.line)
    assert block.line is not None
    tier = a_draw(market, sensitive=Sensitive(tiers=frozenset({(block.programme, block.line[1])})))
    [now] = [
        each
        for each in opened(tier.public).blocks
        if block.pools[0] in each.pools and each.programme == block.programme
    ]
    assert now.hidden and now.line is None and now.line_commitment
    assert_every_reader_agrees_on_some(tier)
    names = market.codes.groups
    pool = next(each for each in market.pools.listed if each.groups)
    group = a_draw(market, sensitive=Sensitive(groups=frozenset({str(names[pool.groups[0]])})))
    for one in opened(group.public).blocks:
        if one.programme == market.codes.programmes[pool.programme] and pool.name in one.pools:
            assert one.hidden


def assert_every_reader_agrees_on_some(draw):
    public = opened(draw.public)
    assert verify_public(public) == []
    for code in list(draw.openings)[::17]:
        assert verify_opening(public, draw.openings[code]) == []


def a_replay(hides):
    """Four programmes of twelve places. Forty children confirmed; one gave up at the first, and a chain of two follows.

    Child 0 waits for programme 0 and holds a place at 1, whose next in line has none. Ten children without a place come to
    programme 2, which got ten places more; nobody moves at programme 3.
    """
    wishes = [[0, 1], *[[0]] * 11, *[[1]] * 12, *[[2]] * 12, *[[3]] * 12, *[[2]] * 10]
    held = [1, *[0] * 11, *[1] * 11, -1, *[2] * 12, *[3] * 12, *[-1] * 10]
    offsets = np.cumsum([0, *map(len, wishes)])
    flat = [programme for mine in wishes for programme in mine]
    market = Market.from_arrays(
        offsets, flat, [0] * len(flat), range(1, len(wishes) + 1), [12, 12, 22, 12], current=held
    )
    return a_draw(market, drawn=False, run=2, replays=1, hides_few_moves=hides)


def test_drw03_a_replay_shows_no_order_where_few_children_moved(tmp_path):
    """Otherwise two versions of one round would show that the child who left one programme came to the other."""
    shown, draw = a_replay(hides=False), a_replay(hides=True)
    names = draw.publication.programme_codes
    hidden = lambda one: {int(names[each.programme][-1]) for each in one.publication.blocks if each.hidden}  # noqa: E731
    assert hidden(shown) == set(), "replays from before still give the same bytes"
    assert hidden(draw) == {0, 1}, "one came to each; ten came to the third, and nobody to the fourth"
    for one in (shown, draw):
        assert_every_reader_agrees(one)
        assert publication.Settings.read(one.publication.settings.file()) == one.publication.settings
        (tmp_path / "full.zip").write_bytes(one.full)
        (tmp_path / "public.zip").write_bytes(one.public)
        assert verify(tmp_path / "full.zip", commitment=one.record.commitment, public=tmp_path / "public.zip") == []


def test_a_hidden_line_is_opened_no_further_than_it_decides():
    """An outsider of a pool sees no tier of those it is for, and whoever has a worse tier sees no ticket."""
    seen = set()
    for number in range(60):
        draw = a_round(number)
        for one in draw.openings.values():
            for told in one["hidden"].values():
                by_pool = {}
                for pool, name, value, _ in told["opened"]:
                    by_pool.setdefault(pool, {})[name] = value
                seen |= {tuple(fields) for fields in by_pool.values()}
            assert not {step for wish in one["wishes"] for step in wish} - {"rank", "programme", "tier", "blocks"}
    assert seen == {
        ("state",), ("state", "eligible"), ("state", "eligible", "tier"), ("state", "eligible", "tier", "ticket"),
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 33])
def test_paths_lead_to_the_root(count):
    leaves = [leaf(bytes([each] * 32), b"{}") for each in range(count)]
    tree = MerkleTree(np.frombuffer(b"".join(leaves), dtype=np.uint8).reshape(-1, 32))
    for place, one in enumerate(leaves):
        sides, nodes = tree.path(place)
        beside = [nodes[at : at + 32].hex() for at in range(0, len(nodes), 32)]
        assert root_of(one, list(zip(sides, beside, strict=True))) == tree.root
    if count == 0:
        assert tree.root == tagged_hash("empty/2").hex()
    if count == 3:
        node = tagged_hash("node/2", tagged_hash("node/2", leaves[0], leaves[1]), leaves[2])
        assert tree.root == node.hex()


def test_the_facts_are_canonical_json():
    draw = a_round(5)
    for text in draw.publication.facts.texts(np.arange(draw.publication.market.children)):
        assert canonical(json.loads(text)) == text


def test_a_packed_opening_is_canonical_json_and_a_cut_one_is_refused():
    """Every word of the packed form is used."""
    packed = [one for number in range(28) for _code, one in opening.make_all(a_round(number).publication)]
    words = {sign for one in packed for sign in one[5 : 5 + int.from_bytes(one[1:5], "big")].decode() if sign < " "}
    assert words == {*WORDS, DIGEST, CODE}
    for one in packed:
        told = unpack(one)
        assert canonical(json.loads(told)) == told
        for cut in (b"", one[:-1], one + b"\0", one[1:]):
            with pytest.raises(ValueError, match="not a packed opening"):
                unpack(cut)
    assert sum(map(len, packed)) < sum(len(unpack(one)) for one in packed) * 0.65


def test_a_later_draw_numbers_only_the_children_without_a_ticket():
    draw = a_draw(tiny_market(3, children=12, programmes=4), held=5)
    tickets, held = draw.publication.market.ticket, draw.publication.parsed.held
    assert sorted(tickets.tolist()) == list(range(1, 13)) and (tickets[held >= 0] == held[held >= 0]).all()
    assert (held >= 0).sum() == 5 and tickets[held < 0].min() == 6
    assert sum(children for _, children in opened(draw.public).digests) == 7


def test_drw10_the_command_says_what_it_did_not_check(tmp_path, capsys):
    draw, other = a_round(8), a_round(9)
    paths = {"full": draw.full, "public": draw.public}
    (tmp_path / "opening.json").write_text(json.dumps(next(iter(draw.openings.values()))))
    for name, data in paths.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(data)
        assert command.main(["verify", str(path)]) == 0
        said = capsys.readouterr().out
        assert (
            said.startswith("verified in itself") and "not checked: whether this is the draw that was announced" in said
        )
        assert command.main(["verify", str(path), "--commitment", draw.record.commitment]) == 0
        said = capsys.readouterr().out
        assert said.startswith("verified: ") and "announced" not in said
        assert command.main(["verify", str(path), "--commitment", other.record.commitment]) == 1
        assert "not about the published commitment" in capsys.readouterr().out
        assert command.main(["verify", str(path), "--opening", str(tmp_path / "opening.json")]) == 0
        assert "the opening is right" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["verify", str(tmp_path / "full.zip"), "--commitment", "abc"])


def test_a_public_file_may_be_a_folder(tmp_path):
    draw = a_round(10)
    (tmp_path / "public.zip").write_bytes(draw.public)
    zipfile.ZipFile(tmp_path / "public.zip").extractall(tmp_path / "folder")
    assert verify(tmp_path / "folder", commitment=draw.record.commitment) == []
