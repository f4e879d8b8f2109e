"""Reserved places: several pools of a programme, with an order, for whom they are and what happens to what is left."""

import pytest
from sqlalchemy import select

from enrollment.draw import reserved_places
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import pools
from enrollment.places.ledger import LedgerEntry
from enrollment.places.pools import PoolPlan
from tests.support.prepared import prepared

CARE = PoolPlan("policy_care", "政策照顾", 10, ["policy_care"])
STAFF = PoolPlan("staff_child", "教职工子女", 2, ["staff_child"], "locked")


@prepared
def area(town):
    """A kindergarten with 25 places, and the official of its area, who sets its pools."""

    class Area:
        kindergarten = town.kindergarten("金苹果", places=25)
        programme = town.programme_of(kindergarten)
        official = town.area_official("510104")

        def sets(self, *wanted, by=None, version=None, reason="本区规定"):
            return reserved_places.set_pools(
                town.session, self.programme.id, list(wanted), by=by or self.official, now=town.now, reason=reason,
                version=version or self.programme.version,
            )  # fmt: skip

        def refusal(self, *wanted, **more):
            with pytest.raises(Refused) as refused:
                self.sets(*wanted, **more)
            return refused.value.code, refused.value.field

        def history(self):
            found = select(LedgerEntry).where(
                LedgerEntry.programme_id == self.programme.id, LedgerEntry.field.startswith("pool:")
            )
            return [(e.field, e.before, e.after) for e in town.session.scalars(found.order_by(LedgerEntry.number))]

    return Area()


def test_the_ledger_keeps_every_part_of_a_pool_with_the_reason(town, area):
    area.sets(CARE, STAFF)
    assert area.history()[:5] == [
        ("pool:policy_care", None, "10"),
        ("pool:policy_care:name", None, "政策照顾"),
        ("pool:policy_care:groups", None, "policy_care"),
        ("pool:policy_care:unclaimed", None, "open"),
        ("pool:policy_care:precedence", None, "1"),
    ]
    before = len(area.history())
    area.sets(STAFF, PoolPlan("policy_care", "政策照顾", 8, ["policy_care", "special_need"]), reason="改先后")
    assert area.history()[before:] == [
        ("pool:policy_care", "10", "8"),
        ("pool:policy_care:groups", "policy_care", "policy_care special_need"),
        ("pool:policy_care:precedence", "1", "2"),
        ("pool:staff_child:precedence", "2", "1"),
    ]
    given = select(AuditEntry.reason).where(AuditEntry.act == "set_pools").order_by(AuditEntry.number)
    reasons = town.session.scalars(given).all()
    assert reasons == ["本区规定", "改先后"]


def test_a_pool_that_goes_leaves_its_places_to_everybody(area):
    area.sets(CARE, STAFF)
    area.sets(STAFF)
    assert [(pool.code, pool.precedence) for pool in area.programme.pools] == [("staff_child", 0)]
    assert ("pool:policy_care", "10", "0") in area.history()


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ([CARE, PoolPlan("b", "其他", 16, ["special_need"])], "pools_exceed_places", "pools-1-places"),
        ([CARE, PoolPlan("b", "政策照顾", 1, ["special_need"])], "pool_code_twice", "pools-1-name"),
        ([PoolPlan("general", "大家", 1, ["special_need"])], "pool_code_twice", "pools-0-name"),
        ([PoolPlan("a", " ", 1, ["special_need"])], "pool_without_name", "pools-0-name"),
        ([PoolPlan("a", "长" * 31, 1, ["special_need"])], "pool_name_too_long", "pools-0-name"),
        ([PoolPlan("a", "甲", 1)], "pool_without_group", "pools-0-groups"),
        ([PoolPlan("a", "甲", -1, ["special_need"])], "number_negative", "pools-0-places"),
        ([PoolPlan(str(n), str(n), 0, ["special_need"]) for n in range(16)], "too_many_pools", None),
        ([], "pools_unchanged", None),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(area, wanted, code, field):
    assert area.refusal(*wanted) == (code, field)
    assert area.history() == []


def test_all_places_may_be_reserved(area):
    area.sets(CARE, PoolPlan("b", "其他", 15, ["special_need"]))
    assert sum(pool.places for pool in area.programme.pools) == area.programme.places


def test_a_reason_is_needed(area):
    assert area.refusal(CARE, reason=" ") == ("reason_missing", "reason")


def test_only_who_decides_on_the_plan_sets_its_pools(town, area):
    for stranger in (town.clerk_of(area.kindergarten), town.head_of(area.kindergarten), town.area_official("510105")):
        with pytest.raises(NotFound):
            area.sets(CARE, by=stranger)
    area.sets(CARE, by=town.city_official())
    assert len(area.programme.pools) == 1


def test_a_stale_page_changes_nothing(area):
    seen = area.programme.version
    area.sets(CARE)
    with pytest.raises(Stale):
        area.sets(STAFF, version=seen)


def test_an_opened_round_fixes_the_pools(town, area):
    area.sets(CARE)
    town.open_registration()
    assert area.refusal(CARE, STAFF) == ("pools_fixed_by_round", None)
    town.close_registration()
    assert area.refusal(STAFF) == ("pools_fixed_by_round", None)


def test_a_new_pool_is_coded_after_whom_it_is_for():
    assert pools.fresh_code(["policy_care", "special_need"], set()) == "policy_care"
    assert pools.fresh_code(["policy_care"], {"policy_care", "policy_care_2"}) == "policy_care_3"
