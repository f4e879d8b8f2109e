"""The town of a test has the same rows whether its calls run the services or are repeated."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.tables import METADATA
from tests.support.town import Town
from tests.support.town_replay import WATCH, Repeats

BY_THE_DATABASE = {"audit_entry": {"writer", "turn", "written_at"}, "notice": {"id"}}
"""Columns that the database sets: triggers of the audit trail (the connection, its count of entries, the time of the day),
and the ids of messages to all guardians, which one statement adds."""


def a_season(town):
    good, plain = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana = town.child("安娜", wishes=[good, plain], grounds={"elder_sibling": good})
    ben = town.child("本本", wishes=[good])
    town.second_guardian(ana)
    town.clerk_confirms(ana)
    town.everyone_is_reviewed()
    return ana, ben, good


@pytest.fixture
def build(engine, now):
    def build(story):
        """The rows after a story, what it returned, its town, and whether all of it can be repeated."""
        with engine.connect() as connection:
            outer = connection.begin()
            WATCH.begin(Path(__file__))
            with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
                town = Town(session, now)
                town.repeats = Repeats(town, in_portal=False)
                told = [(type(each), each.id) for each in story(town)]
                session.flush()
                content = {name: rows(session, name) for name in METADATA.tables}
                untouched = WATCH.untouched
            outer.rollback()
        return content, told, town, untouched

    return build


def rows(session, table):
    found = session.execute(text(f'SELECT to_jsonb(it) FROM "{table}" it')).scalars()
    but = BY_THE_DATABASE.get(table, ())
    return sorted(str({name: value for name, value in row.items() if name not in but}) for row in found)


def test_repeated_calls_leave_the_same_rows(build):
    content, told, town, untouched = build(a_season)
    again, told_again, other, untouched_again = build(a_season)
    assert untouched and untouched_again
    assert other.repeats.at is town.repeats.at
    assert told_again == told
    assert again == content
    assert other.now == town.now
    assert sum(map(len, content.values())) > 100


def test_a_write_of_the_test_ends_the_repetition(build):
    def with_a_write_in_between(town):
        good = town.kindergarten("金苹果", places=1)
        town.session.execute(text("UPDATE kindergarten SET fee = 700"))
        town.session.refresh(good)
        assert not WATCH.untouched
        return [town.child("安娜", wishes=[good])]

    first, second = build(with_a_write_in_between), build(with_a_write_in_between)
    assert first[1] != second[1], "the services ran, and gave another id"


def test_a_changed_row_that_waits_to_be_written_ends_it(build):
    def with_a_waiting_change(town):
        good = town.kindergarten("金苹果", places=1)
        good.fee = 700
        return [town.child("安娜", wishes=[good])]

    assert build(with_a_waiting_change)[1] != build(with_a_waiting_change)[1]


def test_other_arguments_and_another_time_are_another_call(build):
    def at_night(town):
        town.at(town.now.replace(hour=23))
        return [town.kindergarten("金苹果", places=1)]

    ids = [
        build(story)[1]
        for story in (
            lambda town: [town.kindergarten("金苹果", places=1)],
            lambda town: [town.kindergarten("金苹果", places=2)],
            at_night,
        )
    ]
    assert len({str(each) for each in ids}) == 3
