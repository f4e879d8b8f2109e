"""TRU04: the portal signs in to its database with a role that owns nothing, and says so where it does not."""

import psycopg
import pytest

from portal.operations import database_roles
from portal.operations.doctor import Unwell
from portal.operations.migrations import migrate
from tests.support.servers import ROLE

HARM = (
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE postgres",
    "TRUNCATE audit_entry",
    "DROP TABLE upkeep",
    "CREATE TABLE public.mine (n integer)",
    "CREATE OR REPLACE FUNCTION permit_clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "UPDATE alembic_version SET version_num = '0001'",
)


@pytest.fixture
def own_database(addresses, worker_number):
    """The tables of this version, in which the portal's role has no right yet."""
    name = f"roles_{worker_number}"
    url = addresses.create(name)
    with psycopg.connect(url) as owner:
        owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    yield url
    addresses.drop(name)


@pytest.fixture
def as_portal(addresses, own_database):
    found = addresses.as_portal(own_database)
    if found == own_database:
        pytest.skip("the server is your own: nobody knows the password of its second role")
    return found


def test_tru04_after_a_migration_the_portals_role_has_the_rows_and_nothing_else(own_database, as_portal):
    migrate(as_portal, own_database, demo=False)
    database_roles.check_role(as_portal)
    with psycopg.connect(as_portal, autocommit=True) as portal:
        with portal.transaction(force_rollback=True):
            portal.execute("INSERT INTO job SELECT * FROM job WHERE false")
            portal.execute("DELETE FROM job")
        for statement in HARM:
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
                portal.execute(statement)
    # a later version with another table grants it too
    with psycopg.connect(own_database) as owner:
        owner.execute("CREATE TABLE later (n integer)")
    migrate(as_portal, own_database, demo=False)
    with psycopg.connect(as_portal) as portal:
        assert portal.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_tru04_the_portals_role_cannot_migrate_and_is_told_who_can(own_database, as_portal):
    with pytest.raises(Unwell, match="set OWNER_DATABASE_URL"):
        migrate(as_portal, None, demo=False)


def test_tru04_a_city_whose_portal_owns_its_tables_is_told_after_the_migration(own_database):
    with pytest.raises(Unwell, match="is a superuser, so whoever takes over the portal can switch its rules off"):
        migrate(own_database, None, demo=False)


def test_tru04_a_member_of_the_owner_owns_as_much(addresses, own_database, as_portal, worker_number):
    migrate(as_portal, own_database, demo=False)
    owner, member = f"owner_{worker_number}", f"member_{worker_number}"
    with psycopg.connect(own_database, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {owner}; CREATE ROLE {member} LOGIN IN ROLE {owner}")
        try:
            connection.execute(f"ALTER TABLE upkeep OWNER TO {owner}")
            with pytest.raises(Unwell, match="owns tables"):
                database_roles.check_role(as_portal.replace("portal@", f"{member}@", 1))
        finally:
            connection.execute(f"REASSIGN OWNED BY {owner} TO postgres; DROP ROLE {member}, {owner}")
