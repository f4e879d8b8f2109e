"""Many presses and many people at once: a message is written once for each guardian, and a day has no fourth one."""

from collections import Counter

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.family_messages import sending
from enrollment.family_messages.selection import choice_of
from enrollment.ground.outbox import Notice
from tests.attacks.test_roll_races import codes

pytestmark = pytest.mark.long


@pytest.fixture
def garden(race, now):
    """A kindergarten with four families in review, a clerk and a head."""
    town = race.town(now)
    town.here = town.kindergarten("锦官园", places=5)
    town.open_registration()
    for name in ("安娜", "本本", "翠翠", "丹丹"):
        town.child(name, wishes=[town.here])
    town.registration_is_over()
    town.people = [town.clerk_of(town.here), town.head_of(town.here)]
    town.session.commit()
    return town


def prepared(town, by):
    chosen = choice_of({"audience": "queue", "year": "2026"})
    texts = {"zh": "请来。", "en": "Come."}
    return sending.prepare(town.session, town.here.id, chosen, name="a", texts=texts, by=by, now=town.now).id


def sends(town, message_id, by):
    return lambda session: sending.send(session, message_id, by=by, now=town.now).id


def test_ten_presses_and_five_messages_at_once(race, garden):
    town = garden
    clerk, head = town.people
    once = prepared(town, clerk)
    others = [prepared(town, by) for by in (clerk, head, clerk, head)]
    town.session.commit()
    said = race.at_once(*[sends(town, once, clerk) for _press in range(10)])
    assert codes(said) == []
    said = race.at_once(*[sends(town, each, by) for each, by in zip(others, (clerk, head, clerk, head), strict=True)])
    assert codes(said) == ["messages_of_today"] * 2
    with Session(race.engine) as session:
        copies = session.scalars(select(Notice).where(Notice.kind == sending.KIND)).all()
    of_a_person = Counter(each.account_id for each in copies)
    assert len(of_a_person) == 4 and set(of_a_person.values()) == {3}
