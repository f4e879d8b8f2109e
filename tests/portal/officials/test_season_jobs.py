"""Jobs of the calendar, run by a worker."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused, Stale
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice
from enrollment.ground.signatures import Signature
from enrollment.season import calendar, deadline_extensions
from portal.jobs import runner
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_season import at


@prepared
def do(app, portal_engine, portal_session, frozen_clock):
    """Do every due job of a kind; returns what each run ended with."""
    runner.load_handlers()

    def _do(kind: str) -> list[str]:
        portal_session.commit()
        due = select(Job.id).where(Job.kind == kind, Job.state == "waiting", Job.due_at <= frozen_clock.now)
        ids = list(portal_session.scalars(due.order_by(Job.due_at)))
        done = [runner.run(portal_engine, lambda _session: frozen_clock.now, job_id, "worker") for job_id in ids]
        portal_session.expire_all()
        return done

    return _do


def test_a_round_closes_by_itself_at_its_deadline(town, do, frozen_clock):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    assert do("close_round") == []
    frozen_clock.set(found.closes_at)
    assert do("close_round") == ["done"]
    assert found.stage == "closed"


def test_the_job_of_the_old_deadline_does_nothing_after_an_extension(town, do, frozen_clock):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    deadline_extensions.extend(
        town.session, found.id, closes_at=at(5, 31), reason="系统维护", by=town.city_pair()[0], now=town.now
    )
    frozen_clock.set(at(5, 29, 18))
    assert do("close_round") == ["done"]
    assert found.stage == "open"
    frozen_clock.set(at(5, 31))
    assert do("close_round") == ["done"]
    assert found.stage == "closed"


def test_tru15_after_an_outage_two_officials_extend_the_deadline_and_everybody_is_told(
    town, do, frozen_clock, client, another_client
):
    apple = town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    for name in ("Ana", "Ben"):
        town.child(name, wishes=[apple])
    first, second = town.city_pair()
    frozen_clock.set(found.closes_at)
    assert do("close_round") == ["done"], "the outage lasted until the deadline"
    other, visitor = another_client(), another_client()
    sign_in(client, first.account_id)
    sign_in(other, second.account_id)
    address = f"/officials/2026/rounds/{found.id}"

    answer = fill_in(client, f"{address}/extend", closes_at="2026-05-30T18:00", reason="")
    assert "2026-05-30T18:00" in answer.text, "nothing typed is lost"
    answer = fill_in(client, f"{address}/extend", closes_at="2026-05-30T18:00", reason="平台中断三小时")
    assert answer.status_code == 303
    town.session.refresh(found)
    assert found.stage == "closed", "one signature changes nothing"
    assert f"{address}/extend/sign" not in client.get(f"{address}/extend").text
    assert "您已经签署" in client.get(f"{address}/extend").text

    page = other.get(f"{address}?lang=en").text
    assert "A later deadline waits for the second signature" in page
    assert "平台中断三小时" in page
    answer = fill_in(other, f"{address}/extend", f"{address}/extend/sign")
    assert answer.status_code == 303
    town.session.refresh(found)
    assert (found.stage, found.closes_at) == ("open", at(5, 30, 18))
    assert do("tell_new_date") == ["done"]
    told = select(func.count()).select_from(Notice).where(Notice.kind == "new_date_registration")
    assert town.session.scalar(told) == 2
    for path, shown in (("/?lang=zh", "5月30日"), ("/?lang=en", "30 May")):
        assert shown in visitor.get(path).text
    frozen_clock.set(at(5, 30, 17))
    town.child("Chen", wishes=[apple])
    signed = select(func.count()).select_from(Signature).where(Signature.subject == deadline_extensions.SUBJECT)
    assert town.session.scalar(signed) == 2


def test_tru15_a_proposal_is_over_when_the_round_changes_and_one_person_never_signs_twice(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    first, second = town.city_pair()
    asked = {"closes_at": at(5, 30), "reason": "系统维护", "now": town.now}
    assert not deadline_extensions.sign(town.session, found.id, by=first, **asked)
    with pytest.raises(Refused, match="signed_already"):
        deadline_extensions.sign(town.session, found.id, by=first, **asked)
    assert (
        deadline_extensions.proposal_of(town.session, found).name
        == town.session.get_one(Account, first.account_id).name
    )
    deadline_extensions.extend(town.session, found.id, by=second, **asked)
    assert deadline_extensions.proposal_of(town.session, found) is None
    with pytest.raises(Stale):
        deadline_extensions.approve(town.session, found.id, digest="of before", by=second, now=town.now)
    clerk = town.clerk_of(town.kindergarten("日日升", places=1))
    with pytest.raises(Refused, match="only_the_city"):
        deadline_extensions.sign(town.session, found.id, by=clerk, **(asked | {"closes_at": at(6, 1)}))


def test_tru15_another_time_ends_the_proposal_before_it(town):
    """A proposes one time, then another: the first is over, and a colleague who signs it proposes it anew."""
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    (first, second), closed = town.city_pair(), found.closes_at

    def sign(day, by):
        return deadline_extensions.sign(
            town.session, found.id, closes_at=at(5, day), reason="维护", by=by, now=town.now
        )

    assert not sign(30, first)
    assert not sign(31, first)
    assert not sign(30, second)
    assert found.closes_at == closed
    proposed = deadline_extensions.proposal_of(town.session, found)
    assert (proposed.closes_at, proposed.by) == (at(5, 30), second.account_id)
    assert not sign(31, first) and not sign(30, first), "whoever changed their mind twice may"
    with pytest.raises(Refused, match="signed_already"):
        sign(30, first)
    assert sign(30, second) and found.closes_at == at(5, 30)


def test_tru15_a_round_that_closes_between_the_two_signatures_is_opened_again(town, do, frozen_clock, client):
    """An outage just before the deadline: the first official signs before it, the clock closes the round, the second one signs."""
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    first, second = town.city_pair()
    minute = dt.timedelta(minutes=1)
    later = found.closes_at + dt.timedelta(days=1)
    asked = {"closes_at": later, "reason": "平台中断半小时"}
    assert not deadline_extensions.sign(town.session, found.id, by=first, now=found.closes_at - 2 * minute, **asked)
    shown = deadline_extensions.proposal_of(town.session, found)
    frozen_clock.set(found.closes_at)
    assert do("close_round") == ["done"]
    assert found.stage == "closed"

    frozen_clock.set(found.closes_at + 2 * minute)
    sign_in(client, second.account_id)
    address = f"/officials/2026/rounds/{found.id}"
    assert "平台中断半小时" in client.get(f"{address}/extend").text
    assert deadline_extensions.proposal_of(town.session, found) == shown
    assert fill_in(client, f"{address}/extend", f"{address}/extend/sign").status_code == 303
    town.session.refresh(found)
    assert (found.stage, found.closes_at) == ("open", later)
    assert deadline_extensions.proposal_of(town.session, found) is None, "what was signed has been done"


def test_every_family_is_told_of_a_new_date_once(town, do, frozen_clock):
    apple = town.kindergarten("金苹果", places=2)
    for name in ("Ana", "Ben"):
        town.child(name, wishes=[apple])
    span = {"begins_at": at(6, 5), "ends_at": at(6, 13)}
    calendar.move_date(town.session, 2026, "result", reason="一", by=town.city_pair()[0], now=town.now, **span)
    assert do("tell_new_date") == ["done"]
    told = select(func.count()).select_from(Notice).where(Notice.kind == "new_date_result")
    assert town.session.scalar(told) == 2
    assert do("tell_new_date") == []
