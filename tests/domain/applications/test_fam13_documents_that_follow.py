"""FAM13: the resident number follows the birth certificate, before the freeze and after it."""

import datetime as dt

import pytest
from sqlalchemy import event, select, update

from enrollment.applications import identity_documents, receipts, registration
from enrollment.applications.application_rows import Stage
from enrollment.corrections import added_documents
from enrollment.draw.draws import Ticket
from enrollment.ground import identity
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.offers import notice_codes
from enrollment.offers.arrivals import arrival
from enrollment.people import documents
from enrollment.people.person_rows import ChildDocument
from enrollment.places.roll_rows import RollChild
from enrollment.review import duplicates
from tests.support.prepared import prepared
from tests.support.town_families import id_number
from tests.support.town_season import at

BORN = dt.date(2022, 12, 10)


@prepared
def garden(town):
    return town.kindergarten("锦官园", places=5)


def add(town, application, kind, number):
    by = town.parent_of(application)
    return identity_documents.add_document(
        town.session, application.id, id_kind=kind, id_number=number, by=by, now=town.now
    )


def test_fam13_the_resident_number_follows_the_birth_certificate(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden])
    kept = (ana.child_id, ana.registration_code, ana.child_code)
    assert add(town, ana, "resident", id_number(BORN)) is True
    assert (ana.child_id, ana.registration_code, ana.child_code) == kept
    assert (ana.child.id_kind, ana.stage) == ("resident", Stage.SUBMITTED)
    assert receipts.latest(town.session, ana).number == 2
    assert documents.child_of(town.session, identity.index_of("R510123456")) == ana.child_id
    with pytest.raises(Refused, match="child_already_entered"):
        town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456")


def test_fam13_after_the_freeze_a_clerk_looks_at_the_document_and_the_ticket_stays(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    ticket = select(Ticket.number).where(Ticket.child_id == ana.child_id)
    before = town.session.scalar(ticket)
    assert add(town, ana, "resident", id_number(BORN)) is False
    assert ana.child.id_kind == "birth_certificate"
    clerk = town.clerk_of(garden)
    ((document, _child, _application),) = duplicates.documents_to_look_at(town.session, by=clerk)
    added_documents.look_at_document(town.session, document.id, accepted=True, by=clerk, now=town.now)
    assert (ana.child.id_kind, town.session.scalar(ticket)) == ("resident", before)
    assert duplicates.documents_to_look_at(town.session, by=clerk) == []


def test_fam13_a_document_accepted_after_the_result_gives_the_notice_a_new_code_and_corrects_the_roll(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden])
    town.drawn(ana)
    town.confirm(ana)
    head, clerk, number = town.head_of(garden), town.clerk_of(garden), id_number(BORN)
    town.at(at(8, 25))
    arrival.mark_arrived(town.session, town.offer_for(ana).id, by=head, now=town.now, class_name="小一班")
    old_code, receipt = town.offer_for(ana).notice_code, receipts.latest(town.session, ana).number
    assert add(town, ana, "resident", number) is False
    ((document, _child, _application),) = duplicates.documents_to_look_at(town.session, by=clerk)
    added_documents.look_at_document(town.session, document.id, accepted=True, by=clerk, now=town.now)
    assert town.offer_for(ana).notice_code != old_code
    assert notice_codes.replaced_notice(town.session, old_code).offer_id == town.offer_for(ana).id
    row = town.session.scalars(select(RollChild)).one()
    assert (row.id_number, row.id_index) == (number, identity.index_of(number))
    assert receipts.latest(town.session, ana).number == receipt + 1
    told = select(Notice.kind).where(Notice.application_id == ana.id, Notice.created_at == town.now)
    assert "document_accepted_new_notice" in set(town.session.scalars(told))
    with pytest.raises(NotFound):
        added_documents.look_at_document(town.session, document.id, accepted=True, by=clerk, now=town.now)


def test_fam13_the_answer_locks_the_applications_before_it_writes_the_documents(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden], submit=False)
    town.session.execute(update(ChildDocument).values(entered_before=None))
    town.session.expire_all()
    done = []
    listening = (
        town.session.connection(),
        "before_cursor_execute",
        lambda _c, _u, statement, *_: done.append(statement),
    )
    event.listen(*listening)
    town.not_entered_before(ana)
    event.remove(*listening)
    locks = next(n for n, each in enumerate(done) if "FROM application" in each and "FOR NO KEY UPDATE" in each)
    writes = next(n for n, each in enumerate(done) if each.startswith("UPDATE child_document"))
    assert locks < writes


def test_fam13_a_document_that_is_not_accepted_is_gone(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    number = id_number(BORN)
    add(town, ana, "resident", number)
    clerk = town.clerk_of(garden)
    ((document, _child, _application),) = duplicates.documents_to_look_at(town.session, by=clerk)
    added_documents.look_at_document(town.session, document.id, accepted=False, by=clerk, now=town.now)
    assert documents.child_of(town.session, identity.index_of(number)) is None


def test_fam13_a_number_of_another_birth_date_is_another_child(town, garden):
    ana = town.child("安娜", born=BORN, id_kind="birth_certificate", number="R510123456", wishes=[garden])
    with pytest.raises(Refused, match="document_of_another_birth"):
        add(town, ana, "resident", id_number(BORN + dt.timedelta(days=1)))
    with pytest.raises(Refused, match="document_there_already"):
        add(town, ana, "birth_certificate", "R510123456")
    town.registration_is_over()
    with pytest.raises(Refused, match="correction_before_document"):
        add(town, ana, "resident", id_number(BORN + dt.timedelta(days=1)))


def test_fam13_a_guardian_has_no_birth_certificate(town):
    with pytest.raises(Refused, match="id_kind"):
        registration.save_guardian(
            town.session,
            name="李",
            id_kind="birth_certificate",
            id_number="R510123456",
            by=town.family("李").actor,
            now=town.now,
        )


def test_fam13_a_mistyped_number_identifies_nobody_after_its_correction(town):
    wrong, right = id_number(BORN), id_number(BORN)
    ana = town.child("安娜", born=BORN, number=wrong)
    registration.correct_child(
        town.session,
        ana.id,
        name="安娜",
        id_kind="resident",
        id_number=right,
        relation="mother",
        by=town.parent_of(ana),
        now=town.now,
    )
    assert documents.child_of(town.session, identity.index_of(wrong)) is None
    assert town.child("贝贝", born=BORN, number=wrong).child_id != ana.child_id
