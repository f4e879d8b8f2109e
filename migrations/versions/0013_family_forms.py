"""the elder sibling that a family names, and a home outside the city

Revision ID: 0013_family_forms
Revises: 0012_data_package
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_family_forms"
down_revision = "0012_data_package"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "elder_sibling",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_elder_sibling__application_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_index", sa.LargeBinary(), nullable=True),
        sa.Column("born", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("application_id", name="pk_elder_sibling"),
        sa.CheckConstraint(
            "(id_number IS NULL) = (id_index IS NULL)", name=op.f("ck_elder_sibling__number_with_its_index")
        ),
        sa.CheckConstraint(
            "id_number IS NOT NULL OR born IS NOT NULL", name=op.f("ck_elder_sibling__number_or_birth_date")
        ),
    )
    op.add_column("household", sa.Column("home_outside", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("household", "home_outside")
    op.drop_table("elder_sibling")
