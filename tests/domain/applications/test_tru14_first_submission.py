"""A first submission in one statement leaves the rows that the service leaves, and nothing where something is not as read."""

import datetime as dt
import itertools
import json
import random
import uuid

import pytest
from sqlalchemy import delete, select, text, update

from enrollment.applications import contents, receipts, submission
from enrollment.applications.application_rows import Application, ApplicationVersion
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.statements import first_submission
from enrollment.eligibility import claims, evidence, households
from enrollment.ground import random_codes
from enrollment.ground.audit import AuditEntry
from enrollment.ground.outbox import Notice
from enrollment.ground.sign_in import IdempotentResponse, RequestKey
from enrollment.people import consents
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.season.document_kinds import Document
from enrollment.season.rounds import Round
from tests.support.prepared import prepared
from tests.support.random_families import random_family, undone, values
from tests.support.town_families import RENTED_IN_JINJIANG
from tests.support.town_helping import photo_of_a_paper

LOCATION = "/the-receipt"
NEW = {
    MoveMade: {"number"},
    AuditEntry: {"number", "writer", "turn", "written_at"},
    Notice: {"id"},
    ApplicationVersion: set(),
}
"""Tables that the act adds rows to, with the columns that differ from one time to the next."""

_keys = itertools.count()


@prepared
def places(town):
    return [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园", "金苹果")]


def key_of(by, now) -> RequestKey:
    return RequestKey(f"{by.account_id.hex}:{next(_keys)}", by.account_id, b"body", now)


def hand_in(town, application, *, by=None, agrees=True, key=None) -> bool | None:
    """Whether the statement handed it in; None where its plain case is not given."""
    by = by or town.parent_of(application)
    draft = first_submission.read(town.session, application.id, by=by)
    if draft is None:
        return None
    done = first_submission.write(
        town.session,
        draft,
        agrees_to_central=agrees,
        key=key or key_of(by, town.now),
        location=LOCATION,
        by=by,
        now=town.now,
    )
    town.session.expire_all()
    return done


def rows_of(session, application) -> dict[str, list]:
    """The application and everything that a submission adds, as plain values."""
    found: dict[str, list] = {"application": [values(session.get_one(Application, application.id))]}
    about = {
        MoveMade: MoveMade.application_id == application.id,
        AuditEntry: (AuditEntry.subject == "application") & (AuditEntry.subject_id == str(application.id)),
        Notice: Notice.application_id == application.id,
        ApplicationVersion: ApplicationVersion.application_id == application.id,
    }
    for table, where in about.items():
        rows = session.scalars(select(table).where(where))
        found[table.__tablename__] = sorted((values(row, NEW[table]) for row in rows), key=repr)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_TRU14_both_ways_leave_the_same_rows(town, places, seed, monkeypatch):
    monkeypatch.setattr(random_codes, "registration_code", lambda: f"CDFG-{seed:04}")
    chance = random.Random(seed)
    ana, agrees = random_family(town, places, chance), chance.random() < 0.5
    by = town.parent_of(ana)
    with undone(town.session):
        receipt = submission.submit(
            town.session, ana.id, version=ana.version, agrees_to_central=agrees, by=by, now=town.now
        )
        expected = rows_of(town.session, ana)
    assert hand_in(town, ana, by=by, agrees=agrees) is True
    assert rows_of(town.session, ana) == expected
    assert receipts.latest(town.session, ana) == receipt
    assert json.loads(expected["application_version"][0]["answers"])["guardians"]


def test_TRU14_the_answer_is_stored_under_the_key(town, places):
    ana = town.child("安娜", wishes=places, submit=False)
    key = key_of(town.parent_of(ana), town.now)
    assert hand_in(town, ana, key=key)
    stored = town.session.get_one(IdempotentResponse, key.key)
    assert (stored.account_id, stored.body_digest, stored.status) == (key.account_id, b"body", 303)
    assert (stored.location, stored.done_at) == (LOCATION, town.now)


def withdraw_consent(town, ana):
    consents.withdraw(town.session, consents.CHILD_DATA, by=town.parent_of(ana), now=town.now)


def close_round(town, ana):
    town.session.execute(update(Round).values(stage="closed"))


def end_guardianship(town, ana):
    town.session.execute(update(Guardianship).where(Guardianship.child_id == ana.child_id).values(accepted_at=None))


def change_guardian(town, ana):
    town.session.execute(update(Guardian).values(version=Guardian.version + 1))


def change_child(town, ana):
    town.session.execute(text("UPDATE child SET version = version + 1"))


def add_guardian(town, ana):
    town.second_guardian(ana)


def save_elsewhere(town, ana):
    town.session.execute(update(Application).where(Application.id == ana.id).values(version=Application.version + 1))


def hold(town, ana):
    town.session.execute(update(Application).where(Application.id == ana.id).values(on_hold=True))


def hand_in_elsewhere(town, ana):
    town.submit(ana)


def bind(town, ana):
    town.session.execute(update(Application).where(Application.id == ana.id).values(unit=uuid.uuid4()))


MEANWHILE = [
    withdraw_consent, close_round, end_guardianship, change_guardian, change_child, add_guardian, save_elsewhere, hold,
    hand_in_elsewhere, bind,
]  # fmt: skip


@pytest.mark.parametrize("happens", MEANWHILE, ids=lambda each: each.__name__)
def test_TRU14_nothing_is_written_if_something_changed_since_it_was_read(town, places, happens):
    ana = town.child("安娜", wishes=places, submit=False)
    by = town.parent_of(ana)
    draft = first_submission.read(town.session, ana.id, by=by)
    assert draft is not None
    happens(town, ana)
    town.session.commit()  # a statement that writes nothing rolls its transaction back
    town.session.expire_all()
    before = rows_of(town.session, ana)
    done = first_submission.write(
        town.session, draft, agrees_to_central=True, key=key_of(by, town.now), location=LOCATION, by=by, now=town.now
    )
    town.session.expire_all()
    assert not done
    assert rows_of(town.session, ana) == before
    assert (
        town.session.scalar(select(IdempotentResponse.key).where(IdempotentResponse.account_id == by.account_id))
        is None
    )


def test_TRU14_a_season_or_a_round_that_does_not_take_it_refuses(town, places):
    ana = town.child("安娜", wishes=places, submit=False)
    town.at(town.the_round.closes_at)
    assert hand_in(town, ana) is False


def without_wishes(town, ana):
    town.session.execute(text("DELETE FROM wish"))


def without_home(town, ana):
    town.session.execute(text("UPDATE household SET home_area = NULL"))


def without_hukou(town, ana):
    town.session.execute(text("UPDATE household SET hukou_kind = NULL"))


def without_household(town, ana):
    town.session.execute(delete(claims.Claim))
    town.session.execute(text("DELETE FROM household"))


def without_number(town, ana):
    town.session.execute(text("UPDATE guardian SET id_kind = NULL, id_number = NULL, id_index = NULL"))


def asked_about_another_document(town, ana):
    town.session.execute(text("UPDATE child_document SET kind = 'passport', entered_before = NULL"))


def handed_in_before(town, ana):
    town.submit(ana)
    town.withdraw(ana)
    town.apply_again(ana)


MISSING = [
    without_wishes, without_home, without_hukou, without_household, without_number, asked_about_another_document, hold, bind,
    handed_in_before, hand_in_elsewhere,
]  # fmt: skip


@pytest.mark.parametrize("case", MISSING, ids=lambda each: each.__name__)
def test_TRU14_every_other_case_is_left_to_the_service(town, places, case):
    ana = town.child("安娜", wishes=places, submit=False)
    case(town, ana)
    town.session.flush()
    town.session.expire_all()
    assert hand_in(town, ana) is None


def test_TRU14_nobody_elses_draft_can_be_read(town, places):
    ana = town.child("安娜", wishes=places, submit=False)
    assert first_submission.read(town.session, ana.id, by=town.family("王").actor) is None


def test_a_replaced_page_of_a_first_submission_is_no_change_later(town, places):
    """The page that replaces the first of two stands where that one stood, in the first receipt too."""
    ana = town.child("安娜", wishes=places, submit=False)
    by = town.parent_of(ana)
    for number, colour in enumerate(("red", "green")):
        moment = town.now + dt.timedelta(minutes=number)
        evidence.add_pages(town.session, ana.id, Document.HUKOU_BOOKLET, [photo_of_a_paper(colour)], by=by, now=moment)
    first = evidence.pages_of(town.session, ana.id)[Document.HUKOU_BOOKLET][0]
    town.at(town.now + dt.timedelta(hours=1))
    evidence.replace_page(town.session, ana.id, first.id, photo_of_a_paper("blue"), by=by, now=town.now)
    assert hand_in(town, ana)
    town.at(town.now + dt.timedelta(hours=1))
    households.save(town.session, ana.id, by=by, now=town.now, **RENTED_IN_JINJIANG)
    assert [each.number for each in receipts.all_of(town.session, ana)] == [1]
    assert contents.changed(receipts.answers_in(town.session, ana, 1), contents.gather(town.session, ana)) == []


def test_the_order_of_pages_alone_is_no_change():
    """First receipts from before have their pages in the order of the upload."""
    one, two = {"evidence": {"hukou_booklet": ["a", "b"]}}, {"evidence": {"hukou_booklet": ["b", "a"]}}
    assert contents.changed(one, two) == []
    assert contents.changed(one, {"evidence": {"hukou_booklet": ["a", "c"]}}) == ["evidence.hukou_booklet"]
