"""bound children have one list of wishes

Revision ID: 0019_bonds
Revises: 0018_child_documents
"""

from pathlib import Path

from alembic import op

revision = "0019_bonds"
down_revision = "0018_child_documents"
branch_labels = None
depends_on = None

DEFERRED = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"


def upgrade() -> None:
    op.execute((Path(__file__).with_name("sql") / revision / "one_list_of_a_unit.sql").read_text("utf-8"))
    op.execute(
        f"CREATE CONSTRAINT TRIGGER one_list_of_a_unit AFTER INSERT OR UPDATE OR DELETE ON wish {DEFERRED}"
        " EXECUTE FUNCTION one_list_of_a_unit()"
    )
    op.execute(
        f"CREATE CONSTRAINT TRIGGER one_list_of_a_unit AFTER INSERT OR UPDATE OF unit ON application {DEFERRED}"
        " WHEN (NEW.unit IS NOT NULL) EXECUTE FUNCTION one_list_of_a_unit()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER one_list_of_a_unit ON application")
    op.execute("DROP TRIGGER one_list_of_a_unit ON wish")
    op.execute("DROP FUNCTION one_list_of_a_unit()")
