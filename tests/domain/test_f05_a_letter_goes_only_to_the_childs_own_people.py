"""F5: letters about somebody else's child.  The recipient's child is checked when a message is sent."""

from sqlalchemy import delete, select

from enrollment.ground import outbox
from enrollment.ground.outbox import MessageState, Notice
from enrollment.people.person_rows import Guardian, Guardianship
from tests.support.sender import send_notices


def tell_result(town, application, account_id, key):
    outbox.tell(
        town.session,
        "review_confirmed",
        account_id=account_id,
        child_id=application.child_id,
        application_id=application.id,
        key=key,
        now=town.now,
        code=application.registration_code or "",
    )


def send(town):
    """The key and the number of each message that was sent."""
    sent = send_notices(town.session, town.now)
    keys = dict(town.session.execute(select(Notice.id, Notice.key)).all())
    return [(keys[message.id], message.to) for message in sent]


def test_a_message_about_a_strangers_child_never_leaves(town):
    li, wang = town.family("李"), town.family("王")
    ana = town.child("Ana", family=li, wishes=[town.kindergarten("金苹果", places=1)])
    send(town)
    tell_result(town, ana, wang.account.id, "wrong")
    assert send(town) == []
    withheld = town.session.scalars(select(Notice).where(Notice.key == "wrong")).one()
    assert withheld.withheld_at == town.now
    assert withheld.sent_at is None
    assert withheld.state == MessageState.WITHHELD
    assert outbox.notices_of_account(town.session, wang.account.id)[0] == []


def test_the_childs_own_guardian_gets_it_once(town):
    li = town.family("李")
    ana = town.child("Ana", family=li, wishes=[town.kindergarten("金苹果", places=1)])
    send(town)
    tell_result(town, ana, li.account.id, "right")
    tell_result(town, ana, li.account.id, "right")
    assert send(town) == [("right", li.phone)]
    assert send(town) == []


def test_who_lost_the_care_before_the_message_went_does_not_get_it(town):
    """The check is made at the moment of sending, not of writing."""
    li = town.family("李")
    ana = town.child("Ana", family=li, wishes=[town.kindergarten("金苹果", places=1)])
    send(town)
    tell_result(town, ana, li.account.id, "late")
    mine = select(Guardian.id).where(Guardian.account_id == li.account.id)
    town.session.execute(delete(Guardianship).where(Guardianship.guardian_id.in_(mine)))
    assert send(town) == []
