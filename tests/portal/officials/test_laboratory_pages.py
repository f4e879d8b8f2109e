"""The policy laboratory at the desk: a study is made, drawn by the worker, read, downloaded and printed; it changes no rule."""

import csv
import io

from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.laboratory.study_rows import LaboratoryStudy, LaboratoryVariant
from tests.support.crowd import crowd
from tests.support.prepared import prepared
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.worker import let_the_worker_work

LIST = "/officials/2026/laboratory"


@prepared
def desk(client, town):
    hot, quiet = town.kindergarten("锦官", places=40), town.kindergarten("青羊", places=60)
    town.open_registration()
    crowd(town, 90, hot, quiet)
    crowd(town, 30, quiet)
    people = {
        name: town.account_of_staff(name, name, role, **scope)
        for name, role, scope in (
            ("city", "city_official", {}),
            ("area", "area_official", {"area_code": "510104"}),
        )
    }
    town.session.commit()
    return lambda name: sign_in(client, people[name])


def soup(client, address, **query):
    return BeautifulSoup(client.get(address, query_string=query).text, "lxml")


def send(client, page, action, **typed):
    token = soup(client, page).select_one('input[name="csrf_token"]')["value"]
    return client.post(action, data={"csrf_token": token} | typed)


def new_study(client, town, **more):
    typed = {
        "name": "报一所还是排序",
        "round_id": str(town.the_round.id),
        "comparison": "one_wish",
        "draws": "30",
    } | more
    return send(client, LIST, LIST, **typed)


def press(client, page, act):
    form = soup(client, page).select_one(f'form[action$="{act}"]')
    return client.post(form["action"], data={each["name"]: each["value"] for each in form.select("input")})


def test_a_study_from_its_question_to_the_file(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = new_study(city, town).headers["Location"]
    assert "还没有抽" in city.get(LIST).text
    added = send(
        city, f"{page}/variants/new", f"{page}/variants/new", version="1", name="片区先派", method="ranked", wishes="3",
        phases="2", tiers="1，1", ground="", ground_tier="1", reserve="first", reserve_ground="service_area",
        reserve_percent="40", pair_rule="", numbers="one", moved="",
    )  # fmt: skip
    assert added.status_code == 303
    assert press(city, page, "/draw").status_code == 303
    running = soup(city, page)
    assert running.select_one("[data-progress]") and "停止" in running.text
    assert city.get(f"{page}/progress.json").json["state"] == "running"
    assert let_the_worker_work(portal_engine, frozen_clock, ("draw_laboratory",)) == ["done"]
    assert city.get(f"{page}/progress.json").json["state"] == "done"
    for language, said in (("zh", "谁变好、谁变差"), ("en", "who gains and who loses")):
        text = city.get(page, query_string={"lang": language}).text
        assert said in text
    shown = soup(city, page, lang="zh")
    own = next(row for row in shown.select("table.measures tr") if "按自家志愿入园" in row.text)
    assert len(own.select("td")) == 5 and "—" not in own.text
    moved = next(row for row in shown.select("table.measures tr") if "比 A 变好、变差的孩子" in row.text)
    found = town.session.scalars(select(LaboratoryVariant).order_by(LaboratoryVariant.number))
    of_all = [row.result["groups"][0] if row.result["groups"] else ["all", 0, None, None] for row in found]
    assert [cell.text.split() for cell in moved.select("td")] == [
        ["—"] if gain is None else [str(gain), "变好", str(lose), "变差"] for _code, _n, gain, lose in of_all
    ]
    assert shown.select_one("svg.behaviour") and shown.select_one(".verdict")
    rows = list(csv.reader(io.StringIO(city.get(f"{page}/figures.csv").data.decode("utf-8-sig"))))
    told = next(row for row in rows if row[1] == "按自家志愿入园" and row[2].startswith("A "))
    assert f"{float(told[3]):.1f}" == own.select_one("td b").text.strip().split()[0]  # the file says what the page says
    assert city.get(f"{page}/figures.xlsx").data[:2] == b"PK"
    assert desk("area").get(page).status_code == 200


def test_what_was_typed_stays_and_the_fault_stands_at_its_field(desk, town):
    city = desk("city")
    refused = new_study(city, town, draws="5")
    assert refused.status_code == 200 and "报一所还是排序" in refused.text
    assert "govuk-form-group--error" in refused.text
    page = new_study(city, town).headers["Location"]
    typed = {
        "version": "1", "name": "加学位", "method": "ranked", "wishes": "", "phases": "2", "tiers": "1, x", "ground": "",
        "ground_tier": "1", "reserve": "plan", "reserve_ground": "service_area", "reserve_percent": "50",
        "pair_rule": "", "numbers": "one", "moved": "5101 ten",
    }  # fmt: skip
    wrong = BeautifulSoup(send(city, f"{page}/variants/new", f"{page}/variants/new", **typed).text, "lxml")
    assert wrong.select_one("#tiers-error") and wrong.select_one("#moved-error")
    assert wrong.select_one("#name")["value"] == "加学位" and "5101 ten" in wrong.select_one("#moved").text


def test_a_variant_that_the_round_cannot_have_is_told_on_the_page(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = new_study(city, town).headers["Location"]
    study = town.session.scalars(select(LaboratoryStudy)).one()
    study.variants[1].variant = study.variants[1].variant | {"moved": [["nowhere", 3]]}
    town.session.commit()
    press(city, page, "/draw")
    let_the_worker_work(portal_engine, frozen_clock, ("draw_laboratory",))
    assert "这个批次没有班级 nowhere" in city.get(page).text


def test_an_area_official_reads_and_changes_nothing(desk, town):
    page = new_study(desk("city"), town).headers["Location"]
    area = desk("area")
    assert "开始抽" not in area.get(page).text
    for address in (f"{page}/draw", f"{page}/stop", f"{page}/variants/new", LIST):
        assert send(area, "/officials/2026", address).status_code == 403


def test_a_stopped_study_keeps_what_it_has(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = new_study(city, town).headers["Location"]
    press(city, page, "/draw")
    stale = hidden_fields(city.get(page).text, f"{page}/stop")
    assert press(city, page, "/stop").status_code == 303
    assert let_the_worker_work(portal_engine, frozen_clock, ("draw_laboratory",)) == ["done"]
    assert "中途停止" in city.get(LIST).text and "开始抽" in city.get(page).text
    assert city.post(f"{page}/stop", data=stale).status_code == 303
    assert "来不及停止：已经结束了。" in city.get(page).text
