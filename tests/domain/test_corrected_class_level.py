"""A birth date of another class level is corrected by two people, and the wishes follow to that level or go."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import receipts, wishes
from enrollment.applications.application_rows import Stage, Wish
from enrollment.corrections import corrected_values
from enrollment.draw import participants, snapshot
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.review.correction_rows import CorrectionState
from tests.support.prepared import prepared
from tests.support.town_families import id_number


@prepared
def closed(town):
    """A child with three wishes of the lower level; two of the kindergartens offer the middle level too."""
    town.gardens = [town.kindergarten(name, places=2) for name in ("甲园", "乙园", "丙园")]
    town.middle = [town.programme(garden, places=2, level="middle") for garden in town.gardens[:2]]
    town.round(levels=["lower", "middle"])
    town.ana = town.child("安娜", wishes=[town.gardens[2], town.gardens[1], town.gardens[0]])
    town.ben = town.child("本本", wishes=[town.gardens[0]])
    town.everyone_is_reviewed()
    return town


def asks_for_another_level(town):
    born = town.ana.child.born.replace(year=town.ana.child.born.year - 1)
    return town.requests_correction(town.ana, "document", id_kind="resident", id_number=id_number(born))


def programmes(town):
    rows = select(Wish.programme_id).where(Wish.application_id == town.ana.id)
    return list(town.session.scalars(rows.order_by(Wish.rank)))


def test_the_wishes_go_to_the_new_level_of_the_same_kindergartens_in_their_order(closed):
    town = closed
    town.freeze()
    request = asks_for_another_level(town)
    after = corrected_values.after_of(request)
    assert after[corrected_values.LEVEL] == "middle", "two people sign the level too"
    shown = wishes.carried(town.session, town.ana, "middle")
    assert [(each.kindergarten, each.programme_id is not None) for each in shown] == [
        ("丙园", False), ("乙园", True), ("甲园", True)
    ]  # fmt: skip
    town.two_agree(request)
    assert (request.state, town.ana.level, town.ana.stage) == (CorrectionState.APPLIED, "middle", Stage.SUBMITTED)
    assert programmes(town) == [town.middle[1].id, town.middle[0].id]
    assert snapshot.current(town.session, town.the_round.id).outdated_at is not None
    assert any(code.startswith("wish") for code in receipts.latest(town.session, town.ana).changed)
    kinds = set(town.session.scalars(select(Notice.kind).where(Notice.application_id == town.ana.id)))
    assert "correction_applied_level" in kinds
    town.everyone_is_reviewed()
    town.at(town.now + dt.timedelta(hours=1))
    town.freeze(reason="更正年级")
    taking_part = participants.participants_query(town.the_round, participants.TAKES_PART)
    assert town.ana.id in set(town.session.scalars(taking_part))


def test_without_that_level_anywhere_the_child_takes_no_part_in_the_round(closed):
    town = closed
    request = asks_for_another_level(town)
    for programme in town.session.scalars(select(Wish).where(Wish.application_id == town.ana.id, Wish.rank > 1)):
        town.session.delete(programme)
    town.session.flush()
    town.two_agree(request)
    assert programmes(town) == []
    taking_part = participants.participants_query(town.the_round, participants.HANDED_IN)
    assert set(town.session.scalars(taking_part)) == {town.ben.id}


def test_a_published_result_of_the_former_level_is_given_up_first(closed):
    town = closed
    for step in (town.freeze, town.seed, town.run, town.publish):
        step()
    with pytest.raises(Refused, match="result_of_other_level"):
        asks_for_another_level(town)


def test_bound_children_are_separated_before_one_changes_its_level(closed):
    town = closed
    town.ana.unit = town.ana.id
    town.session.flush()
    with pytest.raises(Refused, match="bound_changes_level"):
        asks_for_another_level(town)
