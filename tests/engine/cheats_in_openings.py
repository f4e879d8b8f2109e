"""Cheats in what a family or an auditor gets."""

from typing import Any

from allocation.files.bundle import zip_bytes
from tests.engine.honest_draws import Published, has_a_raised_tier, honest, siblings, town
from tests.engine.three_files import entries_of


def other_ticket() -> Published:
    found = honest(town())
    child = next(iter(found.openings))
    found.openings[child]["ticket"] += 1
    found.harmed = [child]
    return found


def ticket_in_the_full_result() -> Published:
    found = honest(town())
    entries = entries_of(found.full)
    rows = [line.split(",") for line in entries["result/reasons.csv"].decode().splitlines()]
    rows[1][6] = str(int(rows[1][6]) + 1)
    entries["result/reasons.csv"] = ("\n".join(map(",".join, rows)) + "\n").encode()
    found.full = zip_bytes(entries)
    return found


def take_a_wish_away() -> Published:
    found = honest(town())
    child = next(code for code, one in found.openings.items() if len(one["wishes"]) > 1)
    del found.openings[child]["facts"]["wishes"][0], found.openings[child]["wishes"][0]
    found.harmed = [child]
    return found


def result_in_the_opening() -> Published:
    found = honest(town())
    child = next(code for code, one in found.openings.items() if one["result"] and one["result"]["rank"] > 1)
    found.openings[child]["result"] = None
    found.harmed = [child]
    return found


def _who_asked_a_hidden_block(found: Published) -> tuple[str, dict[str, Any]]:
    return next(
        (code, told)
        for code, one in found.openings.items()
        for told in one["hidden"].values()
        if len(told["opened"]) > 2
    )


def other_hidden_line() -> Published:
    """A family is shown another line than the one that was published with its commitment."""
    found = honest(town())
    child, told = _who_asked_a_hidden_block(found)
    tier = next(each for each in told["opened"] if each[1] == "tier")
    tier[2] = str(int(tier[2]) + 1)
    found.harmed = [child]
    return found


def hidden_line_kept_back() -> Published:
    found = honest(town())
    child, told = _who_asked_a_hidden_block(found)
    told["opened"] = told["opened"][:1]
    found.harmed = [child]
    return found


def keep_the_elder_back() -> Published:
    """A younger child's opening does not tell where its elder is placed, which gave it a better tier."""
    found = honest(siblings())
    child = next(code for code, one in found.openings.items() if has_a_raised_tier(one) and "seat" in one["elder"])
    found.openings[child]["elder"] = {"seat": None}
    found.harmed = [child]
    return found


def result_in_the_full_file() -> Published:
    """Two children change places in the full result, and the files for the families and the public stay."""
    found = honest(town())
    entries = entries_of(found.full)
    rows = [line.split(",") for line in entries["result/placements.csv"].decode().splitlines()]
    one = next(row for row in rows[1:] if row[1])
    two = next(row for row in rows[1:] if not row[1])
    one[1:], two[1:] = two[1:], one[1:]
    entries["result/placements.csv"] = ("\n".join(map(",".join, rows)) + "\n").encode()
    found.full = zip_bytes(entries)
    return found
