"""A child that was refused wrongly is put back by two officials, and takes part like any other."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import MoveMade
from enrollment.corrections import reinstatements
from enrollment.draw import snapshot
from enrollment.draw.unserved import board, choices, entries
from enrollment.draw.unserved.entries import BoardState
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import family_requests
from enrollment.people import documents
from enrollment.people.duplicate_rows import DuplicateHint, Verdict
from enrollment.review import cases, duplicates, refusals
from tests.domain.draw.test_unserved_children import sends
from tests.support.prepared import prepared

WHY = "户口簿原件与登记一致"


@prepared
def refused(town):
    """The registration is over; 安娜 was refused for a false statement, 本本 and 翠翠 are confirmed."""
    town.garden = town.kindergarten("金苹果", places=2, longitude=104.10, latitude=30.60)
    town.kindergarten("近处公办", places=1, longitude=104.11, latitude=30.60)
    town.ana, town.ben, town.cui = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本本", "翠翠"))
    proposal = town.clerk_proposes_refusal(town.ana)
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(town.garden), now=town.now)
    town.everyone_is_reviewed()
    town.first, town.second = town.area_official("510104"), town.area_official("510104")
    assert town.ana.stage == Stage.REFUSED
    return town


def sign(town, by, **more):
    return reinstatements.reinstate(town.session, town.ana.id, reason=WHY, by=by, now=town.now, **more)


def reinstate(town):
    assert [sign(town, by) for by in (town.first, town.second)] == [False, True]
    assert list(invariants.find_violations(town.session)) == []


def told(town, application) -> list[str]:
    found = select(Notice.kind).where(Notice.application_id == application.id)
    return list(town.session.scalars(found))


def test_an_upheld_appeal_puts_the_child_into_the_draw(refused):
    town = refused
    mother = town.parent_of(town.ana)
    case = family_requests.ask(town.session, town.ana.id, "appeal", text="登记属实", by=mother, now=town.now)
    cases.settle(
        town.session, case.id, outcome="settled", reason="属实", answer="核对后属实", by=town.first, now=town.now
    )
    assert town.ana.stage == Stage.REFUSED, "the officials sign next"
    reinstate(town)
    assert town.ana.stage == Stage.SUBMITTED
    assert told(town, town.ana).count("application_reinstated") == 1
    with pytest.raises(Refused, match="still_under_review"), town.session.begin_nested():
        town.freeze()
    town.clerk_confirms(town.ana)
    town.declare_form()
    assert town.freeze().children == 3


def test_one_person_alone_and_another_area_cannot(refused):
    town = refused
    assert not sign(town, town.first)
    with pytest.raises(Refused, match="signed_already"):
        sign(town, town.first)
    for by in (town.area_official("510105"), town.head_of(town.garden), town.clerk_of(town.garden)):
        with pytest.raises(NotFound):
            sign(town, by)
    assert town.ana.stage == Stage.REFUSED
    (waiting,) = reinstatements.waiting(town.session, by=town.second)
    assert (waiting.application, waiting.proposed.reason) == (town.ana, WHY)
    assert reinstatements.waiting(town.session, by=town.area_official("510105")) == []
    assert sign(town, town.city_official())
    assert reinstatements.waiting(town.session, by=town.second) == []
    moves = town.session.scalars(select(MoveMade).where(MoveMade.move == "reinstate")).all()
    assert [(each.before, each.after, each.reason) for each in moves] == [("refused", "submitted", WHY)]
    acts = select(AuditEntry.act).where(AuditEntry.reason == WHY).order_by(AuditEntry.number)
    assert town.session.scalars(acts).all() == ["propose_reinstatement", "reinstate"]


def test_an_old_page_signs_nothing(refused):
    """Whoever saw no first signature does not sign second without having read its reason."""
    town = refused
    before = reinstatements.find(town.session, town.ana.id, by=town.second).stamp
    sign(town, town.first, seen=before)
    with pytest.raises(Stale):
        sign(town, town.second, seen=before)
    with pytest.raises(Refused, match="say_why"), town.session.begin_nested():
        reinstatements.reinstate(town.session, town.ana.id, reason=" ", by=town.second, now=town.now)
    stamp = reinstatements.find(town.session, town.ana.id, by=town.second).stamp
    assert sign(town, town.second, seen=stamp)
    with pytest.raises(Refused, match="application_not_refused"):
        sign(town, town.city_official(), seen=stamp)


def test_another_refusal_needs_two_signatures_again(refused):
    town = refused
    reinstate(town)
    town.at(town.now + dt.timedelta(hours=1))
    proposal = town.clerk_proposes_refusal(town.ana)
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(town.garden), now=town.now)
    assert not sign(town, town.first), "the earlier signatures count no more"
    assert sign(town, town.second)


@pytest.mark.parametrize("stage", ["frozen", "drawn"])
def test_before_publication_a_frozen_list_is_outdated(refused, stage):
    town = refused
    town.declare_form()
    town.freeze()
    if stage == "drawn":
        town.seed()
    old = snapshot.current(town.session, town.the_round.id)
    town.at(town.now + dt.timedelta(hours=1))
    reinstate(town)
    assert old.outdated_at == town.now
    town.clerk_confirms(town.ana)
    town.declare_form()
    assert town.freeze(reason="恢复一份申请").children == old.children + 1


def state_of(town, application) -> BoardState | None:
    found = entries.entries(town.session, 2026, by=town.first)
    return next((each.state for each in found if each.id == application.id), None)


def test_after_publication_the_child_is_on_the_board_and_gets_a_place_after_the_review(refused):
    town = refused
    town.drawn(town.ben, town.cui)
    assert state_of(town, town.ana) is None
    town.at(town.now + dt.timedelta(hours=1))
    reinstate(town)
    assert told(town, town.ana).count("application_reinstated_late") == 1
    assert state_of(town, town.ana) == BoardState.OPEN, "nobody forgets it"
    assert board.one(town.session, 2026, town.ana.id, by=town.first)[0].entry.registration_code
    free = town.programme_of(town.kindergartens_by_name("近处公办")[0])
    town.ana.agrees_to_central = True
    choose = {"seen": None, "by": town.first, "now": town.now}
    with pytest.raises(Refused, match="review_comes_first"):
        choices.choose(town.session, 2026, town.ana.id, free.id, **choose)
    town.clerk_confirms(town.ana)
    assert choices.choose(town.session, 2026, town.ana.id, free.id, **choose) == 1
    assert state_of(town, town.ana) == BoardState.CHOSEN
    assert sends(town).summary["chosen"] == 1
    assert town.place_of(town.ana).name == "近处公办"
    assert list(invariants.find_violations(town.session)) == []


def test_a_child_that_was_taken_for_another_has_its_documents_again(town):
    garden = town.kindergarten("金苹果", places=2)
    born = dt.date(2022, 12, 10)
    ana = town.child("安娜", born=born, wishes=[garden])
    town.at(town.now + dt.timedelta(hours=1))
    again = town.child("安娜", born=born, wishes=[garden])
    number = documents.current_document(town.session, again.child_id).number
    hint = town.session.scalars(select(DuplicateHint)).one()
    said = {"verdict": "same", "reason": "同一本户口簿", "now": town.now}
    duplicates.judge(town.session, hint.id, by=town.clerk_of(garden), **said)
    duplicates.judge(town.session, hint.id, by=town.head_of(garden), **said)
    town.ana, town.first, town.second = again, town.area_official("510104"), town.city_official()
    town.session.refresh(again)
    assert again.stage == Stage.REFUSED and len(documents.documents_of(town.session, ana.child_id)) == 2
    town.at(town.now + dt.timedelta(hours=1))
    reinstate(town)
    town.session.expire_all()
    assert again.stage == Stage.SUBMITTED
    assert (hint.verdict, hint.decided_by) == (Verdict.DIFFERENT, town.second.account_id)
    assert documents.current_document(town.session, again.child_id).number == number
    assert documents.child_of(town.session, again.child.id_index) == again.child_id
    assert len(documents.documents_of(town.session, ana.child_id)) == 1
    town.everyone_is_reviewed()
    town.declare_form()
    assert town.freeze().children == 2
