"""Two guardians, twins, elder siblings, and a dispute."""

import datetime as dt

import pytest

from enrollment.applications import applications, wishes
from enrollment.ground import outbox
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import invitations
from enrollment.people.children import accounts_of
from enrollment.review import cases


def programmes(town, application):
    return [wish.programme_id for wish in wishes.of(town.session, application.id, town.the_round.id)]


def test_bound_twins_are_one_unit_with_the_same_wishes(town):
    garden, park = town.kindergarten("金苹果", places=2), town.kindergarten("公园", places=2)
    ana, ben = town.twins("安娜", "本", wishes=[garden])
    assert ana.unit == ben.unit is not None
    town.wish(ana, park, garden)
    assert programmes(town, ana) == programmes(town, ben)
    assert len(programmes(town, ben)) == 2


def test_separate_twins_wish_each_for_itself(town):
    garden, park = town.kindergarten("金苹果", places=2), town.kindergarten("公园", places=2)
    ana, ben = town.twins("安娜", "本", bound=False, wishes=[garden])
    town.wish(ana, park)
    assert ana.unit is ben.unit is None
    assert programmes(town, ana) != programmes(town, ben)


def test_twins_can_be_separated_again_and_keep_their_wishes(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, ben = town.twins("安娜", "本", wishes=[garden])
    town.separate(ben)
    assert ana.unit is ben.unit is None
    assert len(programmes(town, ana)) == len(programmes(town, ben)) == 1


def test_when_one_of_two_withdraws_the_other_is_drawn_alone(town):
    ana, ben = town.twins("安娜", "本", wishes=[town.kindergarten("金苹果", places=2)])
    town.withdraw(ana)
    assert ana.unit is ben.unit is None
    assert ben.stage == "submitted"


def test_children_of_two_families_or_levels_are_not_bound(town):
    li = town.family("李")
    ana, stranger = town.child("安娜", family=li), town.child("佐伊")
    big = town.child("大宝", family=li, level="middle")
    for other, code in ((big, "bind_one_level"), (ana, "bind_two_or_more")):
        with pytest.raises(Refused) as refused:
            town.bind(ana, other)
        assert refused.value.code == code
    with pytest.raises(NotFound):
        town.bind(ana, stranger)


def test_no_more_are_bound_than_the_engine_takes_as_one_unit(town):
    """Triplets are one unit at the most; a fourth child is drawn for itself instead of stopping the freeze."""
    four = town.twins("安娜", "贝贝", "翠翠", "豆豆", bound=False)
    with pytest.raises(Refused) as refused:
        town.bind(*four)
    assert (refused.value.code, refused.value.details["most"]) == ("bind_two_or_more", 3)
    town.bind(*four[:3])
    assert len({child.unit for child in four[:3]}) == 1
    assert four[3].unit is None


def test_a_younger_child_can_follow_an_elder_one_of_the_same_season(town):
    li = town.family("李")
    big, small = town.child("大宝", family=li, level="middle"), town.child("小宝", family=li)
    town.follow_elder(small, big)
    assert small.elder_id == big.id
    with pytest.raises(Refused) as refused:
        town.follow_elder(big, small)
    assert refused.value.code == "not_an_elder_sibling"


def test_an_invited_guardian_sees_the_application_and_is_told(town):
    ana = town.child("安娜")
    other = town.second_guardian(ana)
    assert applications.own(town.session, ana.id, by=other.actor).id == ana.id
    assert other.account.id in accounts_of(town.session, ana.child_id)


def test_an_invitation_belongs_to_its_phone_and_ends(town):
    ana, stranger = town.child("安娜"), town.family("赵")
    mother = town.parent_of(ana)
    invitation = invitations.invite(town.session, ana.child_id, "13900000000", by=mother, now=town.now)
    assert invitations.own_invitations(town.session, by=stranger.actor, now=town.now) == []
    with pytest.raises(NotFound):
        invitations.accept(town.session, invitation.id, relation="father", by=stranger.actor, now=town.now)
    father = town.family("李", phone="13900000000")
    assert invitations.own_invitations(town.session, by=father.actor, now=town.now) == [invitation]
    town.at(town.now + dt.timedelta(days=15))
    with pytest.raises(Refused) as refused:
        invitations.accept(town.session, invitation.id, relation="father", by=father.actor, now=town.now)
    assert refused.value.code == "invitation_expired"


def test_a_third_guardian_is_one_too_many(town):
    ana = town.child("安娜")
    town.second_guardian(ana)
    with pytest.raises(Refused) as refused:
        town.second_guardian(ana, "赵")
    assert refused.value.code == "enough_guardians"


def dispute(town, family, number, name, text="孩子由我抚养。"):
    return cases.open_dispute(
        town.session, child_name=name, id_kind="resident", id_number=number, text=text, by=family.actor, now=town.now
    )


def test_fam24_a_dispute_of_a_guardian_holds_the_application_until_an_official_settles_it(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    father = town.second_guardian(ana)
    case = dispute(town, father, ana.child.id_number, "安娜")
    assert ana.on_hold
    with pytest.raises(Refused) as refused:
        town.wish(ana, garden)
    assert refused.value.code == "on_hold"
    mother = town.parent_of(ana)
    assert "on_hold" in {notice.kind for notice in outbox.notices_of_account(town.session, mother.account_id)[0]}
    cases.settle(town.session, case.id, outcome="settled", reason="已核对判决书", by=town.area_official(), now=town.now)
    assert not ana.on_hold


def test_a_dispute_about_an_unknown_child_gets_the_same_answer(town):
    from tests.support.town_families import id_number

    ana, stranger = town.child("安娜"), town.family("赵")
    known = dispute(town, stranger, ana.child.id_number, "猜的名字")
    unknown = dispute(town, stranger, id_number(dt.date(2023, 1, 1)), "安娜")
    assert (known.kind, known.due_at, known.settled_at) == (unknown.kind, unknown.due_at, unknown.settled_at)
    assert not ana.on_hold
    assert dispute(town, stranger, ana.child.id_number, "猜的名字").id == known.id


def test_a_family_settles_no_case(town):
    ana, father = town.child("安娜"), town.family("李")
    case = dispute(town, father, ana.child.id_number, "安娜")
    with pytest.raises(NotFound):
        cases.settle(town.session, case.id, outcome="settled", reason="已核对判决书", by=father.actor, now=town.now)
