"""a consent for each register, instead of one for all

Revision ID: 0113_register_consents
Revises: 0110_measure_ramps

Whoever agreed to the question to the registers read a text that names all six, and agrees to each of them.
"""

from alembic import op

revision = "0113_register_consents"
down_revision = "0110_measure_ramps"
branch_labels = None
depends_on = None

REGISTERS = ("household_register", "property", "residence_permit", "social_insurance", "vaccination", "roll")
KINDS = ("child_data", *(f"ask_{register}" for register in REGISTERS))

SPLIT = """
    INSERT INTO consent (id, account_id, kind, text_version, text_digest, mandate_id, given_at, withdrawn_at)
    SELECT gen_random_uuid(), account_id, 'ask_' || register, text_version, text_digest, mandate_id, given_at, withdrawn_at
    FROM consent CROSS JOIN unnest(string_to_array(
        'household_register,property,residence_permit,social_insurance,vaccination,roll', ',')) AS register
    WHERE kind = 'register_check'
"""

JOIN = """
    INSERT INTO consent (id, account_id, kind, text_version, text_digest, given_at)
    SELECT gen_random_uuid(), account_id, 'register_check', min(text_version), min(text_digest), max(given_at)
    FROM consent WHERE starts_with(kind, 'ask_') AND withdrawn_at IS NULL
    GROUP BY account_id HAVING count(*) = 6
"""
"""Who agrees to every register agrees to the text that named them all."""


def upgrade() -> None:
    op.execute(SPLIT)
    op.execute("DELETE FROM consent WHERE kind = 'register_check'")
    op.create_check_constraint(
        op.f("ck_consent__known_kind"), "consent", "kind IN ('" + "','".join(KINDS) + "')", postgresql_not_valid=True
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_consent__known_kind"), "consent", type_="check")
    op.execute(JOIN)
    op.execute("DELETE FROM consent WHERE starts_with(kind, 'ask_')")
