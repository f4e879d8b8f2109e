"""What both twins of the submission store, as the portal does: the answers as sealed JSON, their digest, and a code."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from enrollment.ground import vault
from enrollment.ground.vault import Keys

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def unlock(folder: str) -> None:
    vault.unlock(Keys.from_file(Path(folder) / "keys.json"))


def sealed(household: Mapping[str, Any], wishes: Sequence[Any], agrees: bool, application: object) -> tuple[bytes, str]:
    """The sealed text and its SHA-256."""
    said = {
        "household": {
            name: str(value) for name, value in household.items() if not isinstance(value, bytes | memoryview)
        },
        "wishes": [str(each) for each in wishes],
        "agrees_to_central": agrees,
    }
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return vault.seal(text, "application_version.answers", vault.row_name(application, 1)), hashlib.sha256(
        text.encode()
    ).hexdigest()


def registration_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
