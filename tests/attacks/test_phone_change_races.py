"""FAM10: two phone changes at once, and a change at the same moment as a sign-in with the old phone."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import phone_change_course, phone_changes
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account, actor_of
from enrollment.people.desk_rows import PhoneChange

OLD, OTHER, NEW = "13911110001", "13911110002", "13911110003"


@pytest.fixture
def mother(race, now):
    with Session(race.engine) as session, session.begin():
        return sign_in.account_of_phone(session, OLD, now=now).id


def asked(session, account_id, now, phone=NEW):
    by = actor_of(session.get_one(Account, account_id))
    return by, phone_changes.send_codes(session, account_id, phone, by=by, now=now)


def test_fam10_one_of_two_changes_at_once_is_made(race, mother, now):
    with Session(race.engine) as session, session.begin():
        by, codes = asked(session, mother, now)

    def change(session):
        return phone_changes.request_change(session, NEW, codes.new, codes.old, by=by, now=now).change

    race.at_once(change, change, change)
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(PhoneChange)) == 1


def test_fam10_two_accounts_do_not_get_the_same_number(race, mother, now):
    with Session(race.engine) as session, session.begin():
        father = sign_in.account_of_phone(session, OTHER, now=now).id
        changes = []
        for account_id in (mother, father):
            by, codes = asked(session, account_id, now)
            changes.append(phone_changes.request_change(session, NEW, codes.new, codes.old, by=by, now=now).change.id)

    def take_effect(change_id):
        def act(session):
            change = session.get_one(PhoneChange, change_id)
            return phone_change_course.take_effect_now(
                session, change, by=actor_of(session.get_one(Account, change.account_id)), now=now
            )

        return act

    race.at_once(*[take_effect(each) for each in changes])
    with Session(race.engine) as session:
        index = sign_in.phone_index(NEW)
        assert session.scalar(select(func.count()).where(Account.phone_index == index)) == 1
        open_ = select(func.count()).select_from(PhoneChange).where(PhoneChange.ended_at.is_(None))
        assert session.scalar(open_) == 0


def test_fam10_a_sign_in_with_the_old_phone_at_the_same_moment_gets_no_lasting_way_in(race, mother, now):
    """It gets the account before the change, whose session the change's mark ends, or a fresh account after it."""
    with Session(race.engine) as session, session.begin():
        by, codes = asked(session, mother, now)
        change = phone_changes.request_change(session, NEW, codes.new, codes.old, by=by, now=now).change.id

    def take_effect(session):
        return phone_change_course.take_effect_now(session, session.get_one(PhoneChange, change), by=by, now=now)

    race.at_once(take_effect, lambda session: sign_in.account_of_phone(session, OLD, now=now))
    with Session(race.engine) as session:
        assert session.get_one(Account, mother).phone_index == sign_in.phone_index(NEW)
        assert sign_in.account_of_phone(session, OLD, now=now).id != mother
