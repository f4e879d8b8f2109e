"""TRU15: pages go by the clock of the database, so that a host whose clock is ahead or behind judges as every other one does."""

import datetime as dt

import pytest
from sqlalchemy import text

from enrollment.review import leases
from tests.portal.staff.review_desk import hand_in, open_season, sit_down
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


@prepared
def here(town, frozen_clock):
    return open_season(town)


@prepared
def ana(town, here):
    return hand_in(town)


@pytest.mark.parametrize("minutes", [25, -25])
def test_tru15_a_host_whose_clock_is_wrong_takes_no_application_from_a_colleague(
    town, client, another_client, here, ana, frozen_clock, monkeypatch, minutes
):
    at_work = sit_down(town, client, town.clerk_of(here), frozen_clock)
    path = f"/staff/applications/{ana.id}"
    colleague = sign_in(another_client(), town.clerk_of(here).account_id)
    page = colleague.get(path)
    assert fill_in(at_work, path, f"{path}/take").status_code == 303
    holder, until = ana.reviewer_id, ana.lease_until
    assert until == frozen_clock.now + leases.LEASE
    with monkeypatch.context() as wrong:
        wrong.setattr("portal.web.clock.real_now", lambda: frozen_clock.now + dt.timedelta(minutes=minutes))
        fill_in(colleague, "/staff/queue", "/staff/queue/next")
        assert f"{path}/take-over" in colleague.get(path).text, "the page says who has it"
        town.session.refresh(ana)
        assert (ana.reviewer_id, ana.lease_until) == (holder, until)
        assert fill_in(at_work, path, f"{path}/facts").status_code < 500
        town.session.refresh(ana)
        assert ana.lease_until == until, "what the host renews ends when the database says"
    assert page.status_code == 200


def test_tru15_a_signed_in_page_shows_the_time_of_the_database(town, client, here, ana, frozen_clock, monkeypatch):
    """The frozen clock apart: what a real statement told is what the page goes by."""
    told = []
    real = town.session.scalar(text("SELECT clock_timestamp()"))
    sit_down(town, client, town.clerk_of(here), frozen_clock)
    monkeypatch.setattr(
        "portal.web.clock.of_epoch",
        lambda microseconds: told.append(microseconds) or frozen_clock.now,
    )
    assert client.get("/staff/queue").status_code == 200
    assert len(told) == 1, "with the statement that every request sends first"
    assert 0 <= told[0] / 1_000_000 - real.timestamp() < 60
