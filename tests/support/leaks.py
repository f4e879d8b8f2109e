"""S3: where a person of the city stands readable although it may not: in a table, in the queue, in a log or another file of the portal.

The persons are read through the vault; what is searched is read around it: a binary dump of every table, every value in Valkey, every file.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import valkey
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account
from enrollment.people.person_rows import Child, Guardian

SHORTEST_NAME = 3
"""Characters: a name of two may stand in any Chinese sentence."""

CHINESE = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){%d,}" % SHORTEST_NAME)
PHONE, RESIDENT = re.compile(rb"(?=(1[3-9]\d{9}))"), re.compile(rb"(?=(\d{17}[\dXx]))")


@dataclass
class Persons:
    """What may be readable nowhere: names, phones and document numbers."""

    names: set[str] = field(default_factory=set)
    phones: set[bytes] = field(default_factory=set)
    numbers: set[bytes] = field(default_factory=set)

    def in_bytes(self, content: bytes) -> set[str]:
        """Those that stand readable in this content."""
        found = self.phones & set(PHONE.findall(content)) | self.numbers & set(RESIDENT.findall(content))
        lengths = sorted({len(name) for name in self.names})
        said = {run.decode() for run in CHINESE.findall(content) if _is_text(run)}
        parts = {run[at : at + length] for run in said for length in lengths for at in range(len(run) - length + 1)}
        return {each.decode() for each in found} | (self.names & parts)


def _is_text(run: bytes) -> bool:
    try:
        run.decode()
    except UnicodeDecodeError:
        return False
    return True


def persons_of(session: Session) -> Persons:
    """Every child, guardian and account with a phone that the database holds."""
    persons = Persons()
    for child in session.scalars(select(Child)):
        persons.names.add(child.name)
        persons.numbers.add(child.id_number.encode())
    for guardian in session.scalars(select(Guardian)):
        persons.names.add(guardian.name)
        persons.phones.add(guardian.phone.encode())
        persons.numbers.add((guardian.id_number or "").encode())
    persons.phones |= {phone.encode() for phone in session.scalars(select(Account.phone)) if phone}
    persons.names = {name for name in persons.names if len(name) >= SHORTEST_NAME}
    persons.phones = {phone[-11:] for phone in persons.phones if PHONE.match(phone[-11:])}
    persons.numbers = {number for number in persons.numbers if RESIDENT.match(number)}
    return persons


def leaks(engine: Engine, queue: str, folder: Path) -> list[tuple[str, str]]:
    """(place, what stands there) for each person that is readable in a portal's database, queue or data folder."""
    with Session(engine) as session:
        persons = persons_of(session)
        places = (*tables(session.connection()), *queue_values(queue), *files(folder))
    return sorted({(place, each) for place, content in places for each in persons.in_bytes(content)})


def tables(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Every table as PostgreSQL dumps it in binary, so that no encoding hides a text."""
    known = text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    cursor = connection.connection.cursor()
    for name in connection.scalars(known).all():
        with cursor.copy(f'COPY "{name}" TO STDOUT (FORMAT binary)') as rows:  # type: ignore[attr-defined]
            yield f"table {name}", b"".join(bytes(part) for part in rows)


def queue_values(address: str) -> Iterator[tuple[str, bytes]]:
    """Every key of the queue with what it holds; RQ compresses the arguments of a job."""
    server = valkey.Valkey.from_url(address)
    readers: dict[bytes, Any] = {
        b"string": lambda key: [server.get(key)],
        b"hash": lambda key: [each for pair in server.hgetall(key).items() for each in pair],
        b"list": lambda key: server.lrange(key, 0, -1),
        b"set": server.smembers,
        b"zset": lambda key: server.zrange(key, 0, -1),
        b"stream": lambda key: [repr(each).encode() for each in server.xrange(key)],
    }
    for key in server.scan_iter():
        for value in readers[server.type(key)](key):
            yield f"queue {key.decode(errors='replace')}", key + b" " + _plain(value or b"")


def _plain(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the data folder but the tables, which are dumped, and the keys."""
    for path in sorted(folder.rglob("*")):
        part = path.relative_to(folder)
        if part.parts[0] not in ("postgres", "keys") and path.is_file():
            yield f"file {part}", path.read_bytes()
