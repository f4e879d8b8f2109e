"""Field encryption: AES-256-GCM with key ids, and blind indexes for look-up.

A sealed value is `version(1) | key id length(1) | key id | nonce(12) | ciphertext+tag`.  Its associated data name its column
and its row, so that a value which is moved to another column or another row cannot be decrypted.  Values of version 1 are
from before they were bound to rows: they name their column alone, and open until `flask keys rotate` has bound them.  The
blind index is HMAC-SHA256 over the normalised text with a separate key, so that a number can be found without decryption.
Columns of sealed values have the types of `enrollment.ground.sealed`.
"""

import base64
import hashlib
import hmac
import json
import os
import unicodedata
import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION, BOUND = 1, 2
Row = uuid.UUID | str
"""What identifies a row within its table: its id, or `row_name` of several columns."""
UNSEALED = b"\x00"
"""The first byte of a text that a migration left for `enrollment.maintenance.sealing`; it is never read as a value."""


class VaultError(RuntimeError):
    """There are no keys, or the key of a value is missing."""


@dataclass(frozen=True)
class Keys:
    """`sealing` maps key ids to 32-byte keys; `current` is the id that new values use; `index` keys the blind index."""

    sealing: dict[str, bytes]
    current: str
    index: bytes

    @classmethod
    def from_file(cls, path: Path) -> "Keys":
        """Read `{"current": id, "sealing": {id: base64}, "index": base64}`.  Raises VaultError if the file cannot be used."""
        try:
            content = json.loads(Path(path).read_text())
            sealing = {name: base64.b64decode(key) for name, key in content["sealing"].items()}
            keys = cls(sealing=sealing, current=content["current"], index=base64.b64decode(content["index"]))
        except (OSError, ValueError, KeyError) as fault:
            what = fault.strerror if isinstance(fault, OSError) else "it is damaged"
            raise VaultError(
                f"key file {path} cannot be read ({what}): put back the copy that is kept in another place; with new keys no name and no "
                "number of before can be read"
            ) from fault
        if keys.current not in sealing or any(len(key) != 32 for key in [*sealing.values(), keys.index]):
            raise VaultError(f"key file {path}: keys have 32 bytes and `current` names one of them")
        return keys

    @staticmethod
    def write_new(path: Path, name: str = "k1") -> None:
        """Create a key file that only its owner can read.  Raises FileExistsError if it exists."""
        _write(path, Keys({name: os.urandom(32)}, name, os.urandom(32)))

    def with_new(self, name: str) -> "Keys":
        """A copy with one more key, not in use yet.  Raises VaultError if the name is taken."""
        if name in self.sealing or not 0 < len(name.encode()) < 100:
            raise VaultError(f"a key {name!r} exists already, or the name is empty or too long")
        return replace(self, sealing={**self.sealing, name: os.urandom(32)})

    def using(self, name: str) -> "Keys":
        """A copy in which the named key seals new values."""
        if name not in self.sealing:
            raise VaultError(f"no key {name!r}")
        return replace(self, current=name)

    def without(self, name: str) -> "Keys":
        """A copy without an old key.  The caller has checked that no value uses it."""
        if name not in self.sealing or name == self.current:
            raise VaultError(f"{name!r} is not a key, or is the current one")
        return replace(self, sealing={kept: key for kept, key in self.sealing.items() if kept != name})

    def write_over(self, path: Path) -> None:
        """Replace the key file atomically: a reader sees the old file or the new one."""
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
    """Set the keys of this process; called once at start-up."""
    global _keys
    _keys = keys


def _open_keys() -> Keys:
    if _keys is None:
        raise VaultError("the vault has no keys; call unlock() at start-up")
    return _keys


def key_prefix(name: str, version: int = VERSION) -> bytes:
    """The first bytes of every value of this version that is sealed with the named key."""
    return bytes([version, len(name.encode())]) + name.encode()


def current_key_name() -> str:
    return _open_keys().current


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def row_name(*key: object) -> str:
    """The name of a row with this primary key, as PostgreSQL's `concat_ws('|', …)` gives it.  Private codes are tokens."""
    return "|".join(map(str, key))


def seal(text: str, purpose: str, row: Row) -> bytes:
    """Seal a text for one column, `table.column`, of one row."""
    return seal_file(text.encode(), purpose, row)


def unseal(value: bytes, purpose: str, row: Row) -> str:
    """The text of a value.  Raises InvalidTag if it was sealed for another column or row."""
    if value[0] == VERSION:
        return _unseal(value, purpose, VERSION).decode()
    return _unseal(value, f"{purpose}|{row}", BOUND).decode()


def seal_file(content: bytes, purpose: str, row: Row) -> bytes:
    """The same for the content of a file."""
    return _seal(content, f"{purpose}|{row}", BOUND)


def unseal_file(value: bytes, purpose: str, row: Row) -> bytes:
    if value[0] == VERSION:
        return base64.b64decode(_unseal(value, purpose, VERSION))
    return _unseal(value, f"{purpose}|{row}", BOUND)


def seal_unbound(text: str, purpose: str) -> bytes:
    """Seal a text that has no row of its own, such as a form in a session."""
    return _seal(text.encode(), purpose, VERSION)


def unseal_unbound(value: bytes, purpose: str) -> str:
    return _unseal(value, purpose, VERSION).decode()


def _seal(content: bytes, associated: str, version: int) -> bytes:
    keys = _open_keys()
    nonce = os.urandom(12)
    body = _cipher(keys.sealing[keys.current]).encrypt(nonce, content, associated.encode())
    return key_prefix(keys.current, version) + nonce + body


def _unseal(value: bytes, associated: str, version: int) -> bytes:
    length = value[1]
    name = value[2 : 2 + length].decode()
    key = _open_keys().sealing.get(name)
    if value[0] != version or key is None:
        raise VaultError(f"no key {name!r} for a sealed value")
    nonce, body = value[2 + length : 14 + length], value[14 + length :]
    return _cipher(key).decrypt(nonce, body, associated.encode())


def normalise(text: str) -> str:
    """Text in the form that is compared: half-width characters, no spaces, upper case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def blind_index(text: str, purpose: str) -> bytes:
    """32 bytes for look-up: equal for equal text and purpose, and useless without the key."""
    return hmac.new(_open_keys().index, f"{purpose}|{normalise(text)}".encode(), hashlib.sha256).digest()


def index_key() -> bytes:
    """Identifies the open keys for values that are computed from the index key and kept in the process."""
    return hashlib.sha256(_open_keys().index).digest()


def message_code(message: bytes, purpose: str) -> bytes:
    """HMAC-SHA256 with a key of this purpose alone.  It comes from the index key, which no rotation changes."""
    return hmac.new(_derived_key(purpose), message, hashlib.sha256).digest()


def message_key_name(purpose: str) -> str:
    """Which key `message_code` uses: eight hexadecimal digits that do not disclose it."""
    return hmac.new(_derived_key(purpose), b"name", hashlib.sha256).hexdigest()[:8]


def _derived_key(purpose: str) -> bytes:
    return hmac.new(_open_keys().index, f"key|{purpose}".encode(), hashlib.sha256).digest()


MOST_STARS = 14


def mask(text: str | None, keep_start: int = 0, keep_end: int = 4) -> str:
    """`510104202303121234` → `5101**********1234` with keep_start=4.  A long text does not show how long it is.

    Of a number at most half is shown, however short it is: `C4TX98KL2` → `C4*****L2`.
    """
    if not text:
        return ""
    if any(character.isdigit() for character in text):
        shown = min(keep_start + keep_end, len(text) // 2)
        keep_end = min(keep_end, (shown + 1) // 2)
        keep_start = min(keep_start, shown - keep_end)
    hidden = min(max(len(text) - keep_start - keep_end, 1), MOST_STARS)
    return (
        text[:keep_start] + "*" * hidden + (text[-keep_end:] if keep_end and len(text) > keep_start + keep_end else "")
    )
