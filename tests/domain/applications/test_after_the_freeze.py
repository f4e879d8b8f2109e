"""What a family can no longer do once its list is frozen, also when a later round lets it edit again."""

import threading
import time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import registration
from enrollment.eligibility import evidence
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.offers import withdrawals
from enrollment.season.round_rows import Round
from tests.support.town import Town
from tests.support.town_families import id_number


def correct(town, application, number):
    return registration.correct_child(
        town.session, application.id, name=application.child.name, id_kind="resident", id_number=number, relation="mother",
        by=town.parent_of(application), now=town.now,
    )  # fmt: skip


def test_a_place_is_not_handed_to_another_child_by_correcting_its_number(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    other = id_number(ana.child.born)
    correct(town, ana, other)
    town.session.execute(Round.__table__.update().values(stage="published"))
    town.session.add(
        Round(
            year=2026, number=2, kind="supplementary", name="补录", stage="open", opens_at=town.now, closes_at=town.now.replace(day=30),
            confirm_by=town.now.replace(day=31),
        )
    )  # fmt: skip
    town.session.flush()
    with pytest.raises(Refused, match="identity_needs_a_request"):
        correct(town, ana, id_number(ana.child.born))


def test_a_hundred_files_are_refused_before_one_is_decoded(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    began = time.process_time()
    with pytest.raises(Refused, match="too_many_pages"):
        evidence.add_pages(town.session, ana.id, "hukou_booklet", [b"x"] * 100, by=town.parent_of(ana), now=town.now)
    assert time.process_time() - began < 5


def test_a_withdrawal_waits_for_a_freeze_under_way_and_then_gives_the_ticket_up(real_database, now):
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, now)
        ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
        town.registration_is_over()
        session.commit()
        parent, later = town.parent_of(ana), town.now
    answers = []

    def withdraw():
        with Session(engine) as session:
            try:
                withdrawals.withdraw(session, ana.id, by=parent, now=later)
                session.commit()
                answers.append("withdrawn")
            except Refused as refused:
                answers.append(refused.code)

    with Session(engine) as freezing:
        round_ = freezing.scalars(select(Round).with_for_update()).one()
        family = threading.Thread(target=withdraw)
        family.start()
        family.join(0.5)
        assert family.is_alive(), "it waits"
        round_.stage = "frozen"
        freezing.commit()
    family.join(60)
    engine.dispose()
    assert answers == ["withdrawn"]
