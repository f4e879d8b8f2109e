"""Families are told two evenings before the deadline what is still missing, by the scheduled job and its worker."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.eligibility import evidence, required_documents, tiers
from enrollment.ground.outbox import Notice
from enrollment.offers import desk_messages, offer_lifecycle, registration_reminders
from enrollment.people import consents
from enrollment.season import rounds
from portal.jobs import scheduler
from tests.support.statements import counted
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at
from tests.support.worker import let_the_worker_work

KIND = "deadline_reminders"
MORE = "甲乙丙丁戊己庚辛壬癸子丑"


@pytest.fixture
def families(town):
    """Ana has given every paper, Ben none, Cui's is a draft."""
    garden = town.kindergarten("金苹果", places=3)
    town.gardens = [town.kindergarten(f"{name}园", places=1) for name in MORE]
    town.ana, town.ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.cui = town.child("翠翠", wishes=[garden], submit=False)
    for number, paper in enumerate(required_documents.missing(town.session, town.ana)):
        page = photo_of_a_paper(f"rgb(0, {number}, 0)")
        by = town.parent_of(town.ana)
        evidence.add_pages(town.session, town.ana.id, paper.document, [page], by=by, now=town.now)
    town.father = town.second_guardian(town.ben)
    return town


def told(town):
    found = select(Notice).where(Notice.kind.in_(("not_handed_in", "papers_missing")))
    return {(row.kind, row.application_id, row.account_id): row.params for row in town.session.scalars(found)}


def evening(town, clock, engine, days_before: int):
    moment = clock.set(town.the_round.closes_at - dt.timedelta(days=days_before, minutes=30))
    scheduler.enqueue_scheduled(town.session, KIND, moment, now=moment)
    town.session.commit()
    return let_the_worker_work(engine, clock, (KIND,))


def test_who_lacks_papers_or_did_not_hand_in_is_told_once(app, families, frozen_clock, portal_engine):
    town = families
    assert KIND in {each.kind for each in scheduler.SCHEDULE}
    assert evening(town, frozen_clock, portal_engine, 3) == ["done"] and told(town) == {}
    assert evening(town, frozen_clock, portal_engine, 1) == ["done"]
    lacking = len(required_documents.missing(town.session, town.ben))
    due = {"due": "5 月 29 日 18:00"}
    messages = told(town)
    assert {key: value | due for key, value in messages.items()} == {
        ("not_handed_in", town.cui.id, town.cui.entered_by): due,
        ("papers_missing", town.ben.id, town.ben.entered_by): due | {"n": lacking},
        ("papers_missing", town.ben.id, town.father.account.id): due | {"n": lacking},
    }
    assert evening(town, frozen_clock, portal_engine, 0) == ["done"]
    assert told(town) == messages, "one message for a closing time"


def test_the_evening_job_reminds_of_a_supplementary_round_without_wishes(app, town, frozen_clock, portal_engine):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    town.at(at(6, 15, 10))
    town.round(kind="supplementary")
    town.open_registration()
    town.session.commit()
    for days, reminded in ((3, []), (1, [ben.id]), (0, [ben.id])):
        assert evening(town, frozen_clock, portal_engine, days) == ["done"]
        found = select(Notice.application_id).where(Notice.kind == "wishes_missing")
        assert town.session.scalars(found).all() == reminded


def test_papers_are_asked_for_only_where_the_review_goes_on_for_this_round(app, town, frozen_clock, portal_engine):
    """Whoever is decided, has a place or is at the kindergarten, has nothing to bring; who wishes in the new round has."""
    garden, park = town.kindergarten("金苹果", places=2), town.kindergarten("公园", places=2)
    placed, arrived, without, sits = (town.child(name, wishes=[garden]) for name in ("安娜", "本本", "翠翠", "丁丁"))
    town.drawn(placed, arrived, without, sits)
    town.confirm(placed)
    town.confirm(arrived)
    offer = town.offer_for(arrived)
    offer_lifecycle.make(town.session, offer, "mark_arrived", by=town.clerk_of(garden), now=town.now)
    town.at(at(6, 15, 10))
    town.round(kind="supplementary")
    later = town.open_registration()
    new = town.child("新新", wishes=[park])
    town.wish(placed, park, round_=later)
    families = placed, arrived, without, sits, new
    placed.stage = sits.stage = "submitted"  # as after an edit, for which the review begins anew
    town.session.commit()
    lacking = {each.id for each in families if required_documents.missing(town.session, each)}
    assert lacking == {each.id for each in families}
    assert evening(town, frozen_clock, portal_engine, 1) == ["done"]
    assert {application_id for _kind, application_id, _account in told(town)} == {new.id}
    notice = town.session.scalars(select(Notice).where(Notice.kind == "papers_missing")).one()
    still = {
        each.id
        for each in families
        if desk_messages.matters(town.session, each, notice, town.offer_for(each), now=later.opens_at)
    }
    assert still == {new.id}


def statements_of_a_reminder(town):
    """The statements of one batch, which is then forgotten."""
    with counted(town.session) as sent:
        moment = town.the_round.closes_at - dt.timedelta(days=1)
        with Session(town.session.get_bind(), join_transaction_mode="create_savepoint") as session:
            assert (
                registration_reminders.remind(session, rounds.get_round(session, town.the_round.id), now=moment) is None
            )
            lines = set(session.execute(select(Notice.application_id, Notice.params["n"].astext)).all())
            session.rollback()
    return len(sent), lines


def test_the_statements_of_a_batch_do_not_grow_with_the_families(families):
    town = families
    town.ben.child.id_kind = "passport"  # a kind that no register holds
    few, _lines = statements_of_a_reminder(town)
    for number, name in enumerate(MORE):
        family = town.family(name)
        if number % 3:  # asks registers instead, one of which contradicts every second family
            town.agree_to_registers(family, *consents.Register)
        child = town.child(f"{name}孩", family=family, wishes=[town.gardens[number]])
        if number % 2:
            facts = tiers.claimed_facts(town.session, child.id)
            said = [
                (fact, register_answers.REGISTER_OF[fact], value)
                for fact, value in facts.items()
                if fact in register_answers.REGISTER_OF
            ]
            answers = [
                register_answers.Answer(child.id, fact, register, "differs", value) for fact, register, value in said
            ]
            register_answers.note(town.session, answers, now=town.now)
    many, lines = statements_of_a_reminder(town)
    assert many == few
    told = {application_id: n for application_id, n in lines if n is not None}
    handed_in = [each for each in town.session.scalars(select(Application)) if each.stage != "draft"]
    one_by_one = {each.id: len(required_documents.missing(town.session, each)) for each in handed_in}
    assert told == {id_: str(n) for id_, n in one_by_one.items() if n}
    assert 8 <= len(told) < len(handed_in), "some have every paper, or a register that agrees"
