"""documents of children, and possible duplicates

`child` keeps its columns: the version that still runs writes them.  Names and numbers are sealed, so SQL cannot compute
their indexes: `flask keys reindex` writes what is missing.

Revision ID: 0018_child_documents
Revises: 0017_valid_constraints
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_child_documents"
down_revision = "0017_valid_constraints"
branch_labels = None
depends_on = None

COPY_DOCUMENTS = """
    INSERT INTO child_document (id, child_id, kind, number, person_index, added_at, current, checked_at)
    SELECT gen_random_uuid(), id, id_kind, id_number, id_index, created_at, true, created_at FROM child
"""


def upgrade() -> None:
    op.create_table(
        "child_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_child_document__child_id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "added_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_child_document__added_by"), nullable=True
        ),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_before", sa.String(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_from", sa.Uuid(), nullable=True),
        sa.Column(
            "checked_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_child_document__checked_by"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_child_document"),
        sa.UniqueConstraint("person_index", name="uq_child_document__person_index"),
        sa.CheckConstraint("entered_before IN ('no','yes')", name=op.f("ck_child_document__known_answer")),
    )
    op.create_index("ix_child_document__child_id", "child_document", ["child_id"])
    op.create_index(
        "uq_child_document__one_current",
        "child_document",
        ["child_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    op.execute(COPY_DOCUMENTS)

    op.create_table(
        "duplicate_hint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_a", sa.Uuid(), nullable=False),
        sa.Column("child_b", sa.Uuid(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column(
            "first_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_duplicate_hint__first_by"), nullable=True
        ),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_duplicate_hint__decided_by"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_hint"),
        sa.UniqueConstraint("child_a", "child_b", name="uq_duplicate_hint__child_a_child_b"),
        sa.CheckConstraint("child_a < child_b", name=op.f("ck_duplicate_hint__pair_in_order")),
        sa.CheckConstraint("verdict IN ('same','different')", name=op.f("ck_duplicate_hint__known_verdict")),
        sa.CheckConstraint(
            "decided_by IS NULL OR verdict = 'different' OR decided_by <> first_by",
            name=op.f("ck_duplicate_hint__second_person"),
        ),
        sa.CheckConstraint(
            "decided_at IS NULL OR verdict IS NOT NULL", name=op.f("ck_duplicate_hint__decided_has_a_verdict")
        ),
    )
    op.create_index("ix_duplicate_hint__child_b", "duplicate_hint", ["child_b"])
    op.create_index(
        "ix_duplicate_hint__open", "duplicate_hint", ["found_at"], postgresql_where=sa.text("decided_at IS NULL")
    )

    op.create_table(
        "duplicate_waiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_duplicate_waiver__round_id"), nullable=False
        ),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_waiver"),
        sa.UniqueConstraint("round_id", "digest", name="uq_duplicate_waiver__round_id_digest"),
    )

    op.create_table(
        "child_likeness",
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_child_likeness__child_id"), nullable=False),
        sa.Column("name_index", sa.LargeBinary(), nullable=False),
        sa.Column("sound_index", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("child_id", name="pk_child_likeness"),
    )
    for name in ("name_index", "sound_index"):
        op.create_index(f"ix_child_likeness__{name}", "child_likeness", [name])


def downgrade() -> None:
    for table in ("child_likeness", "duplicate_waiver", "duplicate_hint", "child_document"):
        op.drop_table(table)
