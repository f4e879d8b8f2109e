"""Two roles of the database: the owner's, which makes the tables, and the portal's, which reads and writes rows and owns nothing.

Who takes over a process of the portal has its role, and cannot disable a trigger, replace a function or empty a table: the
rules that the database keeps hold against the portal itself (ADR 36).
"""

import psycopg
from psycopg.sql import SQL, Identifier

from portal.operations import doctor

ROWS = """
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
    REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}
"""
STATISTICS = "GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {role}"
"""For the demo, which fills its own tables and tells the planner so."""

MAY_OWN = """
    SELECT CASE
        WHEN rolsuper THEN 'is a superuser'
        WHEN EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = 'public' AND pg_has_role(relowner, 'MEMBER')) THEN 'owns tables'
        WHEN EXISTS (SELECT 1 FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
            WHERE nspname = 'public' AND pg_has_role(proowner, 'MEMBER')) THEN 'owns functions'
        WHEN has_schema_privilege('public', 'CREATE') THEN 'may make tables'
        WHEN EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = 'public' AND relkind IN ('r', 'p')
            AND has_table_privilege(pg_class.oid, 'TRUNCATE, TRIGGER')) THEN 'may empty tables'
    END FROM pg_roles WHERE rolname = current_user
"""


def role_of(url: str) -> str:
    """The role that an address connects as."""
    with psycopg.connect(doctor.plain(url), connect_timeout=doctor.PATIENCE) as connection:
        return str(connection.execute("SELECT current_user").fetchone()[0])  # type: ignore[index]


def make_role(url: str, role: str) -> None:
    """Make a role that may sign in and nothing else, where there is none; `url` is a superuser's."""
    with psycopg.connect(doctor.plain(url), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))


def grant_rows(owner_url: str, role: str, *, demo: bool = False) -> None:
    """Let the role read and write every row there is now.  After each migration, because a new table grants nothing."""
    with psycopg.connect(doctor.plain(owner_url)) as connection:
        for statement in (ROWS, STATISTICS) if demo else (ROWS,):
            connection.execute(SQL(statement).format(role=Identifier(role)))


def check_role(url: str) -> None:
    """Raises Unwell where the portal's role may do more than read and write rows."""
    with psycopg.connect(doctor.plain(url), connect_timeout=doctor.PATIENCE) as connection:
        found = connection.execute(MAY_OWN).fetchone()
        role = connection.info.user
    if found and found[0]:
        raise doctor.Unwell(
            f"the role {role} of DATABASE_URL {found[0]}, so whoever takes over the portal can switch its rules off: make a role "
            "of its own (`CREATE ROLE portal LOGIN PASSWORD …`), name the owner's address in OWNER_DATABASE_URL, and run `flask migrate`"
        )
