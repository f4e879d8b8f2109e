"""The standing approval of daily replays: given by two people, withdrawn by one, and given again by two."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.draw import execution, replay
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


@prepared
def approved(town):
    """Ana gave her place up, it went to Ben in the first batch, and daily replays are approved."""
    town.garden = town.kindergarten("锦官园", places=1)
    town.ana, town.ben, town.cui = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本恩", "翠翠"))
    town.drawn(town.ana, town.ben, town.cui)
    town.decline(town.ana)
    town.replay()
    town.approve_daily_replays()
    return town


def test_taken_back_by_one_person_nothing_follows_by_itself(approved):
    town, first = approved, approved.city_pair()[0]
    with pytest.raises(Refused, match="say_why"):
        replay.withdraw_standing(town.session, town.the_round.id, by=first, now=town.now, reason=" ")
    town.decline(town.ben)
    started = replay.start_daily(town.session, now=town.now)
    replay.withdraw_standing(town.session, town.the_round.id, by=first, now=town.now, reason="名册有误")
    for run_id in started:
        execution.execute(town.session, run_id, now=town.now)
        assert replay.let_wait_if_approved(town.session, run_id, now=town.now) is False, "it was under way"
    assert town.offer_for(town.cui) is None
    with pytest.raises(Refused, match="no_standing_approval"):
        replay.withdraw_standing(town.session, town.the_round.id, by=first, now=town.now, reason="再收回")
    assert not replay.is_approved(town.session, town.the_round.id)
    town.approve_daily_replays()
    assert replay.is_approved(town.session, town.the_round.id), "the same two may sign anew"
    replay.withdraw_standing(town.session, town.the_round.id, by=first, now=town.now, reason="又有误")
    assert not replay.approvals(town.session, town.the_round.id), "and it can be taken back as often as it is given"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_asks_for_a_reason_and_a_second_thought(approved, client, frozen_clock, portal_session, lang):
    town = approved
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, town.city_pair()[0].account_id)
    path = f"/officials/2026/rounds/{town.the_round.id}/daily-replays/withdraw"
    assert path in client.get(f"/officials/2026/rounds/{town.the_round.id}/draw?lang={lang}").text
    client.get(path)
    for more, missing in (({"reason": "名册有误"}, "#sure-error"), ({"sure": "y"}, "#reason-error")):
        page = fill_in(client, path, **more)
        assert BeautifulSoup(page.text, "lxml").select_one(missing), missing
    assert fill_in(client, path, sure="y", reason="名册有误").status_code == 303
    portal_session.expire_all()
    assert not replay.is_approved(portal_session, town.the_round.id)
    entry = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "withdraw_standing")).one()
    assert entry.reason == "名册有误"
    assert path not in client.get(f"/officials/2026/rounds/{town.the_round.id}/draw").text
