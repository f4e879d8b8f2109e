"""TRU14: an act of one statement is a transaction of its own, and its faults are those that the pages know (ADR 83)."""

import pytest
from psycopg import IntegrityError as Broken
from psycopg.types.json import Json
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from enrollment.applications.statements.prepared_write import ConnectionLost, PreparedWrite
from enrollment.ground.db import open_engine

ADD = PreparedWrite(
    "WITH made AS (INSERT INTO of_this_test (n, said, more) VALUES (%(n)s, %(said)s, %(more)s) RETURNING n)"
    " SELECT n, (SELECT count(*) FROM made), '%%' FROM made WHERE %(answers)s"
)
DIVIDE = PreparedWrite("SELECT 1 / %(n)s::int")
LOCKED = PreparedWrite("UPDATE of_this_test SET said = 'later' WHERE n = %(n)s RETURNING n, 0")


@pytest.fixture
def engine(portal_engine):
    """One connection, and a table of its own."""
    with portal_engine.begin() as connection:
        connection.execute(text("CREATE TABLE of_this_test (n int PRIMARY KEY, said text, more jsonb)"))
    found = open_engine(portal_engine.url.render_as_string(hide_password=False), pool_size=1, max_overflow=0)
    yield found
    found.dispose()
    with portal_engine.begin() as connection:
        connection.execute(text("DROP TABLE of_this_test"))


def row(n: int, said: str | None = "春", more: Json | None = None, *, answers: bool = True) -> dict:
    return {"n": n, "said": said, "more": more, "answers": answers}


def written(engine) -> list[tuple]:
    with Session(engine) as session:
        return [tuple(each) for each in session.execute(text("SELECT n, said, more FROM of_this_test ORDER BY n"))]


def process(engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


def test_TRU14_it_is_committed_when_its_answer_comes_whatever_types_its_values_have(engine):
    assert ADD.commit(engine, row(1)) == [b"1", b"1", b"%"]
    assert ADD.commit(engine, row(2, None, Json({"a": [1]}))) == [b"2", b"1", b"%"]
    assert ADD.commit(engine, row(100_000)) == [b"100000", b"1", b"%"]
    assert ADD.commit(engine, row(3, answers=False)) is None
    assert written(engine) == [(1, "春", None), (2, None, {"a": [1]}), (3, "春", None), (100_000, "春", None)]


def test_TRU14_what_a_constraint_refuses_writes_nothing_and_keeps_the_connection(engine):
    before = process(engine)
    ADD.commit(engine, row(1))
    with pytest.raises(Broken):
        ADD.commit(engine, row(1, "again"))
    assert (written(engine), process(engine)) == ([(1, "春", None)], before)


def test_TRU14_any_other_refusal_is_the_error_of_sqlalchemy_without_its_values(engine):
    before = process(engine)
    with pytest.raises(DBAPIError) as fault:
        DIVIDE.commit(engine, {"n": 0})
    assert fault.value.orig.sqlstate == "22012"
    assert "hidden" in str(fault.value) or fault.value.params is None
    assert process(engine) == before


def test_TRU14_a_lock_is_waited_for_as_long_as_in_any_transaction(engine, portal_engine):
    ADD.commit(engine, row(1))
    short = open_engine(portal_engine.url.render_as_string(hide_password=False), pool_size=1, pool_reset_on_return=None)
    with short.connect().execution_options(isolation_level="AUTOCOMMIT") as setting:
        setting.execute(text("SET lock_timeout = '200ms'"))
    with portal_engine.begin() as other:
        other.execute(text("SELECT FROM of_this_test WHERE n = 1 FOR UPDATE"))
        with pytest.raises(OperationalError) as fault:
            LOCKED.commit(short, {"n": 1})
    short.dispose()
    assert fault.value.orig.sqlstate == "55P03"
    assert written(engine) == [(1, "春", None)]


def test_TRU14_a_connection_that_forgot_its_statements_prepares_them_again(engine):
    ADD.commit(engine, row(1))
    before = process(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DEALLOCATE ALL"))
    ADD.commit(engine, row(2))
    assert ([n for n, _said, _more in written(engine)], process(engine)) == ([1, 2], before)


def test_TRU14_a_connection_that_was_ended_is_told_apart_and_replaced(engine, portal_engine):
    ADD.commit(engine, row(1))
    before = process(engine)
    with portal_engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
    with pytest.raises(ConnectionLost):
        ADD.commit(engine, row(2))
    assert process(engine) != before
    ADD.commit(engine, row(2))
    assert [n for n, _said, _more in written(engine)] == [1, 2]
