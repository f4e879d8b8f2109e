"""The draw room in the browser of two officials, from review to the published result."""

import datetime as dt

from bs4 import BeautifulSoup
from sqlalchemy import func, select

from enrollment.draw import draw_rooms, runs
from enrollment.draw.central import central_runs
from enrollment.draw.publication import hours, preparation
from enrollment.eligibility.households import Household
from enrollment.ground import jobs
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.outbox import Notice
from enrollment.offers import answer_deadlines
from tests.support.prepared import prepared
from tests.support.signing_in import choices_of, fill_in, hidden_fields, sign_in
from tests.support.worker import let_the_worker_work


@prepared
def submitted_town(town, frozen_clock):
    jinpingguo = town.kindergarten("金苹果", places=2)
    mudan = town.kindergarten("牡丹", places=1)
    for name in ("安娜", "本本", "翠翠", "丁丁"):
        town.child(name, wishes=[jinpingguo, mudan])
    town.close_registration()
    frozen_clock.set(town.now)
    town.session.commit()
    return town


@prepared
def officials(client, another_client, submitted_town):
    first, second = submitted_town.city_pair()
    return sign_in(client, first.account_id), sign_in(another_client(), second.account_id)


def review_everybody(town, clock):
    town.everyone_is_reviewed()
    town.session.commit()
    clock.set(town.now)


def at_the_hour(town, clock) -> None:
    town.session.expire_all()
    town.at(hours.hour_of(town.session, town.the_round))
    clock.set(town.now)


def worker(town, clock) -> list[str]:
    """What the worker makes of what was asked on the page."""
    came_of_it = let_the_worker_work(town.session.get_bind(), clock)
    town.session.expire_all()
    return came_of_it


def declare_form(client, town, clock) -> None:
    """The page's suggestion, with a beacon of the next minute."""
    page = f"/officials/2026/rounds/{town.the_round.id}/draw-form"
    beacon_at = (clock.now + dt.timedelta(minutes=30)).astimezone(CHENGDU)
    fields = shown_fields(client.get(page).text) | {"published_at": f"{beacon_at:%Y-%m-%dT%H:%M}"}
    assert fill_in(client, page, **fields).status_code == 303


def shown_fields(html: str) -> dict[str, str]:
    """What a form shows before anybody types."""
    form = BeautifulSoup(html, "lxml").select_one("main form")
    typed = {each["name"]: each.get("value", "") for each in form.select("input[type=text], input[type=number]")}
    return typed | {each["name"]: each["value"] for each in form.select("input[type=radio][checked]")}


def witnesses_enter(town, clock) -> None:
    town.at(clock.now)
    town.witness()
    town.session.commit()
    clock.set(town.now)


def newest_run(town):
    return runs.of_round(town.session, town.the_round.id)[0]


def waiting_for(client) -> list[str]:
    """What this official's first page says is waiting."""
    return [one.get_text() for one in BeautifulSoup(client.get("/officials/2026").text, "lxml").select(".tasks a")]


def test_the_home_page_links_to_each_next_step_once(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    room, round_ = f"/officials/2026/rounds/{town.the_round.id}/draw", f"/officials/2026/rounds/{town.the_round.id}"
    review_everybody(town, frozen_clock)
    assert "冻结" in waiting_for(first)[0]
    declare_form(first, town, frozen_clock)
    fill_in(first, room, f"{round_}/freeze")
    assert "进度" in waiting_for(second)[0] and len(waiting_for(second)) == 1
    assert worker(town, frozen_clock) == ["done"]
    assert "见证人" in waiting_for(second)[0]
    frozen_clock.move(hours=2)
    witnesses_enter(town, frozen_clock)
    fill_in(first, room, f"{round_}/seed")
    assert "进度" in waiting_for(second)[0]
    worker(town, frozen_clock)
    assert "开始" in waiting_for(second)[0]
    run_address = fill_in(first, room, f"{round_}/runs").headers["Location"]
    assert "进度" in waiting_for(second)[0]
    worker(town, frozen_clock)
    fill_in(first, run_address, f"{run_address}/sign", read=choices_of(first, run_address, "read"))
    assert waiting_for(first) == [] and "签署" in waiting_for(second)[0]
    fill_in(second, run_address, f"{run_address}/sign", read=choices_of(second, run_address, "read"))
    assert "进度" in waiting_for(first)[0]
    worker(town, frozen_clock)
    assert waiting_for(first) == waiting_for(second) == []


def here_in(page) -> list[str]:
    """The sections that the navigation marks as the place of this page."""
    return [link.get_text() for link in BeautifulSoup(page.text, "lxml").select(".desks a[aria-current]")]


def test_a_form_that_is_declared_after_the_freeze_is_said_to_count_for_the_next_one(
    officials, submitted_town, frozen_clock
):
    town, official = submitted_town, officials[0]
    page, fixed = f"/officials/2026/rounds/{town.the_round.id}/draw-form", "只用于下一次冻结"
    assert fixed not in official.get(page).text
    town.everyone_is_reviewed()
    town.freeze()
    town.session.commit()
    frozen_clock.set(town.now)
    assert fixed in official.get(page).text
    beacon_at = (town.now + dt.timedelta(minutes=30)).astimezone(CHENGDU)
    fields = shown_fields(official.get(page).text) | {"published_at": f"{beacon_at:%Y-%m-%dT%H:%M}"}
    saved = fill_in(official, page, **fields)
    assert saved.status_code == 303
    assert fixed in official.get(saved.headers["Location"]).text


def test_the_pages_of_a_draw_stand_in_the_section_of_the_draw(officials, submitted_town):
    round_ = f"/officials/2026/rounds/{submitted_town.the_round.id}"
    for path in ("draw", "draw-form"):
        assert here_in(officials[0].get(f"{round_}/{path}")) == ["审核和派位", "抽签与派位"]
    for path in ("", "/extend"):
        assert here_in(officials[0].get(round_ + path)) in (["招生准备", "批次"], [])


def test_a_draw_whose_time_has_come_says_so_in_the_calendar(officials, submitted_town, frozen_clock):
    town = submitted_town
    [draw] = [date for date in town.the_season.dates if date.step == "draw"]
    frozen_clock.set(draw.begins_at + dt.timedelta(hours=1))
    for path in ("/officials/2026", "/officials/2026/season"):
        page = officials[0].get(path).text
        assert "时间已到，还没有做" in page
        assert "时间另行公布" not in page  # the public's words, which tell nobody what to do


def test_the_draw_room_from_review_to_the_published_result(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    room = f"/officials/2026/rounds/{town.the_round.id}/draw"
    page = first.get(room)
    assert "还不能冻结" in page.text and "金苹果 <b" in page.text
    review_everybody(town, frozen_clock)

    freeze = f"/officials/2026/rounds/{town.the_round.id}/freeze"
    assert "还没有公布抽签的形式" in fill_in(first, room, freeze).text
    declare_form(first, town, frozen_clock)
    assert "6 个 1–33 的数、不重复、按从小到大；再加 1 个 1–16 的数" in first.get(f"/draws/{town.the_round.id}").text
    assert fill_in(first, room, freeze).status_code == 303
    page = first.get(room).text
    assert "正在冻结名单" in page and "等待后台接手" in page and "刷新" in page and "/freeze" not in page
    assert first.get(f"{room}/progress.json").json["state"] == "waiting"
    worker(town, frozen_clock)
    assert first.get(f"{room}/progress.json").json["state"] == "done"
    page = first.get(room).text
    assert "中国福利彩票双色球" in page and "名单已冻结，存证已公布。" in page
    frozen_clock.move(hours=2)
    seed = f"/officials/2026/rounds/{town.the_round.id}/seed"
    hidden = hidden_fields(first.get(room).text)
    assert "还没有录齐" in first.post(seed, data={**hidden, "beacon": "1 2 3", "ceremony": "4 5"}).text
    witnesses_enter(town, frozen_clock)
    assert fill_in(first, room, seed).status_code == 303
    assert "正在公布种子" in first.get(room).text
    worker(town, frozen_clock)
    assert "种子已公布，每个孩子都有了派位号。" in first.get(room).text

    started = fill_in(first, room, f"/officials/2026/rounds/{town.the_round.id}/runs")
    run_address = started.headers["Location"]
    assert "等待后台接手" in first.get(run_address).text
    assert first.get(f"{run_address}/progress.json").json["state"] == "waiting"
    worker(town, frozen_clock)
    run = newest_run(town)

    page = first.get(run_address)
    assert run.digest in page.text and "同样的结果" in page.text
    fill_in(first, run_address, f"{run_address}/sign", read=choices_of(first, run_address, "read"))
    assert "您已签署" in first.get(run_address).text
    fill_in(second, run_address, f"{run_address}/sign", read=choices_of(second, run_address, "read"))
    page = second.get(run_address).text
    assert "正在准备公布" in page and "搁置" not in page
    worker(town, frozen_clock)
    for page in (second.get(run_address).text, second.get(room).text):
        assert "已封存，6月5日" in page and "搁置" in second.get(run_address).text
    assert town.offer_for(town.everybody()[0]) is None
    at_the_hour(town, frozen_clock)
    assert worker(town, frozen_clock) == ["done"]
    assert "已公布" in second.get(run_address).text
    town.session.expire_all()
    assert runs.one(town.session, run.id).state == "published"
    assert town.taken_at(town.kindergartens_by_name("金苹果")[0]) == 2

    public = another_public(second, town)
    assert "3 8 14 21 27 30 + 6" in public and "公证员甲" in public and "安娜" not in public


def test_a_second_click_and_a_stale_page_freeze_nothing_twice(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    room, freeze = (f"/officials/2026/rounds/{town.the_round.id}/{name}" for name in ("draw", "freeze"))
    review_everybody(town, frozen_clock)
    declare_form(first, town, frozen_clock)
    stale, mine = (hidden_fields(client.get(room).text, freeze) for client in (second, first))
    assert [first.post(freeze, data=mine).status_code for _ in range(2)] == [303, 303]
    busy = second.post(freeze, data=stale)
    assert "后台正在处理这一批" in busy.text and "正在冻结名单" in busy.text
    assert worker(town, frozen_clock) == ["done"]
    late = second.post(freeze, data={**stale, "idempotency_key": "another"})
    assert "名单刚刚已经冻结（第 1 次）" in late.text and "中国福利彩票双色球" in late.text
    assert worker(town, frozen_clock) == []
    numbers = [each.number for each in draw_rooms.of_round(town.session, town.the_round.id).snapshots]
    assert numbers == [1]


def to_the_second_signature(officials, town, clock) -> str:
    """The address of a run that two people signed and that the worker has not published yet."""
    review_everybody(town, clock)
    town.freeze()
    town.seed()
    town.run()
    town.session.commit()
    clock.set(town.now)
    assert worker(town, clock) == ["refused"], "the run is over already"
    address = f"/officials/2026/draws/runs/{newest_run(town).id}"
    for client in officials:
        assert fill_in(client, address, f"{address}/sign", read=choices_of(client, address, "read")).status_code == 303
    return address


def to_the_second_signature_of_a_replay(officials, town, clock):
    """The address of a replay that two people signed, and a family that it would give a place."""
    review_everybody(town, clock)
    town.drawn()
    placed = [child for child in town.everybody() if town.place_of(child)]
    (waiting,) = [child for child in town.everybody() if child not in placed]
    town.decline(placed[0])
    for child in placed[1:]:
        town.confirm(child)
    run = town.replay(sign=False)
    town.session.commit()
    clock.set(town.now)
    worker(town, clock)
    address = f"/officials/2026/draws/runs/{run.id}"
    for client in officials:
        assert fill_in(client, address, f"{address}/sign", read=choices_of(client, address, "read")).status_code == 303
    return address, waiting


def test_what_is_refused_only_by_the_worker_is_told_with_the_next_step(officials, submitted_town, frozen_clock):
    (first, _second), town = officials, submitted_town
    address, moved_up = to_the_second_signature_of_a_replay(officials, town, frozen_clock)
    town.withdraw_after_the_draw(moved_up)
    town.session.commit()
    assert worker(town, frozen_clock) == ["done"]
    at_the_hour(town, frozen_clock)
    worker(town, frozen_clock)
    page = first.get(address).text
    assert "没有公布" in page and "签署以后，有家庭的学位或申请变了" in page
    assert "没有公布" in waiting_for(first)[0]
    assert "Families answered or withdrew after the signatures" in first.get(f"{address}?lang=en").text
    told = select(func.count()).where(Notice.kind == "publication_refused")
    assert town.session.scalar(told) >= 2
    again = fill_in(first, f"{address}?lang=zh", f"{address}/prepare")
    assert again.status_code == 303
    worker(town, frozen_clock)
    early = fill_in(first, address, f"{address}/set-aside", reason="有家庭撤回")
    assert early.status_code == 200, "in the minutes in which the clock opens it nobody sets it aside"
    frozen_clock.move(minutes=11)
    assert fill_in(first, address, f"{address}/set-aside", reason="有家庭撤回").status_code == 303
    assert "没有公布" not in first.get(f"/officials/2026/rounds/{town.the_round.id}/draw").text
    assert newest_run(town).state == "set_aside"


def test_places_that_are_gone_refuse_the_second_signature_at_once(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    review_everybody(town, frozen_clock)
    town.freeze()
    town.seed()
    town.run()
    town.session.commit()
    frozen_clock.set(town.now)
    worker(town, frozen_clock)
    address = f"/officials/2026/draws/runs/{newest_run(town).id}"
    fill_in(first, address, f"{address}/sign", read=choices_of(first, address, "read"))
    town.change_places(town.programme_of(town.kindergartens_by_name("金苹果")[0]), places=1)
    town.session.commit()
    refused = fill_in(second, address, f"{address}/sign", read=choices_of(second, address, "read"))
    assert "有 1 所幼儿园的学位数在派位之后变了" in refused.text
    assert worker(town, frozen_clock) == []
    assert len(runs.signed_by(town.session, newest_run(town))) == 1


def test_what_the_worker_could_not_do_is_said_and_asked_again(officials, submitted_town, frozen_clock, monkeypatch):
    (first, second), town = officials, submitted_town
    address = to_the_second_signature(officials, town, frozen_clock)

    def breaks(*_args, **_more):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(preparation, "write_notices", breaks)
        for _ in range(jobs.MOST_ATTEMPTS):
            assert worker(town, frozen_clock) == ["failed"]
            frozen_clock.move(minutes=2)  # it is tried again after a growing wait
    page = first.get(address).text
    assert "后台试了几次都没有做成" in page and "OSError at breaks" in page and "disk" not in page
    assert town.offer_for(town.everybody()[0]) is None
    fill_in(second, address, f"{address}/prepare")
    assert worker(town, frozen_clock) == ["done"]
    at_the_hour(town, frozen_clock)
    assert worker(town, frozen_clock) == ["done"]
    assert newest_run(town).state == "published"


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
    room = f"/officials/2026/rounds/{town.the_round.id}"
    page = client.get(f"{room}/draw")
    assert page.status_code == 200 and "/freeze" not in page.text
    token = BeautifulSoup(page.text, "lxml").select_one("input[name=csrf_token]")["value"]
    forced = client.post(f"{room}/freeze", data={"csrf_token": token})
    assert forced.status_code == 403
    town.session.refresh(town.the_round)
    assert town.the_round.stage == "closed"


def test_a_replay_is_asked_for_and_begun_by_the_worker(officials, submitted_town, frozen_clock):
    (first, second), town = officials, submitted_town
    review_everybody(town, frozen_clock)
    town.drawn()
    town.session.commit()
    frozen_clock.set(town.now)
    worker(town, frozen_clock)
    room, replay = (f"/officials/2026/rounds/{town.the_round.id}/{name}" for name in ("draw", "replay"))
    assert "还有 3 个家庭可以答复" in fill_in(first, room, replay).text
    for child in town.everybody():
        if town.offer_for(child):
            town.confirm(child)
    town.session.commit()
    stale = hidden_fields(second.get(room).text, replay)
    fill_in(first, room, replay)
    assert "正在准备递补" in first.get(room).text
    assert "后台正在处理这一批" in second.post(replay, data=stale).text
    assert worker(town, frozen_clock) == ["refused"]
    page = first.get(room).text
    assert "递补没有开始" in page and "现在没有可以递补的空学位" in page
    given_up = next(child for child in town.everybody() if town.place_of(child))
    town.decline(given_up)
    town.session.commit()
    fill_in(first, room, replay)
    assert worker(town, frozen_clock) == ["done"]
    assert "递补正在进行，看进度" in first.get(room).text
    assert worker(town, frozen_clock) == ["done"]
    assert newest_run(town).state == "checked" and newest_run(town).replays is not None


def test_a_replay_is_asked_for_once_silence_is_an_answer_and_says_what_it_hands_on(
    officials, submitted_town, frozen_clock
):
    (first, _second), town = officials, submitted_town
    review_everybody(town, frozen_clock)
    town.drawn()
    placed = [child for child in town.everybody() if town.place_of(child)]
    reminded_late, gives_up, *others = placed
    for child in others:
        town.confirm(child)
    town.decline(gives_up)
    town.session.commit()
    frozen_clock.set(town.offer_for(reminded_late).answer_by)
    room = f"/officials/2026/rounds/{town.the_round.id}/draw"
    refused = fill_in(first, room, f"/officials/2026/rounds/{town.the_round.id}/replay")
    assert "还有 1 个家庭可以答复（没有收到提醒的家庭多给一天）" in refused.text
    town.session.expire_all()
    due = town.offer_for(reminded_late).answer_by
    assert due > frozen_clock.now, "the day more stands, though the replay was refused"
    assert f"家庭在 {due.astimezone(CHENGDU):%-m月%-d日 %H:%M} 前确认" in refused.text
    assert waiting_for(first) == []
    frozen_clock.set(due)
    assert waiting_for(first) == ["递补“主批次”空出的学位"]
    answer_deadlines.expire_due(town.session, now=due)
    town.at(due)
    run = town.replay(sign=False)
    town.session.commit()
    page = BeautifulSoup(first.get(f"/officials/2026/draws/runs/{run.id}").text, "lxml")
    assert "递补（第 2 次派位）" in page.main.get_text()
    assert run.summary["replay"] == {"gained": 1, "moved": 0}
    assert "新得到学位的孩子1" in "".join(page.main.get_text().split())
    assert waiting_for(first) == ["签署“主批次”的派位结果"]


def test_unplaced_children_are_listed_by_code_and_area(officials, submitted_town, frozen_clock):
    town, (first, _second) = submitted_town, officials
    review_everybody(town, frozen_clock)
    town.drawn()
    town.session.commit()
    frozen_clock.set(town.now)
    page = first.get("/officials/2026/unplaced").text
    assert "共 1 个孩子" in page
    left = next(child for child in town.everybody() if town.offer_for(child) is None)
    assert left.registration_code in page
    assert all(child.child.name not in page for child in town.everybody())
    assert first.get("/officials/2026/unplaced?lang=en&area=510104").status_code == 200
    assert first.get("/officials/2026/draws").status_code == 200


def test_central_placement_is_computed_read_signed_and_sent_at_the_hour(officials, town, submitted_town, frozen_clock):
    (first, second) = officials
    review_everybody(town, frozen_clock)
    town.drawn()
    for child in town.everybody():
        if town.offer_for(child):
            town.confirm(child)
    town.session.commit()
    frozen_clock.set(town.now)
    nobody = fill_in(first, "/officials/2026/unplaced", "/officials/2026/unplaced/central")
    assert "现在没有可以统筹安排的孩子或空学位" in nobody.text
    place = town.kindergarten("海棠", places=1, longitude=104.11, latitude=30.60)
    left = next(child for child in town.everybody() if town.offer_for(child) is None)
    household = town.session.get(Household, left.id)
    household.home_longitude, household.home_latitude = 104.10, 30.60
    town.session.commit()
    started = fill_in(first, "/officials/2026/unplaced", "/officials/2026/unplaced/central")
    assert started.status_code == 303
    address = started.headers["Location"]
    worker(town, frozen_clock)
    page = first.get(address).text
    assert "1.0 公里" in page and "对两个占比的影响" in page and "不能再多" in page
    everything = first.get(f"/officials/2026/unplaced/central/{address.rsplit('/', 1)[1]}?q=海棠").text
    assert left.registration_code in everything and left.child.name not in everything
    for client in (first, second):
        assert fill_in(client, address, f"{address}/sign", read=choices_of(client, address, "read")).status_code == 303
    worker(town, frozen_clock)
    town.session.expire_all()
    assert town.place_of(left) is None
    run = central_runs.newest_run(town.session, 2026)
    town.at(hours.publication_of(town.session, run.id).hour)
    frozen_clock.set(town.now)
    assert worker(town, frozen_clock) == ["done"]
    assert town.place_of(left) == place
    assert second.get(address).status_code == first.get("/officials/2026/unplaced?lang=en").status_code == 200


def test_before_the_freeze_the_room_names_kindergartens_that_close(officials, submitted_town, frozen_clock):
    town, (first, _second) = submitted_town, officials
    room = f"/officials/2026/rounds/{town.the_round.id}/draw"
    (mudan,) = town.kindergartens_by_name("牡丹")
    mudan.closed_on = dt.date(2026, 7, 31)
    review_everybody(town, frozen_clock)
    assert "入园前停办的幼儿园不给出学位：牡丹。" in first.get(room).text
    assert "give no places: 牡丹" in first.get(f"{room}?lang=en").text
