"""a run that two people signed waits for its announced hour; what is prepared for it

Revision ID: 0024_publication
Revises: 0019_bonds
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024_publication"
down_revision = "0023_three_files"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql")
STATES = "'waiting','running','checked',{}'failed','published','superseded','set_aside'"


def _create_function(folder: str, name: str) -> None:
    op.execute((SQL / folder / f"{name}.sql").read_text("utf-8"))


def _change_states(signed: str) -> None:
    for name, rule in (
        ("known_state", f"state IN ({STATES.format(signed)})"),
        ("checked_has_a_digest", f"state NOT IN ('checked',{signed}'published','superseded') OR digest IS NOT NULL"),
    ):
        # the version that still runs writes only rows that the wider constraint allows too
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE run DROP CONSTRAINT ck_run__{name}")
        op.execute(f"ALTER TABLE run ADD CONSTRAINT ck_run__{name} CHECK ({rule}) NOT VALID")


def upgrade() -> None:
    op.add_column("round", sa.Column("results_at", sa.DateTime(timezone=True), nullable=True))
    _change_states("'signed',")
    op.create_table(
        "publication",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_publication__run_id"), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offers", sa.Integer(), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_publication"),
        sa.CheckConstraint("opened_at IS NULL OR opened_at >= hour", name=op.f("ck_publication__not_before_the_hour")),
        sa.CheckConstraint(
            "opened_at IS NULL OR prepared_at IS NOT NULL", name=op.f("ck_publication__prepared_before_opened")
        ),
        sa.CheckConstraint(
            "(opened_at IS NULL) = (offers IS NULL)", name=op.f("ck_publication__opened_with_its_offers")
        ),
        sa.CheckConstraint(
            "(refused_at IS NULL) = (refusal IS NULL)", name=op.f("ck_publication__refused_with_a_code")
        ),
        sa.CheckConstraint("opened_at IS NULL OR refused_at IS NULL", name=op.f("ck_publication__opened_or_refused")),
    )
    _create_function(revision, "keep_the_publication")
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON publication FOR EACH ROW EXECUTE FUNCTION keep_the_publication()"
    )
    _create_function(revision, "keep_the_run")

    op.create_table(
        "prepared_offer",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_prepared_offer__run_id"), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_prepared_offer__application_id"),
            nullable=False,
        ),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_prepared_offer__programme_id"),
            nullable=False,
        ),
        sa.Column("notice_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "application_id", name="pk_prepared_offer"),
        sa.UniqueConstraint("notice_code", name="uq_prepared_offer__notice_code"),
    )
    op.create_index("ix_prepared_offer__application_id", "prepared_offer", ["application_id"])

    op.create_table(
        "prepared_notice",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_prepared_notice__run_id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_prepared_notice__account_id"), nullable=False
        ),
        sa.Column(
            "child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_prepared_notice__child_id"), nullable=False
        ),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_prepared_notice__application_id"),
            nullable=False,
        ),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_prepared_notice"),
    )
    for column in ("run_id", "account_id", "child_id", "application_id"):
        op.create_index(f"ix_prepared_notice__{column}", "prepared_notice", [column])

    op.add_column("central_proposal", sa.Column("run_id", sa.Uuid(), nullable=True))
    op.execute(
        "ALTER TABLE central_proposal ADD CONSTRAINT fk_central_proposal__run_id FOREIGN KEY (run_id) REFERENCES run (id) NOT VALID"
    )


def downgrade() -> None:
    op.drop_column("central_proposal", "run_id")
    for table in ("prepared_notice", "prepared_offer"):
        op.drop_table(table)
    _create_function("0014_corrections", "keep_the_run")
    op.drop_table("publication")
    op.execute("DROP FUNCTION keep_the_publication()")
    _change_states("")
    op.drop_column("round", "results_at")
