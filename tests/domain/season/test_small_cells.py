"""DRW03: no published table gives away a number of 1 to 9 children, neither alone, nor as a difference, nor by a total."""

import itertools
from random import Random

import highspy
from hypothesis import given
from hypothesis import strategies as st

from allocation.planning.linear_solver import open_solver
from enrollment.season import small_cells
from enrollment.season.small_cells import FEWEST, MEASURES, is_small


@st.composite
def rows(draw):
    made = {}
    for name in draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)):
        children = draw(st.one_of(st.integers(0, 25), st.integers(0, 500)))
        placed = draw(st.integers(0, children))
        made[name] = {"children": children, "placed": placed, "first": draw(st.integers(0, placed))}
    return made


@given(rows())
def test_no_shown_number_and_no_difference_of_two_is_small(table):
    for counts in small_cells.hide(table).values():
        assert counts["children"] >= FEWEST
        shown = [counts[measure] for measure in MEASURES if counts[measure] is not None]
        assert not any(is_small(one) for one in shown)
        assert not any(is_small(more - less) for more, less in itertools.pairwise(shown))


@given(rows())
def test_a_total_does_not_give_a_hidden_number_away(table):
    told = small_cells.hide(table, with_total=True)
    for measure in MEASURES:
        total = sum(counts[measure] for counts in table.values())
        shown = [name for name, counts in told.items() if counts[measure] is not None]
        hidden = table.keys() - set(shown)
        rest = total - sum(told[name][measure] for name in shown)
        assert rest == sum(table[name][measure] for name in hidden)
        if shown and hidden:
            assert len(hidden) >= 2 and not is_small(rest)


def test_large_rows_of_ordinary_grounds_are_told_in_full():
    table = {
        "local_hukou": {"children": 50, "placed": 47, "first": 30},
        "special_need": {"children": 14, "placed": 13, "first": 2},
    }
    told = small_cells.hide(table, sensitive={"special_need"})
    assert told["local_hukou"] == table["local_hukou"]
    assert told["special_need"] == {"children": 14, "placed": None, "first": None}
    assert small_cells.hide({"policy_care": {"children": 9, "placed": 9, "first": 9}}) == {}


class Attack:
    """Everything that follows for integers about hidden numbers: those that are told, the totals, and that a part is no
    larger than its whole.  Solved as a linear programme, whose bounds are at most further apart than those of integers."""

    def __init__(self, rows, told, with_total):
        self.at = {key: place for place, key in enumerate((name, measure) for name in rows for measure in MEASURES)}
        self.solver = open_solver()
        for name, measure in self.at:
            known = told.get(name, {}).get(measure)
            low, high = (0, highspy.kHighsInf) if known is None else (known, known)
            self.solver.addVar(low, high)
        for name in rows:
            for whole, part in itertools.pairwise(MEASURES):
                self.solver.addRow(0, highspy.kHighsInf, 2, [self.at[name, whole], self.at[name, part]], [1.0, -1.0])
        for measure in MEASURES if with_total else ():
            total = sum(row[measure] for row in rows.values())
            self.solver.addRow(total, total, len(rows), [self.at[name, measure] for name in rows], [1.0] * len(rows))

    def gives_away(self, *terms):
        """Whether a sum of numbers, each with its sign, can have one value only."""
        bounds = []
        for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize):
            for place in self.at.values():
                self.solver.changeColCost(place, 0.0)
            for key, sign in terms:
                self.solver.changeColCost(self.at[key], sign)
            self.solver.changeObjectiveSense(sense)
            self.solver.run()
            if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return False
            bounds.append(self.solver.getInfo().objective_function_value)
        return bounds[1] - bounds[0] < 1e-6


def random_table(random):
    """Small and empty rows beside three large ones, as a city has them."""
    rows = {}
    for number in range(random.randint(1, 5)):
        children = random.choice((0, random.randint(1, 9), random.randint(10, 20), random.randint(10, 60)))
        placed = random.choice((children, random.randint(0, children), max(children - 3, 0)))
        rows[f"small{number}"] = (children, placed, random.choice((placed, random.randint(0, placed))))
    for number in range(3):
        children = random.randint(60, 200)
        placed = random.randint(30, children - 10)
        rows[f"large{number}"] = (children, placed, random.randint(12, placed - 10))
    return {name: dict(zip(MEASURES, counts, strict=True)) for name, counts in rows.items()}


def test_no_small_cell_follows_from_what_is_published():
    """Random tables with and without a published total, with sensitive rows and without, against everything that can be
    computed from them (the goal of the officials' desk: none recoverable by subtraction)."""
    random, asked = Random(14), 0
    for with_total, sensitive in itertools.product((True, False), (None, (), ("small0", "small1"))):
        for _table in range(8):
            rows = random_table(random)
            told = small_cells.hide(rows, sensitive=sensitive, with_total=with_total)
            attack = Attack(rows, told, with_total)
            for name, row in rows.items():
                nested = sensitive is None or name in sensitive
                cells = [((name, measure), 1.0) for measure in MEASURES if 0 < row[measure] < small_cells.FEWEST]
                if row["children"] >= small_cells.FEWEST and not nested:
                    cells = []  # how many of a priority that many have were placed may be told
                for cell in cells:
                    asked += 1
                    assert not attack.gives_away(cell), (cell, rows, told)
                if nested and small_cells.is_small(row["children"] - row["placed"]):
                    asked += 1
                    terms = ((name, "children"), 1.0), ((name, "placed"), -1.0)
                    assert not attack.gives_away(*terms), (name, rows, told)
    assert asked > 60
