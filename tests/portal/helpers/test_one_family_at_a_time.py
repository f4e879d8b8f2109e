"""A helper acts for one family at a time, and the ways out of acting."""

from sqlalchemy import select

from enrollment.applications import mandates
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.sign_in import WebSession
from enrollment.people.person_rows import Guardian
from tests.portal.helpers.helping import MOTHERS_NUMBER, PHONE, main_of
from tests.portal.parents.desk import page
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=5)
    town.open_registration()
    return found


@prepared
def yang(town, garden, client):
    found = town.helper("小杨", "helper1")
    sign_in(client, found.account_id)
    return found


@prepared
def two(client, town, yang, garden):
    """Two families of this helper, each with an application; it acts for the first."""
    first, second = (town.mandate_by_code(yang, phone) for phone in (PHONE, "13811113333"))
    town.helper_enters(town.acting(yang, first), "张小宝", wishes=[garden], guardian="张小三")
    town.helper_enters(town.acting(yang, second), "李小宝", wishes=[garden], guardian="李小四")
    sign_in(client, yang.account_id, acting=str(first.id))
    return first, second


def test_one_family_at_a_time(client, town, two):
    first, second = two
    home = client.get("/helpers").text
    assert "正在代 张*三 填写" in home
    assert "李*四" in home
    assert "李小四" not in home and "李小宝" not in home
    token = {"csrf_token": hidden_fields(home)["csrf_token"]}
    assert client.post(f"/helpers/{second.id}/act", data=token).headers["Location"] == "/helpers"
    assert "张小宝" in client.get("/parents").text
    assert client.get("/helpers/new").headers["Location"] == "/helpers"
    assert client.post("/helpers/leave", data=token).headers["Location"] == "/helpers"
    assert client.get("/parents").headers["Location"] == "/helpers"
    assert fill_in(client, "/helpers", action=f"/helpers/{second.id}/act").headers["Location"] == "/parents"
    assert "李小宝" in client.get("/parents").text
    assert first.ended_at is None


def test_a_tab_left_open_writes_nothing_into_another_family(client, town, yang, two):
    _first, second = two
    left_open = hidden_fields(client.get("/parents/guardian").text)
    said = {"name": "张改名", "id_kind": "resident", "id_number": ""}
    sign_in(client, yang.account_id, acting=str(second.id))
    left_open |= {"csrf_token": hidden_fields(client.get("/parents/guardian").text)["csrf_token"]}
    answer = client.post("/parents/guardian", data=left_open | said)
    assert answer.status_code == 409
    assert "另一个家庭" in answer.text
    names = {one.name for one in town.session.scalars(select(Guardian))}
    assert names == {"张小三", "李小四"}


def test_what_was_typed_for_one_family_is_never_shown_for_another(client, town, yang, two):
    first, second = two
    typed = hidden_fields(client.get("/parents/guardian").text) | {"name": "张写到一半", "id_kind": "resident"}
    for row in town.session.scalars(select(WebSession)):
        row.expires_at = row.seen_at
    led = client.post("/parents/guardian", data=typed)
    assert led.headers["Location"] == "/sign-in?next=/parents/guardian"
    with client.session_transaction() as session:
        saved_form = session["saved_form"]
    sign_in(client, yang.account_id, acting=str(second.id), saved_form=saved_form)
    assert "张写到一半" not in client.get("/parents/guardian").text
    sign_in(client, yang.account_id, acting=str(first.id), saved_form=saved_form)
    assert "张写到一半" in client.get("/parents/guardian").text


def test_signing_out_ends_acting(client, town, yang, two):
    first, _second = two
    assert client.post("/sign-out", data=hidden_fields(client.get("/parents/guardian").text)).status_code == 303
    sign_in(client, yang.account_id)
    assert client.get("/parents").headers["Location"] == "/helpers"
    assert first.ended_at is None, "the mandate lasts"


def test_giving_a_mandate_back_ends_it(client, town, yang, two):
    first, second = two
    sign_in(client, yang.account_id)
    assert fill_in(client, "/helpers", action=f"/helpers/{second.id}/end").headers["Location"] == "/helpers"
    assert [one.id for one in mandates.live_of_helper(town.session, by=yang, now=town.now)] == [first.id]
    for act in ("act", "end"):
        foreign = client.post(f"/helpers/{MOTHERS_NUMBER}/{act}", data=hidden_fields(client.get("/helpers").text))
        assert foreign.status_code == 404


def test_a_family_that_ends_a_mandate_hears_of_the_draft_that_is_left(client, another_client, town, yang, two):
    """And the helper reads why the family is gone from its list; what was handed in needs no such message."""
    first, second = two
    town.helper_enters(town.acting(yang, second), "李二宝", submit=False)
    town.session.commit()
    guardian = sign_in(another_client(), second.account_id)
    fill_in(guardian, "/parents/account", action=f"/parents/account/mandates/{second.id}/end")
    told = [text for text in guardian.get("/parents/messages").text.split("<") if "还没有提交" in text]
    assert len(told) == 1 and f"{town.the_round.closes_at.astimezone(CHENGDU):%H:%M} 前请登录检查、提交" in told[0]
    listed = sign_in(client, yang.account_id).get("/helpers").text
    assert "家长已结束的委托" in listed and "手机尾号 3333 的家长" in listed
    fill_in(client, "/helpers", action=f"/helpers/{first.id}/end")
    assert "手机尾号 2222" not in client.get("/helpers").text, "the helper knows what it has given back"


def test_the_mandate_of_another_helper_is_not_found(client, town, two):
    first, _second = two
    sign_in(client, town.helper("小李").account_id)
    token = hidden_fields(client.get("/helpers/new").text)
    for act in ("act", "end"):
        assert client.post(f"/helpers/{first.id}/{act}", data=token).status_code == 404
    assert "张" not in main_of(client.get("/helpers").text)


def test_the_trail_by_person_shows_what_a_helper_entered(client, town, two):
    sign_in(client, town.city_official().account_id)
    found = page(client.get("/officials/2026/audit?person=helper1")).select("tbody tr")
    told = [" ".join(row.get_text(" ", strip=True).split()) for row in found]
    assert any("小杨（helper1） · 替家长办理" in line and "提交申请" in line for line in told)
    assert any("取得代办委托" in line for line in told)
    assert all("helper1" in line for line in told)
    guardians = {str(mandate.account_id)[:8] for mandate in two}
    assert {code for code in guardians if any(code in line for line in told)} == guardians, "and for whom"
