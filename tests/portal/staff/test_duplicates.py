"""FAM04: the desks where possible duplicates are decided, and the draw room that waits for it."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.ground.audit import AuditEntry
from enrollment.people.duplicate_rows import DuplicateHint
from tests.portal.parents.desk import errors
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

BORN = dt.date(2022, 12, 10)


@prepared
def garden(town):
    return town.kindergarten("锦官园", places=5)


@prepared
def hint(town, garden):
    town.child("王小二", born=BORN, wishes=[garden])
    town.at(town.now + dt.timedelta(hours=1))
    town.child("Wang Xiaoer", born=BORN, id_kind="passport", number="E12345678", wishes=[garden])
    return town.session.scalars(select(DuplicateHint)).one()


@pytest.mark.parametrize("desk", ["staff", "officials/2026"])
def test_fam04_the_pair_stands_masked_on_both_desks(client, town, garden, hint, desk):
    reader = town.clerk_of(garden) if desk == "staff" else town.city_pair()[0]
    sign_in(client, reader.account_id)
    listed = client.get(f"/{desk}/duplicates").text
    assert f"/{desk}/duplicates/{hint.id}" in listed
    shown = client.get(f"/{desk}/duplicates/{hint.id}").text
    for text in (listed, shown):
        assert "王小二" not in text and "E12345678" not in text
    unmask = f"/{desk}/duplicates/{hint.id}/unmask"
    asked = fill_in(client, f"/{desk}/duplicates/{hint.id}", unmask, why=" ")
    assert "why" in errors(asked)
    full = fill_in(client, f"/{desk}/duplicates/{hint.id}", unmask, why="核对户口簿")
    assert "王小二" in full.text and "E12345678" in full.text
    why = select(AuditEntry.reason).where(AuditEntry.act == "unmask")
    assert town.session.scalars(why).one() == "核对户口簿"


def test_fam04_a_clerk_and_a_head_decide_that_it_is_one_child(client, another_client, town, garden, hint):
    address = f"/staff/duplicates/{hint.id}"
    sign_in(client, town.clerk_of(garden).account_id)
    assert errors(fill_in(client, address, address, reason="x")).keys() == {"verdict"}
    proposed = fill_in(client, address, address, verdict="same", reason="户口簿上是一个人")
    assert proposed.headers["Location"] == "/staff/duplicates"
    assert "等第二人" in client.get("/staff/duplicates").text
    head = sign_in(another_client(), town.head_of(garden).account_id)
    decided = fill_in(head, address, address, verdict="same", reason="同意")
    assert decided.status_code == 303
    assert "是同一个孩子" in head.get("/staff/duplicates").text
    later = town.session.scalars(select(Application).where(Application.stage == "refused")).one()
    family = sign_in(another_client(), town.parent_of(later).account_id)
    assert "按重复申请不予通过" in family.get("/parents").text
    assert "户口簿上是一个人" in family.get(f"/parents/applications/{later.id}/findings").text


def test_fam04_the_draw_room_counts_the_pairs_and_links_to_them(client, another_client, town, hint, frozen_clock):
    town.everyone_is_reviewed()
    town.close_registration()
    frozen_clock.set(town.now)
    room = f"/officials/2026/rounds/{town.the_round.id}/draw"
    one, other = town.city_pair()
    sign_in(client, one.account_id)
    assert "1 对疑似重复的孩子还没有结论" in client.get(room).text
    refused = fill_in(client, room, f"/officials/2026/rounds/{town.the_round.id}/freeze")
    assert "还有 1 对疑似重复" in refused.text
    waive = f"/officials/2026/rounds/{town.the_round.id}/duplicates"
    assert "reason" in errors(fill_in(client, room, waive, reason=""))
    assert fill_in(client, room, waive, reason="公安未能及时答复").status_code == 303
    second = sign_in(another_client(), other.account_id)
    assert "公安未能及时答复" in second.get(room).text
    assert fill_in(second, room, waive).status_code == 303
    town.freeze()
    assert "公安未能及时答复" in client.get(f"/draws/{town.the_round.id}").text
