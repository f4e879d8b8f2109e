"""Entering a child, handing in, applying again: one child, one application, one code."""

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications import applications, receipts, registration, submission
from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.ground.db import open_engine
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.outbox import Notice
from enrollment.people import guardians
from enrollment.people.person_rows import Child
from tests.support.town import Town
from tests.support.town_families import id_number

BORN = dt.date(2023, 3, 12)


def enter(session, family, number, now, name="李沐晨"):
    return registration.enter_child(
        session, 2026, name=name, id_kind="resident", id_number=number, relation="mother", by=family.actor, now=now
    )


def test_F1_applying_ten_times_keeps_one_code_and_one_key_of_the_draw(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    codes = {(ana.registration_code, ana.child_code, ana.family_code)}
    for _ in range(9):
        town.withdraw(ana)
        again = town.apply_again(ana)
        town.wish(again, garden)
        town.submit(again)
        codes.add((again.registration_code, again.child_code, again.family_code))
    assert len(codes) == 1
    assert town.session.scalar(select(func.count()).select_from(Application)) == 1


def test_a_withdrawn_application_keeps_its_code_until_it_is_taken_up_again(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    code = ana.registration_code
    town.withdraw(ana)
    assert (ana.stage, ana.registration_code) == ("withdrawn", code)
    assert town.apply_again(ana).stage == "draft"


def test_the_same_guardian_entering_the_same_child_twice_gives_the_same_application(town):
    town.round()
    li, number = town.family("李"), id_number(BORN)
    first = enter(town.session, li, number, town.now)
    second = enter(town.session, li, number, town.now)
    assert first.id == second.id
    assert town.session.scalar(select(func.count()).select_from(Child)) == 1


def test_the_number_of_one_twin_for_the_other_is_refused_at_the_number(town):
    """Nothing was stored of the second twin, while the page said "saved"."""
    town.round()
    li, number = town.family("李"), id_number(BORN)
    first = enter(town.session, li, number, town.now, name="安娜")
    with pytest.raises(Refused) as refused:
        enter(town.session, li, number, town.now, name="安妮")
    assert (refused.value.code, refused.value.field) == ("own_child_has_this_number", "id_number")
    assert refused.value.details == {"name": "安娜"}
    second = enter(town.session, li, id_number(BORN), town.now, name="安妮")
    with pytest.raises(Refused, match="own_child_has_this_number"):
        correct(town, second, number)
    assert enter(town.session, li, number, town.now, name=" 安 娜 ").id == first.id


def correct(town, application, number):
    child = {"name": "安妮", "id_kind": "resident", "id_number": number, "relation": "mother"}
    return registration.correct_child(
        town.session, application.id, by=town.parent_of(application), now=town.now, **child
    )


def test_F2_another_account_entering_the_same_child_is_refused_and_learns_nothing(town):
    town.round()
    li, stranger, number = town.family("李"), town.family("赵"), id_number(BORN)
    application = enter(town.session, li, number, town.now)
    with pytest.raises(Refused) as refused:
        enter(town.session, stranger, number, town.now, name="别的名字")
    assert (refused.value.code, refused.value.field) == ("child_already_entered", "id_number")
    assert refused.value.details == {}
    with pytest.raises(NotFound):
        applications.own(town.session, application.id, by=stranger.actor)


def test_F2_two_sessions_racing_with_one_child_leave_one_live_application(real_database, now):
    engine = open_engine(real_database)
    number, answers = id_number(BORN), []
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, now)
        town.round()
        families = [town.family("李"), town.family("王")]
        actors = [family.actor for family in families]
        session.commit()
    barrier = threading.Barrier(2)

    def race(actor):
        with Session(engine) as session:
            barrier.wait()
            try:
                registration.enter_child(
                    session,
                    2026,
                    name="李沐晨",
                    id_kind="resident",
                    id_number=number,
                    relation="other",
                    by=actor,
                    now=now,
                )
                session.commit()
                answers.append("entered")
            except Refused as refused:
                answers.append(refused.code)

    racers = [threading.Thread(target=race, args=(actor,)) for actor in actors]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Application)) == 1
    engine.dispose()
    assert sorted(answers) == ["child_already_entered", "entered"]


def test_F2_one_guardian_on_two_phones_gets_one_application(real_database, now):
    engine = open_engine(real_database)
    number, ids = id_number(BORN), []
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, now)
        town.round()
        actor = town.family("李").actor
        session.commit()
    barrier = threading.Barrier(2)

    def enter_once():
        with Session(engine) as session:
            barrier.wait()
            made = registration.enter_child(
                session, 2026, name="李沐晨", id_kind="resident", id_number=number, relation="mother", by=actor, now=now
            )
            ids.append(made.id)
            session.commit()

    racers = [threading.Thread(target=enter_once) for _ in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    engine.dispose()
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_siblings_of_one_guardian_share_the_family_code(town):
    li = town.family("李")
    ana, ben = town.child("安娜", family=li), town.child("本", family=li)
    zoe = town.child("佐伊")
    assert ana.family_code == ben.family_code != zoe.family_code
    assert len({ana.child_code, ben.child_code, zoe.child_code}) == 3


def test_no_child_is_stored_before_the_guardian_consents(town):
    from enrollment.people import consents

    town.round()
    li = town.family("李")
    consents.withdraw(town.session, consents.CHILD_DATA, by=li.actor, now=town.now)
    with pytest.raises(Refused) as refused:
        enter(town.session, li, id_number(BORN), town.now)
    assert refused.value.code == "consent_needed"
    assert town.session.scalar(select(func.count()).select_from(Child)) == 0


@pytest.mark.parametrize(
    ("born", "level"),
    [
        (dt.date(2022, 9, 1), "lower"),
        (dt.date(2023, 8, 31), "lower"),
        (dt.date(2022, 8, 31), "middle"),
        (dt.date(2023, 9, 1), "nursery"),
    ],
)
def test_the_birth_date_tells_the_class_level(town, born, level):
    town.round(levels=["nursery", "lower", "middle", "upper"])
    assert enter(town.session, town.family("李"), id_number(born), town.now).level == level


def test_a_child_too_old_for_any_class_is_told_so(town):
    town.round()
    with pytest.raises(Refused) as refused:
        enter(town.session, town.family("李"), id_number(dt.date(2019, 1, 1)), town.now)
    assert (refused.value.code, refused.value.field) == ("no_level_for_age", "id_number")


def test_a_guardian_is_no_child(town):
    account_of_a_child = town.family("李")
    with pytest.raises(Refused) as refused:
        guardians.save_guardian(
            town.session,
            name="李沐晨",
            id_kind="resident",
            id_number=id_number(BORN),
            by=account_of_a_child.actor,
            now=town.now,
        )
    assert refused.value.code == "guardian_too_young"


def test_handing_in_twice_is_one_submission_with_one_receipt(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False)
    first, second = town.submit(ana), town.submit(ana)
    assert first == second
    assert town.session.scalar(select(func.count()).select_from(ApplicationVersion)) == 1
    told = town.session.scalars(select(Notice).where(Notice.kind == "application_submitted")).all()
    assert {each.params["changes_until"] for each in told} == {"2026-05-29 18:00"}
    assert len(told) == 1


def test_the_receipt_has_code_digest_and_version(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    receipt = receipts.latest(town.session, ana)
    assert (receipt.number, receipt.registration_code, receipt.changed) == (1, ana.registration_code, ())
    assert len(receipt.digest) == 64
    said = receipts.answers_in(town.session, ana, 1)
    assert said["child"]["name"] == "安娜"
    assert said["wishes"] == {"1": [f"{garden.code}/lower"]}


def test_an_incomplete_application_names_what_is_missing(town):
    town.kindergarten("金苹果", places=2)
    ana = town.child("安娜")
    town.open_registration()
    with pytest.raises(Refused) as refused:
        town.submit(ana)
    assert (refused.value.code, refused.value.field) == ("not_complete", "wishes")


def test_the_deadline_is_asked_at_the_moment_of_saving(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False)
    town.at(town.the_round.closes_at)
    for late in (lambda: town.submit(ana), lambda: town.wish(ana, garden, round_=town.the_round)):
        with pytest.raises(Refused) as refused:
            late()
        assert refused.value.code == "registration_closed"
    assert ana.stage == "draft"


def test_a_submission_before_the_deadline_is_confirmed_again_after_it(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    receipt = receipts.latest(town.session, ana)
    town.close_registration()
    assert town.submit(ana) == receipt


def test_before_registration_opens_a_draft_can_be_prepared_but_not_handed_in(town):
    town.now = dt.datetime(2026, 5, 20, 9, tzinfo=town.now.tzinfo)
    town.kindergarten("金苹果", places=2)
    ana = town.child("安娜")
    assert ana.stage == "draft"
    with pytest.raises(Refused) as refused:
        town.submit(ana)
    assert refused.value.code == "registration_not_open_yet"


def test_a_stale_version_is_never_written_over(town):
    garden, park = town.kindergarten("金苹果", places=2), town.kindergarten("公园", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False)
    seen = ana.version
    town.wish(ana, park)
    with pytest.raises(Stale):
        submission.submit(town.session, ana.id, version=seen, by=town.parent_of(ana), now=town.now)


def test_a_withdrawal_can_be_undone_until_the_deadline_and_gives_the_ticket_up_afterwards(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, ben = town.child("安娜", wishes=[garden]), town.child("本", wishes=[garden])
    submission.withdraw(town.session, ana.id, by=town.parent_of(ana), now=town.now)
    assert ana.stage == "withdrawn"
    town.close_registration()
    with pytest.raises(Refused) as refused:
        submission.withdraw(town.session, ben.id, by=town.parent_of(ben), now=town.now)
    assert refused.value.code == "withdraw_too_late", "what can be undone ends here; `withdrawals` gives the ticket up"
    town.withdraw(ben)
    assert ben.stage == "withdrawn"
