"""Families are told two evenings before the deadline what is still missing, by the scheduled job and its worker."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.eligibility import evidence, required_documents
from enrollment.ground.outbox import Notice
from portal.jobs import scheduler
from tests.support.town_helping import photo_of_a_paper
from tests.support.worker import let_the_worker_work

KIND = "deadline_reminders"


@pytest.fixture
def families(town):
    """Ana has given every paper, Ben none, Cui's is a draft."""
    garden = town.kindergarten("金苹果", places=3)
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
