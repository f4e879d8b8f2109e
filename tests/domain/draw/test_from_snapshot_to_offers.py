"""The way of a round: frozen, drawn, run, checked, signed by two, published."""

import pytest
from sqlalchemy import event

from enrollment.draw import participants
from enrollment.ground.errors import Refused


def test_the_first_wish_whose_line_a_family_meets_is_its_place(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=1)
    ana = town.child("安娜", wishes=[jinpingguo, mudan])
    ben = town.child("本本", wishes=[jinpingguo, mudan])
    cui = town.child("翠翠", wishes=[jinpingguo])
    town.drawn(ana, ben, cui)
    assert town.place_of(ana) == jinpingguo
    assert town.place_of(ben) == mudan
    assert town.offer_for(cui) is None
    assert town.taken_at(jinpingguo) == town.taken_at(mudan) == 1


def test_a_long_freeze_keeps_its_transaction_alive(town, monkeypatch):
    """The database ends a transaction that sends nothing for two minutes, and a city on a busy machine takes longer."""
    monkeypatch.setattr(participants, "BATCH", 2)
    jinpingguo = town.kindergarten("金苹果", places=1)
    for name in ("安娜", "本本", "翠翠", "丁丁", "恩恩"):
        town.child(name, wishes=[jinpingguo])
    town.everyone_is_reviewed()
    statements = []
    connection = town.session.connection()

    def note(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    town.freeze()
    event.remove(connection, "before_cursor_execute", note)
    assert sum("FROM verified_fact" in statement for statement in statements) == 3


def test_nothing_is_frozen_while_an_application_waits_for_review(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    town.child("安娜", wishes=[jinpingguo])
    with pytest.raises(Refused) as refused:
        town.freeze()
    assert refused.value.code == "still_under_review"
    assert refused.value.details == {"n": 1, "where": "金苹果（1）"}
