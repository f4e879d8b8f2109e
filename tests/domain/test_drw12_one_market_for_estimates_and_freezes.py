"""DRW12: an estimate could describe another draw than the freeze.  Here one reader gives both the market of a round."""

import itertools
from dataclasses import replace

import pytest

from allocation import files
from allocation.market import Market
from allocation.solve import solve
from enrollment.chances import estimate_market
from enrollment.chances.estimate_market import GROUNDS
from enrollment.draw import market_builder, market_files, participants
from enrollment.draw.draws import Snapshot
from enrollment.draw.participants import FactBasis
from enrollment.ground.errors import Refused
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceArea
from tests.support.prepared import prepared


@prepared
def town_of_two_rounds(town):
    """A supplementary round with everything that a market can have: places held from the main round, bound twins, an elder
    sibling in the same season, reserved places for several grounds, a service area, and a programme of the first round
    whose reserved places are free for everybody because a child outside this round holds one of its places."""
    town.jinpingguo = town.kindergarten("金苹果", places=4)
    town.mudan = town.kindergarten("牡丹", places=3)
    town.programme(town.jinpingguo, places=2, level="middle")
    town.policy("510104", family="service_area")
    for kindergarten, kind, name in (
        (town.jinpingguo, "street", "三圣街道"),
        (town.jinpingguo, "estate", "锦城苑"),
        (town.mudan, "estate", "锦城苑"),
    ):
        town.session.add(ServiceArea(kindergarten_id=kindergarten.id, kind=kind, name=name))
    town.pool(town.jinpingguo, "care", 1, ["policy_care", "staff_child"])
    town.pool(town.jinpingguo, "estate", 1, ["estate_owner"], unclaimed="locked")
    town.pool(town.mudan, "care", 1, ["policy_care"])
    town.round(levels=["lower", "middle"])
    town.open_registration()
    town.ana = town.child("安娜", wishes=[town.mudan])
    settled = town.child("本本", wishes=[town.mudan])
    town.drawn(town.ana, settled)
    town.confirm(town.ana)
    town.confirm(settled)

    town.haitang = town.kindergarten("海棠", places=3)
    town.pool(town.haitang, "staff", 2, ["staff_child"])
    town.round(kind="supplementary", levels=["lower", "middle"])
    town.open_registration()
    town.wish(town.ana, town.haitang)
    owners = {"home_owned": True, "home_estate": "锦城苑"}
    town.twins("方一", "方二", wishes=[town.jinpingguo, town.haitang], **owners)
    family = town.family("陈")
    elder = town.child("陈大", family=family, level="middle", wishes=[town.jinpingguo])
    younger = town.child("陈小", family=family, wishes=[town.haitang, town.jinpingguo])
    town.follow_elder(younger, elder)
    town.child("翠翠", wishes=[town.jinpingguo], grounds={"policy_care": "soldier"})
    town.child("丁丁", wishes=[town.haitang], grounds={"staff_child": town.haitang})
    town.child("恩恩", wishes=[town.jinpingguo, town.mudan], home_street="春熙路街道", hukou_area="510105")
    return town


def described(market: Market, children: list[str], programmes: list[str], group_name) -> dict:
    """A market by codes, so that the numbering of two markets plays no part."""

    def named(codes, column):
        return None if column is None else [codes[at] if at >= 0 else None for at in column.tolist()]

    def grouped(start, group):
        return [sorted(map(group_name, group[a:b].tolist())) for a, b in itertools.pairwise(start.tolist())]

    def together(column):
        return sorted(
            sorted(children[at] for at in range(len(children)) if column[at] == number)
            for number in set(column.tolist())
            if number >= 0
        )

    wishes = list(zip(named(programmes, market.programme), market.tier.tolist(), strict=True))
    lists = [wishes[a:b] for a, b in itertools.pairwise(market.offsets.tolist())]
    pools = market.pools
    tables = [
        list(zip(grouped(pools.group_start, pools.group)[a:b], pools.places[a:b].tolist(), pools.locked[a:b].tolist(), strict=True))
        for a, b in itertools.pairwise(pools.start.tolist())
    ]  # fmt: skip
    return {
        "programmes": {
            code: (places, level, sibling, pool)
            for code, places, level, sibling, pool in zip(
                programmes, market.places.tolist(), market.level.tolist(), market.sibling_tier.tolist(), tables, strict=True
            )
        },
        "kindergartens": {
            frozenset(programmes[at] for at in range(len(programmes)) if market.kindergarten[at] == number)
            for number in market.kindergarten.tolist()
        },
        "wishes": dict(zip(children, lists, strict=True)),
        "groups": dict(zip(children, grouped(market.group_start, market.group), strict=True)),
        "elders": dict(zip(children, named(children, market.elder), strict=True)),
        "current": dict(zip(children, named(programmes, market.current), strict=True)),
        "units": together(market.unit),
        "families": together(market.family),
        "pair_rule": market.pair_rule,
    }  # fmt: skip


def estimated(town) -> dict:
    made = estimate_market.read(town.session, town.the_round.id, now=town.now)
    programmes = [town.session.get_one(Programme, each).code for each in made.programmes]
    children = sorted(application.child_code for application in taking_part(town))
    names = list(GROUNDS)

    def group_name(number: int) -> str:
        return f"{programmes[number // len(names)]}.{names[number % len(names)]}"

    return described(made.market, children, programmes, group_name)


def taking_part(town):
    ids = set(town.session.scalars(participants.participants_query(town.the_round, participants.HANDED_IN)))
    return [application for application in town.everybody() if application.id in ids]


def frozen(snapshot: Snapshot) -> dict:
    rows = market_files.unpack(snapshot.market)
    rows.pop("tickets.csv", None)  # an estimate has no tickets
    market = files.parse_market(rows)
    codes = {name: [str(code) for code in getattr(market.codes, name)] for name in ("children", "programmes", "groups")}
    return described(market, codes["children"], codes["programmes"], codes["groups"].__getitem__)


def test_drw12_the_estimate_and_the_freeze_describe_the_same_market(town_of_two_rounds):
    town = town_of_two_rounds
    estimate = estimated(town)
    town.everyone_is_reviewed()
    assert estimated(town) == estimate, "every fact was verified as it was claimed"
    assert frozen(town.freeze()) == estimate

    # The town has everything that the two could disagree about.
    codes = {each.child.name: each.child_code for each in town.everybody()}
    mudan, haitang, jinpingguo = (town.programme_of(each).code for each in (town.mudan, town.haitang, town.jinpingguo))
    assert codes["本本"] not in estimate["wishes"]
    assert estimate["current"][codes["安娜"]] == mudan
    assert [code for code, _ in estimate["wishes"][codes["安娜"]]] == [haitang, mudan]
    assert estimate["programmes"][mudan][0] == 2, "one of three places is held outside this market"
    assert [len(estimate["programmes"][code][3]) for code in (mudan, haitang, jinpingguo)] == [1, 2, 3]
    assert estimate["units"] == [sorted([codes["方一"], codes["方二"]])]
    assert estimate["elders"][codes["陈小"]] == codes["陈大"]
    assert estimate["groups"][codes["方一"]] == [f"{jinpingguo}.estate_owner"]
    assert estimate["groups"][codes["翠翠"]] == [f"{jinpingguo}.policy_care"]
    assert estimate["groups"][codes["丁丁"]] == [f"{haitang}.staff_child"]
    assert len({tier for wishes in estimate["wishes"].values() for _, tier in wishes}) > 2
    assert any(sibling >= 0 for _, _, sibling, _ in estimate["programmes"].values())


def test_drw12_the_files_of_a_freeze_keep_the_whole_market(town_of_two_rounds):
    """A replay starts from the market that its round's files give back."""
    town = town_of_two_rounds
    town.everyone_is_reviewed()
    market = participants.read(
        town.session, town.the_round, stages=participants.TAKES_PART, basis=FactBasis.VERIFIED, strict=True
    )
    ids = {programme.code: programme.id for programme in market.programmes}
    rows = market_files.read(market_files.unpack(town.freeze().market))
    decoded = market_builder.decode(rows, ids)
    assert decoded.participants == [replace(each, ranks=each.own_ranks) for each in market.participants]

    def plain(programmes):
        return sorted(
            (
                replace(each, pools=tuple(replace(pool, grounds=tuple(sorted(pool.grounds))) for pool in each.pools))
                for each in programmes
            ),
            key=lambda each: each.code,
        )

    assert plain(decoded.programmes) == plain(market.programmes)
    assert (decoded.year, decoded.kind, decoded.pair_rule) == (market.year, market.kind, market.pair_rule)


def test_drw12_a_claim_that_staff_declined_counts_in_neither(town_of_two_rounds):
    town = town_of_two_rounds
    before = estimated(town)
    town.registration_is_over()
    cared = next(each for each in town.everybody() if each.child.name == "翠翠")
    town.clerk_confirms(cared, declined=["policy_care"])
    town.everyone_is_reviewed()
    after = estimated(town)
    assert before["groups"][cared.child_code] and not after["groups"][cared.child_code]
    assert frozen(town.freeze()) == after


def test_drw12_the_engine_draws_an_estimate_with_an_elder_sibling(town_of_two_rounds):
    """The priority of the younger child needs the kindergartens of the programmes."""
    made = estimate_market.read(town_of_two_rounds.session, town_of_two_rounds.the_round.id, now=town_of_two_rounds.now)
    placed = solve(made.market.with_tickets(range(1, made.market.children + 1)))
    assert placed.placed > 0


def test_drw12_who_is_under_review_is_who_will_take_part(town_of_two_rounds):
    town = town_of_two_rounds
    town.registration_is_over()
    waiting = participants.count(town.session, town.the_round, participants.AWAITING_DECISION)
    assert waiting == len(estimated(town)["wishes"]) - 1, "安娜 was reviewed for the main round"
    assert sum(row.n for row in participants.under_review(town.session, town.the_round)) == waiting
    with pytest.raises(Refused) as refused:
        town.freeze()
    assert refused.value.details["n"] == waiting
