"""applications with wishes, claims, evidence, register answers; mandates and consents

Revision ID: 0005_applications
Revises: 0004_people
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_applications"
down_revision = "0004_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((Path(__file__).with_name("sql") / revision / "refuse_change_of_a_family.sql").read_text("utf-8"))

    op.create_table(
        "application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_application__child_id"), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_application__year"), nullable=False),
        sa.Column(
            "entered_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_application__entered_by"), nullable=False
        ),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registration_code", sa.String(), nullable=True),
        sa.Column("child_code", sa.String(), nullable=False),
        sa.Column("family_code", sa.String(), nullable=False),
        sa.Column("unit", sa.Uuid(), nullable=True),
        sa.Column(
            "elder_id", sa.Uuid(), sa.ForeignKey("application.id", name="fk_application__elder_id"), nullable=True
        ),
        sa.Column("agrees_to_central", sa.Boolean(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "reviewer_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_application__reviewer_id"), nullable=True
        ),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "review_kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_application__review_kindergarten_id"),
            nullable=True,
        ),
        sa.Column(
            "entered_for", sa.Uuid(), sa.ForeignKey("account.id", name="fk_application__entered_for"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        sa.UniqueConstraint("child_code", name="uq_application__child_code"),
        sa.UniqueConstraint("registration_code", name="uq_application__registration_code"),
        sa.CheckConstraint("level IN ('nursery','lower','middle','upper')", name=op.f("ck_application__known_level")),
        sa.CheckConstraint(
            "stage IN ('draft','submitted','in_review','returned','confirmed','refused','withdrawn')",
            name=op.f("ck_application__known_stage"),
        ),
        sa.CheckConstraint(
            "(stage = 'in_review') = (reviewer_id IS NOT NULL)", name=op.f("ck_application__reviewed_by_one_clerk")
        ),
        sa.CheckConstraint(
            "stage = 'draft' OR stage = 'withdrawn' OR registration_code IS NOT NULL",
            name=op.f("ck_application__submitted_has_a_code"),
        ),
    )
    op.create_index("ix_application__child_id", "application", ["child_id"])
    op.create_index(
        "ix_application__elder_id", "application", ["elder_id"], postgresql_where=sa.text("elder_id IS NOT NULL")
    )
    op.create_index("ix_application__entered_by", "application", ["entered_by"])
    op.create_index("ix_application__entered_for", "application", ["entered_for"])
    op.create_index("ix_application__family_code", "application", ["family_code"])
    op.create_index("ix_application__queue", "application", ["review_kindergarten_id", "stage", "submitted_at"])
    op.create_index("ix_application__stage", "application", ["year", "stage"])
    op.create_index("ix_application__unit", "application", ["unit"])
    op.create_index(
        "uq_application__one_live",
        "application",
        ["child_id", "year"],
        unique=True,
        postgresql_where=sa.text("stage NOT IN ('refused','withdrawn')"),
    )

    op.create_table(
        "mandate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("helper_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_mandate__helper_id"), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_mandate__account_id"), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_mandate__year"), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_mandate__ended_by"), nullable=True),
        sa.Column("signed_name", sa.LargeBinary(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("paper", sa.LargeBinary(), nullable=True),
        sa.Column("paper_type", sa.String(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("taken_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mandate"),
        sa.CheckConstraint(
            "(way = 'paper') = (paper IS NOT NULL AND signed_name IS NOT NULL AND signed_on IS NOT NULL AND phone_index IS NOT NULL)",
            name=op.f("ck_mandate__a_paper_is_there"),
        ),
        sa.CheckConstraint(
            "ends_at > given_at AND ends_at <= given_at + interval '30 days'",
            name=op.f("ck_mandate__at_most_thirty_days"),
        ),
        sa.CheckConstraint("helper_id <> account_id", name=op.f("ck_mandate__for_somebody_else")),
        sa.CheckConstraint("way IN ('code','paper')", name=op.f("ck_mandate__known_way")),
    )
    op.create_index("ix_mandate__account_id", "mandate", ["account_id"])
    op.create_index("ix_mandate__helper_id", "mandate", ["helper_id"])
    op.create_index("ix_mandate__phone_index", "mandate", ["phone_index"])
    op.create_index(
        "uq_mandate__one_live",
        "mandate",
        ["helper_id", "account_id", "year"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_consent__account_id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "mandate_id",
            sa.Uuid(),
            sa.ForeignKey("mandate.id", name="fk_consent__mandate_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.UniqueConstraint(
            "account_id", "kind", "text_version", "given_at", name="uq_consent__account_id_kind_text_version_given_at"
        ),
    )
    op.create_index(
        "ix_consent__mandate_id", "consent", ["mandate_id"], postgresql_where=sa.text("mandate_id IS NOT NULL")
    )
    op.create_index(
        "uq_consent__one_live",
        "consent",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )

    op.create_table(
        "application_version",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_application_version__application_id"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("changed", postgresql.JSONB(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "submitted_by",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_application_version__submitted_by"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name="pk_application_version"),
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON application_version FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "move_made",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_move_made__application_id"),
            nullable=False,
        ),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_move_made__account_id"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_move_made"),
    )
    op.create_index("ix_move_made__application_id", "move_made", ["application_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON move_made FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "household",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_household__application_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("hukou_kind", sa.String(), nullable=True),
        sa.Column(
            "hukou_area", sa.String(), sa.ForeignKey("area.code", name="fk_household__hukou_area"), nullable=True
        ),
        sa.Column("hukou_street", sa.String(), nullable=True),
        sa.Column("hukou_since", sa.Date(), nullable=True),
        sa.Column("home_area", sa.String(), sa.ForeignKey("area.code", name="fk_household__home_area"), nullable=True),
        sa.Column("home_street", sa.String(), nullable=True),
        sa.Column("home_community", sa.String(), nullable=True),
        sa.Column("home_estate", sa.String(), nullable=True),
        sa.Column("home_address", sa.LargeBinary(), nullable=True),
        sa.Column("home_longitude", sa.Numeric(9, 6), nullable=True),
        sa.Column("home_latitude", sa.Numeric(8, 6), nullable=True),
        sa.Column("home_owned", sa.Boolean(), nullable=True),
        sa.Column("work_area", sa.String(), sa.ForeignKey("area.code", name="fk_household__work_area"), nullable=True),
        sa.Column(
            "residence_permit_area",
            sa.String(),
            sa.ForeignKey("area.code", name="fk_household__residence_permit_area"),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_household"),
        sa.CheckConstraint(
            "hukou_kind IN ('local','collective','elsewhere')", name=op.f("ck_household__known_hukou_kind")
        ),
    )

    op.create_table(
        "wish",
        sa.Column(
            "application_id", sa.Uuid(), sa.ForeignKey("application.id", name="fk_wish__application_id"), nullable=False
        ),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_wish__round_id"), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column(
            "programme_id", sa.Uuid(), sa.ForeignKey("programme.id", name="fk_wish__programme_id"), nullable=False
        ),
        sa.PrimaryKeyConstraint("application_id", "round_id", "rank", name="pk_wish"),
        sa.UniqueConstraint(
            "application_id", "round_id", "programme_id", name="uq_wish__application_id_round_id_programme_id"
        ),
        sa.CheckConstraint("rank BETWEEN 1 AND 20", name=op.f("ck_wish__sane_rank")),
    )
    op.create_index("ix_wish__programme_id", "wish", ["programme_id"])

    op.create_table(
        "claim",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_claim__application_id"),
            nullable=False,
        ),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "ground", name="pk_claim"),
        sa.CheckConstraint(
            "ground IN ('local_hukou','collective_hukou','home_owner','service_area','estate_owner','residence_permit','workplace','elder_sibling','sibling_right','policy_care','staff_child','special_need','multi_child')",
            name=op.f("ck_claim__known_ground"),
        ),
    )

    op.create_table(
        "verified_fact",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_verified_fact__application_id"),
            nullable=False,
        ),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_verified_fact__account_id"), nullable=True
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "fact", name="pk_verified_fact"),
        sa.CheckConstraint(
            "outcome = 'verified' OR reason IS NOT NULL", name=op.f("ck_verified_fact__declined_has_a_reason")
        ),
        sa.CheckConstraint(
            "fact IN ('born','hukou_area','hukou_kind','hukou_street','home_area','home_place','home_owned','work_area','residence_permit_area','sibling_at','sibling_right_at','policy_care','staff_child_at','special_need','children_in_family')",
            name=op.f("ck_verified_fact__known_fact"),
        ),
        sa.CheckConstraint("outcome IN ('verified','declined')", name=op.f("ck_verified_fact__known_outcome")),
        sa.CheckConstraint(
            "source IN ('paper','register','roll','staff')", name=op.f("ck_verified_fact__known_source")
        ),
        sa.CheckConstraint(
            "(outcome = 'verified') = (value IS NOT NULL)", name=op.f("ck_verified_fact__verified_has_a_value")
        ),
    )

    op.create_table(
        "evidence_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_evidence_page__application_id"),
            nullable=False,
        ),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("original_digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_page"),
        sa.UniqueConstraint(
            "application_id",
            "document",
            "original_digest",
            "removed_at",
            name="uq_evidence_page__application_id_document_original_dige_76e8",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_evidence_page__application", "evidence_page", ["application_id", "document"])

    op.create_table(
        "register_answer",
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_register_answer__application_id"),
            nullable=False,
        ),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("register", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("application_id", "fact", name="pk_register_answer"),
        sa.CheckConstraint(
            "answer IN ('matches','differs','unknown','unavailable')", name=op.f("ck_register_answer__known_answer")
        ),
        sa.CheckConstraint(
            "register IN ('household_register','property','residence_permit','social_insurance','vaccination','roll')",
            name=op.f("ck_register_answer__known_register"),
        ),
    )

    op.create_table(
        "entitlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id_index", sa.LargeBinary(), nullable=False),
        sa.Column(
            "kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_entitlement__kindergarten_id"),
            nullable=False,
        ),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entitlement"),
        sa.UniqueConstraint("child_id_index", "kindergarten_id", name="uq_entitlement__child_id_index_kindergarten_id"),
    )
    op.create_index("ix_entitlement__child_id_index", "entitlement", ["child_id_index"])

    # notices were made before applications
    op.create_foreign_key("fk_notice__application_id", "notice", "application", ["application_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_notice__application_id", "notice", type_="foreignkey")
    op.drop_table("entitlement")
    op.drop_table("register_answer")
    op.drop_table("evidence_page")
    op.drop_table("verified_fact")
    op.drop_table("claim")
    op.drop_table("wish")
    op.drop_table("household")
    op.drop_table("move_made")
    op.drop_table("application_version")
    op.drop_table("consent")
    op.drop_table("mandate")
    op.drop_table("application")
    op.execute("DROP FUNCTION refuse_change_of_a_family()")
