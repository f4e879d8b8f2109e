"""Each invariant finds a violation that is inserted without the service functions."""

import pytest
from sqlalchemy import text

from enrollment.maintenance import invariants
from portal.text.words import table


def codes(session) -> set[str]:
    session.flush()
    return {each.code for each in invariants.find_violations(session)}


def test_a_normal_town_violates_no_invariant(town):
    apple, sun = town.kindergarten("金苹果", places=2), town.kindergarten("小太阳", places=2)
    town.child("Ana", wishes=[apple])
    town.twins("Mia", "Leo", wishes=[sun])
    assert codes(town.session) == set()


FAULTS = {
    "taken_differs_from_live_offers": "UPDATE programme SET taken = 1",
    "submitted_without_wishes": "DELETE FROM wish",
    "stage_differs_from_history": "UPDATE application SET stage = 'confirmed'",
    "bound_children_of_two_families": "UPDATE application SET unit = gen_random_uuid()",
    "entered_for_a_family_without_its_mandate": "UPDATE application SET entered_for = (SELECT id FROM account WHERE id <> entered_by LIMIT 1)",
}


@pytest.mark.parametrize("code", FAULTS)
def test_each_violation_is_found(town, code):
    town.child("Ana", wishes=[town.kindergarten("金苹果", places=2)])
    town.session.flush()
    town.session.execute(text(FAULTS[code]))
    assert code in codes(town.session)


def test_every_query_runs_and_has_a_text(town):
    assert set(invariants.QUERIES) == set(table()["impossible"])
    assert codes(town.session) == set()
