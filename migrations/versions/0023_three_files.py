"""what is published of a run, what a family gets of it, and who may have the full file

Revision ID: 0023_three_files
Revises: 0022_draw_form
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0023_three_files"
down_revision = "0022_draw_form"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("public_file", sa.LargeBinary(), nullable=True))
    op.add_column("cut_off", sa.Column("block", sa.String(), nullable=True))
    op.add_column("cut_off", sa.Column("line_public", sa.Boolean(), nullable=True))
    op.create_table(
        "opening",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_opening__run_id"),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_opening__application_id"),
        sa.PrimaryKeyConstraint("run_id", "application_id", name="pk_opening"),
    )
    op.create_index("ix_opening__application_id", "opening", ["application_id"])
    op.create_table(
        "full_file_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_index", sa.LargeBinary(), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_full_file_grant__run_id"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_full_file_grant__asked_by"),
        sa.ForeignKeyConstraint(["approved_by"], ["account.id"], name="fk_full_file_grant__approved_by"),
        sa.ForeignKeyConstraint(["revoked_by"], ["account.id"], name="fk_full_file_grant__revoked_by"),
        sa.PrimaryKeyConstraint("id", name="pk_full_file_grant"),
        sa.CheckConstraint("kind IN ('auditor','notary','verifier')", name="ck_full_file_grant__known_kind"),
        sa.CheckConstraint("approved_by <> asked_by", name="ck_full_file_grant__approved_by_another"),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL) AND (approved_at IS NULL) = (ends_at IS NULL)",
            name="ck_full_file_grant__approval_has_a_time",
        ),
        sa.CheckConstraint(
            "(revoked_by IS NULL) = (revoked_at IS NULL)", name="ck_full_file_grant__revocation_has_a_time"
        ),
        sa.CheckConstraint(
            "code_index IS NULL OR approved_at IS NOT NULL", name="ck_full_file_grant__code_after_approval"
        ),
    )
    op.create_index("ix_full_file_grant__run_id", "full_file_grant", ["run_id"])
    op.create_table(
        "full_file_issue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["full_file_grant.id"], name="fk_full_file_issue__grant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_full_file_issue"),
        sa.UniqueConstraint("grant_id", "number", name="uq_full_file_issue__grant_id_number"),
        sa.UniqueConstraint("mark", name="uq_full_file_issue__mark"),
        sa.CheckConstraint("number BETWEEN 1 AND 3", name="ck_full_file_issue__few_downloads"),
    )
    op.execute((Path(__file__).with_name("sql") / revision / "keep_the_public_file.sql").read_text("utf-8"))
    op.execute(
        "CREATE TRIGGER keep_the_public_file BEFORE UPDATE OF public_file ON run"
        " FOR EACH ROW EXECUTE FUNCTION keep_the_public_file()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_the_public_file ON run")
    op.execute("DROP FUNCTION keep_the_public_file()")
    op.drop_table("full_file_issue")
    op.drop_table("full_file_grant")
    op.drop_table("opening")
    op.drop_column("cut_off", "line_public")
    op.drop_column("cut_off", "block")
    op.drop_column("run", "public_file")
