"""A page that another tab or person has overtaken: nothing is overwritten, what is newer stands beside what was typed."""

import pytest
from sqlalchemy import select

from enrollment.eligibility import households
from enrollment.places.programmes import Programme
from tests.portal.parents.desk import hidden, page
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

HOME = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104"}


@prepared
def draft(client, town):
    """A complete draft whose guardian is signed in."""
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    application = town.child("安娜", wishes=[garden], submit=False)
    sign_in(client, application.entered_by)
    return application


def address(application, page_name: str) -> str:
    return f"/parents/applications/{application.id}/{page_name}"


def household_of(town, application):
    town.session.expire_all()
    return households.household_of(town.session, application.id)


STALE_WAYS = {
    "household": ({"home_street": "春熙路街道"} | HOME, {"home_street": "牛市口街道"} | HOME),
    "grounds": ({"special_need": "y"}, {"policy_care": "y", "policy_care_detail": "soldier"}),
    "child": (
        {"name": "安娜丽", "relation": "mother", "id_kind": "resident"},
        {"name": "安小娜", "relation": "mother", "id_kind": "resident"},
    ),
}


@pytest.mark.parametrize(
    ("page_name", "saved", "typed"),
    [
        ("household", "居住街道|春熙路街道", {"#home_street": "牛市口街道"}),
        ("grounds", "残疾儿童|已申报", {"#policy_care_detail option[selected]": "soldier"}),
        ("child", "姓名|安娜丽", {"#name": "安小娜"}),
    ],
)
def test_a_stale_tab_overwrites_nothing_shows_what_is_newer_and_keeps_what_was_typed(
    client, town, draft, page_name, saved, typed
):
    path = address(draft, page_name)
    first, second = STALE_WAYS[page_name]
    stale = hidden(client.get(path))
    fill_in(client, path, **first)
    answer = client.post(path, data=stale | second)
    assert answer.status_code == 409
    newer = page(answer).select_one("main [data-newer]").get_text("|", strip=True)
    assert "已经在别处改动" in newer and saved in newer
    for selector, value in typed.items():
        assert page(answer).select_one(f"main {selector}")["value"] == value
    assert page(answer).select_one("nav a[href='/parents/messages']"), "the family keeps its way about"
    if page_name == "household":
        assert household_of(town, draft).home_street == "春熙路街道"
    again = client.post(path, data=hidden(answer) | second)
    assert again.status_code == 303, "the page that came back can be saved"
    if page_name == "household":
        assert household_of(town, draft).home_street == "牛市口街道"


def test_a_stale_guardian_page_keeps_what_was_typed(client, town, draft):
    stale = hidden(client.get("/parents/guardian"))
    fill_in(client, "/parents/guardian", name="王一", id_kind="resident")
    answer = client.post("/parents/guardian", data=stale | {"name": "王二", "id_kind": "resident"})
    assert answer.status_code == 409
    assert "王一" in page(answer).select_one("main [data-newer]").get_text()
    assert page(answer).select_one("#name")["value"] == "王二"


def test_a_stale_check_page_asks_for_the_truth_of_what_it_shows_now(client, town, draft):
    path = address(draft, "check")
    stale = hidden(client.get(path))
    fill_in(client, address(draft, "grounds"), special_need="y")
    answer = client.post(path, data=stale | {"true": "y"})
    assert answer.status_code == 409
    assert "残疾儿童" in answer.text
    assert page(answer).select_one("main [data-newer]")
    assert not page(answer).select_one("#true").has_attr("checked")
    assert client.post(path, data=hidden(answer) | {"true": "y"}).status_code == 303


@prepared
def three(client, town):
    """A draft with two of three kindergartens on its list."""
    town.gardens = [town.kindergarten(name, places=2) for name in ("金苹果", "小星星", "小太阳")]
    town.open_registration()
    draft = town.child("安娜", wishes=town.gardens[:2], submit=False)
    sign_in(client, draft.entered_by)
    return draft


def listed(answer) -> list[str]:
    return [each.get_text(strip=True) for each in page(answer).select("#wishes h2 a")]


def wish_values(answer) -> list[str]:
    return [wish["value"] for wish in page(answer).select("input[name=wish]")]


def test_a_stale_order_of_wishes_stands_beside_the_newer_list_and_can_be_saved(client, town, three):
    path = address(three, "wishes")
    shown = client.get(path)
    stale = hidden(shown) | {"wish": wish_values(shown), "act": "down:0"}
    town.wish(three, town.gardens[2], town.gardens[0])
    town.session.commit()
    answer = client.post(path, data=stale)
    assert answer.status_code == 409
    newer = page(answer).select_one("main [data-newer] dl").get_text("|", strip=True)
    assert newer == "第 1 志愿|小太阳|第 2 志愿|金苹果"
    assert listed(answer) == ["小星星", "金苹果"]
    assert "下面的顺序还没有保存" in answer.text
    keeps, saves = (
        page(answer).select_one(f"main {each}") for each in ("a.btn.plain[href$=wishes]", "button[value=next]")
    )
    assert (saves.get_text(strip=True), keeps.get_text(strip=True)) == ("保存下面的顺序", "不改了，看已保存的")
    assert listed(client.get(keeps["href"])) == ["小太阳", "金苹果"], "who keeps what is saved has changed nothing"
    saved = client.post(path, data=hidden(answer) | {"wish": wish_values(answer), "act": "next"})
    assert saved.status_code == 303
    assert listed(client.get(path)) == ["小星星", "金苹果"]


def test_a_stale_page_with_the_order_that_is_saved_goes_on(client, town, three):
    path = address(three, "wishes")
    shown = client.get(path)
    fresh, wished = hidden(shown), wish_values(shown)
    town.wish(three, *town.gardens[:2])
    town.session.commit()
    went_on = client.post(path, data=fresh | {"wish": wished, "act": "next"})
    assert went_on.status_code == 303 and not went_on.location.rstrip("?").endswith("/wishes")
    assert client.get(went_on.location).status_code == 200
    moved = client.post(path, data=fresh | {"wish": wished[::-1], "act": "down:0", "idempotency_key": "other"})
    assert (moved.status_code, moved.location.rstrip("?")) == (303, path)
    assert listed(client.get(path)) == ["金苹果", "小星星"]
    other = client.post(path, data=fresh | {"wish": wished[::-1], "act": "next", "idempotency_key": "third"})
    assert other.status_code == 409, "another order is asked about as before"


def test_a_wish_that_is_added_on_a_stale_page_is_added_to_the_newer_list(client, town, three):
    path = address(three, "wishes")
    stale = hidden(client.get(f"{path}/add"))
    town.wish(three, town.gardens[1])
    town.session.commit()
    third = town.session.scalars(select(Programme).where(Programme.kindergarten_id == town.gardens[2].id)).one()
    answer = client.post(f"{path}/add", data=stale | {"add": str(third.id)})
    assert answer.status_code == 409
    assert listed(answer) == ["小星星", "小太阳"]
    saved = client.post(path, data=hidden(answer) | {"wish": wish_values(answer), "act": "next"})
    assert saved.status_code == 303
    assert listed(client.get(path)) == ["小星星", "小太阳"]
