"""FAM04: rows of an older version get their documents, the index of the person's part, and the hints that they lack."""

import datetime as dt

from sqlalchemy import delete, select

from enrollment.ground import identity
from enrollment.ground.vault import blind_index
from enrollment.maintenance import invariants, reindexing
from enrollment.people import documents
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import ChildDocument, ChildLikeness, Guardian
from tests.support.prepared import prepared

BORN = dt.date(2022, 12, 10)
PERMIT = "H7654321002"


def as_before(town, application):
    """The child as the older version wrote it: without a document, and with an index of the whole number."""
    child = application.child
    town.session.execute(delete(ChildDocument).where(ChildDocument.child_id == child.id))
    town.session.execute(delete(ChildLikeness).where(ChildLikeness.child_id == child.id))
    child.id_index = blind_index(child.id_number, identity.INDEX_PURPOSE)
    town.session.flush()


def run(town):
    for batch in reindexing.TABLES.values():
        after = batch(town.session, None, town.now)
        while after is not None:
            after = batch(town.session, after, town.now)


@prepared
def permit(town):
    return town.child("安娜", born=BORN, id_kind="hk_macau_permit", number=PERMIT)


def test_fam04_an_older_row_is_found_by_the_persons_part(town, permit):
    as_before(town, permit)
    assert "child_without_its_document" in {each.code for each in invariants.find_violations(town.session)}
    run(town)
    assert documents.child_of(town.session, identity.index_of("H76543210")) == permit.child_id
    assert permit.child.id_index == identity.index_of(PERMIT)
    assert list(invariants.find_violations(town.session)) == []


def test_fam04_two_older_rows_of_one_person_are_a_hint_and_stay_two(town, permit):
    as_before(town, permit)
    other = town.child("安小娜", born=BORN, id_kind="hk_macau_permit", number="H7654321003")
    run(town)
    hint = town.session.scalars(select(DuplicateHint)).one()
    assert {hint.child_a, hint.child_b} == {permit.child_id, other.child_id}
    run(town)
    assert len(town.session.scalars(select(DuplicateHint)).all()) == 1


def test_fam04_guardians_and_the_roll_get_the_same_rule(town, permit):
    kindergarten = town.kindergarten("锦官园")
    listed = town.child_on_roll(kindergarten, "路人", id_number=PERMIT)
    guardian = town.session.scalars(select(Guardian)).first()
    guardian.id_kind, guardian.id_number = "taiwan_permit", "1234567802"
    town.session.flush()
    listed.id_index = guardian.id_index = blind_index(PERMIT, identity.INDEX_PURPOSE)
    town.session.flush()
    run(town)
    assert listed.id_index == identity.index_of("H76543210", "hk_macau_permit")
    assert guardian.id_index == identity.index_of("12345678", "taiwan_permit")
