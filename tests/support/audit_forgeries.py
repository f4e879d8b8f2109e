"""Random forgeries of the audit trail by somebody who owns the database and has every published text, but not the keys."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain import sealing
from tests.conftest import NOW

CHANGES = (
    "at = at + interval '1 second'",
    "account_id = gen_random_uuid()",
    "act = 'view_evidence'",
    "subject = 'kindergarten'",
    "subject_id = 'x' || subject_id",
    "reason = coalesce(reason, '') || '.'",
    "details = details || '{\"a\": 1}'",
    "writer = gen_random_uuid()",
    "turn = turn + 1",
    "written_at = written_at - interval '1 day'",
    "digest = decode(md5(number::text) || md5(link::text), 'hex')",
    "seal_key = NULL",
)


@dataclass
class Forger:
    """`links` is the last position of the chain; `old_head` the row of today's head as it was earlier today."""

    session: Session
    random: random.Random
    links: int
    old_head: dict

    def run(self, statement: str, **values) -> None:
        self.session.execute(text(statement), values)

    def role(self, role: str) -> None:
        self.run(f"SET LOCAL session_replication_role = {role}")

    def link(self, first: int = 1) -> int:
        return self.random.randint(first, self.links)

    def act(self, number: int = 0) -> None:
        """An honest act of the portal."""
        self.role("origin")
        audit.record(self.session, "view", "application", number, by=SYSTEM, now=NOW)
        self.session.flush()

    def seal(self) -> None:
        self.role("origin")
        sealing.seal(self.session)

    def forge(self, name: str) -> None:
        """One forgery; then, half the time, the portal goes on writing and sealing as if nothing had happened."""
        self.role("replica")
        FORGERIES[name](self)
        if self.random.random() < 0.5:
            self.act()
            self.seal()
        self.role("origin")


def change(f: Forger) -> None:
    f.run(f"UPDATE audit_entry SET {f.random.choice(CHANGES)} WHERE link = :link", link=f.link())


def delete(f: Forger) -> None:
    first = f.random.randint(1, f.links - 1)
    f.run("DELETE FROM audit_entry WHERE link BETWEEN :a AND :b", a=first, b=min(first + f.link() // 2, f.links - 1))


def delete_and_close_the_gap(f: Forger) -> None:
    gone = f.link()
    f.run("DELETE FROM audit_entry WHERE link = :link", link=gone)
    f.run("UPDATE audit_entry SET link = -link WHERE link > :link", link=gone)
    f.run("UPDATE audit_entry SET link = -link - 1 WHERE link < 0")


def swap(f: Forger) -> None:
    a, b = f.random.sample(range(1, f.links + 1), 2)
    f.run("UPDATE audit_entry SET link = -link WHERE link IN (:a, :b)", a=a, b=b)
    f.run(
        "UPDATE audit_entry SET link = CASE link WHEN -CAST(:a AS bigint) THEN :b ELSE :a END WHERE link < 0", a=a, b=b
    )


def insert_between(f: Forger) -> None:
    where = f.link()
    f.run("UPDATE audit_entry SET link = -link - 1 WHERE link >= :link", link=where)
    f.run("UPDATE audit_entry SET link = -link WHERE link < 0")
    f.run(
        "INSERT INTO audit_entry (at, act, subject, subject_id, details, link, digest, writer, turn, written_at, seal_key)"
        " SELECT at, act, subject, 'forged', details, :link, digest, gen_random_uuid(), 1, written_at, seal_key"
        " FROM audit_entry WHERE link = :link + 1",
        link=where,
    )


def cut_tail(f: Forger) -> None:
    f.run("DELETE FROM audit_entry WHERE link >= :link", link=f.link(2))


def cut_tail_and_put_the_old_head_back(f: Forger) -> None:
    """Everything in the database is as it was earlier today, except what stands outside of it."""
    f.run("DELETE FROM audit_entry WHERE link > :link OR link IS NULL", **{"link": f.old_head["link"]})
    f.run(
        "UPDATE audit_head SET link = :link, digest = :digest, sealed_at = :sealed_at, mac = :mac WHERE number = :number",
        **f.old_head,
    )


def empty(f: Forger) -> None:
    """All entries are gone, and of heads and permits what the forger likes."""
    for table in ["audit_entry", *f.random.sample(["audit_head", "upkeep"], f.random.randint(0, 2))]:
        f.run(f"DELETE FROM {table}")


def cut_with_a_permit(f: Forger) -> None:
    """The oldest entries are gone, and a permit that nobody granted says that they were ten years old."""
    link = f.random.randint(1, f.links - 1)
    at = f.random.choice(["2026-01-01", "2040-01-01", "2099-01-01"])
    f.run(
        "INSERT INTO upkeep (kind, at, audit_link, audit_digest, transaction, began)"
        " SELECT 'audit', CAST(:at AS timestamptz), link, digest, 1, now() FROM audit_entry WHERE link = :link",
        link=link,
        at=at,
    )
    f.run("DELETE FROM audit_entry WHERE link <= :link", link=link)
    if f.random.random() < 0.5:  # and the trail mentions it
        f.role("origin")
        f.run(
            "INSERT INTO audit_entry (at, act, subject, subject_id, details)"
            " SELECT at, 'grant_permit', 'maintenance_permit', number::text, permit_details(upkeep)"
            " FROM upkeep ORDER BY number DESC LIMIT 1"
        )


def seal_again(f: Forger) -> None:
    """The end is unsealed and changed; the honest sealer seals it again."""
    link = f.link()
    f.run("UPDATE audit_entry SET reason = 'forged' WHERE link = :link", link=link)
    f.run("UPDATE audit_entry SET link = NULL, digest = NULL, seal_key = NULL WHERE link >= :link", link=link)
    f.seal()


def delete_before_the_seal(f: Forger) -> None:
    """One of several acts of a connection is gone before the sealer has seen it; the connection lives on."""
    count = f.random.randint(2, 5)
    for number in range(count):
        f.act(number)
    f.role("replica")
    gone = f.random.randint(0, count - 2)
    f.run("DELETE FROM audit_entry WHERE link IS NULL AND subject_id = :gone", gone=str(gone))
    if f.random.random() < 0.7:
        f.seal()


def recompute(f: Forger) -> None:
    """A row is changed and the rest of the chain is computed anew: without a key, or with one of the forger's."""
    first, key = f.link(), f.random.choice([None, "0badc0de"])
    f.run("UPDATE audit_entry SET reason = 'forged' WHERE link = :link", link=first)
    before = f.session.scalar(text("SELECT digest FROM audit_entry WHERE link = :link"), {"link": first - 1}) or bytes(
        32
    )
    rows = f.session.execute(text("SELECT * FROM audit_entry WHERE link >= :link ORDER BY link"), {"link": first}).all()
    for row in rows:
        said = [row.number, row.link, row.at.isoformat(), str(row.account_id), row.act, row.subject, row.subject_id]
        body = json.dumps([*said, row.reason, row.details], sort_keys=True, ensure_ascii=False)
        before = hashlib.sha256(before + body.encode()).digest()
        f.run("UPDATE audit_entry SET digest = :d, seal_key = :k WHERE link = :l", d=before, k=key, l=row.link)
    if f.random.random() < 0.5:
        f.run(
            "UPDATE audit_head SET digest = :digest, mac = sha256(mac) WHERE link = :link", digest=before, link=f.links
        )
    elif f.random.random() < 0.5:
        f.run("DELETE FROM audit_head")


def change_head(f: Forger) -> None:
    changes = (
        "link = link + 1",
        "digest = sha256(digest)",
        "counts = counts || '{\"move_made\": 0}'",
        "day = day - 400",
        "sealed_at = sealed_at - interval '1 hour'",
        "since = since + 1",
        "mac = sha256(mac)",
        "key = 'k'",
    )
    f.run(f"UPDATE audit_head SET {f.random.choice(changes)} WHERE number = :n", n=f.random.randint(1, 3))


def delete_head(f: Forger) -> None:
    number = f.random.randint(0, 3)
    f.run("DELETE FROM audit_head WHERE number = :n OR :n = 0", n=number)


def change_permit(f: Forger) -> None:
    f.run(
        f.random.choice(
            [
                "DELETE FROM upkeep",
                "UPDATE upkeep SET at = at + interval '73 years'",
                "UPDATE upkeep SET kind = 'decade'",
                "INSERT INTO upkeep (kind, at) VALUES ('decade', '2099-01-01')",
            ]
        )
    )


def empty_kept_table(f: Forger) -> None:
    f.run(f"DELETE FROM {f.random.choice(['move_made', 'signature', 'application_version', 'ledger_entry'])}")


def insert_unsealed(f: Forger) -> None:
    """An entry that no connection has written waits for the sealer."""
    turn, writer = f.random.choice([("NULL", "NULL"), ("7", "gen_random_uuid()"), ("turn", "writer")])
    f.run(
        "INSERT INTO audit_entry (at, act, subject, subject_id, details, writer, turn, written_at)"
        f" SELECT at, act, subject, 'forged', details, {writer}, {turn}, written_at FROM audit_entry WHERE link = :link",
        link=f.link(),
    )
    if f.random.random() < 0.5:
        f.seal()


FORGERIES: dict[str, Callable[[Forger], None]] = {
    each.__name__: each
    for each in (
        change,
        delete,
        delete_and_close_the_gap,
        swap,
        insert_between,
        cut_tail,
        cut_tail_and_put_the_old_head_back,
        empty,
        cut_with_a_permit,
        seal_again,
        delete_before_the_seal,
        recompute,
        change_head,
        delete_head,
        change_permit,
        empty_kept_table,
        insert_unsealed,
    )
}
