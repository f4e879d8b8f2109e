"""The audit chain detects changed, deleted, swapped and cut-off rows; the table refuses these changes."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit import AuditEntry


@pytest.fixture
def chain(session, now):
    for number in range(12):
        audit.record(session, "view", "application", number, by=SYSTEM, now=now, reason=f"第 {number} 次查看")
    session.flush()
    assert audit.seal(session, limit=5) == 5
    assert audit.seal(session) == 7
    return session


@pytest.fixture
def without_guards(chain):
    """Without the trigger, as the owner of the table could do."""
    chain.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER kept"))
    return chain


def test_an_unchanged_chain_is_valid(chain):
    assert audit.broken_links(chain) == []


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET reason = 'nothing happened' WHERE link = 4",
        "UPDATE audit_entry SET account_id = gen_random_uuid() WHERE link = 4",
        "UPDATE audit_entry SET details = '{\"a\": 1}' WHERE link = 4",
        "DELETE FROM audit_entry WHERE link = 4",
        "UPDATE audit_entry SET link = CASE link WHEN 4 THEN -1 ELSE link END",
    ],
)
def test_each_manipulation_is_found(without_guards, harm):
    without_guards.execute(text(harm))
    without_guards.expire_all()
    assert audit.broken_links(without_guards)


@pytest.mark.parametrize(
    "harm", ["UPDATE audit_entry SET reason = 'x' WHERE link = 4", "DELETE FROM audit_entry WHERE link = 4"]
)
def test_the_table_itself_refuses(chain, harm):
    with pytest.raises(IntegrityError), chain.begin_nested():
        chain.execute(text(harm))


def test_a_link_depends_on_the_previous_link(chain):
    rows = chain.scalars(select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link)).all()
    assert [row.link for row in rows] == list(range(1, 13))
    assert len({row.digest for row in rows}) == 12
