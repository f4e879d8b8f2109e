"""Reserved places go to those whose ground holds at this kindergarten; what nobody of them claims is for everybody."""

from sqlalchemy import select

from enrollment.draw.run_rows import Placement
from enrollment.results import family_results, published_runs
from enrollment.season.facts import Fact


def test_a_reserved_place_goes_to_the_family_it_is_for(town):
    jinpingguo = town.kindergarten("金苹果", places=2)
    town.pool(jinpingguo, "care", 1, ["policy_care"], name="政策照顾")
    first = town.child("安娜", wishes=[jinpingguo])
    second = town.child("本本", wishes=[jinpingguo])
    cared = town.child("翠翠", wishes=[jinpingguo], grounds={"policy_care": "soldier"})
    town.registration_is_over()
    town.clerk_confirms(cared, facts={Fact.POLICY_CARE: "soldier"})
    town.drawn(first, second, cared)
    run = published_runs.result_run(town.session, town.the_round.id)
    pools = dict(
        town.session.execute(select(Placement.application_id, Placement.pool).where(Placement.run_id == run.id)).all()
    )
    assert pools[cared.id] == "care"
    assert sorted(filter(None, pools.values())) == ["care", "general"]
    assert town.taken_at(jinpingguo) == 2
    [only] = published_runs.lines(town.session, run).rows
    assert (only.line.pools, only.line.pool, only.line.filled, only.line.state) == (2, None, 2, "hidden"), (
        "nobody reads how many places of policy care were taken"
    )
    assert family_results.for_application(town.session, cared.id, now=town.now).wishes[0].reason == "placed"


def test_an_unclaimed_reserved_place_goes_to_the_next_in_line(town):
    jinpingguo = town.kindergarten("金苹果", places=2)
    town.pool(jinpingguo, "care", 1, ["policy_care"], name="政策照顾")
    children = [town.child(name, wishes=[jinpingguo]) for name in ("安娜", "本本")]
    town.drawn(*children)
    assert [town.place_of(child) for child in children] == [jinpingguo] * 2
    town.decline(children[0])
    town.confirm(children[1])
    left = town.kindergarten("牡丹", places=1)
    assert town.taken_at(jinpingguo) == 1 and town.taken_at(left) == 0
