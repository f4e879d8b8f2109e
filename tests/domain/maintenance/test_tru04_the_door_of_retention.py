"""TRU04: a role that may write every row, and owns nothing, cannot open the door of retention."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import sealing
from enrollment.ground.audit_chain.verification import verify
from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import set_permit_clock
from tests.conftest import NOW
from tests.support.town import Town

ROLE = "plain_writer"
PERMIT = "INSERT INTO upkeep (kind, at, year, audit_link, audit_digest) "
DOORS = {
    "audit": PERMIT + "SELECT 'audit', '2099-01-01', NULL, max(link), sha256('') FROM audit_entry",
    "decade": PERMIT + "VALUES ('decade', '2099-01-01', NULL, NULL, NULL)",
}
HARM = {
    "audit": ["DELETE FROM audit_entry"],
    "decade": ["DELETE FROM signature", "DELETE FROM ledger_entry", "DELETE FROM cut_off", "DELETE FROM run"],
}


@pytest.fixture(scope="module")
def writer(addresses, worker_number):
    """A finished draw in a database of its own, and a connection as a role that only reads and writes rows."""
    name = f"tru04_{worker_number}"
    url = addresses.create(name)
    engine = open_engine(url)
    role = f"{ROLE}_{worker_number}"
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        town.drawn(town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)]))
        sealing.seal(session)
        session.execute(text(f"CREATE ROLE {role}"))
        session.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
        session.commit()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}")
        yield connection
        connection.execute("RESET ROLE")
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")
    engine.dispose()
    addresses.drop(name)


def refused(writer, *statements: str) -> str:
    """What PostgreSQL says to the statements in one transaction."""
    try:
        with writer.transaction():
            for statement in statements:
                writer.execute(statement)
    except psycopg.Error as fault:
        return str(fault).splitlines()[0]
    raise AssertionError(f"PostgreSQL accepted {statements}")


@pytest.mark.parametrize("kind", DOORS)
def test_tru04_a_permit_dated_2099_opens_nothing(writer, kind):
    for harm in HARM[kind]:
        assert writer.execute(harm.replace("DELETE", "SELECT count(*)")).fetchone()[0], "there is something to delete"
        assert "only ever added" in refused(writer, DOORS[kind], harm) or "never changes" in refused(
            writer, DOORS[kind], harm
        )


def copies(table: str, **changed: str) -> str:
    """A statement that copies the rows of a table with other values (SQL)."""
    values = ", ".join(f"'{column}', {value}" for column, value in changed.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record({table}, jsonb_build_object({values}))).*"
        f" FROM {table} WHERE year = (SELECT min(year) FROM season)"
    )


def test_tru04_moving_the_clock_of_the_demo_opens_nothing(writer):
    moved = "INSERT INTO demo_clock (single, ahead) VALUES (true, interval '50 years')"
    assert refused(writer, moved, DOORS["audit"], HARM["audit"][0]) == "audit rows are only ever added"


def test_tru04_moving_the_dates_of_a_season_opens_nothing(writer):
    """A season of forty years ahead, whose days were all nine years ago."""
    season = copies("season", year="2066")
    past = {column: f"{column} - interval '9 years'" for column in ("begins_at", "ends_at")}
    dates = copies("season_date", year="2066", **past)
    permit = PERMIT + "VALUES ('season', '2099-01-01', 2066, NULL, NULL)"
    assert refused(writer, season, dates, permit) == "the season 2066 is not over for a year"


def test_tru04_a_temporary_table_is_not_the_table(writer):
    """Names of temporary tables come first on the path, unless a function says otherwise."""
    shadow = (
        "CREATE TEMPORARY TABLE upkeep ON COMMIT DROP AS SELECT 'audit' AS kind, timestamptz '2099-01-01' AS at,"
        " NULL::integer AS year, 1000000::bigint AS audit_link, sha256('') AS audit_digest,"
        " pg_current_xact_id()::text::bigint AS transaction, transaction_timestamp() AS began, 1::bigint AS number"
    )
    assert refused(writer, shadow, HARM["audit"][0]) == "audit rows are only ever added"


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_entry DISABLE TRIGGER kept",
        "SET session_replication_role = replica",
        "TRUNCATE audit_entry",
        "DROP TRIGGER kept ON audit_entry",
        "CREATE OR REPLACE FUNCTION permit_clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    ],
)
def test_tru04_what_only_the_owner_may(writer, statement):
    assert any(words in refused(writer, statement) for words in ("permission denied", "must be owner"))


def test_tru04_every_permit_is_in_the_trail(session):
    """The database writes it, whoever inserts the permit, with its own time."""
    session.execute(text("INSERT INTO upkeep (kind, at) VALUES ('decade', '2099-01-01')"))
    permit = session.execute(text("SELECT number, at, at - clock_timestamp() < interval '1 minute' AS now FROM upkeep"))
    number, at, is_now = permit.one()
    said = session.execute(text("SELECT act, subject_id, at, details ->> 'kind' AS kind FROM audit_entry")).one()
    assert is_now
    assert tuple(said) == ("grant_permit", str(number), at, "decade")
    sealing.seal(session)
    assert verify(session).findings == []


def test_tru04_every_function_has_a_path_of_its_own(session):
    """A later migration that replaces a function says `SET search_path` again."""
    query = (
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND NOT"
        " 'search_path=pg_catalog, public, pg_temp' = ANY(coalesce(proconfig, '{}'))"
    )
    assert session.scalars(text(query)).all() == []
    set_permit_clock(session, demo=True)
    assert session.scalars(text(query)).all() == []
