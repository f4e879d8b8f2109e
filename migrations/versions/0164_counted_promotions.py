"""a promotion that writes no row of the roll changes the counts of its area

Revision ID: 0164_counted_promotions
Revises: 0163_lapsed_refusals
"""

from pathlib import Path

from alembic import op

revision = "0164_counted_promotions"
down_revision = "0163_lapsed_refusals"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision


def upgrade() -> None:
    op.execute((SQL / "change_of_promotion.sql").read_text("utf-8"))
    op.execute(
        "CREATE OR REPLACE TRIGGER counted_promotion AFTER INSERT OR UPDATE OR DELETE ON roll_promotion"
        " FOR EACH ROW EXECUTE FUNCTION change_of_promotion()"
    )
    # what was kept before may lack such a promotion: the job counts all areas once more
    op.execute("INSERT INTO coverage_change (area_code) SELECT code FROM area")


def downgrade() -> None:
    op.execute("DROP TRIGGER counted_promotion ON roll_promotion")
    op.execute("DROP FUNCTION change_of_promotion()")
