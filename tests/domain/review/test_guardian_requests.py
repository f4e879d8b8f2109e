"""FAM12: a third guardian and the removal of one, by a case with a paper that officials decide."""

import pytest
from sqlalchemy import select

from enrollment.applications import applications
from enrollment.ground import outbox
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.people import invitations
from enrollment.people.children import accounts_of
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.reports import personal_data
from enrollment.review import case_withdrawals, cases, guardian_requests
from enrollment.review.guardian_requests import Paper
from tests.support.prepared import prepared
from tests.support.sender import send_notices
from tests.support.town_helping import photo_of_a_paper

PAPER = Paper(photo_of_a_paper())
DECIDED = {"reason": "已核对判决书"}


@prepared
def parents(town):
    town.ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.mother = town.parent_of(town.ana)
    town.father = town.second_guardian(town.ana)
    town.first, town.second = town.area_official("510104"), town.area_official("510104")
    return town


def removal(town, *, protected=False):
    father = town.session.scalars(select(Guardian).where(Guardian.account_id == town.father.account.id)).one()
    return guardian_requests.request_removal(
        town.session, town.ana.id, father.id, PAPER, protected=protected, text="离婚", by=town.mother, now=town.now
    )


def is_removed(town, case):
    guardian_requests.propose_removal(town.session, case.id, **DECIDED, by=town.first, now=town.now)
    guardian_requests.confirm_removal(town.session, case.id, **DECIDED, by=town.second, now=town.now)


def test_fam12_a_third_guardian_is_added_by_a_decision_and_accepts(parents):
    town, grandmother = parents, parents.family("奶")
    case = guardian_requests.request_addition(
        town.session, town.ana.id, grandmother.phone, PAPER, text="委托监护", by=town.mother, now=town.now
    )
    assert invitations.own_invitations(town.session, by=grandmother.actor, now=town.now) == []
    guardian_requests.approve_addition(town.session, case.id, **DECIDED, by=town.first, now=town.now)
    (invitation,) = invitations.own_invitations(town.session, by=grandmother.actor, now=town.now)
    invitations.accept(town.session, invitation.id, relation="grandparent", by=grandmother.actor, now=town.now)
    assert len(accounts_of(town.session, town.ana.child_id)) == 3
    with pytest.raises(Refused) as refused:
        guardian_requests.request_addition(
            town.session, town.ana.id, "13911119999", PAPER, text="再加", by=town.mother, now=town.now
        )
    assert refused.value.code == "no_more_guardians"


def test_fam12_a_removal_needs_two_officials(parents):
    town = parents
    case = removal(town)
    with pytest.raises(Refused) as refused:
        guardian_requests.confirm_removal(town.session, case.id, **DECIDED, by=town.first, now=town.now)
    assert refused.value.code == "first_person_needed"
    guardian_requests.propose_removal(town.session, case.id, **DECIDED, by=town.first, now=town.now)
    with pytest.raises(Refused) as refused:
        guardian_requests.confirm_removal(town.session, case.id, **DECIDED, by=town.first, now=town.now)
    assert refused.value.code == "second_person_needed"
    assert applications.own(town.session, town.ana.id, by=town.father.actor)
    for by in (town.mother, town.area_official("510105")):
        with pytest.raises(NotFound):
            guardian_requests.confirm_removal(town.session, case.id, **DECIDED, by=by, now=town.now)
    guardian_requests.confirm_removal(town.session, case.id, **DECIDED, by=town.second, now=town.now)
    assert case.outcome == "settled"


def test_fam12_a_removed_guardian_sees_nothing_from_that_moment(parents):
    town = parents
    is_removed(town, removal(town))
    with pytest.raises(NotFound):
        applications.own(town.session, town.ana.id, by=town.father.actor)
    assert applications.list_own(town.session, by=town.father.actor) == []
    kept = outbox.notices_of_account(town.session, town.father.account.id)[0]
    assert {notice.child_id for notice in kept} == {None}
    export = personal_data.export(town.session, by=town.father.actor, now=town.now)
    assert export.tables["application"] == []
    row = town.session.scalars(select(Guardianship).where(Guardianship.removed_at.is_not(None))).one()
    assert row.guardian.account_id == town.father.account.id, "the name stays in the history"
    outbox.tell(
        town.session, "on_hold", account_id=town.father.account.id, child_id=town.ana.child_id, key="x", now=town.now
    )
    sent = {each.code for each in send_notices(town.session, town.now) if each.to == town.father.phone}
    assert "guardian_removed" in sent and "on_hold" not in sent
    with pytest.raises(Refused) as refused:
        town.second_guardian(town.ana, other=town.father)
    assert refused.value.code == "invitation_expired"


def test_fam12_the_other_guardian_is_heard_but_not_under_a_protection_order(parents):
    town = parents
    open_case = removal(town)
    assert guardian_requests.requests_about(town.session, by=town.father.actor) == [open_case]
    assert guardian_requests.requests_about(town.session, by=town.mother) == []
    told = {notice.kind for notice in outbox.notices_of_account(town.session, town.father.account.id)[0]}
    assert "guardian_removal_requested" in told


def test_fam12_under_a_protection_order_no_message_says_where_the_child_is(parents):
    town = parents
    before = {notice.id for notice in outbox.notices_of_account(town.session, town.father.account.id)[0]}
    case = removal(town, protected=True)
    assert guardian_requests.requests_about(town.session, by=town.father.actor) == []
    is_removed(town, case)
    messages = town.session.scalars(select(Notice).where(Notice.account_id == town.father.account.id)).all()
    fresh = [each for each in messages if each.id not in before]
    assert [(each.kind, each.params, each.child_id, each.application_id) for each in fresh] == [
        ("guardian_removed", {}, None, None)
    ]


def test_fam12_the_last_guardian_stays(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    mother = town.parent_of(ana)
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.account_id)).one()
    with pytest.raises(Refused) as refused:
        guardian_requests.request_removal(
            town.session, ana.id, guardian.id, PAPER, protected=False, text="x", by=mother, now=town.now
        )
    assert refused.value.code == "last_guardian"


def test_fam12_a_case_needs_a_paper_and_only_guardians_open_one(parents):
    town, stranger = parents, parents.family("赵")
    with pytest.raises(Refused) as refused:
        guardian_requests.request_addition(
            town.session, town.ana.id, "13911119999", Paper(b""), text="x", by=town.mother, now=town.now
        )
    assert (refused.value.code, refused.value.field) == ("file_missing", "paper")
    with pytest.raises(NotFound):
        guardian_requests.request_addition(
            town.session, town.ana.id, "13911119999", PAPER, text="x", by=stranger.actor, now=town.now
        )


def kinds_told_to_father(town):
    return {notice.kind for notice in outbox.notices_of_account(town.session, town.father.account.id)[0]}


@pytest.mark.parametrize("end", ["taken back", "rejected"])
@pytest.mark.parametrize("protected", [True, False])
def test_fam12_a_request_that_ends_is_told_only_to_who_heard_of_it(parents, end, protected):
    town = parents
    case = removal(town, protected=protected)
    if end == "taken back":
        case_withdrawals.take_back(town.session, case.id, reason="已经和好", by=town.mother, now=town.now)
        assert (case.outcome, case.withdrawal_reason) == ("withdrawn", "已经和好")
    else:
        cases.settle(town.session, case.id, outcome="rejected", reason="证明不足", by=town.first, now=town.now)
    heard = {"guardian_removal_requested", "dispute_ended"} & kinds_told_to_father(town)
    assert heard == (set() if protected else {"guardian_removal_requested", "dispute_ended"})
    for late in (guardian_requests.propose_removal, guardian_requests.confirm_removal):
        with pytest.raises(Refused, match="case_is_settled"):
            late(town.session, case.id, **DECIDED, by=town.second, now=town.now)
    assert applications.own(town.session, town.ana.id, by=town.father.actor), "nobody is removed afterwards"
