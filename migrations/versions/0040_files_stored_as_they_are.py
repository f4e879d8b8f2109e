"""files of snapshots and runs are stored without another compression

They are compressed archives, sealed bytes, or read whole by programs that compare digests; PostgreSQL spent 2.6 s on the
58 MB of one run for 60,000 children.

Revision ID: 0040_files_stored_as_they_are
Revises: 0034_case_withdrawal
"""

from alembic import op

revision = "0040_files_stored_as_they_are"
down_revision = "0034_case_withdrawal"
branch_labels = None
depends_on = None

COLUMNS = (("snapshot", "market"), ("run", "bundle"), ("run", "public_file"), ("opening", "content"))


def upgrade() -> None:
    _store("EXTERNAL")


def downgrade() -> None:
    _store("EXTENDED")


def _store(how: str) -> None:
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE {how}")
