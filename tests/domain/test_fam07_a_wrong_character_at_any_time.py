"""FAM07: one wrong character is corrected by the same request at any time after the deadline."""

import pytest
from sqlalchemy import select

from enrollment.applications import receipts
from enrollment.corrections import corrected_values, correction_papers, requests
from enrollment.draw import snapshot
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers.arrivals import arrival
from enrollment.places.roll_rows import RollChild
from enrollment.review.correction_rows import CorrectionKind
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at

MOMENTS = ("after_the_deadline", "under_review", "reviewed", "frozen", "seeded", "published", "august", "arrived")


def at_moment(town, moment):
    """A child with a wrong character in its name, at a moment between the deadline and its first day."""
    town.garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安那", wishes=[town.garden])
    town.registration_is_over()
    if moment == "under_review":
        town.clerk_takes(ana)
    steps = MOMENTS.index(moment) - MOMENTS.index("under_review")
    for step in [town.everyone_is_reviewed, town.freeze, town.seed, lambda: (town.run(), town.publish())][
        : max(steps, 0)
    ]:
        step()
    if steps >= 5:
        town.confirm(ana)
        town.at(at(8, 21))
    if moment == "arrived":
        offer, head = town.offer_for(ana), town.head_of(town.garden)
        arrival.arrive(
            town.session, offer.id, class_name="小一班", health=True, vaccination=True, by=head, now=town.now
        )
    return ana


@pytest.mark.parametrize("moment", MOMENTS)
def test_fam07_a_name_is_corrected_at_any_time(town, moment):
    ana = at_moment(town, moment)
    stage = ana.stage
    request = town.requests_correction(ana, "name", name="安娜")
    assert (corrected_values.before_of(request), corrected_values.after_of(request)) == (
        {"name": "安那"},
        {"name": "安娜"},
    )
    town.two_agree(request)
    assert (ana.child.name, ana.stage) == ("安娜", stage)
    assert receipts.latest(town.session, ana).changed == ("child.name",)
    frozen = snapshot.current(town.session, town.the_round.id)
    assert frozen is None or frozen.outdated_at is None, "no name is in the list, so the list stays"
    if moment == "arrived":
        assert town.session.scalars(select(RollChild)).one().name == "安娜"


def test_fam07_a_draft_that_was_never_handed_in_has_nothing_to_correct(town):
    garden = town.kindergarten("金苹果", places=2)
    town.child("本本", wishes=[garden])
    draft = town.child("安那", submit=False)
    town.registration_is_over()
    assert not requests.is_possible(town.session, draft, now=town.now)
    with pytest.raises(Refused, match="application_not_handed_in"):
        town.requests_correction(draft, "name", name="安娜")


def test_fam07_an_application_withdrawn_before_the_freeze_is_over(town):
    ana = town.child("安那", wishes=[town.kindergarten("金苹果", places=2)])
    town.registration_is_over()
    town.withdraw(ana)
    with pytest.raises(Refused, match="application_is_over"):
        town.requests_correction(ana, "name", name="安娜")


def test_fam07_a_helper_requests_for_the_family_that_it_entered(town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper()
    acting = town.acting(helper, town.mandate_on_paper(helper, "13811112222"))
    ana = town.helper_enters(acting, "安那", wishes=[garden])
    other = town.child("别家", wishes=[garden])
    town.registration_is_over()
    request = town.requests_correction(ana, "name", by=acting, name="安娜")
    assert request.requested_by == helper.account_id
    town.two_agree(request)
    assert ana.child.name == "安娜"
    with pytest.raises(NotFound):
        town.requests_correction(other, "name", by=acting, name="安娜")


def test_fam07_a_guardians_own_name(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.registration_is_over()
    typed = {"name": "李家大", "id_kind": "resident", "id_number": ""}
    request = town.requests_correction(ana, "other_identity", **typed)
    town.two_agree(request)
    assert ana.child.guardians[0].guardian.name == "李家大"
    assert receipts.latest(town.session, ana).changed == ("guardians",)


def test_fam07_a_guardian_reads_the_name_of_the_other_in_no_request(town):
    """As in the download of the data: the other's name and document, and whose application was the duplicate, are not shown."""
    garden = town.kindergarten("金苹果", places=2)
    ana, real = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    mother, father = town.parent_of(ana), town.second_guardian(ana).actor
    town.registration_is_over()
    typed = {"name": "李家大", "id_kind": "resident", "id_number": ""}
    own = town.requests_correction(ana, "other_identity", by=mother, **typed)
    name = town.requests_correction(ana, "name", by=mother, name="安乐")
    duplicate = town.finds_error(ana, "duplicate", by=town.city_pair()[0], other=real.registration_code)
    assert {each.id for each in requests.of_application(town.session, ana.id, by=mother)} == {own.id, name.id}
    assert [each.id for each in requests.of_application(town.session, ana.id, by=father)] == [name.id]
    assert requests.own(town.session, own.id, by=mother) and requests.own(town.session, name.id, by=father)
    for hidden, by in ((own, father), (duplicate, father), (duplicate, mother)):
        with pytest.raises(NotFound):
            requests.own(town.session, hidden.id, by=by)
    with pytest.raises(NotFound):
        requests.withdraw(town.session, own.id, version=own.version, by=father, now=town.now)


def test_fam07_a_page_too_many_and_the_same_page_twice(town):
    ana = at_moment(town, "reviewed")
    papers = [photo_of_a_paper(f"rgb({18 * n}, 0, {200 - 15 * n})") for n in range(13)]
    assert len(set(papers)) == 13
    for code, files in (("too_many_pages", papers), ("file_type", [b"no picture"])):
        with pytest.raises(Refused, match=code), town.session.begin_nested():
            town.requests_correction(ana, CorrectionKind.NAME, name="安娜", papers=files)
    request = town.requests_correction(ana, CorrectionKind.NAME, name="安娜", papers=[papers[0], papers[1], papers[0]])
    assert len(correction_papers.pages_of(town.session, request.id)) == 2
