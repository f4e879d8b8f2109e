"""The chances of a family's wishes: near what really happens, the same after a second run, and silent where they must be."""

import datetime as dt

import numpy as np
import pytest
from sqlalchemy import func, select

from allocation import lottery
from allocation.simulation import Chance
from allocation.solve import solve
from enrollment.applications.applications import Application
from enrollment.chances import estimate_market, estimates
from enrollment.chances.estimate_rows import ChanceEstimate, ChanceLine
from enrollment.chances.family_chances import SIZES, Odds
from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from tests.support.crowd import crowd
from tests.support.prepared import prepared

HUKOU = {"local_hukou": {}}


@prepared
def city(town):
    """250 families: everybody wishes for the hot kindergarten (50 places), then for the quiet one, which has room for all."""
    town.hot = town.kindergarten("锦官", places=50)
    town.quiet = town.kindergarten("青羊", places=300)
    town.third = town.kindergarten("武侯", places=10)
    town.fourth = town.kindergarten("新津", places=30)
    town.open_registration()
    crowd(town, 150, town.hot, town.quiet)
    crowd(town, 100, town.third, town.hot)
    return town


def hundredths(odds: Odds) -> tuple[int, int]:
    return odds.low, odds.high


def test_a_hot_kindergarten_a_quiet_one_and_an_elder_sibling_at_the_hot_one(city):
    plain = city.child("安娜", wishes=[city.hot, city.quiet], home_area="510105", hukou_area="510105")
    sibling = city.child("本本", wishes=[city.hot], grounds={"elder_sibling": city.hot})
    assert city.estimate_chances() | {"digest": ""} == {"families": 252, "children": 252, "draws": 1000, "digest": ""}
    hot, quiet = city.chances_of(plain).wishes
    low, high = hundredths(hot)
    assert hot.size == "unlikely" and low < 21 < high  # 49 places for 241 who also come to it
    assert quiet.size == "very_likely" and quiet.form == "over"
    assert city.chances_of(plain).place.form == "over"
    (at_hot,) = city.chances_of(sibling).wishes
    assert at_hot.size == "very_likely" and hundredths(at_hot) == (99, 99)


def test_the_order_of_wishes_moves_no_chance_and_a_wish_more_never_lowers_the_chance_of_a_place(city):
    ana = city.child("安娜", wishes=[city.third, city.hot], hukou_area="510105")
    city.estimate_chances()
    before = city.chances_of(ana)
    city.wish(ana, city.hot, city.third)
    assert city.chances_of(ana).wishes == before.wishes[::-1]
    assert city.chances_of(ana).place == before.place
    assert before.place.chance.hits >= max(wish.chance.hits for wish in before.wishes)
    assert before.more[0].candidate.kindergarten == city.quiet
    assert before.more[0].place.form == "over"
    city.wish(ana, city.hot, city.third, city.quiet)
    assert city.chances_of(ana).place == before.more[0].place
    assert city.chances_of(ana).more == ()  # nothing is left that would add anything


def test_what_happens_is_as_often_as_was_told(city):
    """The estimate against the engine's own results, with tickets drawn as a season's are drawn."""
    city.pool(city.hot, "staff", 6, ["staff_child"])
    crowd(city, 12, city.hot, city.third, grounds={"staff_child": {"staff_child_at": city.hot.code}})
    crowd(city, 60, city.fourth, city.hot)
    watched = [
        city.child("戊戊", wishes=[city.fourth, city.third], home_area="510105", hukou_area="510105"),
        city.child("安娜", wishes=[city.hot, city.third]),
        city.child("本本", wishes=[city.third, city.hot], home_area="510105", hukou_area="510105"),
        city.child("翠翠", wishes=[city.third], hukou_area="510105"),
        city.child("丁丁", wishes=[city.hot, city.third], grounds={"staff_child": city.hot}),
    ]
    twins = city.twins("方一", "方二", wishes=[city.third, city.hot], home_area="510105", hukou_area="510105")
    city.estimate_chances()
    made = estimate_market.read(city.session, city.the_round.id, now=city.now)
    people = city.session.scalars(select(Application).order_by(Application.child_code)).all()  # as the market has them
    row = {person.id: at for at, person in enumerate(people)}
    families, codes = [person.family_code for person in people], [person.child_code for person in people]
    draws, ranks = 500, []
    for number in range(draws):
        tickets = lottery.draw(lottery.seed_bytes("0" * 64, str(number), ""), families, codes)
        ranks.append(solve(made.market.with_tickets(tickets)).rank)
    ranks = np.array(ranks)
    for application in (*watched, twins[0]):
        told = city.chances_of(application, siblings=(twins[1],) if application is twins[0] else ())
        got = ranks[:, row[application.id]]
        for odds, happened in ((told.wishes[0], got == 1), (told.place, got > 0)):
            seen = Chance(int(happened.sum()), draws)
            told_share, seen_share = odds.chance.hits / odds.chance.draws, seen.hits / draws
            both = (odds.chance.hits + seen.hits) / (odds.chance.draws + draws)
            spread = (both * (1 - both) * (1 / odds.chance.draws + 1 / draws)) ** 0.5
            # five times the spread, so that luck does not fail it; and what one family more among sixty may move
            assert abs(told_share - seen_share) <= 5 * spread + 0.02, (application.child.name, odds, seen)
    assert 0.3 < (ranks[:, row[watched[0].id]] == 1).mean() < 0.7  # not only what is certain is compared


def test_twins_bound_and_separate_are_measured_for_their_wishes(city):
    ana, ben = city.twins("安娜", "本子", wishes=[city.third, city.hot], home_area="510105", hukou_area="510105")
    city.estimate_chances()
    bound = city.chances_of(ana, siblings=(ben,)).together
    assert bound.bound.chance.hits >= bound.separate.chance.hits  # side by side in the line, they part seldom
    assert bound.separate_one.chance.hits >= bound.separate.chance.hits
    city.separate(ana)
    separate = city.chances_of(ana, siblings=(ben,))
    assert separate.together == bound
    city.wish(ben, city.hot)
    differ = city.chances_of(ana, siblings=(ben,))
    assert (differ.sibling_lists, differ.together) == ("differ", bound), "supposed to have the list of this child"
    city.wish(ana, city.third)
    apart = city.chances_of(ana, siblings=(ben,))
    assert (apart.sibling_lists, apart.together) == ("apart", None), "no kindergarten in common: no figure"
    city.wish(ben, city.third, city.hot)
    city.wish(ana, city.third, city.hot)
    assert city.chances_of(ana, siblings=(ben,)).sibling_lists == "same"
    city.claim(ben, {"elder_sibling": city.hot})
    assert city.chances_of(ana, siblings=(ben,)).together is None  # they stand differently, so one says nothing of both


def test_bound_children_stand_where_the_last_of_them_stands(city):
    ana, ben = city.twins("安娜", "本子", wishes=[city.hot], bound=False, home_area="510105", hukou_area="510105")
    city.claim(ana, {"elder_sibling": city.hot})
    city.estimate_chances()
    assert city.chances_of(ana).wishes[0].size == "very_likely"
    city.bind(ana, ben)
    assert city.chances_of(ana, siblings=(ben,)).wishes == city.chances_of(ben, siblings=(ana,)).wishes
    assert city.chances_of(ana, siblings=(ben,)).wishes[0].size == "unlikely"


def test_a_reserved_place_counts_for_the_families_that_it_is_for(city):
    city.pool(city.third, "staff", 8, ["staff_child"], unclaimed="locked")
    staff = city.child("安娜", wishes=[city.third], grounds={"staff_child": city.third})
    other = city.child("本本", wishes=[city.third], home_area="510105", hukou_area="510105")
    city.estimate_chances()
    assert city.chances_of(staff).wishes[0].size == "very_likely"
    assert city.chances_of(other).wishes[0].size == "very_unlikely"


def test_a_second_run_gives_the_same_bytes_and_the_newest_replaces(city):
    first = city.estimate_chances()
    assert city.estimate_chances() == first
    assert city.session.scalar(select(func.count()).select_from(ChanceLine)) == 4
    late = estimate_market.read(city.session, city.the_round.id, now=city.now - dt.timedelta(hours=1))
    assert estimates.save(city.session, late, estimates.simulate(late.market)) is None
    crowd(city, 5, city.third)
    city.at(city.now + dt.timedelta(days=1))
    assert city.estimate_chances()["families"] == first["families"] + 5
    assert city.session.scalars(select(ChanceEstimate)).one().made_at == city.now


def test_when_there_is_an_estimate_and_when_there_is_none(town):
    garden = town.kindergarten("金苹果", places=20)
    town.open_registration()
    ana = town.child("安娜", wishes=[garden], submit=False)
    assert town.estimate_chances() is None  # a draft takes no part
    assert town.chances_of(ana).state == "later"
    assert town.chances_of(ana).next_at == town.now.replace(day=23, hour=4, minute=30)
    crowd(town, 199, garden)
    town.estimate_chances()
    assert town.chances_of(ana).state == "few"
    town.submit(ana)
    town.estimate_chances()
    assert town.chances_of(ana).state == "told"


def test_an_estimate_is_due_while_wishes_are_taken_and_once_after_the_deadline(town):
    garden = town.kindergarten("金苹果", places=20)
    town.open_registration()
    ana = town.child("安娜", wishes=[garden])
    due = lambda: estimates.due_rounds(town.session, now=town.now)  # noqa: E731
    assert due() == [town.the_round.id]
    town.estimate_chances()
    assert due() == [town.the_round.id]
    town.close_registration()
    assert due() == [town.the_round.id]
    town.estimate_chances()
    assert due() == []
    town.everyone_is_reviewed()
    town.freeze()
    assert town.chances_of(ana) is None
    made = estimate_market.read(town.session, town.the_round.id, now=town.now)
    assert estimates.save(town.session, made, estimates.simulate(made.market)) is None
    retention.apply_all(town.session, Moment(town.now, town.now))
    assert town.session.scalar(select(func.count()).select_from(ChanceLine)) == 0
    assert town.session.scalar(select(func.count()).select_from(ChanceEstimate)) == 0


def test_a_programme_that_the_estimate_does_not_know_says_nothing(city):
    city.estimate_chances()
    ana = city.child("安娜", wishes=[city.hot, city.quiet])
    programme = city.programme_of(city.quiet)
    line = city.session.get_one(ChanceLine, (city.the_round.id, programme.id))
    city.session.delete(line)
    city.session.flush()
    told = city.chances_of(ana)
    assert told.wishes[0] is not None and told.wishes[1] is None
    assert told.place is None and told.more == ()


@pytest.mark.parametrize(
    ("hits", "said", "size", "form"),
    [
        (0, (1, 1), "very_unlikely", "under"),
        (20, (1, 4), "very_unlikely", "between"),
        (200, (17, 23), "unlikely", "between"),
        (500, (46, 54), "even", "between"),
        (700, (67, 73), "likely", "between"),
        (940, (92, 96), "very_likely", "between"),
        (1000, (99, 99), "very_likely", "over"),
    ],
)
def test_a_chance_is_told_with_its_interval_and_never_as_none_or_all(hits, said, size, form):
    odds = Odds(Chance(hits, 1000))
    assert (hundredths(odds), odds.size, odds.form) == (said, size, form)


def test_the_words_for_a_chance_cover_everything_from_the_best_down():
    shares = [share for share, _ in SIZES]
    assert shares == sorted(shares, reverse=True) and shares[-1] == 0


def test_a_very_large_market_is_drawn_less_often(city, monkeypatch):
    made = estimate_market.read(city.session, city.the_round.id, now=city.now)
    assert estimates.draws_for(made.market) == 1000
    monkeypatch.setattr(estimates, "MOST_WORK", len(made.market.programme) * 250)
    seen = []
    drawn = estimates.simulate(made.market, progress=lambda done, of: seen.append((done, of)))
    assert drawn.draws == 250 and seen == [(100, 250), (200, 250), (250, 250)]
    assert estimates.save(city.session, made, drawn)["draws"] == 250
    ana = city.child("安娜", wishes=[city.hot])
    assert city.chances_of(ana).wishes[0].chance.draws == 250
