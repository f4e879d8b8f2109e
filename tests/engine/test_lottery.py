"""Commitment, seed and tickets, compared with what a plain SHA-256 tool gives."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocation import lottery
from allocation.market import Codes, Market
from allocation.sha256 import LANES, digests

SEED = hashlib.sha256(b"a seed for tests").digest()


@settings(deadline=None)
@given(st.binary(max_size=80), st.lists(st.binary(max_size=140), max_size=6))
def test_many_digests_are_those_of_hashlib(prefix, texts):
    starts = np.concatenate(([0], np.cumsum([len(t) for t in texts], dtype=np.int64)))
    ours = digests(prefix, np.frombuffer(b"".join(texts), dtype=np.uint8), starts)
    assert [row.tobytes() for row in ours] == [hashlib.sha256(prefix + text).digest() for text in texts]


@pytest.mark.parametrize("length", [0, 1, 23, 24, 31, 32, 55, 56, 63, 64, 119, 120])
def test_digests_at_every_edge_of_a_block(length):
    text = bytes(range(length))
    ours = digests(b"", np.frombuffer(text, dtype=np.uint8), np.array([0, length]))
    assert ours.tobytes() == hashlib.sha256(text).digest()


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), st.sampled_from("家庭FG")), unique_by=lambda row: row[0]))
def test_tickets_are_the_line_of_family_digests_and_child_codes(rows):
    children, families = [row[0] for row in rows], [row[1] for row in rows]
    tickets = lottery.draw(SEED, families, children)
    line = sorted(rows, key=lambda row: (hashlib.sha256(SEED + row[1].encode()).digest(), row[0].encode()))
    assert [children[i] for i in np.argsort(tickets)] == [child for child, _ in line]
    assert sorted(tickets.tolist()) == list(range(1, len(rows) + 1))


def test_digests_that_begin_alike_are_told_apart_by_what_follows(monkeypatch):
    same = [bytes(8) + bytes([second, third]) * 12 for second in (3, 1, 2) for third in (9, 8)]
    monkeypatch.setattr(lottery, "digests", lambda *_: np.frombuffer(b"".join(same), dtype=np.uint8).reshape(-1, 32))
    ranks = lottery.family_ranks(SEED, np.zeros(0, dtype=np.uint8), np.zeros(7, dtype=np.int64))
    assert ranks.tolist() == [sorted(same).index(one) for one in same]


def test_who_joins_later_stands_after_the_last_ticket():
    first = lottery.draw(SEED, ["F1", "F2"], ["a", "b"])
    later = lottery.draw(hashlib.sha256(b"second").digest(), ["F3", "F4"], ["c", "d"], after=int(first.max()))
    assert sorted(later.tolist()) == [3, 4]


def test_applying_twice_does_not_change_a_ticket():
    assert (
        lottery.draw(SEED, ["F1", "F2"], ["a", "b"]).tolist() == lottery.draw(SEED, ["F1", "F2"], ["a", "b"]).tolist()
    )
    with pytest.raises(ValueError, match="twice"):
        lottery.draw(SEED, ["F1", "F1"], ["a", "a"])


FILES = {
    "market.json": b'{ "seed": null,\n "format": "market/1", "season": "2026\xe5\xb9\xb4"}',
    "wishes.csv": b"child,rank,programme,tier\n",
    "children.csv": b"child\n",
}


def test_the_commitment_is_what_sha256sum_prints_hashed_again():
    fixed = '{"format":"market/1","season":"2026年","seed":null}'.encode()
    lines = b"".join(
        hashlib.sha256(data).hexdigest().encode() + b"  " + name + b"\n"
        for name, data in [
            (b"children.csv", FILES["children.csv"]),
            (b"market.json", fixed),
            (b"wishes.csv", FILES["wishes.csv"]),
        ]
    )
    assert lottery.commitment_lines(FILES) == lines
    assert lottery.commitment(FILES) == hashlib.sha256(lines).hexdigest()


def test_the_seed_does_not_change_the_commitment_and_everything_else_does():
    before = lottery.commitment(FILES)
    drawn = {**FILES, "market.json": json.dumps({**json.loads(FILES["market.json"]), "seed": "ab" * 32}).encode()}
    assert lottery.commitment(drawn) == before
    assert lottery.commitment({**FILES, "wishes.csv": b"child,rank,programme,tier\nc,1,p,0\n"}) != before


def test_the_seed_comes_from_its_three_parts():
    commitment = lottery.commitment(FILES)
    expected = hashlib.sha256(bytes.fromhex(commitment) + "道指 1".encode() + b"3 5 6").digest()
    assert lottery.seed_bytes(commitment, "道指 1", b"3 5 6") == expected
    assert lottery.seed_bytes(commitment) == hashlib.sha256(bytes.fromhex(commitment)).digest()
    with pytest.raises(ValueError, match="64 hex"):
        lottery.seed_bytes("abcd")
    with pytest.raises(ValueError, match="32 bytes"):
        lottery.draw(b"short", ["F"], ["c"])


def test_a_market_is_drawn_by_its_codes():
    market = Market.from_arrays([0, 0, 0, 0], [], [], None, [], codes=Codes(children=["a", "b", "c"]))
    assert (
        lottery.draw_market(market, SEED).ticket.tolist()
        == lottery.draw(SEED, ["a", "b", "c"], ["a", "b", "c"]).tolist()
    )
    market = Market.from_arrays(
        [0, 0, 0, 0], [], [], None, [], family=[0, 1, 0], codes=Codes(children=["a", "b", "c"], families=["F", "G"])
    )
    drawn = lottery.draw_market(market, SEED)
    assert drawn.ticket.tolist() == lottery.draw(SEED, ["F", "G", "F"], ["a", "b", "c"]).tolist()
    assert drawn.seed == SEED.hex()


def test_eng12_texts_that_are_hashed_side_by_side_may_have_different_lengths():
    texts = [b"x" * (7 * n % 200) for n in range(2 * LANES + 5)]
    starts = np.cumsum([0, *map(len, texts)])
    ours = digests(b"seed", np.frombuffer(b"".join(texts), dtype=np.uint8), starts)
    assert [row.tobytes() for row in ours] == [hashlib.sha256(b"seed" + text).digest() for text in texts]
