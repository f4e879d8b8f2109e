"""Cheats in what is published of a result: orders, lines and places."""

from collections.abc import Callable

from tests.engine.honest_draws import Published, edges, honest, replay, shown, town


def swap_across_the_line() -> Published:
    found = honest(town())
    rows, _, last, refused = edges(found)
    rows[last][2:], rows[refused][2:] = rows[refused][2:], rows[last][2:]
    found.harmed = [found.entry_owner(rows[last][2])]
    found.renumber(rows)
    return found


def swap_behind_the_line() -> Published:
    found = honest(town())
    rows, own, last, _ = edges(found)
    one, two = [row for row in own if row > last and rows[row][3] == "refused"][:2]
    rows[one][2:], rows[two][2:] = rows[two][2:], rows[one][2:]
    found.harmed = [found.entry_owner(rows[two][2])]
    found.renumber(rows)
    return found


def favour_one() -> Published:
    """The place of the last admitted goes to a child behind the line, with the numbers of the line as they were."""
    found = honest(town())
    rows, _, last, refused = edges(found)
    found.harmed = [found.entry_owner(rows[last][2])]
    rows[last][3:], rows[refused][3:] = ["refused", ""], ["admitted", rows[last][4]]
    found.renumber(rows)
    return found


def drop_a_child() -> Published:
    """A refused child is taken out of an order."""
    found = honest(town())
    place, block = shown(found)
    rows, _, _, refused = edges(found)
    found.harmed = [found.entry_owner(rows[refused][2])]
    del rows[refused]
    found.renumber(rows)
    found.cell("blocks.csv", place, "applicants", str(int(block["applicants"]) - 1))
    return found


def seat_a_child_twice(nullifier: Callable[[str], str]) -> Callable[[], Published]:
    """A child that is placed at a better wish is admitted here too, in the place of the last admitted."""

    def make() -> Published:
        found = honest(town())
        rows, own, last, _ = edges(found)
        better = next(row for row in own if row < last and rows[row][3] == "better")
        place, _ = shown(found)
        child = found.entry_owner(rows[better][2])
        seat = next(
            cells[4] for cells in rows[1:]
            if cells[4] and any(told["entry"] == cells[2] for wish in found.openings[child]["wishes"] for told in wish["blocks"])
        )  # fmt: skip
        found.harmed = [child, found.entry_owner(rows[last][2])]
        rows[better][3:] = ["admitted", nullifier(seat)]
        rows[last][3:] = ["refused", ""]
        before = max(row for row in own if rows[row][3] == "admitted")
        found.renumber(rows)
        found.cell("blocks.csv", place, "line_position", rows[before][1])
        return found

    return make


def _fill_one_more(found: Published, reason: str) -> Published:
    place, block = shown(found)
    rows, _, _, refused = edges(found)
    found.harmed = [found.entry_owner(rows[refused][2])]
    rows[refused][3:] = ["admitted", "cd" * 16]
    found.renumber(rows)
    found.cell("blocks.csv", place, "filled", str(int(block["filled"]) + 1))
    found.cell("blocks.csv", place, "line_position", rows[refused][1])
    if reason:
        found.cell("blocks.csv", place, "reason", reason)
    return found


def over_fill() -> Published:
    return _fill_one_more(honest(town()), "")


def over_fill_with_a_reason() -> Published:
    return _fill_one_more(honest(town()), "unit_over")


def leave_a_place_empty(reason: str) -> Published:
    found = honest(town())
    place, block = shown(found)
    rows, own, last, _ = edges(found)
    found.harmed = [found.entry_owner(rows[last][2])]
    rows[last][3:] = ["refused", ""]
    before = max(row for row in own if rows[row][3] == "admitted")
    found.renumber(rows)
    found.cell("blocks.csv", place, "filled", str(int(block["filled"]) - 1))
    found.cell("blocks.csv", place, "line_position", rows[before][1])
    if reason:
        found.cell("blocks.csv", place, "reason", reason)
    return found


def over_fill_as_if_guaranteed() -> Published:
    """One more is seated above the places, as if its place had been guaranteed; nobody has a guarantee in this draw."""
    found = _fill_one_more(honest(town()), "guaranteed_over")
    place, block = shown(found)
    rows, last = found.rows("orders.csv"), int(block["line_position"])
    row = found.order(block["block"])[last - 1]
    rows[row][3] = "over"
    found.write("orders.csv", rows)
    found.cell("blocks.csv", place, "line_position", str(last - 1))
    return found


def move_the_line() -> Published:
    """A better ticket is published as the line than that of the last admitted."""
    found = honest(town())
    place, block = shown(found)
    rows, _, last, _ = edges(found)
    found.harmed = [found.entry_owner(rows[last][2])]
    found.cell("blocks.csv", place, "line_ticket", str(int(block["line_ticket"]) - 1))
    return found


def move_the_position_of_the_line() -> Published:
    found = honest(town())
    place, block = shown(found)
    found.cell("blocks.csv", place, "line_position", str(int(block["line_position"]) + 3))
    return found


def take_a_guaranteed_place() -> Published:
    """A replay leaves a child without the place that was guaranteed to it."""
    found = honest(replay())
    child, one = next(
        (code, one) for code, one in found.openings.items()
        if one["result"] and one["facts"]["current"] == one["result"]["programme"]
    )  # fmt: skip
    rows = found.rows("orders.csv")
    entries = {told["entry"] for wish in one["wishes"] for told in wish["blocks"]}
    row = next(row for row, cells in enumerate(rows) if cells[2] in entries and cells[4])
    block = rows[row][0]
    rows[row][3:] = ["refused", ""]
    found.write("orders.csv", rows)
    blocks = found.rows("blocks.csv")
    place = next(place for place, cells in enumerate(blocks) if cells[0] == block)
    found.cell("blocks.csv", place, "filled", str(int(blocks[place][5]) - 1))
    found.harmed = [child]
    return found


def nullifier_for_a_refused_child() -> Published:
    found = honest(town())
    rows, _, _, refused = edges(found)
    rows[refused][4] = "ef" * 16
    found.write("orders.csv", rows)
    return found
