"""The pages of the children without a place: the board, one child, the acts of officials, and the family's side."""

from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.draw.unserved import accepted_places, board
from enrollment.draw.unserved.rows import AcceptedPlaces, ChosenPlace, DeclinedProposal, UnservedChild
from enrollment.ground.audit import AuditEntry
from tests.domain.draw.test_unserved_children import agrees, chooses, entry, left_over, sends
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.statements import counted

BOARD = "/officials/2026/unplaced"
__all__ = ["left_over"]


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml").main.get_text(" ", strip=True)


def posts(client, page, action, **fields):
    return client.post(action, data=hidden_fields(client.get(page).text) | fields)


def test_the_board_says_who_why_where_and_what_an_official_can_do(client, left_over):
    town = left_over
    sign_in(client, town.official.account_id)
    said = text_of(client, BOARD)
    assert "还有 3 个孩子没有学位，也没有说法" in said
    assert "金苹果" in said and "近处普惠 步行约 17 分钟 · 空 1 个" in said and "民办" not in said
    assert town.ana.registration_code not in said
    pins = client.get(f"{BOARD}/pins").json
    assert pins["lon"] == [1041000] * 3 and pins["start"] is None
    child = f"{BOARD}/children/{town.ben.id}"
    assert "步行约 17 分钟" in text_of(client, child)
    assert client.get(f"{child}/pins").json["start"] == [104.1, 30.6]
    said = {"agrees": "yes", "minutes": "20", "nature": "any", "note": "奶奶接送"}
    assert posts(client, child, f"{child}/accepted", **said).status_code == 303
    assert town.session.get(AcceptedPlaces, town.ben.id).note == "奶奶接送"
    near = str(town.programme_of(town.near).id)
    assert posts(client, child, f"{child}/choose", programme=near).status_code == 303
    assert town.session.get(ChosenPlace, town.ben.id) is not None
    assert "已选好，等签署" in text_of(client, child)
    assert posts(client, child, f"{child}/drop").status_code == 303
    assert posts(client, child, f"{child}/explain", code="none_near", text="").status_code == 200
    assert posts(client, child, f"{child}/explain", code="none_near", text="看过三所").status_code == 303
    chosen = [f"{each.id}:0" for each in (town.cui, town.dan)]
    done = posts(client, BOARD, f"{BOARD}/together", act="explain", code="waits", chosen=chosen)
    assert done.status_code == 303
    assert "每个孩子都有学位，或者有说法" in text_of(client, BOARD)
    looked = select(AuditEntry.act).where(
        AuditEntry.subject_id == str(town.ben.id), AuditEntry.account_id == town.official.account_id
    )
    assert {"view", "choose_place", "drop_chosen_place", "explain_unserved", "save_accepted_places"} <= set(
        town.session.scalars(looked)
    )


def test_another_official_was_faster(client, left_over):
    town, other = left_over, left_over.area_official()
    sign_in(client, town.official.account_id)
    child = f"{BOARD}/children/{town.ben.id}"
    typed = hidden_fields(client.get(child).text) | {"code": "waits", "text": "家庭说等候补"}
    row = UnservedChild(application_id=town.ben.id, version=1, officer_id=other.account_id)
    town.session.add(row)
    town.session.commit()
    late = client.post(f"{child}/explain", data=typed)
    assert late.status_code == 409 and "家庭说等候补" in late.text
    assert client.post(f"{child}/explain", data=typed | {"version": "1"}).status_code == 303
    town.withdraw_after_the_draw(town.cui)
    town.session.commit()
    gone = f"{BOARD}/children/{town.cui.id}"
    assert "家庭已撤回申请" in text_of(client, gone)
    assert posts(client, gone, f"{gone}/explain", code="waits", version="0").status_code == 409


def test_who_may_see_the_board(client, left_over):
    town = left_over
    sign_in(client, town.area_official("510105").account_id)
    assert client.get(f"{BOARD}/children/{town.ben.id}").status_code == 404
    assert (
        posts(client, "/officials/2026/cases", f"{BOARD}/children/{town.ben.id}/explain", code="waits").status_code
        == 404
    )
    sign_in(client, town.account_of_staff("audit", "审计", "auditor").id)
    assert town.ben.registration_code in text_of(client, BOARD)
    assert client.get(f"{BOARD}/pins").status_code == 403


def test_the_family_says_what_it_accepts_and_why_it_declines(client, left_over, frozen_clock):
    town = left_over
    frozen_clock.set(town.now)
    sign_in(client, town.ben.entered_by)
    page = f"/parents/applications/{town.ben.id}/nearby-places"
    assert "请选一个答案" in posts(client, page, page, agrees="", minutes="", nature="any").text
    saved = posts(client, page, page, agrees="yes", minutes="20", nature="any", note="")
    assert saved.status_code == 303
    said = accepted_places.of(town.session, town.ben.id)
    assert (said.minutes, town.ben.agrees_to_central) == (20, True)
    chooses(town, town.ben, town.near)
    sends(town)
    frozen_clock.set(town.now)
    result = client.get(f"/parents/applications/{town.ben.id}/result").text
    assert "近处普惠" in result and "步行约 17 分钟" in result and "负责您家" in result
    pins = client.get(f"/parents/applications/{town.ben.id}/place-pins").json
    assert (pins["lon"], pins["start"]) == ([1041100], [104.1, 30.6])
    decline = f"/parents/applications/{town.ben.id}/result/decline"
    assert posts(client, decline, decline, reason="too_far", note="没有车").status_code == 303
    declined = town.session.get(DeclinedProposal, town.last_offer_for(town.ben).id)
    assert (declined.reason, declined.note) == ("too_far", "没有车")
    assert entry(town, town.ben).state == board.BoardState.DECLINED
    assert client.get(page).status_code == 200


def test_the_pages_cost_the_same_with_many_children(client, left_over):
    town = left_over
    agrees(town, town.ben)
    sign_in(client, town.official.account_id)
    client.get(BOARD)
    costs = []
    for path in (f"{BOARD}?officer={town.area_official('510105').account_id}", BOARD):
        with counted(town.session) as statements:
            client.get(path)
        costs.append(len(statements))
    assert max(costs) <= 45, costs


def test_the_end_of_the_season_shows_the_list_that_two_people_sign(client, left_over):
    town = left_over
    sign_in(client, town.city_pair()[0].account_id)
    page = client.get("/officials/2026/season/close").text
    assert "结束这个年度" not in page and "去办" in page
