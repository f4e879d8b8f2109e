"""Field encryption: AES-256-GCM with key ids, and a blind index for look-up.

A sealed value is `version(1) | key id length(1) | key id | nonce(12) | ciphertext+tag`.  The column's name is the
associated data, so a value moved to another column does not open.  The blind index is HMAC-SHA256 over the
normalised text with a key of its own, so that a number can be found without being read.
"""

import base64
import hashlib
import hmac
import json
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

VERSION = 1


class VaultClosed(RuntimeError):
    """No key was given, or the value was sealed under a key that is not here."""


@dataclass(frozen=True)
class Keys:
    """`sealing` maps key ids to 32-byte keys; `current` is the id that new values use; `index` keys the blind index."""

    sealing: dict[str, bytes]
    current: str
    index: bytes

    @classmethod
    def from_file(cls, path: Path) -> "Keys":
        """Read `{"current": id, "sealing": {id: base64}, "index": base64}`.  Raises VaultClosed when it cannot be used."""
        try:
            content = json.loads(Path(path).read_text())
            sealing = {name: base64.b64decode(key) for name, key in content["sealing"].items()}
            keys = cls(sealing=sealing, current=content["current"], index=base64.b64decode(content["index"]))
        except (OSError, ValueError, KeyError) as fault:
            raise VaultClosed(f"key file {path} cannot be read: {fault}") from fault
        if keys.current not in sealing or any(len(key) != 32 for key in [*sealing.values(), keys.index]):
            raise VaultClosed(f"key file {path}: keys have 32 bytes and `current` names one of them")
        return keys

    @staticmethod
    def write_new(path: Path, name: str = "k1") -> None:
        """Make a key file that only its owner may read.  Raises FileExistsError rather than replace one."""
        fresh = {
            "current": name,
            "sealing": {name: base64.b64encode(os.urandom(32)).decode()},
            "index": base64.b64encode(os.urandom(32)).decode(),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(fresh, file, indent=1)


_keys: Keys | None = None


def unlock(keys: Keys | None) -> None:
    """Give this process its keys; once, at start-up."""
    global _keys
    _keys = keys


def _open_keys() -> Keys:
    if _keys is None:
        raise VaultClosed("the vault has no keys; call unlock() at start-up")
    return _keys


def seal(text: str, purpose: str) -> bytes:
    keys = _open_keys()
    name = keys.current.encode()
    nonce = os.urandom(12)
    body = AESGCM(keys.sealing[keys.current]).encrypt(nonce, text.encode(), purpose.encode())
    return bytes([VERSION, len(name)]) + name + nonce + body


def unseal(value: bytes, purpose: str) -> str:
    length = value[1]
    name = value[2 : 2 + length].decode()
    key = _open_keys().sealing.get(name)
    if value[0] != VERSION or key is None:
        raise VaultClosed(f"no key {name!r} for a sealed value")
    nonce, body = value[2 + length : 14 + length], value[14 + length :]
    return AESGCM(key).decrypt(nonce, body, purpose.encode()).decode()


def seal_bytes(content: bytes, purpose: str) -> bytes:
    """The same for a file's content."""
    return seal(base64.b64encode(content).decode(), purpose)


def unseal_bytes(value: bytes, purpose: str) -> bytes:
    return base64.b64decode(unseal(value, purpose))


def normalised(text: str) -> str:
    """Full-width digits, spaces and case play no part in whether two numbers are the same."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def blind_index(text: str, purpose: str) -> bytes:
    """What a number is looked up by: the same text and purpose give the same 32 bytes, which tell nothing else."""
    return hmac.new(_open_keys().index, f"{purpose}|{normalised(text)}".encode(), hashlib.sha256).digest()


class Sealed(TypeDecorator):
    """A text column that is stored sealed.  `purpose` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str):
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value, dialect):
        return None if value is None else seal(value, self.purpose)

    def process_result_value(self, value, dialect):
        return None if value is None else unseal(value, self.purpose)


def masked(text: str | None, keep_start: int = 0, keep_end: int = 4) -> str:
    """`510104202303121234` → `5101**********1234` with keep_start=4."""
    if not text:
        return ""
    hidden = max(len(text) - keep_start - keep_end, 1)
    return (
        text[:keep_start] + "*" * hidden + (text[-keep_end:] if keep_end and len(text) > keep_start + keep_end else "")
    )
