"""Officials decide on the plans of their area."""

from bs4 import BeautifulSoup

from enrollment.places import ledger, place_plans
from enrollment.places.roll import RollClass
from enrollment.places.roll_changes import counts
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def waiting(town, client):
    """Two kindergartens of an area and one of another ask for a second lower class."""

    class Waiting:
        mine = [town.kindergarten(name, places=25) for name in ("锦官", "三圣")]
        foreign = town.kindergarten("青羊", area="510105", places=25)
        official = town.area_official("510104")

        def places(self, kindergarten):
            town.session.expire_all()
            return town.programme_of(kindergarten).places

    found = Waiting()
    for kindergarten in (*found.mine, found.foreign):
        ledger.propose(
            town.session, town.programme_of(kindergarten).id, by=town.clerk_of(kindergarten), now=town.now,
            reason="新开一个小班", planned_classes=2, staffed_classes=2,
        )  # fmt: skip
    town.session.commit()
    sign_in(client, found.official.account_id)
    return found


def test_an_official_sees_the_plans_of_the_own_area(waiting, client):
    page = client.get("/officials/2026/places")
    assert "等待审批 2 所" in page.text
    assert "青羊" not in page.text.replace("青羊区", "")
    assert client.get("/officials/2026/places?lang=en").status_code == 200


def test_one_plan_is_approved(waiting, client):
    path = f"/officials/2026/places/{waiting.mine[0].id}"
    assert "新开一个小班" in client.get(path).text
    assert fill_in(client, path, f"{path}/approve").status_code == 303
    assert waiting.places(waiting.mine[0]) == 50
    assert waiting.places(waiting.mine[1]) == 25


def test_one_plan_is_sent_back_with_a_reason(town, waiting, client):
    path = f"/officials/2026/places/{waiting.mine[0].id}"
    assert "请写明要改什么" in fill_in(client, path, f"{path}/send-back", remark="").text
    assert fill_in(client, path, f"{path}/send-back", remark="请补教师名单").status_code == 303
    assert waiting.places(waiting.mine[0]) == 25
    line = place_plans.place_plan(town.session, waiting.mine[0].id, 2026, by=waiting.official, now=town.now).line(
        "lower"
    )
    assert line.sent_back.remark == "请补教师名单"


def test_an_area_is_approved_whole_after_looking(waiting, client):
    path = "/officials/2026/places"
    assert "请先核对再整区同意" in fill_in(client, path, f"{path}/approve-area").text
    answer = fill_in(client, path, f"{path}/approve-area", looked="y")
    assert "已同意 2 所" in client.get(answer.headers["Location"]).text
    assert [waiting.places(k) for k in (*waiting.mine, waiting.foreign)] == [50, 50, 25]


def test_an_invalid_plan_is_not_approved_and_shows_the_reason(town, waiting, client):
    waiting.mine[0].licensed_classes = 1
    town.session.commit()
    path = "/officials/2026/places"
    answer = fill_in(client, path, f"{path}/approve-area", looked="y")
    page = client.get(answer.headers["Location"]).text
    assert "已同意 1 所" in page
    assert "超过核定的 1 个班" in page
    assert waiting.places(waiting.mine[0]) == 25


def proposes_again(town, kindergarten, classes=3):
    """The kindergarten replaces its proposal while an official reads it."""
    ledger.propose(
        town.session, town.programme_of(kindergarten).id, by=town.clerk_of(kindergarten), now=town.now,
        reason="再开一个小班", planned_classes=classes, staffed_classes=classes,
    )  # fmt: skip
    town.session.commit()


def test_a_plan_that_changed_since_the_page_was_opened_is_shown_anew_and_not_approved(town, waiting, client):
    here = waiting.mine[0]
    path = f"/officials/2026/places/{here.id}"
    old = hidden_fields(client.get(path).text, f"{path}/approve")
    proposes_again(town, here)
    answer = client.post(f"{path}/approve", data=old)
    assert answer.status_code == 409
    assert "请核对新的数字" in answer.text
    assert "再开一个小班" in answer.text
    assert waiting.places(here) == 25, "nobody has read the 75"
    again = hidden_fields(answer.text, f"{path}/approve")
    assert client.post(f"{path}/approve", data=again).status_code == 303
    assert waiting.places(here) == 75


def test_an_area_approves_what_its_page_showed(town, waiting, client):
    path = "/officials/2026/places"
    old = hidden_fields(client.get(path).text, f"{path}/approve-area") | {"looked": "y"}
    proposes_again(town, waiting.mine[0])
    late = town.kindergarten("晚到", places=25)
    proposes_again(town, late, classes=2)
    page = client.get(client.post(f"{path}/approve-area", data=old).headers["Location"]).text
    assert "已同意 1 所" in page
    assert "请核对新的数字" in page
    assert [waiting.places(each) for each in (*waiting.mine, late)] == [25, 50, 25]


def test_an_area_approves_no_plan_beyond_its_page(town, waiting, client):
    for number in range(20):
        proposes_again(town, town.kindergarten(f"园{number}", places=25), classes=2)
    path = "/officials/2026/places"
    assert "同意本页的 20 所" in client.get(path).text
    answer = fill_in(client, path, f"{path}/approve-area", looked="y")
    page = client.get(answer.headers["Location"]).text
    assert "已同意 20 所" in page
    assert "等待审批 2 所" in page


def test_a_foreign_plan_is_not_found(town, waiting, client):
    path = f"/officials/2026/places/{waiting.foreign.id}"
    assert client.get(path).status_code == 404
    assert client.get("/officials/2026/places?area=510105").status_code == 404
    own = f"/officials/2026/places/{waiting.mine[0].id}"
    for act in ("approve", "send-back"):
        hidden = hidden_fields(client.get(own).text, f"{own}/{act}")
        assert client.post(f"{path}/{act}", data=hidden | {"remark": "x"}).status_code == 404
    assert waiting.places(waiting.foreign) == 25


def test_an_auditor_looks_and_decides_nothing(town, waiting, client, another_client):
    auditor = town.account_of_staff("auditor", "审计", "auditor")
    town.session.commit()
    browser = sign_in(another_client(), auditor)
    page = browser.get(f"/officials/2026/places/{waiting.mine[0].id}")
    assert page.status_code == 200
    assert "同意整园计划" not in page.text
    token = BeautifulSoup(page.text, "lxml").find("input", attrs={"name": "csrf_token"})["value"]
    answer = browser.post(f"/officials/2026/places/{waiting.mine[0].id}/approve", data={"csrf_token": token})
    assert answer.status_code == 403
    assert waiting.places(waiting.mine[0]) == 25


def test_the_city_sees_every_area(town, waiting, another_client):
    browser = sign_in(another_client(), town.city_official().account_id)
    page = browser.get("/officials/2026/places")
    assert "等待审批 3 所" in page.text


def test_stf06_the_area_is_the_second_person_of_a_large_count(town, waiting, client):
    here = waiting.mine[0]
    kept = town.roll(here, "lower", 20)
    told = {"children": 40, "day": town.now.date(), "reason": "并入一班"}
    counts.enter(town.session, kept.id, **told, by=town.clerk_of(here), now=town.now)
    town.session.commit()
    page = client.get("/officials/2026/places").text
    assert "20 → 40" in page
    act = "/officials/2026/places/counts/" + page.split("/places/counts/")[1].split('"')[0]
    assert fill_in(client, "/officials/2026/places", act, act="agree").status_code == 303
    town.session.expire_all()
    assert town.session.get(RollClass, kept.id).counted == 40
    assert "20 → 40" not in client.get("/officials/2026/places").text
