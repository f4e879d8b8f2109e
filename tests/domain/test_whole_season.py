"""One season of a small town, from the office's lists to the changed coverage.  Read it as a story; every sentence is a real act."""

import datetime as dt

import pytest

from allocation.coverage import Percent
from enrollment.coverage import shares, target_decisions
from enrollment.coverage.indicator import Definition
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.offers.arrivals import absences, arrival
from enrollment.places import promotion
from enrollment.places.imports import importer
from enrollment.results import family_results
from tests.support.office_files import xlsx
from tests.support.town_season import at

KINDERGARTENS = xlsx(
    ["园所名称", "学校标识码", "办园性质", "招生区域", "街道", "班数"],
    [
        ["金苹果幼儿园", "5151040001", "教办", "锦江区", "三圣街道", 9],
        ["牡丹幼儿园", "5151040002", "普惠性民办", "锦江区", "三圣街道", 6],
        ["小太阳幼儿园", "5151040003", "非普惠", "锦江区", "柳江街道", 6],
    ],
)
PROGRAMMES = xlsx(
    ["学校标识码", "年级", "班数", "招生计划"], [["5151040001", "小班", 1, 2], ["5151040002", "小班", 1, 2]]
)
ROLL = xlsx(
    ["学校标识码", "学年", "年级", "班级", "在园人数"],
    [
        ["5151040001", 2025, "中班", "中一班", 3],
        ["5151040001", 2025, "大班", "大一班", 1],
        ["5151040002", 2025, "中班", "中一班", 2],
        ["5151040003", 2025, "中班", "中一班", 3],
    ],
)


def the_city(town):
    return shares.city_shares(town.session, Definition(town.now.date()), year=2026).city


def test_a_season_from_the_lists_to_the_coverage(town):
    # In spring two officials set the year's targets with their source, the district office sends its lists, and two people
    # sign the rules.
    town.area()
    proposer, signer = town.city_pair()
    targets = target_decisions.propose(
        town.session, 2026, TargetScope.CITY, Targets(Percent(5_100), Percent(8_200)),
        Source("学前教育工作计划", "成教〔2026〕1号", dt.date(2026, 1, 12)),
        in_force_from=dt.date(2026, 1, 1), by=proposer, now=town.now,
    )  # fmt: skip
    target_decisions.sign(town.session, targets.id, by=signer, now=town.now)
    for kind, content in (("kindergartens", KINDERGARTENS), ("programmes", PROGRAMMES), ("roll", ROLL)):
        importer.import_file(town.session, kind, f"{kind}.xlsx", content, by=SYSTEM, now=town.now, year=2026)
    jinpingguo, mudan = (town.kindergartens_by_name(name)[0] for name in ("金苹果幼儿园", "牡丹幼儿园"))
    assert the_city(town).now.public_share.text == "44.44", "4 of 9 children"
    town.policy()

    # In May families register.  Ana's is local; Ben's moved here and owns no home yet; the twins are bound.
    town.open_registration(max_wishes=3)
    ana = town.child("安娜", wishes=[jinpingguo, mudan])
    ben = town.child("本本", wishes=[jinpingguo, mudan], hukou_kind="elsewhere", hukou_area=None)
    an, ning = town.twins("安安", "宁宁", wishes=[mudan, jinpingguo])
    cui = town.child("翠翠", wishes=[jinpingguo])

    # Nobody is drawn before the clerks of the first wish have verified the facts of everybody.
    with pytest.raises(Refused, match="still_under_review"):
        town.freeze()
    town.everyone_is_reviewed()

    # 4 June: the market is frozen and its commitment published; then the public seed gives everybody a ticket.
    town.at(at(6, 4))
    frozen = town.freeze()
    assert len(frozen.commitment) == 64
    town.seed_in_order(ana, an, cui, ben)
    assert town.ticket_of(ana) < town.ticket_of(cui) < town.ticket_of(ben)

    # The engine places, somebody else's code checks, and two people sign.  Nothing is open until the announced hour.
    run = town.run()
    assert set(run.summary["checks"].values()) == {"passed"}
    town.sign(run)
    assert town.offer_for(ana) is None

    # 5 June, 9:00: the clock opens the result, for everybody in the same second.
    town.at(at(6, 5, 9))
    assert town.open(run) == 4
    assert town.place_of(ana) == town.place_of(cui) == jinpingguo
    assert town.place_of(an) == town.place_of(ning) == mudan
    assert town.offer_for(ben) is None

    # Every family reads why: its own numbers beside the line.
    told = family_results.for_application(town.session, ben.id, now=town.now)
    assert [wish.reason for wish in told.wishes] == ["tier_below_cutoff"] * 2
    assert told.wishes[0].in_line == 1, "and who is next"

    # Ana's family confirms; Cui's gives the place up, and it goes to the next in line: Ben.
    town.confirm(ana)
    town.decline(cui)
    town.confirm(an)
    town.replay()
    assert town.place_of(ben) == jinpingguo
    town.confirm(ben)

    # In August the classes of last year are moved up; then the new children arrive and stand on the roll.  One does not come.
    town.at(at(8, 25))
    heads = {each.id: town.head_of(each) for each in (jinpingguo, mudan, *town.kindergartens_by_name("小太阳幼儿园"))}
    for kindergarten_id, head in heads.items():
        promotion.promote(town.session, kindergarten_id, 2025, by=head, now=town.now)
    for child, place in ((ana, jinpingguo), (ben, jinpingguo), (an, mudan)):
        here = {"by": heads[place.id], "now": town.now, "class_name": "小一班"}
        arrival.mark_arrived(town.session, town.offer_for(child).id, **here)
    absent, why = town.offer_for(ning), "家长来电：搬家"
    absences.mark_no_show(town.session, absent.id, by=heads[mudan.id], now=town.now, reason=why)
    assert (town.taken_at(jinpingguo), town.taken_at(mudan)) == (2, 1)

    # On 1 September the upper class is at school, the new children are here, and both shares have moved.
    now = the_city(town.at(at(9, 1))).now
    assert (now.all, now.public, now.inclusive) == (11, 5, 3)
    assert (now.public_share.text, now.inclusive_coverage.text) == ("45.45", "72.73")
    assert not now.public_share.met and now.public_share.to_move == 1
