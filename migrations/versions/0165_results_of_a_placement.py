"""reasons, openings and what is prepared refer to the placement of the child, and tickets to the draw of their year

A placement refers to its run and its application already, so that one look-up says what two said before; a city has a million
reasons.  The rows that are there are looked at by the next migration.

Revision ID: 0165_results_of_a_placement
Revises: 0164_counted_promotions
"""

from pathlib import Path

from alembic import op

revision = "0165_results_of_a_placement"
down_revision = "0164_counted_promotions"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision

TABLES = ("wish_reason", "opening", "prepared_offer", "prepared_result")
DROP = "-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}__{column}"


def upgrade() -> None:
    for table in TABLES:
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}__placement FOREIGN KEY (run_id, application_id)"
            " REFERENCES placement (run_id, application_id) NOT VALID"
        )
        op.execute(DROP.format(table=table, column="run_id"))
        op.execute(DROP.format(table=table, column="application_id"))
    # a few draws in a season
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint\n"
        "ALTER TABLE draw ADD CONSTRAINT uq_draw__id_year UNIQUE (id, year)"
    )
    op.execute(
        "ALTER TABLE ticket ADD CONSTRAINT fk_ticket__draw FOREIGN KEY (draw_id, year) REFERENCES draw (id, year) NOT VALID"
    )
    op.execute(DROP.format(table="ticket", column="draw_id"))
    op.execute(DROP.format(table="ticket", column="year"))
    op.execute((SQL / "tickets_need_a_seed.sql").read_text("utf-8"))
    op.execute("DROP TRIGGER drawn ON ticket")
    op.execute(
        "CREATE TRIGGER drawn AFTER INSERT ON ticket REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION tickets_need_a_seed()"
    )
    op.execute("-- squawk-ignore ban-drop-function\nDROP FUNCTION ticket_needs_a_seed()")


def downgrade() -> None:
    op.execute((SQL.with_name("0008_draw") / "ticket_needs_a_seed.sql").read_text("utf-8"))
    op.execute("ALTER FUNCTION ticket_needs_a_seed() SET search_path = pg_catalog, public, pg_temp")
    op.execute("DROP TRIGGER drawn ON ticket")
    op.execute("CREATE TRIGGER drawn BEFORE INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION ticket_needs_a_seed()")
    op.execute("DROP FUNCTION tickets_need_a_seed()")
    op.execute("ALTER TABLE ticket ADD CONSTRAINT fk_ticket__draw_id FOREIGN KEY (draw_id) REFERENCES draw (id)")
    op.execute("ALTER TABLE ticket ADD CONSTRAINT fk_ticket__year FOREIGN KEY (year) REFERENCES season (year)")
    op.execute("ALTER TABLE ticket DROP CONSTRAINT fk_ticket__draw")
    op.execute("ALTER TABLE draw DROP CONSTRAINT uq_draw__id_year")
    for table in TABLES:
        for column, other in (("run_id", "run"), ("application_id", "application")):
            op.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}__{column} FOREIGN KEY ({column}) REFERENCES {other} (id)"
            )
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}__placement")
