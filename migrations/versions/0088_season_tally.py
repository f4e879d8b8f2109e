"""the numbers of applications and offers by kindergarten, kept by triggers for the page of the season

Revision ID: 0088_season_tally
Revises: 0087_message_choices
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0088_season_tally"
down_revision = "0087_message_choices"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
TABLES = {"application": "tally_applications", "offer": "tally_offers"}
ROWS = {
    "insert": "NEW TABLE AS after_rows",
    "update": "OLD TABLE AS before_rows NEW TABLE AS after_rows",
    "delete": "OLD TABLE AS before_rows",
}


def upgrade() -> None:
    op.create_table(
        "season_tally",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.CheckConstraint("subject IN ('application','offer')", name=op.f("ck_season_tally__known_subject")),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_season_tally__kindergarten_id"),
        sa.PrimaryKeyConstraint("id", name="pk_season_tally"),
    )
    op.create_index("ix_season_tally__year", "season_tally", ["year"])
    for table, function in TABLES.items():
        op.execute((SQL / f"{function}.sql").read_text("utf-8"))
        for when, rows in ROWS.items():
            op.execute(
                f"CREATE TRIGGER tallied_{when} AFTER {when.upper()} ON {table}"
                f" REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
    op.execute("""
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT year, 'application', review_kindergarten_id, stage, count(*) FROM application
        GROUP BY year, review_kindergarten_id, stage
    """)
    op.execute("""
        INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
        SELECT offer.year, 'offer', programme.kindergarten_id, offer.state, count(*)
        FROM offer JOIN programme ON programme.id = offer.programme_id
        GROUP BY offer.year, programme.kindergarten_id, offer.state
    """)


def downgrade() -> None:
    for table, function in TABLES.items():
        for when in ROWS:
            op.execute(f"DROP TRIGGER tallied_{when} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("season_tally")
