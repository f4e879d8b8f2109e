"""admission areas and kindergartens, their programmes, places and rolls

Revision ID: 0002_places
Revises: 0001_ground
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_places"
down_revision = "0001_ground"
branch_labels = None
depends_on = None


AREAS = (
    ("510104", "锦江区", "Jinjiang", True, 90),
    ("510105", "青羊区", "Qingyang", True, 96),
    ("510106", "金牛区", "Jinniu", True, 127),
    ("510107", "武侯区", "Wuhou", True, 121),
    ("510108", "成华区", "Chenghua", True, 138),
    ("510112", "龙泉驿区", "Longquanyi", True, 135),
    ("510113", "青白江区", "Qingbaijiang", True, 49),
    ("510114", "新都区", "Xindu", True, 156),
    ("510115", "温江区", "Wenjiang", True, 97),
    ("510116", "双流区", "Shuangliu", True, 147),
    ("510117", "郫都区", "Pidu", True, 139),
    ("510118", "新津区", "Xinjin", True, 36),
    ("510121", "金堂县", "Jintang", True, 80),
    ("510129", "大邑县", "Dayi", True, 52),
    ("510131", "蒲江县", "Pujiang", True, 26),
    ("510181", "都江堰市", "Dujiangyan", True, 71),
    ("510182", "彭州市", "Pengzhou", True, 78),
    ("510183", "邛崃市", "Qionglai", True, 60),
    ("510184", "崇州市", "Chongzhou", True, 74),
    ("510185", "简阳市", "Jianyang", True, 78),
    ("GXQ", "成都高新区", "Chengdu Hi-Tech Zone", False, 126),
    ("TFXQ", "四川天府新区", "Tianfu New Area", False, 87),
    ("DBXQ", "成都东部新区", "Eastern New Area", False, 40),
)
"""Code, name, English name, whether it has a boundary of its own, weight; in the order in which every list shows them."""


def upgrade() -> None:
    area = op.create_table(
        "area",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("has_boundary", sa.Boolean(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_area"),
        sa.UniqueConstraint("name", name="uq_area__name"),
    )
    op.bulk_insert(
        area,
        [
            dict(zip(("code", "name", "name_en", "has_boundary", "weight", "position"), (*row, position), strict=True))
            for position, row in enumerate(AREAS, start=1)
        ],
    )

    op.create_table(
        "kindergarten",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("run_by", sa.String(), nullable=True),
        sa.Column(
            "area_code", sa.String(), sa.ForeignKey("area.code", name="fk_kindergarten__area_code"), nullable=False
        ),
        sa.Column(
            "parent_id", sa.Uuid(), sa.ForeignKey("kindergarten.id", name="fk_kindergarten__parent_id"), nullable=True
        ),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.Column("street", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("longitude", sa.Numeric(9, 6), nullable=True),
        sa.Column("latitude", sa.Numeric(8, 6), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("fee", sa.Integer(), nullable=True),
        sa.Column("licensed_classes", sa.Integer(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_kindergarten"),
        sa.UniqueConstraint("code", name="uq_kindergarten__code"),
        sa.CheckConstraint("nature IN ('public','inclusive','private')", name=op.f("ck_kindergarten__known_nature")),
        sa.CheckConstraint("licensed_classes >= 0", name=op.f("ck_kindergarten__licensed_classes_not_negative")),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_kindergarten__not_its_own_parent")),
    )
    op.create_index("ix_kindergarten__area_code", "kindergarten", ["area_code"])
    op.create_index("ix_kindergarten__sort_key", "kindergarten", ["sort_key"])

    op.create_table(
        "service_area",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_service_area__kindergarten_id"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("boundary", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_service_area"),
        sa.UniqueConstraint("kindergarten_id", "kind", "name", name="uq_service_area__kindergarten_id_kind_name"),
        sa.CheckConstraint(
            "kind IN ('street','community','estate','road','polygon')", name=op.f("ck_service_area__known_kind")
        ),
        sa.CheckConstraint(
            "(kind = 'polygon') = (boundary IS NOT NULL)", name=op.f("ck_service_area__polygon_has_a_boundary")
        ),
    )
    op.create_index("ix_service_area__name", "service_area", ["kind", "name"])

    op.create_table(
        "programme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_programme__kindergarten_id"),
            nullable=False,
        ),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("planned_classes", sa.Integer(), nullable=False),
        sa.Column("staffed_classes", sa.Integer(), nullable=False),
        sa.Column("class_norm", sa.Integer(), nullable=False),
        sa.Column("continuing", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("overhang", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme"),
        sa.UniqueConstraint("id", "year", name="uq_programme__id_year"),
        sa.UniqueConstraint("kindergarten_id", "level", "year", name="uq_programme__kindergarten_id_level_year"),
        sa.CheckConstraint("level IN ('nursery','lower','middle','upper')", name=op.f("ck_programme__known_level")),
        sa.CheckConstraint("state IN ('draft','proposed','approved')", name=op.f("ck_programme__known_state")),
        sa.CheckConstraint("taken BETWEEN 0 AND places + overhang", name=op.f("ck_programme__never_more_than_places")),
        sa.CheckConstraint(
            "planned_classes >= 0 AND staffed_classes >= 0 AND class_norm > 0 AND continuing >= 0 AND withheld >= 0 AND overhang >= 0",
            name=op.f("ck_programme__no_negative_numbers"),
        ),
        sa.CheckConstraint(
            "places = greatest(least(planned_classes, staffed_classes) * class_norm - continuing - withheld, 0)",
            name=op.f("ck_programme__places_follow_the_class_plan"),
        ),
        sa.CheckConstraint("places BETWEEN 0 AND 360", name=op.f("ck_programme__places_within_a_kindergarten")),
    )
    op.create_index("ix_programme__year", "programme", ["year", "level"])

    op.create_table(
        "pool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "programme_id", sa.Uuid(), sa.ForeignKey("programme.id", name="fk_pool__programme_id"), nullable=False
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("precedence", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("groups", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("unclaimed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pool"),
        sa.UniqueConstraint("programme_id", "code", name="uq_pool__programme_id_code"),
        sa.UniqueConstraint("programme_id", "precedence", name="uq_pool__programme_id_precedence"),
        sa.CheckConstraint("unclaimed IN ('open','locked')", name=op.f("ck_pool__known_unclaimed")),
        sa.CheckConstraint("places >= 0 AND precedence BETWEEN 0 AND 15", name=op.f("ck_pool__sane_numbers")),
    )

    op.create_table(
        "ledger_entry",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_ledger_entry__programme_id"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_ledger_entry__account_id"), nullable=True
        ),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_entry"),
    )
    op.create_index("ix_ledger_entry__programme_id", "ledger_entry", ["programme_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION refuse_change_for_ten_years('at')"
    )

    op.create_table(
        "plan_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_plan_proposal__programme_id"),
            nullable=False,
        ),
        sa.Column("numbers", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_plan_proposal__made_by"), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("remark", sa.String(), nullable=True),
        sa.Column(
            "decided_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_plan_proposal__decided_by"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_plan_proposal"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_plan_proposal__decided_at_a_time")
        ),
        sa.CheckConstraint(
            "decision IN ('approved','sent_back','replaced')", name=op.f("ck_plan_proposal__known_decision")
        ),
    )
    op.create_index("ix_plan_proposal__programme_id", "plan_proposal", ["programme_id"])
    op.create_index(
        "uq_plan_proposal__one_open",
        "plan_proposal",
        ["programme_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )

    op.create_table(
        "roll_class",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_roll_class__kindergarten_id"),
            nullable=False,
        ),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kept_as", sa.String(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roll_class"),
        sa.UniqueConstraint("id", "kept_as", name="uq_roll_class__id_kept_as"),
        sa.UniqueConstraint(
            "kindergarten_id", "school_year", "name", name="uq_roll_class__kindergarten_id_school_year_name"
        ),
        sa.CheckConstraint(
            "level IN ('nursery','lower','middle','upper','mixed')", name=op.f("ck_roll_class__known_level")
        ),
        sa.CheckConstraint("counted IS NULL OR counted >= 0", name=op.f("ck_roll_class__not_negative")),
        sa.CheckConstraint(
            "kept_as IN ('rows','count') AND (kept_as = 'count') = (counted IS NOT NULL)",
            name=op.f("ck_roll_class__rows_or_count"),
        ),
    )
    op.create_index("ix_roll_class__year", "roll_class", ["school_year", "kindergarten_id"])

    op.create_table(
        "roll_child",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("kept_as", sa.String(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_index", sa.LargeBinary(), nullable=True),
        sa.Column("born", sa.Date(), nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("leave_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_roll_child"),
        sa.ForeignKeyConstraint(
            ["class_id", "kept_as"], ["roll_class.id", "roll_class.kept_as"], name="fk_roll_child__class"
        ),
        sa.CheckConstraint("kept_as = 'rows'", name=op.f("ck_roll_child__only_in_classes_kept_as_rows")),
    )
    op.create_index("ix_roll_child__class", "roll_child", ["class_id"])
    op.create_index("ix_roll_child__id_index", "roll_child", ["id_index"])
    op.create_index(
        "uq_roll_child__on_roll_once",
        "roll_child",
        ["id_index"],
        unique=True,
        postgresql_where=sa.text("left_on IS NULL"),
    )

    op.create_table(
        "import_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_import_file__made_by"), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import_file"),
        sa.CheckConstraint("(done_at IS NULL) = (summary IS NULL)", name=op.f("ck_import_file__done_with_a_summary")),
        sa.CheckConstraint(
            "kind IN ('kindergartens','programmes','roll','service-areas')", name=op.f("ck_import_file__known_kind")
        ),
    )
    op.create_index("ix_import_file__made_by", "import_file", ["made_by", "made_at"])

    # role grants were made before kindergartens and areas
    op.create_foreign_key("fk_role_grant__kindergarten_id", "role_grant", "kindergarten", ["kindergarten_id"], ["id"])
    op.create_foreign_key("fk_role_grant__area_code", "role_grant", "area", ["area_code"], ["code"])


def downgrade() -> None:
    op.drop_constraint("fk_role_grant__area_code", "role_grant", type_="foreignkey")
    op.drop_constraint("fk_role_grant__kindergarten_id", "role_grant", type_="foreignkey")
    op.drop_table("import_file")
    op.drop_table("roll_child")
    op.drop_table("roll_class")
    op.drop_table("plan_proposal")
    op.drop_table("ledger_entry")
    op.drop_table("pool")
    op.drop_table("programme")
    op.drop_table("service_area")
    op.drop_table("kindergarten")
    op.drop_table("area")
