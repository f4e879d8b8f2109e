"""guardians and children

Revision ID: 0004_people
Revises: 0003_season
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_people"
down_revision = "0003_season"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guardian",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_guardian__account_id"), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("id_kind", sa.String(), nullable=True),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_index", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guardian"),
        sa.UniqueConstraint("account_id", name="uq_guardian__account_id"),
        sa.UniqueConstraint("id_index", name="uq_guardian__id_index"),
    )

    op.create_table(
        "child",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("id_kind", sa.String(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("id_index", sa.LargeBinary(), nullable=False),
        sa.Column("born", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_child"),
        sa.UniqueConstraint("id_index", name="uq_child__id_index"),
        sa.CheckConstraint("sex IN ('f','m')", name=op.f("ck_child__known_sex")),
    )

    op.create_table(
        "guardianship",
        sa.Column(
            "guardian_id", sa.Uuid(), sa.ForeignKey("guardian.id", name="fk_guardianship__guardian_id"), nullable=False
        ),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_guardianship__child_id"), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("guardian_id", "child_id", name="pk_guardianship"),
    )
    op.create_index("ix_guardianship__child_id", "guardianship", ["child_id"])

    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_invitation__child_id"), nullable=False),
        sa.Column(
            "invited_by", sa.Uuid(), sa.ForeignKey("guardian.id", name="fk_invitation__invited_by"), nullable=False
        ),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
    )
    op.create_index(
        "ix_invitation__child_id", "invitation", ["child_id"], postgresql_where=sa.text("child_id IS NOT NULL")
    )
    op.create_index(
        "ix_invitation__invited_by", "invitation", ["invited_by"], postgresql_where=sa.text("invited_by IS NOT NULL")
    )
    op.create_index("ix_invitation__phone_index", "invitation", ["phone_index"])
    op.create_index(
        "uq_invitation__one_open",
        "invitation",
        ["child_id", "phone_index"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL"),
    )

    # notices were made before children
    op.create_foreign_key("fk_notice__child_id", "notice", "child", ["child_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_notice__child_id", "notice", type_="foreignkey")
    op.drop_table("invitation")
    op.drop_table("guardianship")
    op.drop_table("child")
    op.drop_table("guardian")
