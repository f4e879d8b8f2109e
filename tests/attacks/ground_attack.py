"""An attacker who knows the rules, everything published, and a child's whole wish list, and guesses its sensitive ground.

It learns on cities of the same kind, where it sees everything: which traits of a wish list, and of what is published about
the wished kindergartens, go with a certified disability or policy care.  Then it guesses as many children of an unknown
city as there are such children.  Its *precision* is the share of right guesses.
"""

import csv
import io
import itertools
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enrollment.season.facts import Ground
from tests.attacks.city_market import SENSITIVE, City

MOST_WISHES = 5
LINKS = 8
"""How many traits `from_links` gives."""
BINS = 8
Row = dict[str, str]


def rows_of(packed: bytes, name: str) -> list[Row]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        if name not in archive.namelist():
            return []
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


# traits of a wish list alone


def from_wish_lists(city: City) -> np.ndarray:
    """For each child what its wish list and the open data of the kindergartens say, before any draw."""
    same = Counter(city.wishes[row.child] for row in city.market.children)
    return np.array([_list_traits(city, city.wishes[row.child], same) for row in city.market.children])


def _list_traits(city: City, wishes: Sequence[str], same: Counter) -> list[float]:
    gardens = [city.kindergartens[code] for code in wishes]
    traits: list[float] = [len(wishes), gardens[0].area, same[tuple(wishes)] == 1]
    reserves = [{pool[2] for pool in garden.pools} for garden in gardens]
    traits += [
        sum(Ground.SPECIAL_NEED in each for each in reserves),
        sum(Ground.POLICY_CARE in each for each in reserves),
        len({garden.area for garden in gardens}),
        max(np.hypot(g.point[0] - gardens[0].point[0], g.point[1] - gardens[0].point[1]) for g in gardens),
    ]
    for at in range(MOST_WISHES):
        garden = gardens[at] if at < len(gardens) else None
        traits += (
            [-1.0] * 4
            if garden is None
            else [
                garden.places,
                garden.nature == "public",
                Ground.SPECIAL_NEED in reserves[at],
                Ground.POLICY_CARE in reserves[at],
            ]
        )
    return traits


# traits of the file that was published until now: wishes and tiers by child


def from_full_file(city: City, packed: bytes) -> np.ndarray:
    """The children of the file with the same list: how many of them have everywhere the tier that such a ground gives."""
    listed: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for row in rows_of(packed, "market/wishes.csv"):
        listed[row["child"]].append((int(row["rank"]), row["programme"], int(row["tier"])))
    groups = {row["child"]: row["groups"] for row in rows_of(packed, "market/children.csv")}
    found: dict[tuple[str, ...], list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    for child, mine in listed.items():
        mine.sort()
        found[tuple(p for _, p, _ in mine)].append((child, tuple(tier for *_, tier in mine)))
    traits = []
    for row in city.market.children:
        wishes = city.wishes[row.child]
        alike = found[wishes]
        by_ground = [
            np.mean(
                [all(t == s for t, s in zip(tiers, _tiers(city, wishes, ground), strict=True)) for _, tiers in alike]
            )
            for ground in SENSITIVE
        ]
        named = [np.mean([f".{ground}" in groups[child] for child, _ in alike]) for ground in SENSITIVE]
        traits.append([len(alike), *by_ground, *named, float(np.mean([t[0] for _, t in alike]))])
    return np.array(traits)


def _tiers(city: City, wishes: Sequence[str], ground: Ground) -> list[int]:
    """The tiers that the signed rules give to the ground alone."""
    found = []
    for code in wishes:
        garden = city.kindergartens[code]
        rules = city.rules[garden.area]
        of_ground = [
            r.tier for r in rules.rules if (ground,) in r.ways and (not r.natures or garden.nature in r.natures)
        ]
        found.append(min(of_ground, default=rules.default))
    return found


# traits of the public file


@dataclass(frozen=True)
class Block:
    """What the public file says about one block, as numbers."""

    applicants: int
    places: int
    filled: int
    line: float
    ticket: float
    hidden: bool
    better: float
    refused: float
    leading: int
    before_line: float
    runs: int
    reason: bool


def blocks_of(packed: bytes) -> dict[str, list[Block]]:
    """The blocks of each programme, the largest first."""
    orders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in rows_of(packed, "orders.csv"):
        orders[row["block"]].append((int(row["position"] or 0), row["outcome"]))
    made: dict[str, list[Block]] = defaultdict(list)
    for row in rows_of(packed, "blocks.csv"):
        line = [outcome for _, outcome in sorted(orders[row["block"]])]
        made[row["programme"]].append(_block(row, line))
    return {code: sorted(each, key=lambda one: -one.applicants) for code, each in made.items()}


def _block(row: Row, line: list[str]) -> Block:
    count = max(len(line), 1)
    first = next((at for at, outcome in enumerate(line) if outcome != "better"), len(line))
    end = int(row["line_position"] or 0)
    switches = sum(one != other for one, other in itertools.pairwise(line))
    return Block(
        applicants=len(line),
        places=int(row["places"] or 0),
        filled=int(row["filled"] or 0),
        line=float(row["line_tier"]) if row["line_tier"] else {"": 16.0, "all": 17.0}.get(row["state"], 18.0),
        ticket=float(row["line_ticket"] or -1),
        hidden=bool(row["line_commitment"]),
        better=line.count("better") / count,
        refused=line.count("refused") / count,
        leading=first,
        before_line=line[:end].count("better") / max(end, 1),
        runs=switches,
        reason=bool(row["reason"]),
    )


NO_BLOCK = Block(0, 0, 0, -1.0, -1.0, False, -1.0, -1.0, -1, -1.0, -1, False)


# links: the same child in several blocks, and in two versions of one round


def linked(packed: bytes) -> dict[frozenset[str], list[list[tuple[str, float | None, str]]]]:
    """Entries that carry the same code, by the set of their programmes: programme, place in the order from 0 to 1 (None where
    it is hidden), outcome.

    In an honest file no code stands twice; a file that names a child in the same way everywhere is read like its lists.
    """
    blocks = rows_of(packed, "blocks.csv")
    programme = {row["block"]: row["programme"] for row in blocks}
    shown = {row["block"] for row in blocks if not row["line_commitment"]}
    rows = rows_of(packed, "orders.csv")
    length = Counter(row["block"] for row in rows)
    of_code: dict[str, list[tuple[str, float | None, str]]] = defaultdict(list)
    for row in rows:
        at = int(row["position"]) / length[row["block"]] if row["block"] in shown else None
        of_code[row["entry"]].append((programme[row["block"]], at, row["outcome"]))
    found: dict[frozenset[str], list[list[tuple[str, float | None, str]]]] = defaultdict(list)
    for entries in of_code.values():
        found[frozenset(code for code, *_ in entries)].append(entries)
    return found


def from_links(city: City, main: bytes, replay: bytes | None) -> np.ndarray:
    """For each child what linked entries say that stand where its list stands."""
    by_list, moves = linked(main), _moves(main, replay) if replay else {}
    traits = []
    for row in city.market.children:
        wishes = city.wishes[row.child]
        alike = by_list.get(frozenset(wishes), []) if len(wishes) > 1 else []
        # of several children with this list each is as likely the child: how far back they stand where they stand worst
        worst = [max([at for _, at, _ in entries if at is not None], default=-1.0) for entries in alike]
        first = [any(outcome == "admitted" and code == wishes[0] for code, _, outcome in entries) for entries in alike]
        hidden = [sum(at is None for _, at, _ in entries) for entries in alike]
        traits.append(
            [
                min(len(alike), 3),
                float(np.mean(worst)) if worst else -1.0,
                float(np.mean(first)) if first else -1.0,
                float(np.mean(hidden)) if hidden else -1.0,
                *_moved_along(wishes, moves),
            ]
        )
    return np.array(traits)


Step = tuple[float, float, float]
"""Where the shown line of a programme stood in the main run and in the replay, as the number of a ticket, and its tier."""


def _moves(main: bytes, replay: bytes) -> dict[str, Step]:
    """The programmes whose line is shown in both versions, stands in one tier and moved back: somebody came."""
    lines = [
        {
            row["programme"]: (float(row["line_tier"]), float(row["line_ticket"]))
            for row in rows_of(packed, "blocks.csv")
            if row["line_ticket"]
        }
        for packed in (main, replay)
    ]
    return {
        code: (lines[0][code][1], ticket, tier)
        for code, (tier, ticket) in lines[1].items()
        if code in lines[0] and lines[0][code][0] == tier and ticket > lines[0][code][1]
    }


def _moved_along(wishes: Sequence[str], moves: Mapping[str, Step]) -> list[float]:
    """A chain of a replay through the child's list: who came to an earlier wish left a later one, with one ticket."""
    found = [
        (earlier, later)
        for at, earlier in enumerate(wishes)
        for later in wishes[at + 1 :]
        if {earlier, later} <= moves.keys()
    ]
    fits = [
        (moves[earlier][1] - moves[earlier][0], moves[earlier][2])
        for earlier, later in found
        if moves[earlier][0] < moves[later][0]  # the ticket that came was before the line that it left
    ]
    width, tier = min(fits, default=(-1.0, -1.0))
    return [len(found), len(fits), width, tier]


def from_public_files(city: City, main: bytes, replay: bytes | None) -> np.ndarray:
    """For each child what the files say about the kindergartens of its list, in the main run, the replay, and between them."""
    first, later = blocks_of(main), blocks_of(replay) if replay else {}
    of_programme = {code: _programme_traits(city, code, first, later) for code in city.kindergartens}
    nothing = [-1.0] * len(next(iter(of_programme.values())))
    traits = []
    for row in city.market.children:
        mine = [of_programme[code] for code in city.wishes[row.child]]
        whole = np.array(mine)
        padded = mine + [nothing] * (MOST_WISHES - len(mine))
        # who has the best tier at one wish by a ground of the family has it at all: the least and the mean over the list
        traits.append([*whole.min(0), *whole.max(0), *whole.mean(0), *(value for each in padded for value in each)])
    return np.hstack([np.array(traits), from_links(city, main, replay)])


def _programme_traits(
    city: City, code: str, first: Mapping[str, list[Block]], later: Mapping[str, list[Block]]
) -> list[float]:
    now, then = first.get(code, []), later.get(code, [])
    main, other = (now or [NO_BLOCK])[0], (then or [NO_BLOCK])[0]
    best = min(_tiers(city, [code], ground)[0] for ground in SENSITIVE)
    return [
        main.applicants,
        main.applicants / max(main.places, 1),
        main.line,
        main.line - best,  # how far the line is from the tier of a sensitive ground
        main.ticket / max(len(city.market.children), 1),
        main.hidden,
        sum(block.hidden for block in now),
        main.better,
        main.refused,
        main.leading,
        main.leading / max(main.applicants, 1),
        main.before_line,
        main.runs / max(main.applicants, 1),
        len(now),
        sum(block.reason for block in now),
        sum(block.filled < block.places for block in now),
        min((block.applicants for block in now), default=-1),
        other.applicants - main.applicants,
        other.line - main.line,
        other.leading - main.leading,
        other.before_line - main.before_line,
        len(then) - len(now),
    ]


# what was learnt


@dataclass(frozen=True)
class Learnt:
    """A likelihood model: the logarithm of the odds is a sum of one number for each interval of each trait."""

    columns: np.ndarray
    edges: list[np.ndarray]
    weights: np.ndarray

    def scores(self, traits: np.ndarray) -> np.ndarray:
        return _binned(traits[:, self.columns], self.edges) @ self.weights


CAUTIONS = (3e-4, 3e-3, 3e-2)
"""How strongly a weight is drawn to nothing; the attacker tries which serves best."""


def learn_well(cities: Sequence[tuple[np.ndarray, np.ndarray]], of_lists: int, of_links: int) -> Learnt:
    """Learn on all cities, from the traits and as cautiously as was best for the last of them when it was not yet known.

    The first `of_lists` traits are those of the wish lists, the last `of_links` those of linked entries.
    """
    *known, (held_back, answers) = cities
    whole = np.arange(held_back.shape[1])
    sets = [whole, np.concatenate((whole[:of_lists], whole[len(whole) - of_links :]))] if of_links else [whole]

    def right(choice: tuple[np.ndarray, float]) -> int:
        return sum(guess(learn(*_together(known), *choice), [(held_back, answers)]).right)

    best = max(((columns, caution) for columns in sets for caution in CAUTIONS), key=right)
    return learn(*_together(cities), *best)


def _together(cities: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.vstack([traits for traits, _ in cities]), np.concatenate([held for _, held in cities])


def learn(traits: np.ndarray, sensitive: np.ndarray, columns: np.ndarray, caution: float, rounds: int = 200) -> Learnt:
    """From these `columns` of the traits."""
    traits = traits[:, columns]
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in traits.T]
    inside = _binned(traits, edges)
    weights = np.zeros(inside.shape[1], dtype=np.float32)
    weights[-1] = np.log(sensitive.mean() / (1 - sensitive.mean()))
    moment, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, rounds + 1):
        missed = 1 / (1 + np.exp(-(inside @ weights))) - sensitive
        slope = inside.T @ missed.astype(np.float32) / len(missed) + caution * np.append(weights[:-1], 0)
        moment, square = 0.9 * moment + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights = weights - 0.03 * (moment / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return Learnt(columns, edges, weights)


def _binned(traits: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """One column for each interval of each trait, and one of ones."""
    width = sum(len(each) + 1 for each in edges) + 1
    made = np.zeros((len(traits), width), dtype=np.float32)
    made[:, -1] = 1
    start = 0
    for column, each in zip(traits.T, edges, strict=True):
        made[np.arange(len(traits)), start + np.searchsorted(each, column, side="right")] = 1
        start += len(each) + 1
    return made


@dataclass(frozen=True)
class Guesses:
    """Right guesses and guesses in each city."""

    right: list[int]
    made: list[int]

    @property
    def precision(self) -> float:
        return sum(self.right) / sum(self.made)


def at_random(cities: Sequence[tuple[np.ndarray, np.ndarray]]) -> Guesses:
    """What whoever knows nothing but the shares may expect, as whole guesses rounded up."""
    made = [int(held.sum()) for _, held in cities]
    return Guesses([int(np.ceil(count * held.mean())) for count, (_, held) in zip(made, cities, strict=True)], made)


def guess(learnt: Learnt, cities: Sequence[tuple[np.ndarray, np.ndarray]]) -> Guesses:
    """In each city as many guesses as there are sensitive children, the likeliest first."""
    right, made = [], []
    for traits, sensitive in cities:
        count = int(sensitive.sum())
        likely = np.argsort(-learnt.scores(traits), kind="stable")[:count]
        right.append(int(sensitive[likely].sum()))
        made.append(count)
    return Guesses(right, made)


def ratio_interval(more: Guesses, less: Guesses) -> tuple[float, float]:
    """95 % of the ratio of two precisions, from the same cities: the jackknife of its logarithm, with Student's t.

    Both attackers guess about the same children, so the cities are compared in pairs: what is hard in a city is hard for both.
    Cities are independent of each other; within a city nothing is assumed.
    """
    with_files, alone = np.array(more.right, dtype=float), np.array(less.right, dtype=float)
    count = len(with_files)
    left_out = np.log(with_files.sum() - with_files) - np.log(alone.sum() - alone)
    spread = np.sqrt((count - 1) / count * np.sum((left_out - left_out.mean()) ** 2))
    student = float(np.quantile(np.random.default_rng(1).standard_t(count - 1, 200_000), 0.975))
    middle = np.log(with_files.sum() / alone.sum())
    return float(np.exp(middle - student * spread)), float(np.exp(middle + student * spread))


def wilson(right: int, made: int) -> tuple[float, float]:
    """95 % of a share."""
    share, z = right / made, 1.96
    centre, spread = share + z * z / (2 * made), z * np.sqrt(share * (1 - share) / made + z * z / (4 * made * made))
    return float((centre - spread) / (1 + z * z / made)), float((centre + spread) / (1 + z * z / made))
