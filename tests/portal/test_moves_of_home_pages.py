"""A family that moved after the deadline: one form, one decision, and what both sides read while nobody has decided."""

import datetime as dt

from bs4 import BeautifulSoup

from enrollment.people.household_rows import household_of
from tests.portal.test_correction_pages import LANGUAGES, photo, text_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


@prepared
def closed(town, client, frozen_clock):
    """Two children of a family whose registration is over; the elder's review is done, no list is frozen."""
    town.garden = town.kindergarten("金苹果", places=2)
    family = town.family("安")
    town.ana = town.child("安那", family=family, wishes=[town.garden], home_owned=True)
    town.bo = town.child("安波", family=family, wishes=[town.garden])
    town.everyone_is_reviewed()
    town.session.commit()
    frozen_clock.set(town.now)
    return town


def moves(town, client, **other):
    """The form, with what is registered now as it stands there, and the new home."""
    path = f"/parents/applications/{town.ana.id}/corrections/new?kind=move"
    soup = BeautifulSoup(client.get(path).text, "lxml")
    assert soup.select_one("[name=home_street]")["value"] == "三圣街道"
    assert soup.select_one("[name=hukou_kind][checked]")["value"] == "local"
    typed = {
        "moved_on": f"{town.the_round.closes_at:%Y-%m-%d}", "home_area": "510105", "home_street": "草堂街道",
        "home_address": "草堂路 9 号", "home_owned": "no", "hukou_kind": "local", "hukou_area": "510104",
        "hukou_street": "三圣街道", "statement": "搬家了", "pages": photo(),
    }  # fmt: skip
    return fill_in(client, path, **(typed | other))


def test_one_form_and_one_decision_move_a_family_and_name_the_sibling_left(closed, client, another_client):
    town = closed
    sign_in(client, town.ana.entered_by)
    listed = client.get(f"/parents/applications/{town.ana.id}/corrections")
    assert BeautifulSoup(listed.text, "lxml").select_one("#kind-move")
    refused = BeautifulSoup(moves(town, client, moved_on="", home_address="").text, "lxml")
    assert refused.select_one("#moved_on-error") and refused.select_one("[name=home_street]")["value"] == "草堂街道"
    made = moves(town, client)
    assert made.status_code == 303
    shown = text_of(client.get(made.location))
    assert "安波的申请里还是原来的住址" in shown
    assert all(each in shown for each in ("青羊区", "草堂路 9 号", "优先级按新住址重新算", "等待核实"))
    for lang in LANGUAGES:
        assert client.get(f"{made.location}?lang={lang}").status_code == 200
    clerk = sign_in(another_client(), town.desk_pair(town.ana)[0].account_id)
    path = f"/staff/corrections/{made.location.rpartition('/')[2]}"
    page = text_of(clerk.get(path))
    assert "回到审核" in page and "草堂路 9 号" in page
    assert fill_in(clerk, path, reason="见租赁合同", act="agree").status_code == 303
    town.session.expire_all()
    assert household_of(town.session, town.ana.id).home_street == "草堂街道"


def test_an_undecided_correction_stands_on_the_childs_page_and_before_the_freeze(
    closed, client, another_client, frozen_clock
):
    town = closed
    sign_in(client, town.ana.entered_by)
    page = f"/parents/applications/{town.ana.id}"
    town.close_registration()
    town.session.commit()
    room = f"/officials/2026/rounds/{town.the_round.id}/draw"
    official = sign_in(another_client(), town.city_pair()[0].account_id)
    assert "项更正没有决定" not in text_of(official.get(room))
    moves(town, client)
    told = text_of(client.get(page))
    assert "更正还在核实：搬家" in told and "金苹果" in told and "前答复" in told
    assert "Until then what was registered before counts" in text_of(client.get(f"{page}?lang=en"))
    assert "还有 1 项更正没有决定" in text_of(official.get(f"{room}?lang=zh"))
    frozen_clock.set(town.now + dt.timedelta(days=6))
    assert "现在还没有" in text_of(client.get(f"{page}?lang=zh")), (
        "a promised date that passed is not shown as one to come"
    )


def test_the_form_asks_which_children_move_and_all_are_ticked(closed, client):
    town = closed
    sign_in(client, town.ana.entered_by)
    path = f"/parents/applications/{town.ana.id}/corrections/new?kind=move"
    (box,) = BeautifulSoup(client.get(path).text, "lxml").select("[name=together]")
    assert (box["value"], box.has_attr("checked")) == (str(town.bo.id), True)
    made = moves(town, client, together=str(town.bo.id))
    shown = text_of(client.get(made.location))
    assert "安波的申请里还是原来的住址" not in shown and "每个孩子各自决定： 安波" in shown
    assert "更正还在核实：搬家" in text_of(client.get(f"/parents/applications/{town.bo.id}"))
