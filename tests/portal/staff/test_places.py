"""The places ledger on the staff desk."""

import pytest

from enrollment.places import ledger
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@pytest.fixture
def desk(town, client):
    """A clerk at a kindergarten with an approved plan, signed in."""

    class Desk:
        kindergarten = town.kindergarten("锦官新城幼儿园", places=25)
        clerk = town.clerk_of(kindergarten)

        def propose(self, level="lower", **changes):
            told = {
                "planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0,
                "reason": "新开一个小班",
            }  # fmt: skip
            path = f"/staff/places/{level}"
            return fill_in(client, path, f"{path}?at={self.kindergarten.id}", **told | changes)

    found = Desk()
    town.session.commit()
    sign_in(client, found.clerk.account_id)
    return found


def test_the_ledger_shows_the_plan_of_each_level(desk, client):
    page = client.get("/staff/places")
    assert page.status_code == 200
    assert "锦官新城幼儿园" in page.text
    assert "托班" in page.text
    assert client.get("/staff/places?lang=en").status_code == 200


def test_a_clerk_proposes_and_the_old_number_stands(town, desk, client):
    answer = desk.propose()
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert "→ 50" in page.text
    assert "待区级审批" in page.text
    town.session.expire_all()
    assert town.programme_of(desk.kindergarten).places == 25


def test_a_level_without_a_plan_gets_one(town, desk, client):
    assert desk.propose("middle", class_norm=30, reason="开中班").status_code == 303
    town.session.expire_all()
    assert town.programme_of(desk.kindergarten, "middle").state == "proposed"


def test_a_refusal_stands_beside_its_field_and_nothing_typed_is_lost(desk, client):
    answer = desk.propose(class_norm=30)
    assert answer.status_code == 200
    assert "班额最多 25 人" in answer.text
    assert "新开一个小班" in answer.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"planned_classes": "两个"}, "请填写整数"),
        ({"planned_classes": ""}, "请填写整数"),
        ({"withheld": "-1"}, "0 至 1000"),
        ({"reason": " "}, "请写明原因"),
        ({"planned_classes": 13, "staffed_classes": 13}, "超过核定的 12 个班"),
    ],
)
def test_impossible_numbers_are_refused_immediately(desk, changes, words):
    answer = desk.propose(**changes)
    assert answer.status_code == 200
    assert words in answer.text


def test_a_stale_page_is_told(town, desk, client):
    page = client.get("/staff/places/lower").text
    town.pool(desk.kindergarten, "care", 1, ["policy_care"])
    town.session.commit()
    path = f"/staff/places/lower?at={desk.kindergarten.id}"
    answer = client.post(path, data=hidden_fields(page, path) | {
        "planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0, "reason": "旧页面",
    })  # fmt: skip
    assert answer.status_code == 409


def test_a_plan_sent_back_says_why(town, desk, client):
    desk.propose()
    programme = town.programme_of(desk.kindergarten)
    ledger.send_back(town.session, programme.id, by=town.area_official(), now=town.now, remark="请补教师名单")
    town.session.commit()
    assert "请补教师名单" in client.get("/staff/places").text


def test_another_kindergartens_ledger_is_not_found(town, desk, client):
    other = town.kindergarten("别处", area="510105", places=1)
    town.session.commit()
    assert client.get(f"/staff/places?at={other.id}").status_code == 404
    assert client.get("/staff/places?at=nonsense").status_code == 404
    assert client.get(f"/staff/places/lower?at={other.id}").status_code == 404
    path = f"/staff/places/lower?at={desk.kindergarten.id}"
    answer = fill_in(client, path, path, at=str(other.id), reason="x", planned_classes="1")
    town.session.expire_all()
    assert answer.status_code in (200, 404)
    assert ledger.open_proposal(town.session, town.programme_of(other).id) is None


def test_a_level_that_does_not_exist_is_not_found(desk, client):
    assert client.get("/staff/places/adults").status_code == 404
