"""Every guardian of the child with an account gets one message of an event, and nobody else gets one."""

import pytest
from sqlalchemy import func, select

from enrollment.applications import notifications
from enrollment.applications.notifications import Notification
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import AT_ONCE, MessageState, Notice
from enrollment.people import invitations
from tests.support.prepared import prepared


@prepared
def families(town):
    """Ana with a father who accepted and an aunt who only was invited; Ben with one guardian."""
    here = town.kindergarten("金苹果", places=2)
    town.ana, town.ben = town.child("安娜", wishes=[here]), town.child("本本", wishes=[here])
    town.father = town.second_guardian(town.ana)
    aunt = town.family("姑姑")
    invitations.invite(town.session, town.ben.child_id, aunt.phone, by=town.parent_of(town.ben), now=town.now)
    return town


def told(town, kind):
    found = select(Notice).where(Notice.kind == kind).order_by(Notice.application_id)
    return sorted((str(one.application_id), str(one.account_id)) for one in town.session.scalars(found))


def everybody(town):
    return sorted(
        (str(application.id), str(account_id))
        for application, account_id in (
            (town.ana, town.ana.entered_by),
            (town.ana, town.father.account.id),
            (town.ben, town.ben.entered_by),
        )
    )


def by_ids(town, event):
    both = [town.ana.id, town.ben.id]
    notifications.notify_guardians(town.session, "on_hold", both, now=town.now, event=event)


def by_values(town, event):
    each = [Notification(one.child_id, one.id, event, {"n": 1}) for one in (town.ana, town.ben)]
    notifications.notify_guardians_each(town.session, "on_hold", each, now=town.now)


def by_query(town, event):
    selection = "SELECT child_id, id AS application_id, CAST(:event AS text) AS event FROM application"
    notifications.notify_guardians_of(town.session, "on_hold", selection, {"event": event}, now=town.now)


@pytest.mark.parametrize("notify", [by_ids, by_values, by_query])
def test_each_guardian_is_told_once_of_an_event(families, notify):
    notify(families, "first")
    notify(families, "first")
    assert told(families, "on_hold") == everybody(families)
    notify(families, "second")
    assert told(families, "on_hold") == sorted(everybody(families) * 2)


def test_the_three_ways_name_a_message_alike(families):
    for notify in (by_ids, by_values, by_query):
        notify(families, "the same")
    assert told(families, "on_hold") == everybody(families)


def test_a_version_of_an_application_is_told_of_once(families):
    for _again in range(2):
        notifications.notify_guardians(families.session, "review_confirmed", [families.ben.id], now=families.now)
    assert len(told(families, "review_confirmed")) == 1
    families.ben.version += 1
    notifications.notify_guardians(families.session, "review_confirmed", [families.ben.id], now=families.now)
    assert len(told(families, "review_confirmed")) == 2


@pytest.mark.parametrize("notify", [by_ids, by_values, by_query])
def test_tru11_a_message_is_its_own_entry_of_the_queue(families, notify):
    """No job and no key that another family's transaction writes too: nobody waits for somebody else's commit."""
    jobs = select(func.count()).select_from(Job)
    before = families.session.scalar(jobs)
    notify(families, "first")
    assert families.session.scalar(jobs) == before
    rows = families.session.execute(select(Notice.state, Notice.next_try_at).where(Notice.kind == "on_hold")).all()
    assert rows and {tuple(row) for row in rows} == {(MessageState.WAITING, AT_ONCE)}
