"""What a family finds: whether its own facts were committed, its ticket is the seed's, and its result follows from the lines."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allocation import lottery
from allocation.files.commitments import leaf, root_of
from allocation.files.opening_reader import check_shape
from allocation.files.public_reader import BlockRow, PublicFile
from allocation.files.publication import (
    ADMITTED,
    BETTER,
    LINE_FIELDS,
    OUTCOMES,
    OVER,
    REFUSED,
    block_commitment,
    entry_code,
    field_commitment,
    seat_code,
)  # fmt: skip
from allocation.outcome import ALL, LINE, NONE, STATES


def verify_opening(public: PublicFile, opening: Mapping[str, Any]) -> list[str]:
    """What of an opening does not agree with the public file, one line each.

    ``opening`` is the object of :func:`allocation.files.opening.make`. Raises
    :class:`~allocation.faults.MarketFault` for what has not its shape.
    """
    check_shape(opening)
    return list(_Check(public, opening).differences())


@dataclass
class _Check:
    """One opening against one public file."""

    public: PublicFile
    opening: Mapping[str, Any]
    outcomes: dict[int, int] = field(default_factory=dict)  # what the entry in each block must say

    @property
    def facts(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.opening["facts"]
        return found

    def differences(self) -> Iterator[str]:
        if (self.opening["run"], self.opening["commitment"]) != (self.public.about["run"], self.public.draw.commitment):
            yield "the opening is not about this public file"
            return
        members = [self.opening, *self.opening["unit"]]
        proofs = members + ([self.opening["elder"]] if "facts" in (self.opening["elder"] or {}) else [])
        wrong = [line for proof in proofs for line in self._proof(proof)] + list(self._unit(members))
        yield from wrong
        if wrong:
            return
        tickets = [ticket for member in members if (ticket := self._ticket(member["facts"])) is not None]
        yield from self._tickets(members, tickets)
        if not tickets:
            return
        yield from self._result(members, min(tickets))

    def _proof(self, proof: Mapping[str, Any]) -> Iterator[str]:
        found = root_of(leaf(bytes.fromhex(proof["salt"]), lottery.canonical(proof["facts"])), proof["path"])
        if found != self.public.root:
            yield f"the facts of {proof['facts']['child']} are not among those that were committed"

    def _unit(self, members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """All bound children are there, and of one family."""
        facts = [member["facts"] for member in members]
        wished = [[wish[1] for wish in each["wishes"]] for each in facts]
        same = all(each["family"] == facts[0]["family"] for each in facts) and all(each == wished[0] for each in wished)
        same &= len({each["child"] for each in facts}) == len(facts)
        bound = self.facts["unit"] is not None
        if not same or any(each["unit"] != self.facts["unit"] for each in facts) or (len(facts) > 1 and not bound):
            yield "the bound children in the opening are not one unit"
        elder = self.opening["elder"]
        if (elder is None) != (self.facts["elder"] is None):
            yield "the opening does not say where the elder is placed"
        elif elder is not None and "facts" in elder and elder["facts"]["child"] != self.facts["elder"]:
            yield "the elder in the opening is not the one that was committed"

    def _ticket(self, facts: Mapping[str, Any]) -> int | None:
        """The ticket of a child: the one that was committed, else the one that the seed gives its family."""
        if facts["ticket"] is not None:
            return int(facts["ticket"])
        family = self.opening["family"] or []
        if self.public.draw.seed is None or facts["child"] not in family:
            return None
        digest = hashlib.sha256(bytes.fromhex(self.public.draw.seed) + facts["family"].encode()).hexdigest()
        before = self.public.tickets_before.get(digest)
        if before is None or before[1] != len(family) or sorted(set(family)) != family:
            return None
        return int(self.public.head.get("after", 0)) + before[0] + 1 + int(family.index(facts["child"]))

    def _tickets(self, members: Sequence[Mapping[str, Any]], tickets: Sequence[int]) -> Iterator[str]:
        own = self._ticket(self.facts)
        if len(tickets) < len(members) or own != self.opening["ticket"]:
            yield f"the ticket {self.opening['ticket']} is not the one that the seed gives: {own}"
            return
        seed = self.public.draw.seed
        if self.opening["digest"] is not None and seed is not None:
            digest = hashlib.sha256(bytes.fromhex(seed) + self.facts["family"].encode()).hexdigest()
            if digest != self.opening["digest"]:
                yield "the digest is not that of the family and the seed"

    def _result(self, members: Sequence[Mapping[str, Any]], ticket: int) -> Iterator[str]:
        yield from self._hidden_lines()
        seat_block = self.public.block_of_seat(seat_code(bytes.fromhex(self.opening["salt"]), self.public.run))
        told = self.opening["result"]
        placed: tuple[int, int] | None = None  # the wish and the block where the child must be
        for step, (rank, programme, _) in enumerate(self.facts["wishes"]):
            wish = self.opening["wishes"][step]
            tier = self._tier(members, step, programme)
            if (wish["rank"], wish["programme"], wish["tier"]) != (rank, programme, tier):
                yield f"wish {rank}: the opening says tier {wish['tier']}, the committed facts give {tier}"
            before = len(self.outcomes)
            for fault in self._walk(members, programme, tier, ticket, placed is not None, seat_block):
                if isinstance(fault, str):
                    yield f"wish {rank}: {fault}"
                else:
                    placed = (step, fault[0])
            blocks = list(self.outcomes)[before:]
            yield from self._entries(rank, programme, wish["blocks"], blocks)
        yield from self._seat(placed, seat_block, told)

    def _walk(
        self, members: Sequence[Mapping[str, Any]], programme: str, tier: int, ticket: int, done: bool, seat: int | None
    ) -> Iterator[str | tuple[int]]:
        """Note what each block of a programme must say; yield faults, and the block where the child is placed."""
        number = self.public.programme_numbers.get(programme)
        if number is None:
            yield f"there is no programme {programme}"
            return
        pools = self.public.market.pools
        guaranteed = self.facts["current"] == programme
        if guaranteed and not done:
            yield from self._guaranteed(programme, seat)
            return
        for q in range(pools.start[number], pools.start[number + 1]):
            belongs = self._belongs(members, q)
            if pools.places[q] == 0 or (pools.locked[q] and not belongs):
                continue
            block = self.public.block_of.get((programme, pools.name(q)))
            if block is None:
                continue
            if done:
                self._note(block, BETTER)
                continue
            line = self._line(block, pools.name(q))
            admits = None if line is None else _admits(line, (belongs, tier, ticket))
            if admits is None:
                yield f"the opening does not open the line of block {self.public.blocks[block].code} that decides"
            elif admits:
                self._note(block, ADMITTED)
                done = True
                yield (block,)
            else:
                self._note(block, REFUSED)

    def _guaranteed(self, programme: str, seat: int | None) -> Iterator[str | tuple[int]]:
        """A guaranteed child gets a place in one of the pools; which of them does not follow from the lines."""
        if seat is None or self.public.blocks[seat].programme != programme:
            yield "the place was guaranteed, and the child has none here"
            return
        self._note(seat, OVER)
        yield (seat,)

    def _note(self, block: int, outcome: int) -> None:
        self.outcomes[block] = min(outcome, self.outcomes.get(block, REFUSED))

    def _belongs(self, members: Sequence[Mapping[str, Any]], pool: int) -> bool:
        pools, codes = self.public.market.pools, self.public.market.codes.groups
        begin, end = int(pools.group_start[pool]), int(pools.group_start[pool + 1])
        groups = {str(codes[group]) for group in pools.group[begin:end]}
        return not groups or all(groups & set(member["facts"]["groups"]) for member in members)

    def _tier(self, members: Sequence[Mapping[str, Any]], step: int, programme: str) -> int:
        """The worst tier of the unit's members; the sibling tier where all name one elder who is placed there."""
        tier = max(int(member["facts"]["wishes"][step][2]) for member in members)
        market, number = self.public.market, self.public.programme_numbers.get(programme)
        elders = {member["facts"]["elder"] for member in members}
        home = self._elder_home()
        if number is None or len(elders) > 1 or home is None or market.sibling_tier is None or market.kindergarten is None:  # fmt: skip
            return tier
        if int(market.kindergarten[number]) == home and market.sibling_tier[number] >= 0:
            return min(tier, int(market.sibling_tier[number]))
        return tier

    def _elder_home(self) -> int | None:
        """The kindergarten where the elder is placed, found by the elder's nullifier."""
        elder = self.opening["elder"]
        if elder is None or self.public.market.kindergarten is None:
            return None
        seat = elder["seat"] if "seat" in elder else seat_code(bytes.fromhex(elder["salt"]), self.public.run)
        block = self.public.block_of_seat(seat)
        number = None if block is None else self.public.programme_numbers.get(self.public.blocks[block].programme)
        return None if number is None else int(self.public.market.kindergarten[number])

    def _hidden_lines(self) -> Iterator[str]:
        for code, told in self.opening["hidden"].items():
            block = next((each for each in self.public.blocks if each.code == code), None)
            right = block is not None and len(told["fields"]) == len(LINE_FIELDS) * len(block.pools)
            if block is None or not right or block_commitment(told["fields"]) != block.line_commitment:
                yield f"the line of block {code} is not the one that was published with its commitment"
                continue
            for pool, name, value, salt in told["opened"]:
                of_field = self._field(block, told["fields"], pool, name)
                if of_field != field_commitment(bytes.fromhex(salt), value):
                    yield f"the line of block {code} is not the one that was published with its commitment"

    @staticmethod
    def _field(block: BlockRow, fields: Sequence[str], pool: str, name: str) -> str | None:
        if pool not in block.pools:
            return None
        return fields[len(LINE_FIELDS) * block.pools.index(pool) + LINE_FIELDS.index(name)]

    def _line(self, number: int, pool: str) -> dict[str, str] | None:
        """The fields of a line that are known; ``None`` if there are none."""
        block = self.public.blocks[number]
        if not block.hidden:
            values = ("",) * 3 if block.line is None else block.line
            return {"state": block.state} | dict(zip(LINE_FIELDS[1:], map(str, values), strict=True))
        told = self.opening["hidden"].get(block.code)
        if told is None:
            return None
        return {name: value for of, name, value, _ in told["opened"] if of == pool} or None

    def _entries(
        self, rank: int, programme: str, told: Sequence[Mapping[str, Any]], blocks: Sequence[int]
    ) -> Iterator[str]:
        """The child's entry stands in each block of the wish, with the outcome that follows from the lines."""
        salt, orders = bytes.fromhex(self.opening["salt"]), self.public.orders
        given = {each["block"]: each for each in told}
        for number in blocks:
            code = self.public.blocks[number].code
            entry = entry_code(salt, programme, code, self.public.run)
            row = self.public.rows_by_entry.get(entry.encode())
            if row is None or int(orders.block[row]) != number + 1:
                yield f"wish {rank}: the child's entry is not in the order of block {code}"
                continue
            outcome, expected = int(orders.outcome[row]), self.outcomes[number]
            if outcome != expected and not (expected == OVER and outcome == ADMITTED):
                yield f"wish {rank}: block {code} says {OUTCOMES[outcome]}, its line gives {OUTCOMES[expected]}"
            mine = given.get(code)
            shown = {"block": code, "entry": entry, "position": int(orders.position[row]), "outcome": OUTCOMES[outcome]}
            if mine is None or dict(mine) != shown:
                yield f"wish {rank}: the opening does not say what block {code} says of its entry"

    def _seat(self, placed: tuple[int, int] | None, seat: int | None, told: Mapping[str, Any] | None) -> Iterator[str]:
        """The result is the first wish whose line the child meets, and its place stands in the public file."""
        expected = None
        if placed is not None:
            rank, programme, _ = self.facts["wishes"][placed[0]]
            expected = {"rank": rank, "programme": programme, "block": self.public.blocks[placed[1]].code}
        given = None if told is None else {name: told[name] for name in ("rank", "programme", "block")}
        if given != expected:
            yield f"the result is {_in_words(given)}, the first wish whose line is met is {_in_words(expected)}"
        if seat != (None if placed is None else placed[1]):
            yield "the child's place in the public file is not its result"


def _in_words(result: Mapping[str, Any] | None) -> str:
    return "no place" if result is None else f"wish {result['rank']}, {result['programme']}"


def _admits(line: Mapping[str, str], mine: tuple[bool, int, int]) -> bool | None:
    """Whether a line admits a child; ``None`` if a field is missing that decides."""
    state = line.get("state")
    if state == STATES[ALL]:
        return True
    if state == STATES[NONE]:
        return False
    if state != STATES[LINE]:
        return None
    for name, own, best_first in (
        ("eligible", int(mine[0]), False),
        ("tier", mine[1], True),
        ("ticket", mine[2], True),
    ):
        value = line.get(name, "")
        if not (value.isascii() and value.isdigit()):
            return None
        if own != int(value):
            return (own < int(value)) == best_first
    return True
