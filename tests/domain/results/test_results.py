"""What a family reads: its place, and for every wish the reason, with its own numbers and the line."""

import datetime as dt
import itertools

from sqlalchemy import select

from enrollment.draw.run_rows import CutOff, Placement, WishReason
from enrollment.draw.unserved import board
from enrollment.results import family_results


def meets(line: CutOff, tier: int, ticket: int) -> bool:
    """Whether a family without a reserved place stands at or before a line: the check that anybody can do by hand."""
    if line.state != "line":
        return line.state == "all"
    return (0, tier, ticket) <= (0 if line.eligible else 1, line.tier or 0, line.ticket or 0)


def test_every_wish_has_its_reason_with_the_numbers_that_decided(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=5)
    ana = town.child("安娜", wishes=[jinpingguo])
    ben = town.child("本本", wishes=[jinpingguo, mudan])
    town.drawn(ana, ben)
    result = family_results.for_application(town.session, ben.id, now=town.now)
    assert result.ticket == town.ticket_of(ben)
    first, second = result.wishes
    assert (first.reason, first.ticket, first.cutoff_ticket) == (
        "ticket_after_cutoff",
        result.ticket,
        town.ticket_of(ana),
    )
    assert first.tier == first.cutoff_tier
    assert (second.reason, second.cutoff_ticket) == ("placed", None)
    assert result.placed == town.programme_of(mudan)
    assert first.in_line == 1
    assert result.may_wait


def test_the_published_lines_alone_give_every_family_its_own_result(town):
    """The first wish whose cut-off it meets, recomputed by hand for forty children, is the placement."""
    houses = [town.kindergarten(f"第{n}幼儿园", places=places) for n, places in enumerate((2, 3, 5, 1), start=1)]
    lists = itertools.cycle(itertools.permutations(houses, 3))
    children = [
        town.child(
            "孩子" + chr(0x4E00 + n),
            born=dt.date(2022, 11, 1) + dt.timedelta(days=n),  # names that sound alike would be possible duplicates
            wishes=next(lists),
            hukou_area=("510104", "510105")[n % 2],
        )
        for n in range(24)
    ]
    run = town.drawn()
    session = town.session
    lines = {line.programme_id: line for line in session.scalars(select(CutOff).where(CutOff.run_id == run.id))}
    placed = {p.application_id: p for p in session.scalars(select(Placement).where(Placement.run_id == run.id))}
    assert {line.state for line in lines.values()} == {"line"}
    for child in children:
        reasons = session.scalars(
            select(WishReason)
            .where(WishReason.run_id == run.id, WishReason.application_id == child.id)
            .order_by(WishReason.rank)
        ).all()
        met = [row for row in reasons if meets(lines[row.programme_id], row.tier, row.ticket)]
        assert placed[child.id].programme_id == (met[0].programme_id if met else None)
    assert sum(p.programme_id is not None for p in placed.values()) == 11


def test_children_without_a_place_are_listed_with_the_vacancies_near_them(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    town.kindergarten("牡丹", places=5)
    ana = town.child("安娜", wishes=[jinpingguo])
    ben = town.child("本本", wishes=[jinpingguo])
    town.drawn(ana, ben)
    page = board.listing(town.session, 2026, by=town.city_official())
    assert [row.entry.id for row in page.rows] == [ben.id]
    assert page.rows[0].wishes == (board.Refusal("金苹果", "ticket_after_cutoff"),)
    assert [(each.kindergarten.name, each.free, each.metres) for each in page.rows[0].vacancies] == [("牡丹", 5, None)]
    assert page.by_area == (("510104", "锦江区", 1),)
    assert board.listing(town.session, 2026, by=town.area_official("510105")).total == 0
    town.decline(ana)
    states = [row.entry.state for row in board.listing(town.session, 2026, by=town.city_official()).rows]
    assert states == [board.BoardState.OPEN, board.BoardState.GAVE_UP]
