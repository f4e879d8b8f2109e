"""TRU05: entries that were sealed before there were keys are verified as before, and are held by the first keyed head."""

import hashlib
import json

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain import sealing
from enrollment.ground.audit_chain.verification import Finding, FindingKind, verify
from enrollment.ground.db import open_engine
from portal.operations.migrations import upgrade
from tests.conftest import NOW
from tests.support.servers import downgrade

BEFORE = "0046_valid_imports"


def write_as_before(session, count: int, sealed: int) -> None:
    """Entries of the previous version, the first ones sealed with its plain hash."""
    before = bytes(32)
    for number in range(1, count + 1):
        session.execute(
            text(
                "INSERT INTO audit_entry (at, act, subject, subject_id, reason, details)"
                " VALUES (:at, 'view', 'application', :id, '查看', '{\"n\": 1}')"
            ),
            {"at": NOW, "id": str(number)},
        )
    query = text("SELECT * FROM audit_entry ORDER BY number LIMIT :n")
    for link, row in enumerate(session.execute(query, {"n": sealed}).all(), start=1):
        said = [
            row.number,
            link,
            row.at.isoformat(),
            "None",
            row.act,
            row.subject,
            row.subject_id,
            row.reason,
            row.details,
        ]
        body = json.dumps(said, sort_keys=True, ensure_ascii=False)
        before = hashlib.sha256(before + body.encode()).digest()
        session.execute(
            text("UPDATE audit_entry SET link = :link, digest = :digest WHERE number = :number"),
            {"link": link, "digest": before, "number": row.number},
        )
    session.execute(text("INSERT INTO upkeep (kind, at) VALUES ('decade', :at)"), {"at": NOW})


@pytest.fixture
def upgraded(real_database):
    engine = open_engine(real_database)
    downgrade(engine, BEFORE)
    with Session(engine) as session, session.begin():
        write_as_before(session, count=8, sealed=6)
    upgrade(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_tru05_old_seals_are_verified_after_the_upgrade(upgraded):
    assert verify(upgraded).findings == [Finding(FindingKind.HEAD, "0")], "until the sealer has run"
    assert sealing.seal(upgraded) == 3, "two that waited, and the permit from before"
    audit.record(upgraded, "view", "application", 9, by=SYSTEM, now=NOW)
    sealing.seal(upgraded)
    result = verify(upgraded)
    assert (result.findings, result.links, result.waiting) == ([], 10, 0)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET reason = 'x' WHERE link = 3",
        "DELETE FROM audit_entry WHERE link = 3",
        "DELETE FROM audit_entry WHERE link <= 3",
        "UPDATE audit_entry SET seal_key = NULL WHERE link = 8",
        "DELETE FROM audit_entry WHERE link > 6",
    ],
)
def test_tru05_old_seals_are_held_by_the_new_ones(upgraded, harm):
    sealing.seal(upgraded)
    upgraded.execute(text("SET LOCAL session_replication_role = replica"))
    upgraded.execute(text(harm))
    assert verify(upgraded).findings
