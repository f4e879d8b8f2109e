"""A shared set-up (`tests/support/prepared.py`) is built once, and each test finds it as it was, whatever others did."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

ORDER = ("first", "second", "third")
built: list[str] = []


@prepared
def garden(town):
    built.append("garden")
    town.found = []
    return town.kindergarten("金苹果", places=1)


@prepared
def desk(client, garden, town, frozen_clock):
    town.season()
    frozen_clock.move(hours=1)
    return sign_in(client, town.city_official().account_id)


def number_of(session, table) -> int:
    return session.scalar(select(func.count()).select_from(table))


def changed(town, garden) -> None:
    """Everything that a test may do to what it was given."""
    session = town.session
    town.found.append(garden)
    town.at(town.now + dt.timedelta(days=1))
    town.kindergarten("小蜜蜂", places=2)
    garden.name = "金苹果二号"
    session.commit()
    session.delete(town.programme_of(town.kindergarten("锦绣", places=3)))
    session.expunge(garden)


@pytest.mark.parametrize("_time", ORDER)
def test_rows_and_objects_are_as_they_were(town, garden, now, _time):
    assert (garden.name, town.found, town.now) == ("金苹果", [], now)
    assert garden in town.session and number_of(town.session, Kindergarten) == number_of(town.session, Programme) == 1
    assert len(built) == 1
    changed(town, garden)


@pytest.mark.parametrize("_time", ORDER)
def test_committed_rows_and_sign_ins_are_as_they_were(client, town, garden, desk, frozen_clock, now, _time):
    assert desk is client and client.get("/officials/2026/imports").status_code == 200
    assert frozen_clock.now == now + dt.timedelta(hours=1)
    assert (garden.name, town.found) == ("金苹果", []) and number_of(town.session, Kindergarten) == 1
    changed(town, garden)
    town.session.rollback()
    frozen_clock.move(hours=1)
    client.delete_cookie("session")


def test_a_test_without_it_begins_with_nothing(session):
    assert number_of(session, Kindergarten) == 0


def test_no_page_without_it_sees_its_rows(client, portal_session):
    assert number_of(portal_session, Kindergarten) == 0


def test_it_may_not_ask_for_what_is_not_brought_back():
    def writes_files(town, tmp_path): ...

    with pytest.raises(TypeError, match="may not ask for tmp_path"):
        prepared(writes_files)
