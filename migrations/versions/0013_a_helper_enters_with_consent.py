"""a helper enters with consent

A mandate is a row; an application says for whom it was entered, a consent by which mandate it came.  An account may be
reached by a phone that nobody has proved yet.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mandate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("helper_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("signed_name", sa.LargeBinary(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("paper", sa.LargeBinary(), nullable=True),
        sa.Column("paper_type", sa.String(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("taken_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("way IN ('code','paper')", name=op.f("ck_mandate__known_way")),
        sa.CheckConstraint(
            "(way = 'paper') = (paper IS NOT NULL AND signed_name IS NOT NULL AND signed_on IS NOT NULL"
            " AND phone_index IS NOT NULL)",
            name=op.f("ck_mandate__a_paper_is_there"),
        ),
        sa.CheckConstraint(
            "ends_at > given_at AND ends_at <= given_at + interval '30 days'",
            name=op.f("ck_mandate__at_most_thirty_days"),
        ),
        sa.CheckConstraint("helper_id <> account_id", name=op.f("ck_mandate__for_somebody_else")),
        sa.ForeignKeyConstraint(["helper_id"], ["account.id"], name=op.f("fk_mandate__helper_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mandate__account_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_mandate__ended_by")),
        sa.ForeignKeyConstraint(["year"], ["season.year"], name=op.f("fk_mandate__year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
    )
    op.create_index(op.f("ix_mandate__helper_id"), "mandate", ["helper_id"])
    op.create_index(op.f("ix_mandate__account_id"), "mandate", ["account_id"])
    op.create_index(op.f("ix_mandate__phone_index"), "mandate", ["phone_index"])
    op.create_index(
        "uq_mandate__one_live",
        "mandate",
        ["helper_id", "account_id", "year"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column("consent", sa.Column("mandate_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_consent__mandate_id"), "consent", "mandate", ["mandate_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(
        "ix_consent__mandate_id", "consent", ["mandate_id"], postgresql_where=sa.text("mandate_id IS NOT NULL")
    )
    op.add_column("application", sa.Column("entered_for", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_application__entered_for"), "application", "account", ["entered_for"], ["id"])
    op.create_index(op.f("ix_application__entered_for"), "application", ["entered_for"])
    op.drop_constraint(op.f("ck_account__somehow_reached"), "account", type_="check")
    op.create_check_constraint(
        op.f("ck_account__somehow_reached"),
        "account",
        "phone IS NOT NULL OR login IS NOT NULL OR disabled_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_account__somehow_reached"), "account", type_="check")
    op.create_check_constraint(
        op.f("ck_account__somehow_reached"),
        "account",
        "phone_index IS NOT NULL OR login IS NOT NULL OR disabled_at IS NOT NULL",
    )
    op.drop_index(op.f("ix_application__entered_for"), table_name="application")
    op.drop_constraint(op.f("fk_application__entered_for"), "application", type_="foreignkey")
    op.drop_column("application", "entered_for")
    op.drop_index("ix_consent__mandate_id", table_name="consent")
    op.drop_constraint(op.f("fk_consent__mandate_id"), "consent", type_="foreignkey")
    op.drop_column("consent", "mandate_id")
    op.drop_table("mandate")
