"""the 23 admission areas, proposals for the places ledger, files on their way in

Revision ID: 0005
Revises: 0004
"""

import csv
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import enrollment.places

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("numbers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("remark", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "decision IN ('approved','sent_back','replaced')", name=op.f("ck_plan_proposal__known_decision")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_plan_proposal__decided_at_a_time")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_plan_proposal__programme_id")),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_plan_proposal__made_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_plan_proposal__decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_proposal")),
    )
    op.create_index(op.f("ix_plan_proposal__programme_id"), "plan_proposal", ["programme_id"])
    op.create_index(
        "uq_plan_proposal__one_open",
        "plan_proposal",
        ["programme_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_table(
        "import_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "kind IN ('kindergartens','programmes','roll','service-areas')", name=op.f("ck_import_file__known_kind")
        ),
        sa.CheckConstraint("(done_at IS NULL) = (summary IS NULL)", name=op.f("ck_import_file__done_with_a_summary")),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_import_file__made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
    )
    op.create_index(op.f("ix_import_file__made_by"), "import_file", ["made_by", "made_at"])
    _load_areas()


def _load_areas() -> None:
    """The rows of the packaged file; the verb `areas.load` brings them in line with a later file."""
    file = Path(enrollment.places.__file__).with_name("data") / "admission-areas.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        for position, row in enumerate(csv.DictReader(lines), start=1):
            op.execute(
                sa.text(
                    "INSERT INTO area (code, name, name_en, has_boundary, weight, position)"
                    " VALUES (:code, :name, :name_en, :has_boundary, :weight, :position) ON CONFLICT DO NOTHING"
                ).bindparams(
                    code=row["code"],
                    name=row["name"],
                    name_en=row["name_en"],
                    has_boundary=row["has_boundary"] == "1",
                    weight=int(row["weight"]),
                    position=position,
                )
            )


def downgrade() -> None:
    op.drop_table("import_file")
    op.drop_table("plan_proposal")
    op.execute("DELETE FROM area")
