"""The screen of a hall: each scene says what happens in the draw, in both languages, and no result before the hour."""

import datetime as dt
import itertools
import json
import re

import pytest
from bs4 import BeautifulSoup

from enrollment.draw import runs
from enrollment.draw.publication import hours
from enrollment.draw.seed import seeding
from enrollment.results import hall
from enrollment.results.hall import Progress, Scene
from portal.demo.actors import simulated_witnesses
from tests.support.signing_in import sign_in
from tests.support.statements import counted

SECOND = dt.timedelta(seconds=1)
BEACON, CEREMONY = "3 8 14 21 27 30 + 6", "4 2 6 1 0 9"


@pytest.fixture
def room(town, client, frozen_clock):
    """Seven children wish for three places; an official has the screen open."""
    garden = town.kindergarten("金苹果", places=3)
    town.children = [town.child(f"小{sign}", wishes=[garden]) for sign in "甲乙丙丁戊己庚"]
    town.everyone_is_reviewed()
    town.session.commit()
    frozen_clock.set(town.now)
    town.screen = sign_in(client, town.city_pair()[0].account_id)
    town.address = f"/officials/2026/rounds/{town.the_round.id}/projector"
    return town


def look(town, frozen_clock, scene: str, language: str = "zh") -> BeautifulSoup:
    town.session.commit()
    if frozen_clock.now < town.now:
        frozen_clock.set(town.now)
    answer = town.screen.get(f"{town.address}/{scene}?lang={language}")
    assert answer.status_code == 200, answer.text
    assert "%(" not in answer.text
    return BeautifulSoup(answer.text, "lxml")


def at(town) -> str:
    town.session.commit()
    return town.screen.get(town.address).location.rpartition("/")[2]


def test_the_commitment_stands_in_eight_numbered_groups(room, another_client, frozen_clock):
    assert at(room) == Scene.COMMITMENT
    room.the_round.name = "2026 年秋季第一批"
    page = look(room, frozen_clock, "commitment")
    assert page.h1.text == "名单还没有封好"
    assert page.header.p.text == "成都市 2026 年秋季第一批 · 公开派位", "the year is said once"
    room.the_round.name = "第一批"
    assert look(room, frozen_clock, "commitment").header.p.text == "成都市 2026 年第一批 · 公开派位"
    frozen = room.freeze()
    page = look(room, frozen_clock, "commitment")
    assert [each.text for each in page.select(".groups li")] == re.findall("." * 8, frozen.commitment)
    assert page.h1.text == "名单已经封好"
    assert at(room) == Scene.BEACON
    assert look(room, frozen_clock, "commitment", "en").h1.text == "The list is sealed"
    assert room.screen.get(f"{room.address}/nonsense").status_code == 404
    family = sign_in(another_client(), room.parent_of(room.children[0]).account_id)
    assert family.get(f"{room.address}/commitment").status_code in (403, 404)


def test_one_entry_is_sealed_until_the_other_is_there(room, frozen_clock, monkeypatch):
    room.freeze()
    room._a_minute_later()
    pair = room.city_pair()
    entered = []

    def only_once(session, token, value, **more):
        if not entered:
            entered.append(value)
            return real(session, token, value, **more)
        return None

    real = simulated_witnesses.seed_entries.enter
    monkeypatch.setattr(simulated_witnesses.seed_entries, "enter", only_once)
    simulated_witnesses.enter(room.session, room.the_round.id, pair, values={"ceremony": CEREMONY}, now=room.now)
    page = look(room, frozen_clock, "ceremony")
    assert "已录入，等另一位" in page.main.text
    assert CEREMONY not in page.main.text and not page.select(".balls")


def test_entries_that_agree_and_the_seed_from_its_parts(room, frozen_clock):
    room.freeze()
    room.witness(BEACON, CEREMONY)
    page = look(room, frozen_clock, "ceremony")
    assert CEREMONY in page.select_one(".verdict.ok").text
    assert [each["aria-label"] for each in page.select(".witnesses .balls")] == [CEREMONY, CEREMONY]
    assert at(room) == Scene.SEED
    before = look(room, frozen_clock, "seed")
    parts = json.loads(before.select_one("[data-parts]")["data-parts"])
    assert (parts["beacon"], parts["ceremony"]) == (BEACON, CEREMONY)
    shown = "".join(before.select_one("[data-seed]").text.split())
    draw = seeding.set_seed(room.session, 2026, by=room.city_pair()[0], now=room.now)
    assert shown == draw.seed
    assert look(room, frozen_clock, "seed").h1.text == "种子公布了"


def test_a_failed_run_stops_everything_and_shows_no_finding(room, frozen_clock):
    room.freeze()
    room.seed()
    assert look(room, frozen_clock, "checks").select(".checks > .done") == []
    run = runs.start(room.session, room.the_round.id, by=room.city_pair()[0], now=room.now)
    run.state, run.error = "failed", "capacities: programme 3\ncutoffs: pool 1"
    page = look(room, frozen_clock, "checks")
    assert page.h1.text == "核验没有通过，全部停下"
    assert len(page.select(".checks > .fault")) == 2 and "programme 3" not in page.text


def test_the_signatures_come_last_and_the_hour_counts_down(room, frozen_clock):
    room.freeze()
    room.seed()
    run = room.run()
    page = look(room, frozen_clock, "checks")
    assert len(page.select(".checks > .done")) == len(page.select(".checks > li")) == 11
    assert len(page.select(".run > .done")) == 5
    with counted(room.session) as statements:
        room.screen.get(f"{room.address}/checks")
    assert len(statements) <= 31, statements
    assert not any("FROM application" in each or "FROM wish_reason" in each for each in statements)
    page = look(room, frozen_clock, "signatures")
    assert "和同一份名单的多次试算比" in page.text and len(page.select(".signers > .todo")) == 2
    assert page.main.find_all(recursive=False)[-1]["class"] == ["signers"]
    room.sign(run)
    page = look(room, frozen_clock, "signatures")
    assert [each.b.text for each in page.select(".signers > .done")] == [
        name for name, _at in runs.signers(room.session, run)
    ]
    hour = hours.publication_of(room.session, run.id).hour
    frozen_clock.set(hour - dt.timedelta(hours=1, minutes=2, seconds=3))
    page = look(room, frozen_clock, "hour")
    assert page.select_one("[data-until]").text == "01:02:03"
    assert int(page.select_one("[data-until]")["data-until"]) == int(hour.timestamp() * 1000)


def test_drw05_no_scene_tells_a_child_or_a_count_before_the_hour(room, frozen_clock):
    """Seven children, three places: until the hour the screen has none of these numbers, and no code or name."""
    room.freeze()
    room.seed()
    run = room.run()
    room.sign(run)
    room.session.commit()
    frozen_clock.set(hours.publication_of(room.session, run.id).hour - SECOND)
    codes = {each.child_code for each in room.children} | {each.registration_code for each in room.children}
    for scene, language in itertools.product(Scene, ("zh", "en")):
        page = look(room, frozen_clock, scene, language)
        said = page.text
        assert not page.select(".figures"), scene
        assert not any(code in said for code in codes), scene
        assert not re.search(r"小[甲乙丙丁戊己庚]|金苹果|[437] ?个孩子|\b[437] child", said), scene
    frozen_clock.set(hours.publication_of(room.session, run.id).hour)
    room.at(frozen_clock.now)
    room.open(run)
    page = look(room, frozen_clock, "hour")
    assert [each.text for each in page.select(".figures b")] == ["3", "3", "4", "0"]
    shown = hall.of_round(room.session, room.the_round, now=room.now)
    assert {shown.progress_of(scene) for scene in shown.scenes} == {Progress.DONE}
