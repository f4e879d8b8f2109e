"""announcements of the city and its areas, with their versions

Revision ID: 0092_announcements
Revises: 0091_sign_on
"""

import sqlalchemy as sa
from alembic import op

revision = "0092_announcements"
down_revision = "0091_sign_on"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=True),
        _at("made_at"),
        _at("withdrawn_at", nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdraw_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_announcement"),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_announcement__area_code"),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["account.id"], name="fk_announcement__withdrawn_by"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)",
            name=op.f("ck_announcement__withdrawn_whole"),
        ),
    )
    op.create_table(
        "announcement_version",
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("city_wide", sa.Boolean(), nullable=False),
        *_text("title_zh", "title_en", "body_zh", "body_en"),
        _at("publish_at"),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        _at("written_at"),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        _at("approved_at", nullable=True),
        sa.PrimaryKeyConstraint("announcement_id", "number", name="pk_announcement_version"),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcement.id"], name="fk_announcement_version__announcement_id"
        ),
        sa.ForeignKeyConstraint(["written_by"], ["account.id"], name="fk_announcement_version__written_by"),
        sa.ForeignKeyConstraint(["approved_by"], ["account.id"], name="fk_announcement_version__approved_by"),
        sa.CheckConstraint("number > 0", name=op.f("ck_announcement_version__counted_from_one")),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL)", name=op.f("ck_announcement_version__approved_whole")
        ),
        sa.CheckConstraint(
            "NOT city_wide OR approved_by <> written_by", name=op.f("ck_announcement_version__second_person")
        ),
    )


def downgrade() -> None:
    op.drop_table("announcement_version")
    op.drop_table("announcement")
