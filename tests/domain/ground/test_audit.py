"""The audit table refuses changes; an honest trail has no findings."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import sealing
from enrollment.ground.audit_chain.verification import verify
from tests.support.prepared import prepared


@prepared
def chain(session, now):
    for number in range(12):
        audit.record(session, "view", "application", number, by=SYSTEM, now=now, reason=f"第 {number} 次查看")
    session.flush()
    assert sealing.seal(session, limit=5) == 5
    assert sealing.seal(session) == 7
    return session


def test_an_unchanged_chain_is_valid(chain):
    result = verify(chain)
    assert (result.findings, result.links, result.waiting, result.gaps) == ([], 12, 0, 0)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET reason = 'x' WHERE link = 4",
        "DELETE FROM audit_entry WHERE link = 4",
        "TRUNCATE audit_entry",
        "UPDATE audit_head SET link = 3",
        "DELETE FROM audit_head",
    ],
)
def test_the_table_itself_refuses(chain, harm):
    with pytest.raises(IntegrityError), chain.begin_nested():
        chain.execute(text(harm))


def test_a_link_depends_on_the_previous_link(chain):
    rows = chain.scalars(select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link)).all()
    assert [row.link for row in rows] == list(range(1, 13))
    assert len({row.digest for row in rows}) == 12


def test_a_rolled_back_act_leaves_no_gap(chain, now):
    """Neither in the chain nor in the turns of its connection."""
    nested = chain.begin_nested()
    audit.record(chain, "view", "application", "undone", by=SYSTEM, now=now)
    chain.flush()
    nested.rollback()
    audit.record(chain, "view", "application", "done", by=SYSTEM, now=now)
    chain.flush()
    result = verify(chain)
    assert (result.findings, result.waiting, result.gaps) == ([], 1, 1)
    sealing.seal(chain)
    assert (verify(chain).findings, verify(chain).links) == ([], 13)
