"""A confirmation in one statement leaves the rows that the service leaves, and nothing in any other case."""

import datetime as dt

import pytest
from sqlalchemy import delete, func, select, text

from enrollment.applications.statements import keyed_write
from enrollment.ground.audit import AuditEntry
from enrollment.ground.outbox import Notice
from enrollment.ground.sign_in import RequestKey
from enrollment.offers import offers
from enrollment.offers.offer_rows import Offer, OfferMove
from enrollment.offers.statements import confirmation
from enrollment.places.programmes import Programme
from enrollment.season.calendar import SeasonDate
from tests.support.prepared import prepared
from tests.support.random_families import undone, values


@prepared
def ana(town):
    """Ana has a place at her second wish; two guardians care for her."""
    first, second = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    town.ben, ana = town.child("本本", wishes=[first], grounds={"special_need": True}), None
    ana = town.child("安娜", wishes=[first, second])
    town.second_guardian(ana)
    town.drawn(town.ben, ana)
    town.session.commit()
    return ana


def offer_of(town, application) -> Offer:
    return town.session.scalars(select(Offer).where(Offer.application_id == application.id)).one()


def rows_of(session, offer) -> dict[str, list]:
    about = {
        Offer: Offer.id == offer.id,
        OfferMove: OfferMove.offer_id == offer.id,
        AuditEntry: AuditEntry.subject_id == str(offer.id),
        Notice: Notice.application_id == offer.application_id,
        Programme: Programme.id == offer.programme_id,
    }
    new = {AuditEntry: {"number", "writer", "turn", "written_at"}, OfferMove: {"number"}, Notice: {"id", "key"}}
    found = {}
    for table, where in about.items():
        rows = session.scalars(select(table).where(where))
        found[table.__tablename__] = sorted((values(row, new.get(table, set())) for row in rows), key=repr)
    return found


def confirm(town, application, offer, *, wait=False, by=None, key="k") -> bool:
    by = by or town.parent_of(application)
    change = confirmation.change(application.id, f"{offer.id}:offered:", wait=wait, by=by, now=town.now)
    if change is None:
        return False
    key = RequestKey(f"{by.account_id.hex}:{key}", by.account_id, b"body", town.now)
    done = keyed_write.write(town.session, change, key=key, location="/result")
    town.session.expire_all()
    return done


@pytest.mark.parametrize(("wait", "due"), [(False, "with the days"), (True, "late"), (False, "no days")])
def test_TRU14_both_ways_to_confirm_leave_the_same_rows(town, ana, wait, due):
    offer, by = offer_of(town, ana), town.parent_of(ana)
    if due == "late":  # the child is due three days after its answer was
        arrival = town.session.get_one(SeasonDate, (offer.year, "arrival"))
        arrival.begins_at, arrival.ends_at = town.now, town.now + dt.timedelta(hours=1)
    if due == "no days":
        town.session.execute(delete(SeasonDate).where(SeasonDate.step == "arrival"))
    town.session.flush()
    town.session.expire_all()
    assert offer.state == "offered"
    assert offer.rank == 2
    with undone(town.session):
        offers.confirm(town.session, offer.id, wait=wait, by=by, now=town.now)
        expected = rows_of(town.session, offer)
    assert confirm(town, ana, offer, wait=wait)
    assert rows_of(town.session, offer) == expected
    keys = town.session.scalars(select(Notice.key).where(Notice.kind.like("answer_%")))
    number = town.session.scalar(select(func.max(OfferMove.number)).where(OfferMove.offer_id == offer.id))
    assert all(f":{number}:{ana.id}:" in each for each in keys)
    assert not confirm(town, ana, offer, wait=wait, key="again")


OTHERS = {
    "bound": "UPDATE application SET unit = gen_random_uuid() WHERE id = :id",
    "in dispute": "UPDATE application SET on_hold = true WHERE id = :id",
    "answered": "UPDATE offer SET state = 'confirmed'",
    "due": "UPDATE offer SET answer_by = '2026-01-01'",
    "not published": "DELETE FROM placement",
    "no guardian any more": "UPDATE guardianship SET accepted_at = NULL",
    "a new phone": "INSERT INTO phone_change"
    " (id, account_id, way, new_phone, asked_at, asked_by, effective_at, old_answered, stop_digest)"
    " SELECT gen_random_uuid(), entered_by, 'session', 'x', now(), entered_by, '2099-01-01', false, 'x'"
    " FROM application WHERE id = :id",
}


def test_TRU14_every_other_confirmation_is_left_to_the_service(town, ana):
    offer, by = offer_of(town, ana), town.parent_of(ana)
    assert not confirm(town, ana, offer, by=town.parent_of(town.ben))
    assert not confirm(town, town.ben, offer)
    assert not confirm(town, town.ben, offer_of(town, town.ben), wait=True)  # a first wish waits for nothing
    change = confirmation.change(ana.id, f"{offer.id}:offered:", wait=False, by=by, now=town.now)
    answer = dict.fromkeys(["visit", "visitor", "visit_data", "seen_at", "expires_at"])
    answer |= {"key": "k", "body": b"", "location": "/", "real_now": town.now}
    for _name, statement in OTHERS.items():
        with town.session.connection().begin_nested() as point:
            town.session.execute(text("SET LOCAL session_replication_role = replica"))
            town.session.execute(text(statement), {"id": ana.id} if ":id" in statement else {})
            found = town.session.connection().exec_driver_sql(change.statement, change.values | answer).one_or_none()
            assert found is None or found[0] is None, statement
            point.rollback()
    seen = [f"{offer.id}:confirmed:", f"{offer.id}:offered:{offer.id}", "x:offered:", ""]
    assert all(confirmation.change(ana.id, each, wait=False, by=by, now=town.now) is None for each in seen)
    assert confirm(town, ana, offer)
    assert offer_of(town, ana).answered_at == town.now
