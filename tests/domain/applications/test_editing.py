"""Editing after submission until the deadline, each time with a receipt of what changed."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import lifecycle, receipts
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility import claims, households
from enrollment.eligibility.claims import Claim
from enrollment.ground.errors import Refused, Stale
from enrollment.season.facts import Ground
from tests.support.prepared import prepared


@prepared
def garden(town):
    return town.kindergarten("金苹果", places=2)


def save(town, application, **said):
    return households.save(town.session, application.id, by=town.parent_of(application), now=town.now, **said)


def test_F11_each_edit_gives_a_receipt_of_what_changed(town, garden):
    park = town.kindergarten("公园", places=2)
    ana = town.child("安娜", wishes=[garden])
    code = ana.registration_code
    town.wish(ana, park, garden)
    save(town, ana, home_street="牛市口街道")
    town.claim(ana, {"special_need": True})
    history = receipts.all_of(town.session, ana)
    assert [receipt.number for receipt in history] == [4, 3, 2, 1]
    assert [receipt.changed for receipt in history] == [
        ("claims.special_need",),
        ("household.home_street",),
        ("wishes",),
        (),
    ]
    assert len({receipt.digest for receipt in history}) == 4
    assert (ana.registration_code, ana.stage) == (code, "submitted")


def test_saving_the_same_again_is_no_edit(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.wish(ana, garden)
    save(town, ana, home_street="三圣街道")
    assert [receipt.number for receipt in receipts.all_of(town.session, ana)] == [1]


def test_nothing_can_be_edited_after_the_deadline(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.at(town.the_round.closes_at)
    with pytest.raises(Refused) as refused:
        save(town, ana, home_street="牛市口街道")
    assert refused.value.code == "registration_closed"
    assert refused.value.details["closed"] == town.the_round.closes_at


def test_a_minute_before_the_deadline_it_still_can(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.at(town.the_round.closes_at - dt.timedelta(minutes=1))
    assert save(town, ana, home_street="牛市口街道").home_street == "牛市口街道"


def test_the_last_wish_of_a_handed_in_application_stays(town, garden):
    ana = town.child("安娜", wishes=[garden])
    with pytest.raises(Refused) as refused:
        town.wish(ana)
    assert (refused.value.code, refused.value.field) == ("one_wish_needed", "wishes")


def test_an_edit_under_review_returns_the_application_to_the_queue(town, garden):
    ana = town.child("安娜", wishes=[garden])
    clerk = town.clerk_of(garden)
    ana.reviewer_id, ana.taken_at = clerk.account_id, town.now
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    save(town, ana, home_street="牛市口街道")
    assert (ana.stage, ana.reviewer_id) == ("submitted", None)


def test_the_first_wish_decides_who_reviews_and_follows_an_edit(town, garden):
    park = town.kindergarten("公园", places=2)
    ana = town.child("安娜", wishes=[garden, park])
    assert ana.review_kindergarten_id == garden.id
    town.wish(ana, park, garden)
    assert ana.review_kindergarten_id == park.id


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (lambda garden, other, middle: [garden, garden], "wish_twice"),
        (lambda garden, other, middle: [garden, other], "too_many_wishes"),
        (lambda garden, other, middle: [middle], "wish_not_in_round"),
    ],
)
def test_wishes_keep_to_the_round(town, garden, wanted, code):
    other = town.kindergarten("公园", places=2)
    middle = town.programme(garden, places=3, level="middle")
    ana = town.child("安娜")
    town.open_registration(max_wishes=1) if town.the_round.stage != "planned" else None
    town.the_round.max_wishes = 2 if code == "wish_twice" else 1
    town.open_registration()
    with pytest.raises(Refused) as refused:
        town.wish(ana, *wanted(garden, other, middle))
    assert (refused.value.code, refused.value.field) == (code, "wishes")


def test_a_stale_household_page_overwrites_nothing(town, garden):
    ana = town.child("安娜")
    seen = households.household_of(town.session, ana.id).version
    save(town, ana, home_street="牛市口街道")
    with pytest.raises(Stale):
        save(town, ana, home_street="春熙路街道", version=seen)
    assert households.household_of(town.session, ana.id).home_street == "牛市口街道"


def test_what_the_household_says_is_claimed_with_it_and_not_asked_twice(town):
    ana = town.child("安娜", home_owned=True, home_estate="锦官新城", work_area="510105")
    found = set(claims.of(town.session, ana.id))
    assert found == {
        Ground.LOCAL_HUKOU,
        Ground.HOME_OWNER,
        Ground.SERVICE_AREA,
        Ground.ESTATE_OWNER,
        Ground.WORKPLACE,
    }
    save(town, ana, home_owned=False, hukou_kind="collective", hukou_area="510104")
    assert set(claims.of(town.session, ana.id)) == {Ground.COLLECTIVE_HUKOU, Ground.SERVICE_AREA, Ground.WORKPLACE}


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"hukou_kind": None}, "hukou_kind_missing", "hukou_kind"),
        ({"hukou_kind": "local", "hukou_area": None}, "hukou_area_missing", "hukou_area"),
        ({"home_area": None}, "home_area_missing", "home_area"),
        ({"work_area": "999999"}, "area_unknown", "work_area"),
        ({"hukou_since": dt.date(2027, 1, 1)}, "hukou_since_in_future", "hukou_since"),
    ],
)
def test_a_household_that_cannot_be_is_refused_next_to_its_field(town, said, code, field):
    ana = town.child("安娜")
    with pytest.raises(Refused) as refused:
        save(town, ana, **said)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("grounds", "code", "field"),
    [
        ({"elder_sibling": None}, "which_kindergarten", "elder_sibling"),
        ({"elder_sibling": "nowhere"}, "kindergarten_unknown", "elder_sibling"),
        ({"policy_care": "hero"}, "care_kind_missing", "policy_care"),
        ({"multi_child": 1}, "children_number_odd", "multi_child"),
        ({"local_hukou": True}, "ground_follows_household", "local_hukou"),
    ],
)
def test_a_claim_without_its_detail_is_refused_next_to_its_field(town, grounds, code, field):
    ana = town.child("安娜")
    with pytest.raises(Refused) as refused:
        town.claim(ana, grounds)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_claim_that_stays_keeps_its_day(town, garden):
    ana = town.child("安娜", grounds={"elder_sibling": garden})
    claimed_at = town.now
    town.at(town.now + dt.timedelta(hours=1))
    town.claim(ana, {"elder_sibling": garden, "special_need": True})
    assert town.session.get(Claim, (ana.id, "elder_sibling")).claimed_at == claimed_at


def test_new_wishes_for_a_later_round_leave_a_verified_application_verified(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.close_registration()
    clerk = town.clerk_of(garden)
    ana.reviewer_id, ana.taken_at = clerk.account_id, town.now
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    lifecycle.make(town.session, ana, "confirm", by=clerk, now=town.now)
    town.the_round.stage = "published"
    later = town.open_registration(kind="supplementary")
    town.wish(ana, garden, round_=later)
    assert ana.stage == "confirmed"
    assert receipts.latest(town.session, ana).changed == ("wishes",)
    assert [len(answers) for answers in receipts.answers_in(town.session, ana, 2)["wishes"].values()] == [1, 1]


def test_a_returned_application_is_answered_while_review_is_open(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.close_registration()
    clerk = town.clerk_of(garden)
    ana.reviewer_id, ana.taken_at = clerk.account_id, town.now
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    town.session.add(
        ReturnedItem(
            application_id=ana.id, item="home_place", note="请核对", asked_at=town.now, asked_by=clerk.account_id
        )
    )
    lifecycle.make(town.session, ana, "send_back", by=clerk, now=town.now)
    save(town, ana, home_street="牛市口街道")
    assert ana.stage == "returned"
    town.submit(ana)
    assert ana.stage == "submitted"
    assert receipts.latest(town.session, ana).changed == ("household.home_street",)
    assert town.session.scalars(select(ReturnedItem)).one().answered_at == town.now


def test_a_returned_application_cannot_be_answered_once_the_round_is_frozen(town, garden):
    ana = town.child("安娜", wishes=[garden])
    town.close_registration()
    ana.stage, town.the_round.stage = "returned", "frozen"
    town.session.flush()
    with pytest.raises(Refused) as refused:
        save(town, ana, home_street="牛市口街道")
    assert refused.value.code == "registration_closed"
