"""A request that waits for a second person ends after a week: nobody agrees to it any more, no count shows it, and a new one may be made."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.guardian_access import desk_access, phone_change_course, phone_changes
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.signatures import OPEN_FOR
from enrollment.people.person_rows import Guardian
from enrollment.reports.tables import exports
from enrollment.results import full_files
from enrollment.results.full_files import GrantState
from enrollment.staff_accounts import changes, listing
from enrollment.staff_accounts.rows import Change
from tests.support.prepared import prepared
from tests.support.staff_leaving import loses_the_role

LAST_MOMENT = OPEN_FOR - dt.timedelta(seconds=1)


@prepared
def garden(town):
    return town.kindergarten("锦官园", places=1)


def later(town, by: dt.timedelta) -> None:
    town.at(town.now + by)


def lapsed(act, *args, **more) -> None:
    with pytest.raises(Refused) as fault:
        act(*args, **more)
    assert fault.value.code == "request_lapsed"


@pytest.mark.parametrize("after", [LAST_MOMENT, OPEN_FOR])
def test_a_file_with_names(town, garden, after):
    clerk, head = town.clerk_of(garden), town.head_of(garden)
    asked = exports.ask(town.session, "class_list", garden.id, 2026, reason="家长会", by=clerk, now=town.now)
    later(town, after)
    about = {"by": head, "now": town.now}
    if after < OPEN_FOR:
        assert (exports.waiting_for(town.session, **about), len(exports.recent(town.session, **about))) == (1, 1)
        assert exports.decide(town.session, asked.id, agreed=True, **about).agreed
        return
    assert (exports.waiting_for(town.session, **about), exports.recent(town.session, **about)) == (0, [])
    lapsed(exports.decide, town.session, asked.id, agreed=True, **about)


@pytest.mark.parametrize("after", [LAST_MOMENT, OPEN_FOR])
def test_an_account_of_staff(town, garden, after):
    clerk, area, city = town.clerk_of(garden), town.area_official(garden.area_code), town.city_official()
    session, about = town.session, {"reason": "手机丢失", "by": area}
    asked = changes.ask(session, clerk.account_id, Change.RESET, now=town.now, **about)
    later(town, after)
    if after < OPEN_FOR:
        assert listing.waiting_for(session, by=city, now=town.now) == 1
        assert changes.decide(session, asked.id, agreed=True, by=city, now=town.now).agreed
        return
    assert listing.waiting_for(session, by=city, now=town.now) == 0
    assert listing.asked_for(session, by=city, now=town.now).total == 0
    lapsed(changes.decide, session, asked.id, agreed=True, by=city, now=town.now)
    again = changes.ask(session, clerk.account_id, Change.RESET, now=town.now, **about)
    assert changes.decide(session, again.id, agreed=True, by=city, now=town.now).agreed


@pytest.mark.parametrize("after", [LAST_MOMENT, OPEN_FOR])
def test_the_full_file_of_a_draw(town, garden, after):
    town.child("安娜", wishes=[garden])
    run, (one, two) = town.drawn(), town.city_pair()
    about = {"kind": "notary", "recipient": "王敏，公证处", "reason": "核验"}
    grant = full_files.ask(town.session, run.id, by=one, now=town.now, **about)
    later(town, after)
    (shown,) = full_files.of_run(town.session, run.id, now=town.now)
    if after < OPEN_FOR:
        assert shown.state == GrantState.ASKED
        full_files.approve(town.session, run.id, grant.id, by=two, now=town.now)
        later(town, OPEN_FOR)
        assert full_files.of_run(town.session, run.id, now=town.now)[0].state == GrantState.OPEN, "approved in time"
        return
    assert shown.state == GrantState.ENDED
    with pytest.raises(Refused, match="full_file_is_over"):
        full_files.approve(town.session, run.id, grant.id, by=two, now=town.now)


def phone_change(town, ana, clerk):
    mother = town.session.get_one(Account, ana.entered_by)
    number = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.id)).one().id_number
    desk_access.check_identity(
        town.session,
        ana.id,
        mother.id,
        document_kind="resident",
        document_end=number[-4:],
        purpose="desk",
        by=clerk,
        now=town.now,
    )
    codes = phone_changes.send_codes(town.session, mother.id, "13955556666", by=clerk, now=town.now)
    return phone_changes.request_at_desk(
        town.session, ana.id, mother.id, "13955556666", codes.new, "", by=clerk, now=town.now
    ).change


def test_a_change_of_a_familys_phone_at_a_desk(town, garden):
    ana = town.child("安娜", wishes=[garden])
    clerk, head = town.clerk_of(garden), town.head_of(garden)
    change = phone_change(town, ana, clerk)
    later(town, LAST_MOMENT)
    phone_change_course.end_waiting_times(town.session, now=town.now)
    assert phone_changes.waiting_at_desk(town.session, by=head) == [change]
    later(town, OPEN_FOR - LAST_MOMENT)
    lapsed(phone_changes.confirm_at_desk, town.session, change.id, by=head, now=town.now)
    phone_change_course.end_waiting_times(town.session, now=town.now)
    assert (change.outcome, phone_changes.waiting_at_desk(town.session, by=head)) == ("lapsed", [])
    assert town.session.scalars(select(Notice.account_id).where(Notice.kind == "phone_change_lapsed")).all() == [
        ana.entered_by
    ]
    again = phone_change(town, ana, clerk)
    assert phone_changes.confirm_at_desk(town.session, again.id, by=head, now=town.now).confirmed_at == town.now


def test_a_confirmed_change_does_not_lapse(town, garden):
    ana = town.child("安娜", wishes=[garden])
    change = phone_change(town, ana, town.clerk_of(garden))
    later(town, LAST_MOMENT)
    phone_changes.confirm_at_desk(town.session, change.id, by=town.head_of(garden), now=town.now)
    later(town, dt.timedelta(seconds=2))
    phone_change_course.end_waiting_times(town.session, now=town.now)
    assert change.outcome is None, "it waits for the holder of the old number"


def test_nobody_confirms_alone_a_change_that_somebody_requested_who_has_left(town, garden):
    ana = town.child("安娜", wishes=[garden])
    clerk, head = town.clerk_of(garden), town.head_of(garden)
    change = phone_change(town, ana, clerk)
    loses_the_role(town, clerk)
    with pytest.raises(Refused, match="first_person_left"):
        phone_changes.confirm_at_desk(town.session, change.id, by=head, now=town.now)
    assert phone_changes.refuse_at_desk(town.session, change.id, by=head, now=town.now)
    again = phone_change(town, ana, town.clerk_of(garden))
    assert phone_changes.confirm_at_desk(town.session, again.id, by=head, now=town.now).confirmed_at == town.now
