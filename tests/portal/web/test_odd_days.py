"""A day at either end of the calendar, or with a slip in its year, is a fault beside its field and never breaks a page."""

import pytest

from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

ODD = ("0001-01-01", "0206-05-21", "9999-12-31")
CHECK_THE_YEAR = "请核对年份，要在 1900 至 2199 之间。"


@prepared
def here(town):
    town.garden = town.kindergarten("锦官园", places=2)
    town.clerk = town.clerk_of(town.garden)
    town.open_registration()
    town.officials = town.city_pair()
    return town


@pytest.mark.parametrize("day", ODD)
def test_the_ledger_and_the_trail_of_an_odd_day_say_what_is_wrong(here, client, day):
    sign_in(client, here.clerk.account_id)
    for asked in ({"since": day}, {"since": "2026-05-01", "until": day}):
        answer = client.get("/staff/places/day", query_string=asked)
        assert answer.status_code == 200
        assert CHECK_THE_YEAR in answer.text
    sign_in(client, here.officials[0].account_id)
    answer = client.get(f"/officials/{here.the_round.year}/audit", query_string={"day": day})
    assert answer.status_code == 200
    assert CHECK_THE_YEAR in answer.text


@pytest.mark.parametrize("day", ODD)
def test_an_odd_moment_is_a_fault_of_its_field(here, client, day):
    sign_in(client, here.officials[0].account_id)
    at = f"/officials/{here.the_round.year}"
    for path, name in (
        ("season/draw", "begins_at"),
        ("rounds/new", "opens_at"),
        (f"rounds/{here.the_round.id}/draw-form", "published_at"),
    ):
        answer = fill_in(client, f"{at}/{path}", **{name: f"{day}T00:00"})
        assert answer.status_code == 200, path
        assert CHECK_THE_YEAR in answer.text, path


@pytest.mark.parametrize("day", ODD)
def test_an_odd_day_off_is_a_fault_of_its_field(here, client, day):
    sign_in(client, here.officials[0].account_id)
    page = f"/officials/{here.the_round.year}/season/days"
    assert CHECK_THE_YEAR in fill_in(client, page, day=day).text
