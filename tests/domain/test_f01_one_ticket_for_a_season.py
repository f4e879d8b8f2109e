"""F1: elsewhere applying again drew a new number.  Here the ticket belongs to the child and the season."""

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from allocation import lottery
from allocation.files import commitments
from enrollment.draw import draw_rooms, draws, market_files, snapshot
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.seed import declared_forms
from enrollment.ground.errors import Refused
from tests.support.prepared import prepared


def test_f01_applying_ten_times_gives_the_same_ticket(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=1)
    once = town.child("安娜", wishes=[jinpingguo])
    often = town.child("本本", wishes=[jinpingguo])
    for turn in range(10):
        town.withdraw(often)
        again = town.apply_again(often)
        assert again.id == often.id
        town.wish(again, mudan if turn % 2 else jinpingguo)
        town.submit(again)
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    assert sorted(town.ticket_of(child) for child in (once, often)) == [1, 2]
    assert town.session.query(Ticket).count() == 2
    before = town.ticket_of(often)
    with pytest.raises(IntegrityError), town.session.begin_nested():
        town.session.execute(text("UPDATE ticket SET number = 99"))
    town.freeze(reason="核对")
    town.run()
    town.publish()
    assert town.ticket_of(often) == before


def test_children_of_one_family_stand_side_by_side(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    pair = town.twins("安安", "宁宁", bound=False, wishes=[jinpingguo])
    for name in ("本本", "翠翠", "丁丁", "恩恩", "芳芳"):
        town.child(name, wishes=[jinpingguo])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    first, second = (town.ticket_of(child) for child in pair)
    assert abs(first - second) == 1


@prepared
def frozen(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    town.ana = town.child("安娜", wishes=[jinpingguo])
    town.child("本本", wishes=[jinpingguo])
    town.everyone_is_reviewed()
    town.freeze()
    return town


def test_the_seed_is_the_hash_of_what_was_published(frozen):
    draw = frozen.seed(" 30 27 21 14 8 3 ＋ 06", "06,1 4 0 0 9")
    form = declared_forms.of_draw(draw)
    assert draw.seed == lottery.seed_bytes_2(draw.commitment, form, "3 8 14 21 27 30 + 6", "6 1 4 0 0 9").hex()
    files = market_files.unpack(frozen.session.get_one(Snapshot, draw.snapshot_id).market)
    assert draw.commitment == commitments.commitment(files)


def test_the_database_refuses_a_seed_before_the_commitment(frozen):
    draw = draws.waiting_for_seed(frozen.session, 2026)
    early = draw.committed_at - dt.timedelta(seconds=1)
    seeded = "UPDATE draw SET seed = repeat('a', 64), seeded_at = :at"
    statements = (
        (seeded, early),
        (seeded, draw.committed_at),
        (f"{seeded}, commitment = repeat('b', 64)", frozen.now + dt.timedelta(hours=1)),
        (f"{seeded}, committed_at = '2020-01-01'", frozen.now + dt.timedelta(hours=1)),
    )
    for statement, at in statements:
        with pytest.raises(IntegrityError), frozen.session.begin_nested():
            frozen.session.execute(text(statement), {"at": at})
    whole = """INSERT INTO draw (id, year, number, snapshot_id, commitment, committed_at, beacon_name, seed, seeded_at)
        SELECT gen_random_uuid(), year, 7, snapshot_id, commitment, committed_at, 'x', repeat('a', 64), :at FROM draw"""
    with pytest.raises(IntegrityError), frozen.session.begin_nested():
        frozen.session.execute(text(whole), {"at": frozen.now + dt.timedelta(hours=1)})


def test_a_seed_that_is_there_never_changes(frozen):
    frozen.seed()
    for statement in ("UPDATE draw SET seed = repeat('a', 64)", "UPDATE draw SET beacon = 'x'", "DELETE FROM draw"):
        with pytest.raises(IntegrityError), frozen.session.begin_nested():
            frozen.session.execute(text(statement))
    with pytest.raises(Refused, match="no_draw_is_open"):
        frozen.seed()


def test_a_correction_before_the_seed_replaces_the_commitment_in_public(frozen):
    session = frozen.session
    old = snapshot.current(session, frozen.the_round.id)
    frozen.at(frozen.now + dt.timedelta(hours=1))
    frozen.change_places(frozen.programme_of(frozen.kindergartens_by_name("金苹果")[0]), places=2)
    new = frozen.freeze(reason="学位有更正")
    assert new.commitment != old.commitment
    assert old.replaced_at == frozen.now
    room = draw_rooms.of_round(session, frozen.the_round.id)
    assert [each.number for each in room.snapshots] == [2, 1]
    assert room.draw.commitment == new.commitment
    assert room.draw.committed_at == frozen.now
    frozen.seed()
    frozen.run()
    frozen.publish()
    assert frozen.taken_at(frozen.kindergartens_by_name("金苹果")[0]) == 2


def test_a_correction_after_the_seed_keeps_every_ticket(frozen):
    frozen.seed()
    before = {child.id: frozen.ticket_of(child) for child in frozen.everybody()}
    stale = frozen.run()
    frozen.change_places(frozen.programme_of(frozen.kindergartens_by_name("金苹果")[0]), places=2)
    market = market_files.read(market_files.unpack(frozen.freeze(reason="学位有更正").market))
    assert {row.child: row.ticket for row in market.tickets} == {c.child_code: before[c.id] for c in frozen.everybody()}
    assert frozen.the_round.stage == "drawn"
    with pytest.raises(Refused, match="snapshot_was_replaced"):
        frozen.publish(stale)
    frozen.run()
    frozen.publish()
    assert {child.id: frozen.ticket_of(child) for child in frozen.everybody()} == before


def test_who_joins_in_the_supplementary_round_stands_after_the_last_ticket(frozen):
    frozen.seed()
    frozen.run()
    frozen.publish()
    frozen.silence()
    frozen.round(kind="supplementary")
    frozen.open_registration()
    mudan = frozen.kindergarten("牡丹")
    frozen.programme(mudan, places=1)
    late = frozen.child("晚晚", wishes=[frozen.kindergartens_by_name("金苹果")[0]])
    frozen.everyone_is_reviewed()
    frozen.freeze()
    assert frozen.the_round.stage == "frozen"
    second = frozen.seed("7 8 9 10 11 12 + 1")
    assert (second.number, frozen.ticket_of(late)) == (2, 3)
    run = frozen.run()
    assert run.state == "checked"
    frozen.publish()
    assert frozen.session.query(Draw).count() == 2
    assert frozen.place_of(late) == frozen.kindergartens_by_name("金苹果")[0]
