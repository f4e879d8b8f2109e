"""Several edits after one another give one text message for each guardian; each edit has its own version."""

import datetime as dt

from sqlalchemy import select

from enrollment.applications import receipts
from enrollment.ground import outbox
from enrollment.ground.outbox import MessageState, Notice
from portal.config import Config
from tests.support.keys import KEYS
from tests.support.prepared import prepared
from tests.support.sender import send_notices

CONFIG = Config(database_url="", redis_url="", secret_key="for tests only", keys=KEYS, demo=True, testing=True)


@prepared
def family(town):
    town.gardens = [town.kindergarten(name, places=2) for name in ("金苹果", "牡丹", "小太阳")]
    town.ana = town.child("安娜", wishes=town.gardens[:1])
    town.mother, town.father = town.parent_of(town.ana), town.second_guardian(town.ana).actor
    send(town)
    return town


def send(town) -> None:
    send_notices(town.session, town.now)


def sent(town, by) -> int:
    """How many messages about a change reached this person's phone."""
    about = select(Notice).where(Notice.kind.in_(outbox.QUIET_KINDS), Notice.account_id == by.account_id)
    return len(town.session.scalars(about.where(Notice.state == MessageState.SENT)).all())


def click(town, *order: int, by=None) -> None:
    town.at(town.now + dt.timedelta(minutes=2))
    town.wish(town.ana, *(town.gardens[each] for each in order), by=by)
    send(town)


def test_five_clicks_are_five_versions_and_one_message_for_each_guardian(family):
    town, before = family, receipts.latest(family.session, family.ana).number
    for order in ((1,), (1, 0), (0, 1), (0, 1, 2), (2, 0, 1)):
        click(town, *order)
    assert receipts.latest(town.session, town.ana).number == before + 5
    assert (sent(town, town.mother), sent(town, town.father)) == (0, 0)
    town.at(town.now + outbox.QUIET)
    send(town)
    assert (sent(town, town.mother), sent(town, town.father)) == (1, 1)
    shown = [
        each
        for each in outbox.notices_of_account(town.session, town.mother.account_id)[0]
        if each.kind == "application_changed"
    ]
    assert [each.params["number"] for each in shown] == [before + 5], "the page of messages shows the last alone"
    click(town, 1)
    town.at(town.now + outbox.QUIET)
    send(town)
    assert sent(town, town.mother) == 2, "a later edit has a message of its own"


def test_a_change_of_the_other_guardian_is_told_beside_ones_own(family):
    town = family
    click(town, 1, by=town.mother)
    click(town, 1, 0, by=town.father)
    town.at(town.now + outbox.QUIET)
    send(town)
    assert (sent(town, town.mother), sent(town, town.father)) == (2, 2)
