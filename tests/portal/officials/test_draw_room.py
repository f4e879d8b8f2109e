"""The draw room in the browser of two officials, from review to the published result."""

import pytest
from bs4 import BeautifulSoup

from enrollment.draw import execution, runs
from enrollment.families.households import Household
from tests.support.signing_in import fill_in, sign_in


@pytest.fixture
def submitted_town(town, frozen_clock):
    jinpingguo = town.kindergarten("金苹果", places=2)
    mudan = town.kindergarten("牡丹", places=1)
    for name in ("安娜", "本本", "翠翠", "丁丁"):
        town.child(name, wishes=[jinpingguo, mudan])
    town.close_registration()
    frozen_clock.set(town.now)
    town.session.commit()
    return town


@pytest.fixture
def officials(client, another_client, submitted_town):
    first, second = submitted_town.city_pair()
    return sign_in(client, first.account_id), sign_in(another_client(), second.account_id)


def review_everybody(town, clock):
    town.everyone_is_reviewed()
    town.session.commit()
    clock.set(town.now)


def let_the_engine_work(town, clock):
    """What the worker does with the run that was started on the page."""
    run = runs.of_round(town.session, town.the_round.id)[0]
    execution.execute(town.session, run.id, now=clock.now)
    town.session.commit()
    return run


def waiting_for(client) -> list[str]:
    """What this official's first page says is waiting."""
    return [one.get_text() for one in BeautifulSoup(client.get("/officials/").text, "html5lib").select(".tasks a")]


def test_the_first_page_leads_to_each_next_act_and_asks_nobody_twice(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    room, round_ = f"/officials/rounds/{town.the_round.id}/draw", f"/officials/rounds/{town.the_round.id}"
    review_everybody(town, frozen_clock)
    assert "冻结" in waiting_for(first)[0]
    fill_in(first, room, f"{round_}/freeze", beacon_name="下一期双色球")
    assert "录入" in waiting_for(second)[0]
    frozen_clock.move(hours=2)
    fill_in(first, room, f"{round_}/seed", beacon="01 02 03", ceremony="4 5")
    assert "开始" in waiting_for(second)[0]
    run_address = fill_in(first, room, f"{round_}/runs").headers["Location"]
    assert "进度" in waiting_for(second)[0]
    let_the_engine_work(town, frozen_clock)
    fill_in(first, run_address, f"{run_address}/sign")
    assert waiting_for(first) == [] and "签署" in waiting_for(second)[0]
    fill_in(second, run_address, f"{run_address}/sign")
    assert waiting_for(first) == waiting_for(second) == []


def test_the_room_is_walked_from_review_to_the_published_result(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    room = f"/officials/rounds/{town.the_round.id}/draw"
    page = first.get(room)
    assert "还不能冻结" in page.text and "金苹果 <b" in page.text
    review_everybody(town, frozen_clock)

    answer = fill_in(first, room, f"/officials/rounds/{town.the_round.id}/freeze", beacon_name="下一期双色球")
    assert answer.status_code == 303
    assert "下一期双色球" in first.get(room).text
    frozen_clock.move(hours=2)
    empty = fill_in(first, room, f"/officials/rounds/{town.the_round.id}/seed", beacon="", ceremony=" ")
    assert "请至少录入公开随机数或现场抽签结果中的一项" in empty.text
    fill_in(first, room, f"/officials/rounds/{town.the_round.id}/seed", beacon="01 02 03", ceremony="4 5")

    started = fill_in(first, room, f"/officials/rounds/{town.the_round.id}/runs")
    run_address = started.headers["Location"]
    assert "等待后台接手" in first.get(run_address).text
    assert first.get(f"{run_address}/progress.json").json["state"] == "waiting"
    run = let_the_engine_work(town, frozen_clock)

    page = first.get(run_address)
    assert run.digest in page.text and "同样的结果" in page.text
    fill_in(first, run_address, f"{run_address}/sign")
    assert "您已签署" in first.get(run_address).text
    fill_in(second, run_address, f"{run_address}/sign")
    assert "已公布" in second.get(run_address).text
    town.session.expire_all()
    assert runs.one(town.session, run.id).state == "published"
    assert town.taken_at(town.kindergartens_by_name("金苹果")[0]) == 2

    public = another_public(second, town)
    assert "01 02 03" in public and "安娜" not in public


def another_public(client, town) -> str:
    english = client.get(f"/draws/{town.the_round.id}?lang=en").text
    assert "Where the seed comes from" in english
    return client.get(f"/draws/{town.the_round.id}?lang=zh").text


def test_an_area_official_reads_the_room_and_cannot_act(client, submitted_town, frozen_clock):
    town = submitted_town
    official = town.area_official()
    town.session.commit()
    sign_in(client, official.account_id)
    review_everybody(town, frozen_clock)
    room = f"/officials/rounds/{town.the_round.id}"
    page = client.get(f"{room}/draw")
    assert page.status_code == 200 and "/freeze" not in page.text
    token = BeautifulSoup(page.text, "html5lib").select_one("input[name=csrf_token]")["value"]
    forced = client.post(f"{room}/freeze", data={"csrf_token": token, "beacon_name": "我自己的数"})
    assert forced.status_code == 403
    town.session.refresh(town.the_round)
    assert town.the_round.stage == "closed"


def test_unplaced_children_are_listed_by_code_and_area(officials, submitted_town, frozen_clock):
    town, (first, _second) = submitted_town, officials
    review_everybody(town, frozen_clock)
    town.drawn()
    town.session.commit()
    frozen_clock.set(town.now)
    page = first.get("/officials/unplaced").text
    assert "共 1 个孩子" in page
    left = next(child for child in town.everybody() if town.offer_for(child) is None)
    assert left.registration_code in page
    assert all(child.child.name not in page for child in town.everybody())
    assert first.get("/officials/unplaced?lang=en&area=510104").status_code == 200
    assert first.get("/officials/draws").status_code == 200


def test_central_placement_is_computed_read_and_sent(officials, town, submitted_town, frozen_clock):
    (first, _second) = officials
    review_everybody(town, frozen_clock)
    town.drawn()
    town.session.commit()
    frozen_clock.set(town.now)
    nobody = fill_in(first, "/officials/unplaced", "/officials/unplaced/propose")
    assert "现在没有可以统筹安排的孩子或空学位" in nobody.text
    place = town.kindergarten("海棠", places=1, longitude=104.11, latitude=30.60)
    left = next(child for child in town.everybody() if town.offer_for(child) is None)
    household = town.session.get(Household, left.id)
    household.home_longitude, household.home_latitude = 104.10, 30.60
    town.session.commit()
    assert fill_in(first, "/officials/unplaced", "/officials/unplaced/propose").status_code == 303
    assert "1.0 公里" in first.get("/officials/unplaced").text
    assert fill_in(first, "/officials/unplaced", "/officials/unplaced/send").status_code == 303
    town.session.expire_all()
    assert town.place_of(left) == place
