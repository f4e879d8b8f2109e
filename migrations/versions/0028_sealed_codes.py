"""codes of prepared notices are stored sealed

What is prepared already is deleted: the opening prepares again what it does not find.

Revision ID: 0028_sealed_codes
Revises: 0027_season_days
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_sealed_codes"
down_revision = "0027_season_days"
branch_labels = None
depends_on = None


def _replace_column(kind: sa.types.TypeEngine) -> None:
    op.execute("DELETE FROM prepared_offer")
    op.execute("-- squawk-ignore ban-drop-column\nALTER TABLE prepared_offer DROP COLUMN notice_code")
    op.execute("-- squawk-ignore adding-required-field\n" + _added(kind))  # the table is empty


def _added(kind: sa.types.TypeEngine) -> str:
    return f"ALTER TABLE prepared_offer ADD COLUMN notice_code {kind.compile(op.get_bind().dialect)} NOT NULL"


def upgrade() -> None:
    _replace_column(sa.LargeBinary())


def downgrade() -> None:
    _replace_column(sa.String())
    op.create_unique_constraint("uq_prepared_offer__notice_code", "prepared_offer", ["notice_code"])
