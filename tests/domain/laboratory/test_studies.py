"""A study over the families of a round: read, drawn, kept; nothing of the round changes."""

import datetime as dt

import numpy as np
import pytest
from sqlalchemy import func, select

from enrollment.applications.applications import Wish
from enrollment.chances import estimate_market, estimates
from enrollment.draw.run_rows import Run
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.errors import Refused, Stale
from enrollment.laboratory import drawing, experiment, family_reader, preferences, studies
from enrollment.laboratory.metrics import Metric
from enrollment.laboratory.preferences import Choices
from enrollment.laboratory.study_rows import StudyState
from enrollment.laboratory.variants import AS_DECLARED, Method, Variant
from enrollment.places.areas import NATURES
from tests.support.crowd import crowd
from tests.support.prepared import prepared


@prepared
def city(town):
    """260 families for 180 places; everybody names the hot kindergarten first."""
    town.hot = town.kindergarten("锦官", places=50, longitude="104.08", latitude="30.65")
    town.quiet = town.kindergarten("青羊", places=100)
    town.third = town.kindergarten("武侯", places=30, longitude="104.09", latitude="30.65")
    town.open_registration()
    crowd(town, 150, town.hot, town.quiet)
    crowd(town, 100, town.hot, town.third, town.quiet)
    town.official = town.city_official()
    town.twins("大双", "小双", wishes=[town.hot, town.quiet])
    return town


def test_the_variant_that_changes_nothing_places_as_the_estimate_of_chances_does(city):
    families = family_reader.read(city.session, city.the_round.id, now=city.now)
    found = experiment.run(families, AS_DECLARED, 60, 1, lambda _done: None, workers=1)
    market = estimate_market.read(city.session, city.the_round.id, now=city.now).market
    drawn = estimates.simulate(market)
    assert families.children == market.children and drawn.draws >= 60
    taken = {name: found.figures[Metric(name)].mean for name in ("own", "unplaced", "office")}
    places = 180 / families.children * 100
    assert taken["own"] <= places + 1e-9
    assert sum(taken.values()) == pytest.approx(100)
    # the hot kindergarten is full of children who named it first
    assert found.figures[Metric.TRUE_FIRST].mean == pytest.approx(5000 / families.children, abs=0.5)


def test_in_autumn_the_new_children_of_the_year_do_not_stay_beside_the_next_ones(city):
    """The roll of 2026 has the children of the 2026 round: next September its upper class is gone."""
    for level, number in (("lower", 20), ("middle", 25), ("upper", 30)):
        city.roll(city.hot, level, number, year=2026)
    october = dt.datetime(2026, 10, 15, 9, tzinfo=CHENGDU)
    families = family_reader.read(city.session, city.the_round.id, now=october)
    assert families.continuing.sum(axis=0).tolist() == [20 + 25, 0, 0]


def test_placed_children_count_as_the_two_shares_count_them(town):
    garden, school = town.kindergarten("锦官", places=5), town.kindergarten("附小", places=5, attached=True)
    town.open_registration()
    for here in (garden, school):
        town.child("安娜", wishes=[here])
    families = family_reader.read(town.session, town.the_round.id, now=town.now)
    counted = dict(zip(families.programmes.names, families.programmes.counted.tolist(), strict=True))
    assert counted == {"锦官": NATURES.index("public"), "附小": NATURES.index("private")}
    found = experiment.run(families, AS_DECLARED, 2, 1, lambda _done: None, workers=1)
    assert found.figures[Metric.PUBLIC].mean == 50


def test_a_study_is_drawn_kept_and_told(city):
    actor = city.official
    made = studies.create(
        city.session, " 一次报一所？ ", city.the_round.id,
        [Variant("一所", Method.ONE_WISH, phases=2), Variant("排序", wishes=0)], draws=30, by=actor, now=city.now,
    )  # fmt: skip
    assert made.name == "一次报一所？" and made.state == StudyState.DRAFT
    before = rows_of_the_round(city)
    studies.request(city.session, made.id, version=1, by=actor, now=city.now)
    task = drawing.read(city.session, made.id, now=city.now)
    steps = []
    for variant_id, result in drawing.draw(task, lambda done, of: steps.append((done, of))):
        drawing.save(city.session, variant_id, result)
    drawing.finish(city.session, made.id, now=city.now)
    assert steps[-1] == (120, 120) == (task.steps, task.steps)
    one, ranked = (each.result for each in made.variants)
    assert len(one["band"]["own"]) == 3 and ranked["band"] == {}
    assert ranked["figures"]["complaint"][0] == 0 and ranked["figures"]["days"][0] == 16
    everybody = ranked["groups"][0]
    assert everybody[:2] == ["all", made.children]
    assert sum(row[1] for row in ranked["shares"]) >= 180
    assert made.state == StudyState.DONE and made.drawn_at == city.now
    assert rows_of_the_round(city) == before


def test_a_list_goes_on_with_the_nearest_kindergartens_and_bound_children_share_theirs(city):
    home = {"home_area": "510104", "home_longitude": "104.0801", "home_latitude": "30.65"}
    city.child("安娜", wishes=[city.quiet], **home)
    families = family_reader.read(city.session, city.the_round.id, now=city.now)
    (ana,) = np.flatnonzero((families.declared == 1) & (families.lengths == 3))
    rows = slice(families.offsets[ana], families.offsets[ana + 1])
    names = [families.programmes.names[at] for at in families.programme[rows]]
    assert names[0] == "青羊" and set(names[1:]) == {"锦官", "武侯"}
    assert families.metres[rows][1 + names[1:].index("锦官")] < 20
    first, second = np.flatnonzero(families.unit >= 0)
    lists = [families.programme[families.offsets[at] : families.offsets[at + 1]].tolist() for at in (first, second)]
    assert lists[0] == lists[1] and families.leader[second] == first


def rows_of_the_round(city):
    return [city.session.scalar(select(func.count()).select_from(table)) for table in (Wish, Run)]


def test_the_same_study_gives_the_same_figures(city):
    families = family_reader.read(city.session, city.the_round.id, now=city.now)
    again = family_reader.read(city.session, city.the_round.id, now=city.now)
    first, second = (
        experiment.run(each, Variant("", Method.ONE_WISH), 10, 3, lambda _done: None, workers=1)
        for each in (families, again)
    )
    assert first.figures == second.figures and first.band == second.band


def test_who_may_do_what_and_when(city):
    actor = city.official
    with pytest.raises(Refused, match="study_name_missing"):
        studies.create(city.session, " ", city.the_round.id, [AS_DECLARED], by=actor, now=city.now)
    with pytest.raises(Refused, match="study_draws"):
        studies.create(city.session, "甲", city.the_round.id, [], draws=5, by=actor, now=city.now)
    made = studies.create(city.session, "甲", city.the_round.id, [Variant("一")], draws=30, by=actor, now=city.now)
    second = studies.add_variant(city.session, made.id, Variant("二"), version=1, by=actor, now=city.now)
    with pytest.raises(Stale):
        studies.add_variant(city.session, made.id, Variant("三"), version=1, by=actor, now=city.now)
    with pytest.raises(Refused, match="study_first_variant"):
        studies.remove_variant(city.session, made.id, 1, version=2, by=actor, now=city.now)
    studies.request(city.session, made.id, version=2, by=actor, now=city.now)
    with pytest.raises(Refused, match="study_is_running"):
        studies.remove_variant(city.session, made.id, second.number, version=3, by=actor, now=city.now)
    studies.stop(city.session, made.id, by=actor, now=city.now)
    with pytest.raises(drawing.Stopped):
        drawing.raise_if_stopped(city.session, made.id)


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        (Variant(" "), "name"),
        (Variant("a", wishes=21), "wishes"),
        (Variant("a", phases=0), "phases"),
        (Variant("a", tiers=(16,)), "tiers"),
        (Variant("a", reserve_percent=0), "reserve_percent"),
        (Variant("a", moved=(("x", 5000),)), "moved"),
    ],
)
def test_a_variant_that_cannot_be_drawn_is_refused_at_its_field(variant, field):
    with pytest.raises(Refused) as refused:
        variant.checked()
    assert refused.value.field == field


def test_places_that_are_not_there_cannot_be_taken_away(city):
    families = family_reader.read(city.session, city.the_round.id, now=city.now)
    code = families.programmes.codes[0]
    for moved, said in ((("nowhere", 5), "variant_moved_unknown"), ((code, -200), "variant_moved_below")):
        with pytest.raises(Refused, match=said):
            experiment.run(families, Variant("a", moved=(moved,)), 2, 1, lambda _done: None)
    more = experiment.run(families, Variant("a", moved=((code, 100),)), 5, 1, lambda _done: None)
    plain = experiment.run(families, AS_DECLARED, 5, 1, lambda _done: None)
    assert more.figures[Metric.UNPLACED].mean < plain.figures[Metric.UNPLACED].mean


def test_the_taste_that_made_the_choices_is_found_again():
    """Choices drawn with known attractions and a known price of a kilometre."""
    dice = np.random.default_rng(5)
    children, size = 3000, 8
    attraction, kilometres = np.linspace(-1, 1, size), dice.uniform(0, 4, (children, size))
    worth = attraction - 1.0 * kilometres + dice.gumbel(size=(children, size))
    offsets = np.arange(children + 1) * size
    choices = Choices(
        offsets, np.tile(np.arange(size), children), kilometres.ravel(), offsets[:-1] + worth.argmax(axis=1)
    )
    taste = preferences.fit(choices, size)
    assert taste.fitted and taste.kilometre == 1.0
    assert np.abs((taste.attraction - taste.attraction.mean()) - attraction).max() < 0.25
