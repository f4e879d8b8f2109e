"""The page of a draw before each step, and what everybody may read of its fairness."""

from sqlalchemy import select

from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.draw import fairness
from tests.support.prepared import prepared


@prepared
def address(town):
    jinpingguo, mudan = town.kindergarten("金苹果", places=4), town.kindergarten("牡丹", places=20)
    for letter in "安本翠丁方高何江康":
        town.child(f"{letter}{letter}", wishes=[jinpingguo, mudan], hukou_area="510104", hukou_kind="local")
    town.twins("宁宁", "静静", wishes=[mudan])
    return f"/draws/{town.the_round.id}"


def texts(client, frozen_clock, town, address):
    frozen_clock.set(town.now)
    return {language: client.get(f"{address}?lang={language}").text for language in ("zh", "en")}


def test_the_page_says_what_comes_next_before_each_step(client, town, frozen_clock, address):
    before = texts(client, frozen_clock, town, address)
    assert "名单还没有冻结" in before["zh"] and "The list is not frozen yet" in before["en"]
    assert client.get(f"{address}/verify").status_code == 404
    assert client.get(f"{address}/names.json").status_code == 404

    town.everyone_is_reviewed()
    snapshot = town.freeze()
    frozen = texts(client, frozen_clock, town, address)
    assert "名单已经冻结，还没有抽签" in frozen["zh"] and "nobody knows a ticket now" in frozen["en"]
    assert snapshot.commitment in frozen["zh"] and "抽签后公布" in frozen["zh"]

    draw = town.seed("03 08 14 21 27 30 + 06")
    drawn = texts(client, frozen_clock, town, address)
    assert "已经抽签，结果还没有公布" in drawn["zh"] and "Every ticket is fixed" in drawn["en"]
    assert draw.seed in drawn["zh"] and "3 8 14 21 27 30 + 6" in drawn["en"] and "public.zip" not in drawn["zh"]

    town.run()
    assert "public.zip" not in texts(client, frozen_clock, town, address)["zh"], "nothing before two have signed"
    assert client.get(f"{address}/public.zip").status_code == 404
    run = town.publish()
    done = texts(client, frozen_clock, town, address)
    assert run.digest in done["zh"] and f"{address}/public.zip" in done["zh"] and f"{address}/verify" in done["en"]
    for figure in ("按核实的依据", "按第 1 志愿的优先级", "按第 1 志愿所在的区域"):
        assert figure in done["zh"]
    assert "捆绑的多胞胎，录取" not in done["zh"], "two children are one family"
    assert f"{address}/public.zip?run={run.number}" in client.get(f"{address}/verify?run={run.number}").text
    assert "public.zip" not in client.get(f"{address}/verify?run=99").text
    names = client.get(f"{address}/names.json").json
    assert sorted(names["programmes"].values()) == [["牡丹", "lower"], ["金苹果", "lower"]]


def test_drw03_figures_of_few_children_are_not_public():
    """A small supplementary round: two areas with few children and one with many, two bound children, one sibling."""

    def counts(children, placed, first=0):
        return {"children": children, "placed": placed, "first": first}

    summary = {
        "children": 33, "placed": 20, "by_tier": {"0": counts(33, 20)},
        "by_area": {"510104": counts(3, 0), "510105": counts(1, 1), "510106": counts(29, 19)},
        "multiples": {"bound": {"children": 2, "placed": 0}, "single": {"children": 31, "placed": 20}},
        "siblings": {"named": 1, "together": 0},
    }  # fmt: skip
    told = fairness.public_figures(summary)
    assert told["by_area"] == {}, "the two quiet areas together are four children: the third row would tell their total"
    assert (told["multiples"], told["siblings"]) == (None, None)
    many = {"510104": counts(3, 0), "510105": counts(12, 11), "510106": counts(29, 19), "510107": counts(40, 40)}
    told = fairness.public_figures(summary | {"by_area": many, "multiples": {"bound": {"children": 0}}})
    assert told["by_area"] == {"510106": counts(29, 19), "510107": counts(40, 40)}, (
        "one hidden row alone could be computed"
    )
    assert told["multiples"], "nobody is nobody's result"


def test_grounds_are_counted_where_staff_verified_them_and_few_are_not_told(town, address):
    home = {"hukou_area": "510104", "hukou_kind": "local"}
    unproved = town.child("林林", wishes=town.kindergartens_by_name("金苹果"), grounds={"multi_child": 3}, **home)
    town.clerk_confirms(unproved, declined=["hukou_kind"])
    town.everyone_is_reviewed()
    for child in town.everybody():  # a dozen who live somewhere, and claim what only a kindergarten's area can tell
        for ground in ("service_area", "estate_owner"):
            town.session.merge(Claim(application_id=child.id, ground=ground, details={}, claimed_at=town.now))
        found = {"fact": "home_owned", "outcome": "verified", "plain_value": True, "source": "staff", "at": town.now}
        town.session.merge(VerifiedFact(application_id=child.id, **found))
    town.session.flush()
    run = town.drawn()
    assert "multi_child" in {claim.ground for claim in town.session.scalars(select(Claim))}
    assert "multi_child" not in run.summary["by_ground"], "one child's ground is nobody's business"
    assert not {"service_area", "estate_owner"} & run.summary["by_ground"].keys(), (
        "they hold at some kindergartens only"
    )
    told = run.summary["by_ground"]["local_hukou"]
    assert told["children"] == 11  # nine and the twins, not the one whose hukou was declined
    assert told["first"] <= told["placed"] <= told["children"]
    assert sum(each["children"] for each in run.summary["by_tier"].values()) == 12
