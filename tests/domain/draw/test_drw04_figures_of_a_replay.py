"""DRW04: a replay counts the same thing as the run that it follows: the number of a wish in the family's own list."""

import csv
import io
import json
import zipfile

from tests.support.prepared import prepared


@prepared
def after_the_answers(town):
    """Two hot places, and one for the rest.  Ana and Ben get their first wish, Cui her second, Dan nothing; Ben gives up."""
    town.hot, town.calm = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.hot]) for name in ("安娜", "本本"))
    town.cui = town.child("翠翠", wishes=[town.hot, town.calm])
    town.dan = town.child("丹丹", wishes=[town.hot, town.calm])
    town.first = town.drawn(town.ana, town.ben, town.cui, town.dan)
    town.confirm(town.ana)
    town.confirm(town.cui)  # for good: she does not wait for the hot one
    town.decline(town.ben)
    return town


def summary_in_bundle(run) -> dict:
    with zipfile.ZipFile(io.BytesIO(run.bundle)) as archive:
        return json.loads(archive.read("result/summary.json"))


def test_drw04_a_confirmed_second_wish_stays_a_second_wish(after_the_answers):
    town = after_the_answers
    first, replay = town.first, town.replay()
    assert first.summary["by_rank"] == {"1": 2, "2": 1}
    assert replay.summary["by_rank"] == {"1": 2, "2": 1}, "Dan took Ben's place; Cui's stays her second wish"
    assert summary_in_bundle(replay)["by_rank"] == replay.summary["by_rank"]
    assert (town.place_of(town.dan), town.place_of(town.cui)) == (town.hot, town.calm)
    with zipfile.ZipFile(io.BytesIO(replay.bundle)) as archive:
        wishes = list(csv.DictReader(io.StringIO(archive.read("market/wishes.csv").decode())))
    assert [row["rank"] for row in wishes if row["child"] == town.cui.child_code] == ["2"]


def test_drw04_areas_tiers_and_twins_count_the_same_in_a_run_and_its_replay(after_the_answers):
    town = after_the_answers
    town.replay_run = town.replay()
    before, after = town.first.summary, town.replay_run.summary
    assert before["by_tier"] == {"5": {"children": 4, "placed": 3, "first": 2}}
    assert after["by_tier"] == {"5": {"children": 3, "placed": 3, "first": 2}}
    assert before["by_area"] == {"510104": {"children": 4, "placed": 3, "first": 2}}
    assert after["by_area"] == {"510104": {"children": 3, "placed": 3, "first": 2}}
    assert {"by_area", "by_tier"}.isdisjoint(summary_in_bundle(town.replay_run)), "nobody can count them from the file"
    assert after["multiples"]["single"] == {"children": 3, "placed": 3, "first_wish": 2}


def test_drw04_the_area_of_a_confirmed_child_is_that_of_its_first_wish(town):
    town.area("510105")
    hot, far = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1, area="510105")
    ana, ben = town.child("安娜", wishes=[hot, far]), town.child("本本", wishes=[hot, far])
    cui = town.child("翠翠", wishes=[hot])
    first = town.drawn(ana, ben, cui)
    assert first.summary["by_area"] == {"510104": {"children": 3, "placed": 2, "first": 1}}
    town.confirm(ben)
    town.decline(ana)
    assert town.replay().summary["by_area"] == {"510104": {"children": 2, "placed": 2, "first": 1}}


def test_drw04_bound_twins_keep_their_rank(town):
    hot, calm = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana, ben = town.child("安娜", wishes=[hot]), town.child("本本", wishes=[hot])
    an, ning = town.twins("安安", "宁宁", wishes=[hot, calm])
    first = town.drawn(ana, an, ben)
    assert first.summary["multiples"]["bound"] == {"children": 2, "placed": 2, "first_wish": 0}
    town.confirm(an)
    town.decline(ana)
    replay = town.replay()
    assert replay.summary["multiples"]["bound"] == {"children": 2, "placed": 2, "first_wish": 0}
    assert town.place_of(ben) == hot and town.place_of(ning) == calm
