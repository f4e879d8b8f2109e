"""The file of a backup: chunks of AES-256-GCM, of which none can be changed, left out, moved or cut off unseen.

`MAGIC | header length(2) | header (JSON) | chunk | chunk | …`, a chunk being `length(4) | ciphertext+tag`.  The header names the
key of the key file; the key of the file is derived from it with a salt of this file.  The nonce is the number of the chunk and
whether it is the last one, the associated data is the header.  The first byte of a plain chunk is its `Part`.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enrollment.ground.vault import Keys
from portal.backup.faults import BackupFault

MAGIC = b"PORTAL-BACKUP-1\n"
CHUNK = 1 << 20
TAG = 16


class Part(IntEnum):
    DUMP = 1
    MANIFEST = 2


class SealedWriter:
    """Writes to `file` and computes the `digest` of what it wrote.  Without `close` the file counts as cut off."""

    def __init__(self, file: BinaryIO, keys: Keys):
        salt = os.urandom(32)
        key = keys.sealing[keys.current]
        header = {"key": keys.current, "salt": salt.hex(), "check": _derive(key, salt, b"check").hex()[:16]}
        content = json.dumps(header).encode()
        self._head = MAGIC + len(content).to_bytes(2) + content
        self._file, self._cipher, self._number = file, AESGCM(_derive(key, salt, b"file")), 0
        self._waiting: bytes | None = None
        self._digest = hashlib.sha256()
        self.size = 0
        self._write(self._head)

    @property
    def digest(self) -> bytes:
        return self._digest.digest()

    def add(self, part: Part, content: bytes) -> None:
        """At most `CHUNK` bytes."""
        if self._waiting is not None:
            self._seal(self._waiting, last=False)
        self._waiting = bytes([part]) + content

    def close(self) -> None:
        self._seal(self._waiting or b"", last=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), plain, self._head)
        self._number += 1
        self._write(len(sealed).to_bytes(4) + sealed)

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)


def read_chunks(file: BinaryIO, keys: Keys) -> Iterator[tuple[Part, bytes]]:
    """Every chunk, each after it was authenticated.  Raises BackupFault; only after the last one is the file known to be whole."""
    head, cipher = _open(file, keys)
    number, sealed = 0, _next(file)
    while sealed:
        following = _next(file)
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), sealed, head)
        except InvalidTag:
            raise _damaged(cipher, number, sealed, head, at_end=not following) from None
        yield Part(plain[0]), plain[1:]
        number, sealed = number + 1, following
    if number == 0:
        raise _cut()


def _open(file: BinaryIO, keys: Keys) -> tuple[bytes, AESGCM]:
    start = file.read(len(MAGIC) + 2)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 2:
        raise BackupFault("this file is not a backup of the portal: name a file that `flask backup` made")
    content = file.read(int.from_bytes(start[len(MAGIC) :]))
    try:
        header = json.loads(content)
        name, salt, check = header["key"], bytes.fromhex(header["salt"]), header["check"]
    except (ValueError, KeyError, TypeError):
        raise BackupFault("the beginning of this backup was changed or cut off: restore another copy of it") from None
    key = keys.sealing.get(name)
    if key is None:
        raise BackupFault(
            f"this backup is sealed with the key {name}, which the key file does not have: set KEY_FILE to the copy of the key "
            "file from that time"
        )
    if _derive(key, salt, b"check").hex()[:16] != check:
        raise BackupFault(
            f"the key {name} of the key file is another key than the one that sealed this backup: set KEY_FILE to the copy of the "
            "key file from that time"
        )
    return start + content, AESGCM(_derive(key, salt, b"file"))


def _next(file: BinaryIO) -> bytes:
    length = file.read(4)
    if not length:
        return b""
    wanted = int.from_bytes(length)
    sealed = file.read(wanted) if len(length) == 4 and TAG < wanted <= CHUNK + 1 + TAG else b""
    if len(sealed) != wanted:
        raise _cut()
    return sealed


def _damaged(cipher: AESGCM, number: int, sealed: bytes, head: bytes, *, at_end: bool) -> BackupFault:
    if at_end:
        try:
            cipher.decrypt(_nonce(number, last=False), sealed, head)
        except InvalidTag:
            pass
        else:
            return _cut()
    return BackupFault(
        f"this backup was changed near byte {number * (CHUNK + TAG + 5):,}: restore another copy of it, or an earlier backup"
    )


def _cut() -> BackupFault:
    return BackupFault("this backup is not whole, its end is missing: restore another copy of it, or an earlier backup")


def _derive(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, b"portal backup " + purpose).derive(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])
