"""An official's reassignment stands when the family answers; a closed kindergarten reviews nothing new."""

import datetime as dt

import pytest

from enrollment.applications.statements import first_submission
from enrollment.review import reassignment, review
from tests.support.prepared import prepared


@prepared
def reassigned(town):
    """Ana has wished 甲园 first and 乙园 second; an official has given her review to 丙园, whose clerk has returned it."""
    town.gardens = town.first, town.second, town.third = [
        town.kindergarten(name, places=2) for name in ("甲园", "乙园", "丙园")
    ]
    town.open_registration()
    town.ana = town.child("安娜", wishes=[town.first, town.second])
    reassign(town, town.third)
    town.clerk_sends_back(town.ana, "hukou_booklet")
    town.the_round.closes_at = town.now + dt.timedelta(days=1)  # two officials set a later deadline: it is open again
    town.session.flush()
    return town


def reassign(town, kindergarten):
    told = {"by": town.area_official("510104"), "now": town.now, "reason": "园所审核积压"}
    reassignment.reassign(town.session, town.ana.id, kindergarten.id, **told)


def close(town, kindergarten):
    kindergarten.closed_on = town.now.date() - dt.timedelta(days=1)
    town.session.flush()


def reviewer(town) -> str:
    return next((each.name for each in town.gardens if each.id == town.ana.review_kindergarten_id), "none")


def test_the_kindergarten_of_a_reassignment_sees_the_answer(reassigned):
    town = reassigned
    town.submit(town.ana)
    assert (town.ana.stage, reviewer(town)) == ("submitted", "丙园")
    review.find(town.session, town.ana.id, by=town.reviewer_of(town.ana))


@pytest.mark.parametrize(
    ("wishes", "after"), [((0,), "丙园"), ((1, 0), "乙园")], ids=["the same first", "another first"]
)
@pytest.mark.parametrize("returned", [True, False], ids=["answer to a return", "edit"])
def test_only_another_first_wish_changes_the_reviewer(reassigned, wishes, after, returned):
    town = reassigned
    if not returned:
        town.submit(town.ana)
    town.wish(town.ana, *(town.gardens[n] for n in wishes))
    if returned:
        town.submit(town.ana)
    assert (town.ana.stage, reviewer(town)) == ("submitted", after)


def test_a_reviewer_that_has_closed_gives_the_answer_to_the_wishes(reassigned):
    town = reassigned
    close(town, town.third)
    town.submit(town.ana)
    assert reviewer(town) == "甲园"


@pytest.mark.parametrize(("closed", "after"), [((0,), "乙园"), ((0, 1), "甲园")], ids=["the first", "all"])
def test_a_closed_kindergarten_of_a_wish_is_passed_over(reassigned, closed, after):
    """Of closed ones alone the first stays, whose area officials see the application."""
    town = reassigned
    for n in (2, *closed):
        close(town, town.gardens[n])
    town.submit(town.ana)
    assert reviewer(town) == after


def test_a_draft_whose_first_wish_is_closed_goes_to_the_next(town):
    town.gardens = [town.kindergarten(name, places=2) for name in ("甲园", "乙园")]
    town.open_registration()
    town.ana = town.child("安娜", wishes=town.gardens, submit=False)
    by = town.parent_of(town.ana)
    assert first_submission.read(town.session, town.ana.id, by=by) is not None
    close(town, town.gardens[0])
    assert first_submission.read(town.session, town.ana.id, by=by) is None
    town.submit(town.ana)
    assert reviewer(town) == "乙园"
