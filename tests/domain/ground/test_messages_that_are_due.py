"""The look of an idle sender finds every message that a claim would take, in its own lane and in no other one."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import update

from enrollment.delivery import claims
from enrollment.delivery.lanes import TEXT_LANES, Lane, policy_of_codes, policy_of_notices
from enrollment.ground import outbox
from enrollment.ground.outbox import MessageState, Notice, TextMessage

MINUTE = dt.timedelta(minutes=1)
POLICIES = {Lane.CODES: policy_of_codes(), Lane.NOTICES: policy_of_notices()}


def code(town) -> type:
    outbox.add_text_message(
        town.session, "+8613955556666", "1", key="a", now=town.now, expires_at=town.now + 9 * MINUTE
    )
    return TextMessage


def text(town) -> type:
    outbox.add_text_message(town.session, "+8613955556666", "1", key="a", now=town.now)
    return TextMessage


def notice(town) -> type:
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child("安娜", wishes=[garden])
    outbox.tell(
        town.session,
        "result_published",
        account_id=ana.entered_by,
        child_id=ana.child_id,
        application_id=ana.id,
        key="a",
        now=town.now,
    )
    return Notice


@pytest.mark.parametrize("state", [MessageState.WAITING, MessageState.SENDING, MessageState.SENT])
@pytest.mark.parametrize("later", [-MINUTE, dt.timedelta(), MINUTE])
@pytest.mark.parametrize(("made", "lane"), [(code, Lane.CODES), (text, Lane.NOTICES), (notice, Lane.NOTICES)])
def test_an_idle_sender_looks_for_what_it_can_claim(town, made, lane, later, state):
    table = made(town)
    town.session.flush()
    town.session.execute(update(Notice).values(state=MessageState.SENT))
    town.session.execute(update(table).where(table.key == "a").values(state=state, next_try_at=town.now + later))
    for each in TEXT_LANES:
        looked = claims.has_due(town.session, each, now=town.now)
        claimed = claims.claim(town.session, POLICIES[each], 10, token=uuid.uuid4(), now=town.now)
        expected = each == lane and state == MessageState.WAITING and later <= dt.timedelta()
        assert (looked, bool(claimed)) == (expected, expected), each
    assert not claims.has_due(town.session, Lane.WECHAT, now=town.now)
