"""Bound children: one list, asked for at binding, one edit, one receipt that names all, and one rule for each event."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from enrollment.applications import contents, receipts, sibling_binding, submission, units, wishes
from enrollment.applications.applications import Wish
from enrollment.applications.bonds import bond_notices
from enrollment.delivery import claims, lanes
from enrollment.ground import outbox
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.outbox import MessageState, Notice
from enrollment.maintenance import invariants
from tests.support.prepared import prepared
from tests.support.town_season import at


def programmes(town, application):
    return [wish.programme_id for wish in wishes.of(town.session, application.id, town.the_round.id)]


def kinds(town, actor):
    return [notice.kind for notice in outbox.notices_of_account(town.session, actor.account_id)[0]]


def bound_codes(town, application):
    latest = receipts.latest(town.session, application)
    return receipts.answers_in(town.session, application, latest.number)["bound_with"]


@prepared
def gardens(town):
    town.m, town.j, town.k = (town.kindergarten(name, places=3) for name in ("玉林", "桐梓林", "倪家桥"))
    return town


def pair(town):
    family = town.family("周")
    one = town.child("周星遥", family=family, wishes=[town.m, town.j])
    two = town.child("周星野", family=family, wishes=[town.k], submit=False)
    return one, two


def bind(town, *children, list_of=None, seen=None):
    first, *others = children
    sibling_binding.choose(
        town.session,
        first.id,
        bound_with=[other.id for other in others],
        list_of=list_of.id if list_of else None,
        elder_id=None,
        version=None,
        seen=seen,
        by=town.parent_of(first),
        now=town.now,
    )


def test_fam01_a_handed_in_list_changes_only_where_the_family_chose_the_other(gardens):
    one, two = pair(gardens)
    before = programmes(gardens, one)
    with pytest.raises(Refused) as refused:
        bind(gardens, two, one)
    assert refused.value.code == "bind_whose_list"
    bind(gardens, two, one, list_of=one)
    assert programmes(gardens, two) == programmes(gardens, one) == before
    assert bound_codes(gardens, one) == sorted([one.child_code, two.child_code])


def test_fam01_the_family_may_choose_the_draft_and_gets_a_receipt_of_the_change(gardens):
    one, two = pair(gardens)
    wanted = programmes(gardens, two)
    bind(gardens, one, two, list_of=two)
    assert programmes(gardens, one) == wanted
    assert {"wishes", "bound_with"} <= set(receipts.latest(gardens.session, one).changed)


def test_fam02_the_only_list_is_copied_and_the_two_are_equal_from_then_on(gardens):
    one = gardens.child("周星遥", wishes=[gardens.m])
    family = gardens.family("周")
    one = gardens.child("周星遥", family=family, wishes=[gardens.m])
    two = gardens.child("周星野", family=family)
    bind(gardens, two, one)
    assert programmes(gardens, two) == programmes(gardens, one) != []
    gardens.wish(two, gardens.m, gardens.k)
    assert programmes(gardens, two) == programmes(gardens, one)
    assert len(programmes(gardens, one)) == 2


def test_fam02_the_database_refuses_two_lists_of_one_bond(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    gardens.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    gardens.session.add(
        Wish(
            application_id=two.id,
            round_id=gardens.the_round.id,
            rank=2,
            programme_id=gardens.programme_of(gardens.k).id,
        )
    )
    gardens.session.flush()
    assert [each.code for each in invariants.find_violations(gardens.session)] == [
        "bound_children_with_different_wishes"
    ]
    with pytest.raises(IntegrityError, match="bound children have different wishes"), gardens.session.begin_nested():
        gardens.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert one.unit == two.unit


def test_fam01_one_edit_is_one_message_and_the_receipts_name_both(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    mother = gardens.parent_of(one)
    before = len(kinds(gardens, mother))
    gardens.wish(two, gardens.m, gardens.j)
    notices = outbox.notices_of_account(gardens.session, mother.account_id)[0]
    assert len(notices) == before + 1
    newest = next(each for each in notices if each.kind == "bond_changed")
    assert set(newest.params["codes"].split("、")) == {one.registration_code, two.registration_code}
    assert newest.params["who"] == "you"
    assert bound_codes(gardens, one) == bound_codes(gardens, two) == sorted([one.child_code, two.child_code])


def test_fam01_binding_is_one_message_to_each_guardian_with_who_did_it(gardens):
    one, two = pair(gardens)
    mother, father = gardens.parent_of(one), gardens.second_guardian(one)
    before = len(kinds(gardens, mother))
    bind(gardens, one, two, list_of=one)
    assert len(kinds(gardens, mother)) == before + 1
    told = {
        n.account_id: (n.params["who"], len(n.params["together"]))
        for account_id in (mother.account_id, father.account.id)
        for n in outbox.notices_of_account(gardens.session, account_id)[0]
        if n.kind == "siblings_bound"
    }
    assert told == {mother.account_id: ("you", 2), father.account.id: ("mother", 1)}


def test_fam01_a_page_of_either_child_is_stale_when_the_other_changed(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    seen = units.stamp([one, two])
    gardens.wish(one, gardens.j)
    with pytest.raises(Stale):
        wishes.set_wishes(
            gardens.session,
            two.id,
            gardens.the_round.id,
            [gardens.programme_of(gardens.k).id],
            version=None,
            seen=seen,
            by=gardens.parent_of(two),
            now=gardens.now,
        )
    three, four = pair(gardens)
    seen = units.stamp([three, four])
    gardens.wish(four, gardens.j)
    with pytest.raises(Stale):
        bind(gardens, three, four, list_of=three, seen=seen)
    assert three.unit is None


def test_fam03_at_submission_and_before_the_deadline_the_guardians_are_told_who_is_missing(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    father = gardens.second_guardian(one)
    mother = gardens.parent_of(one)
    gardens.submit(one)
    (told,) = [each for each in outbox.notices_of_account(gardens.session, mother.account_id)[0] if "bond" in each.kind]
    assert (told.kind, told.application_id) == ("bond_missing", two.id)
    (of_father,) = [n for n in outbox.notices_of_account(gardens.session, father.account.id)[0] if "bond" in n.kind]
    assert (of_father.kind, of_father.application_id) == ("bond_waiting", one.id)
    assert told.next_try_at == of_father.next_try_at == gardens.now + bond_notices.WAIT
    gardens.at(gardens.the_round.closes_at - dt.timedelta(hours=20))
    assert bond_notices.remind_due(gardens.session, now=gardens.now) == 1
    assert bond_notices.remind_due(gardens.session, now=gardens.now) == 1
    assert kinds(gardens, mother).count("bond_missing") == 2
    assert kinds(gardens, father.actor).count("bond_waiting") == 2
    gardens.submit(two)
    assert bond_notices.remind_due(gardens.session, now=gardens.now) == 0


def test_bound_children_handed_in_one_after_another_are_not_said_to_be_missing(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    for each in (one, two):
        gardens.submit(each)
        gardens.at(gardens.now + dt.timedelta(seconds=5))
    assert not [kind for kind in kinds(gardens, gardens.parent_of(one)) if "bond_" in kind]


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("end", ["submit", "separate"])
def test_a_message_about_the_bond_leaves_the_inbox_with_what_it_says_and_is_not_sent(gardens, read, end):
    """The inbox has it at once and the phone after ten minutes: what is no longer so stands in neither, read or not."""
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    mother = gardens.parent_of(one)
    gardens.submit(one)
    assert "bond_missing" in kinds(gardens, mother)
    if read:
        shown, _total = outbox.notices_of_account(gardens.session, mother.account_id)
        outbox.mark_read(gardens.session, mother.account_id, [each.id for each in shown], now=gardens.now)
    gardens.at(gardens.now + dt.timedelta(minutes=5))
    if end == "submit":
        gardens.submit(two)
    else:
        gardens.separate(two)
    assert "bond_missing" not in kinds(gardens, mother)
    sent = claims.claim(
        gardens.session, lanes.policy_of_notices(), 100, token=uuid.uuid4(), now=gardens.now + bond_notices.WAIT
    )
    assert not [each for each in sent if each.kind in bond_notices.KINDS]


def test_of_a_message_that_was_sent_the_inbox_says_that_it_is_over(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    father = gardens.second_guardian(one)
    gardens.submit(one)
    gardens.session.execute(update(Notice).values(state=MessageState.SENT))
    about = gardens.session.scalars(select(Notice).where(Notice.kind.in_(bond_notices.KINDS))).all()
    assert {each.kind for each in about} == set(bond_notices.KINDS)
    assert bond_notices.outdated(gardens.session, about) == set()
    gardens.submit(two)
    assert bond_notices.outdated(gardens.session, about) == {each.id for each in about}
    assert "bond_waiting" in kinds(gardens, father.actor), "what a phone has got stays in the inbox"


def test_a_guardian_of_one_only_does_not_change_the_common_list_but_may_leave(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father, mother = gardens.second_guardian(one), gardens.parent_of(one)
    with pytest.raises(Refused) as refused:
        gardens.wish(one, gardens.j, by=father.actor)
    assert refused.value.code == "bound_beyond_your_care"
    sibling_binding.separate(gardens.session, one.id, by=father.actor, now=gardens.now)
    gardens.wish(one, gardens.j, by=father.actor)
    assert one.unit is two.unit is None
    assert programmes(gardens, two) == [gardens.programme_of(gardens.m).id]
    assert bound_codes(gardens, two) == []
    assert "bond_separate" in kinds(gardens, mother)
    (told,) = [n for n in outbox.notices_of_account(gardens.session, father.account.id)[0] if n.kind == "bond_separate"]
    (of_mother,) = [
        n for n in outbox.notices_of_account(gardens.session, mother.account_id)[0] if n.kind == "bond_separate"
    ]
    assert (told.params["who"], of_mother.params["who"]) == ("you", "father")
    assert told.params["together"] == [str(one.id)], "a guardian is told of the children in his care only"


def test_of_three_one_leaves_and_the_other_two_stay_bound(gardens):
    a, b, c = gardens.twins("周甲", "周乙", "周丙", wishes=[gardens.m])
    gardens.separate(c)
    assert a.unit == b.unit is not None
    assert c.unit is None
    assert bound_codes(gardens, a) == sorted([a.child_code, b.child_code])
    assert programmes(gardens, c) == programmes(gardens, a)
    bind(gardens, c, a, b)
    assert len({a.unit, b.unit, c.unit}) == 1
    submission.withdraw(gardens.session, a.id, by=gardens.parent_of(a), now=gardens.now)
    assert a.unit is None
    assert b.unit == c.unit is not None


def test_a_refused_child_leaves_and_its_twin_is_told(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    from enrollment.review import refusals

    proposal = gardens.clerk_proposes_refusal(one)
    refusals.decide_refusal(gardens.session, proposal.id, upheld=True, by=gardens.area_official(), now=gardens.now)
    assert (one.stage, one.unit, two.unit) == ("refused", None, None)
    assert "bond_refuse" in kinds(gardens, gardens.parent_of(two))
    assert list(invariants.find_violations(gardens.session)) == []


def test_a_list_that_was_drawn_stays_when_children_are_bound_for_a_later_round(gardens):
    family = gardens.family("周")
    one = gardens.child("周星遥", family=family, wishes=[gardens.m])
    two = gardens.child("周星野", family=family, wishes=[gardens.j])
    main = gardens.the_round
    gardens.drawn()
    drawn = {each.id: [w.programme_id for w in wishes.of(gardens.session, each.id, main.id)] for each in (one, two)}
    gardens.at(at(6, 10))
    gardens.open_registration(kind="supplementary")
    gardens.wish(two, gardens.k)
    bind(gardens, one, two)
    assert programmes(gardens, one) == programmes(gardens, two) == [gardens.programme_of(gardens.k).id]
    assert drawn == {
        each.id: [w.programme_id for w in wishes.of(gardens.session, each.id, main.id)] for each in (one, two)
    }


def test_a_child_of_another_level_is_separated_before_it_is_corrected(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    from enrollment.applications import registration
    from tests.support.town_families import id_number

    with pytest.raises(Refused) as refused:
        registration.correct_child(
            gardens.session,
            one.id,
            name="周星遥",
            id_kind="resident",
            id_number=id_number(dt.date(2021, 12, 1)),
            relation="mother",
            by=gardens.parent_of(one),
            now=gardens.now,
        )
    assert refused.value.code == "level_would_change"
    assert one.unit == two.unit is not None


def test_a_strangers_child_is_not_bound(gardens):
    one, _two = pair(gardens)
    stranger = gardens.child("路人", wishes=[gardens.m])
    with pytest.raises(NotFound):
        gardens.bind(one, stranger)


def test_a_receipt_of_a_bound_child_says_the_same_as_the_application(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    for child in (one, two):
        latest = receipts.latest(gardens.session, child)
        assert receipts.answers_in(gardens.session, child, latest.number) == contents.gather(gardens.session, child)


def test_bound_children_of_whom_one_is_on_hold_keep_list_and_the_other_may_leave(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    one.on_hold = True
    with pytest.raises(Refused) as refused:
        gardens.wish(two, gardens.j)
    assert refused.value.code == "on_hold"
    gardens.separate(two)
    gardens.wish(two, gardens.j)
    assert programmes(gardens, one) == [gardens.programme_of(gardens.m).id]
    assert gardens.session.scalars(select(Wish.rank).where(Wish.application_id == one.id)).all() == [1]
