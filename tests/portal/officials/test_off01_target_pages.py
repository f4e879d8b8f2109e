"""OFF01: a city official proposes the targets of a year with their source, another one signs; everybody of the desk reads."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.coverage.targets import TargetDecision, targets_on
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

PAGE = "/officials/2026/coverage/targets/2027"
TYPED = {
    "scope": "city",
    "public": "52",
    "inclusive": "８２．５%",
    "in_force_from": "2027-01-01",
    "source_name": "2027 年工作计划",
    "source_number": "成教〔2026〕9号",
    "source_date": "2026-05-20",
}


@prepared
def officials(client, town):
    town.kindergarten("锦官", places=5)
    town.open_registration()
    first, second = (
        town.account_of_staff(f"city-{n}", name, "city_official") for n, name in ((1, "周工"), (2, "吴工"))
    )
    town.session.commit()

    def as_(person):
        return sign_in(client, {"first": first, "second": second}.get(person, person))

    return as_


def send(client, address, **typed):
    token = BeautifulSoup(client.get(PAGE).text, "lxml").select_one('input[name="csrf_token"]')["value"]
    return client.post(address, data={"csrf_token": token} | typed)


def act_of(client, name):
    form = BeautifulSoup(client.get(PAGE).text, "lxml").select_one(f'form[action$="/{name}"]')
    return form["action"] if form else None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_two_people_set_the_targets_of_the_next_year(officials, town, language):
    first = officials("first")
    first.get(PAGE, query_string={"lang": language})
    assert send(first, PAGE, **TYPED).status_code == 303
    assert act_of(first, "sign") is None
    waiting = first.get(PAGE).text
    assert {"zh": "等待第二人签署", "en": "Waits for the second signature"}[language] in waiting
    assert {"zh": "2027 年还没有生效的目标", "en": "No targets are in force for 2027"}[language] in waiting
    second = officials("second")
    assert PAGE in second.get("/officials/2026").text
    assert send(second, act_of(second, "sign")).status_code == 303
    signed = second.get(PAGE, query_string={"lang": language}).text
    for said in ("52%", "82.5%", "2027 年工作计划", "成教〔2026〕9号", "周工", "吴工"):
        assert said in signed
    assert targets_on(town.session, dt.date(2027, 3, 1)).city.inclusive.hundredths == 8_250
    assert PAGE not in second.get("/officials/2026").text


def test_the_proposer_cannot_sign_and_a_decided_one_is_refused_in_words(officials, town):
    first = officials("first")
    send(first, PAGE, **TYPED)
    made = town.session.scalars(select(TargetDecision)).one()
    address = f"/officials/2026/coverage/targets/decisions/{made.id}"
    assert "需要另一位" in send(first, f"{address}/sign").text
    assert send(first, f"{address}/withdraw").status_code == 303
    second = officials("second")
    assert "已经签署或撤回" in send(second, f"{address}/sign").text
    assert "已撤回" in second.get(PAGE).text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("public", "fifty"),
        ("public", "100.01"),
        ("public", "-1"),
        ("inclusive", "51.123"),
        ("in_force_from", "1 January"),
        ("in_force_from", "2028-01-01"),
        ("source_name", ""),
        ("source_date", "2099-01-01"),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_stored(officials, town, field, typed):
    answer = send(officials("first"), PAGE, **TYPED | {field: typed})
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "lxml")
    assert page.select_one(f"#{field}-error") is not None
    assert page.select_one(f"#{field}")["value"] == typed
    assert town.session.scalars(select(TargetDecision)).all() == []


def test_an_area_needs_its_area_and_nothing_typed_is_no_target(officials):
    first = officials("first")
    assert "请选择区域" in send(first, PAGE, **TYPED | {"scope": "area"}).text
    assert "至少填写一个目标" in send(first, PAGE, **TYPED | {"public": "", "inclusive": ""}).text
    assert send(first, PAGE, **TYPED | {"scope": "area", "area": "GXQ", "public": ""}).status_code == 303
    assert "成都高新区" in first.get(PAGE).text


@pytest.mark.parametrize("role", ["auditor", "area_official"])
def test_others_of_the_desk_read_and_cannot_write(app, client, town, officials, role, monkeypatch):
    send(officials("first"), PAGE, **TYPED)
    made = town.session.scalars(select(TargetDecision)).one()
    where = {"area_code": "510104"} if role == "area_official" else {}
    reader = town.account_of_staff("reader", "读者", role, **where)
    town.session.commit()
    sign_in(client, reader)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert BeautifulSoup(page.text, "lxml").select("main form[method=post]") == []
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    for address in (
        PAGE,
        *(f"/officials/2026/coverage/targets/decisions/{made.id}/{act}" for act in ("sign", "withdraw")),
    ):
        assert client.post(address, data=TYPED, inspect=False).status_code == 403
    left = town.session.get_one(TargetDecision, made.id, populate_existing=True)
    assert (left.signed_at, left.withdrawn_at) == (None, None)


@pytest.mark.parametrize("year", [1999, 2101])
def test_a_year_that_cannot_be_is_not_found(officials, year):
    assert officials("first").get(f"/officials/2026/coverage/targets/{year}").status_code == 404
