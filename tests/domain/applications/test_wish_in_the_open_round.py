"""Only a wish in the open round lets a draft in: wishes of an earlier round, never handed in, take part in nothing."""

import pytest

from enrollment.applications import completeness, contents, submission, wishes
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.statements import first_submission
from enrollment.draw.participants import participants_query
from enrollment.ground.errors import Refused
from enrollment.ground.sign_in import RequestKey
from enrollment.maintenance import invariants
from tests.support.prepared import prepared


@prepared
def gardens(town):
    return [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园")]


def in_the_supplementary_round(town):
    town.close_registration()
    town.the_round.stage = "published"
    return town.open_registration(kind="supplementary")


def kept_draft(town, gardens):
    return town.child("安娜", wishes=gardens, submit=False)


def withdrawn(town, gardens):
    ana = town.child("安娜", wishes=gardens)
    town.withdraw(ana)
    return ana


def read(town, application):
    return first_submission.read(town.session, application.id, by=town.parent_of(application))


@pytest.mark.parametrize("begun", [kept_draft, withdrawn], ids=lambda each: each.__name__)
def test_a_draft_with_wishes_of_an_earlier_round_is_not_complete(town, gardens, begun):
    ana = begun(town, gardens)
    later = in_the_supplementary_round(town)
    if ana.stage == "withdrawn":
        town.apply_again(ana)
    by = town.parent_of(ana)
    assert [each.part for each in completeness.missing(town.session, ana, by=by, now=town.now)] == ["wishes"]
    with pytest.raises(Refused, match="not_complete") as refused:
        submission.submit(town.session, ana.id, by=by, now=town.now)
    assert refused.value.field == "wishes"
    assert read(town, ana) is None
    town.wish(ana, gardens[1], round_=later)
    town.session.flush()
    draft = read(town, ana)
    assert (draft is None) == (begun is withdrawn)  # a second receipt is left to the service
    if draft is not None:
        assert draft.kindergarten_id == gardens[1].id
    submission.submit(town.session, ana.id, by=by, now=town.now)
    assert ana.review_kindergarten_id == gardens[1].id
    assert list(town.session.scalars(participants_query(later, ["submitted"]))) == [ana.id]


def test_the_statement_looks_at_the_round_again(town, gardens):
    """The round of the wishes ends between the read and the write, and another one begins."""
    ana = kept_draft(town, gardens)
    draft, by = read(town, ana), town.parent_of(ana)
    in_the_supplementary_round(town)
    town.session.commit()
    key = RequestKey("the-key", by.account_id, b"body", town.now)
    assert not first_submission.write(
        town.session, draft, agrees_to_central=True, key=key, location="/the-receipt", by=by, now=town.now
    )


def test_what_was_handed_in_in_an_earlier_round_may_be_edited_in_the_next_one(town, gardens):
    """An application of the main round needs no wish in the supplementary one, and may take its last one out again."""
    ana = town.child("安娜", wishes=gardens)
    later = in_the_supplementary_round(town)
    town.wish(ana, gardens[1], round_=later)
    town.wish(ana, round_=later)
    assert wishes.of(town.session, ana.id, later.id) == []
    assert list(contents.gather(town.session, ana)["wishes"]) == ["1"]


def test_the_last_wish_of_the_round_in_which_it_was_handed_in_stays(town, gardens):
    """The list of the earlier round, which was never handed in, is no wish that is left."""
    ana = kept_draft(town, gardens)
    later = in_the_supplementary_round(town)
    town.wish(ana, gardens[1], round_=later)
    town.submit(ana)
    with pytest.raises(Refused, match="one_wish_needed"):
        town.wish(ana, round_=later)


def test_an_application_handed_in_with_dead_wishes_alone_violates_the_invariant(town, gardens):
    ana = kept_draft(town, gardens)
    in_the_supplementary_round(town)
    ana.stage, ana.submitted_at, ana.registration_code = "submitted", town.now, "CDFG-2222"
    town.session.add(
        MoveMade(application_id=ana.id, move="submit", before="draft", after="submitted", account_id=None, at=town.now)
    )
    town.session.flush()
    found = {(each.code, each.subject) for each in invariants.find_violations(town.session)}
    assert found == {("submitted_without_wishes", str(ana.id))}
