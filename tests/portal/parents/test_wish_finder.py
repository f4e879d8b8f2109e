"""The list of kindergartens that a family can choose says by what it is sorted."""

import pytest

from tests.portal.parents.desk import filled, page
from tests.support.signing_in import sign_in


@pytest.mark.parametrize(
    ("household", "said"),
    [
        ({"home_area": "510104", "home_street": "牛市口街道"}, "离家近的在前"),
        ({"home_area": "510104", "home_street": "东湖街道"}, "您家街道的在前"),
        ({"home_area": "510104", "home_street": None}, "再按园名"),
    ],
)
def test_the_finder_says_nearest_first_only_if_it_knows_where_the_home_is(client, town, household, said):
    garden = town.kindergarten("锦官园", places=2, street="牛市口街道", longitude=104.1, latitude=30.6)
    town.kindergarten("牡丹园", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False, **household)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert said in lead
    assert ("离家近的在前" in lead) == (said == "离家近的在前")
    client.set_cookie("lang", "en", domain="localhost")
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert ("not sorted by distance" in lead) == (said != "离家近的在前")


def test_the_map_of_wishes_has_the_kindergartens_of_the_round_in_the_order_of_the_list(client, town):
    far = town.kindergarten("锦官园", places=2, longitude=104.2, latitude=30.6)
    town.kindergarten("牡丹园", places=2, longitude=104.1, latitude=30.6)
    town.kindergarten("别处园", longitude=104.1, latitude=30.6)  # offers nothing
    ana = town.child("安娜", wishes=[far], submit=False, home_longitude=104.1, home_latitude=30.6)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    there = page(client.get(f"/parents/applications/{ana.id}/wishes/add?view=map")).select_one("#map")["data-pins"]
    assert client.get(there).json == {
        "lon": [1041000, 1042000], "lat": [306000, 306000], "nature": "uu", "start": [104.1, 30.6],
    }  # fmt: skip


def test_several_wishes_are_added_without_leaving_the_finder(client, town):
    gardens = [town.kindergarten(name, places=2) for name in ("锦官园", "牡丹园", "小星星")]
    ana = town.child("安娜", wishes=gardens[:1], submit=False)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes/add?q=牡丹"
    form = {each["name"]: each["value"] for each in page(client.get(path)).select(".finds form input")}
    assert form["stay"] == gardens[1].code
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    back = answer.headers["Location"]
    assert back.startswith(f"/parents/applications/{ana.id}/wishes/add?q=") and back.endswith(f"#k-{gardens[1].code}")
    assert "已是第 2 志愿" in client.get(back).text


def test_a_removed_wish_can_be_put_back_where_it_was_and_what_is_kept_stands_at_home(client, town):
    gardens = [town.kindergarten(name, places=2) for name in ("锦官园", "牡丹园", "小星星")]
    ana = town.child("安娜", wishes=gardens, submit=False)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes"

    def names(answer):
        return [each.get_text(strip=True) for each in page(answer).select(".wishes h2 a")]

    def press(at, act):
        sent = filled(client.get(at), "#wishes-form")
        return client.post(path, data=sent | {"act": act}).headers["Location"]

    gone = press(path, "remove:1")
    shown = client.get(gone)
    assert names(shown) == ["锦官园", "小星星"]
    back = page(shown).select_one("[form=wishes-form][value^=back]")
    assert back.get_text(strip=True) == "放回第 2 志愿"
    again = press(gone, back["value"])
    assert names(client.get(again)) == ["锦官园", "牡丹园", "小星星"]
    assert page(client.get(again)).select("[value^=back]") == []
    client.get(f"/kindergartens/kept?code={gardens[2].code}&to=/parents")
    home = page(client.get("/parents")).select_one("main a[href='/kindergartens?kept=1']").find_parent("li")
    assert "收藏的 1 所" in home.get_text() and "小星星" in home.get_text()
