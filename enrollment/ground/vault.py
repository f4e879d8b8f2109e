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
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

VERSION = 1


class VaultError(RuntimeError):
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
            raise VaultError(f"key file {path} cannot be read: {fault}") from fault
        if keys.current not in sealing or any(len(key) != 32 for key in [*sealing.values(), keys.index]):
            raise VaultError(f"key file {path}: keys have 32 bytes and `current` names one of them")
        return keys

    @staticmethod
    def write_new(path: Path, name: str = "k1") -> None:
        """Make a key file that only its owner may read.  Raises FileExistsError rather than replace one."""
        _write(path, Keys({name: os.urandom(32)}, name, os.urandom(32)))

    def with_new(self, name: str) -> "Keys":
        """The same and one key more, which nothing is sealed with yet.  Raises VaultClosed for a name that is taken."""
        if name in self.sealing or not 0 < len(name.encode()) < 100:
            raise VaultError(f"a key {name!r} is there already, or the name is no name")
        return replace(self, sealing={**self.sealing, name: os.urandom(32)})

    def using(self, name: str) -> "Keys":
        """The same, and new values are sealed with the named key."""
        if name not in self.sealing:
            raise VaultError(f"no key {name!r}")
        return replace(self, current=name)

    def without(self, name: str) -> "Keys":
        """The same without an old key.  The caller has looked that nothing is sealed with it any more."""
        if name not in self.sealing or name == self.current:
            raise VaultError(f"{name!r} is no key, or the one in use")
        return replace(self, sealing={kept: key for kept, key in self.sealing.items() if kept != name})

    def write_over(self, path: Path) -> None:
        """Put these keys in the place of the file's, in one step: a reader sees the old file or the new one."""
        beside = path.with_name(f"{path.name}.new")
        beside.unlink(missing_ok=True)
        _write(beside, self)
        beside.replace(path)


def _write(path: Path, keys: Keys) -> None:
    def text(key: bytes) -> str:
        return base64.b64encode(key).decode()

    content = {
        "current": keys.current,
        "sealing": {name: text(key) for name, key in keys.sealing.items()},
        "index": text(keys.index),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(descriptor)


_keys: Keys | None = None


def unlock(keys: Keys | None) -> None:
    """Give this process its keys; once, at start-up."""
    global _keys
    _keys = keys


def _open_keys() -> Keys:
    if _keys is None:
        raise VaultError("the vault has no keys; call unlock() at start-up")
    return _keys


def key_prefix(name: str) -> bytes:
    """How every value begins that was sealed with the named key."""
    return bytes([VERSION, len(name.encode())]) + name.encode()


def current_key_name() -> str:
    return _open_keys().current


def seal(text: str, purpose: str) -> bytes:
    keys = _open_keys()
    nonce = os.urandom(12)
    body = AESGCM(keys.sealing[keys.current]).encrypt(nonce, text.encode(), purpose.encode())
    return key_prefix(keys.current) + nonce + body


def unseal(value: bytes, purpose: str) -> str:
    length = value[1]
    name = value[2 : 2 + length].decode()
    key = _open_keys().sealing.get(name)
    if value[0] != VERSION or key is None:
        raise VaultError(f"no key {name!r} for a sealed value")
    nonce, body = value[2 + length : 14 + length], value[14 + length :]
    return AESGCM(key).decrypt(nonce, body, purpose.encode()).decode()


def seal_bytes(content: bytes, purpose: str) -> bytes:
    """The same for a file's content."""
    return seal(base64.b64encode(content).decode(), purpose)


def unseal_bytes(value: bytes, purpose: str) -> bytes:
    return base64.b64decode(unseal(value, purpose))


def normalise(text: str) -> str:
    """Full-width digits, spaces and case play no part in whether two numbers are the same."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def blind_index(text: str, purpose: str) -> bytes:
    """What a number is looked up by: the same text and purpose give the same 32 bytes, which tell nothing else."""
    return hmac.new(_open_keys().index, f"{purpose}|{normalise(text)}".encode(), hashlib.sha256).digest()


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


def mask(text: str | None, keep_start: int = 0, keep_end: int = 4) -> str:
    """`510104202303121234` → `5101**********1234` with keep_start=4."""
    if not text:
        return ""
    hidden = max(len(text) - keep_start - keep_end, 1)
    return (
        text[:keep_start] + "*" * hidden + (text[-keep_end:] if keep_end and len(text) > keep_start + keep_end else "")
    )
