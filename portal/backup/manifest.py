"""The manifest of a backup: what was true of the database at the moment that it keeps."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.sql import SQL, Identifier
from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.audit_chain import heads
from enrollment.ground.audit_chain.heads import Head
from enrollment.ground.vault import Keys
from portal.backup.faults import BackupFault

INDEX_KEY = "backup_index"


@dataclass(frozen=True)
class Manifest:
    """`rows` counts the rows of each table, `head` is the newest head of the audit trail, `dump_digest` the SHA-256 of the dump.

    `keys` are the ids of all keys of the key file, `index_key` names the key of the blind indexes and does not disclose it.
    """

    taken_at: str
    revision: str
    server: int
    rows: dict[str, int]
    head: dict[str, Any] | None
    keys: list[str]
    index_key: str
    dump_size: int
    dump_digest: str

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            raise BackupFault(
                "this backup was made by a later version of the portal: restore it with that version"
            ) from None

    @property
    def audit_head(self) -> Head | None:
        return Head(**self.head) if self.head else None


def describe(session: Session, keys: Keys, *, dump_size: int, dump_digest: str) -> Manifest:
    """The manifest in the transaction of `session`, whose snapshot is that of the dump."""
    head = heads.newest(session)
    taken_at = session.execute(text("SELECT transaction_timestamp()")).scalar_one()
    return Manifest(
        taken_at=taken_at.isoformat(),
        revision=revision_of(session),
        server=int(session.execute(text("SHOW server_version_num")).scalar_one()),
        rows=count_rows(session),
        head=asdict(head) if head else None,
        keys=sorted(keys.sealing),
        index_key=vault.message_key_name(INDEX_KEY),
        dump_size=dump_size,
        dump_digest=dump_digest,
    )


def revision_of(session: Session) -> str:
    return str(session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def count_rows(session: Session) -> dict[str, int]:
    """The exact number of rows of each table of the portal."""
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"))
    count = SQL("SELECT count(*) FROM {}")
    return {
        table: session.execute(text(count.format(Identifier("public", table)).as_string())).scalar_one()
        for table in tables.all()
    }
