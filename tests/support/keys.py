"""The vault's keys in tests, as a value and as the file that a process of its own reads."""

import base64
import json
from pathlib import Path

from enrollment.ground.vault import Keys

KEYS = Keys(sealing={"test": bytes(range(32))}, current="test", index=bytes(range(32, 64)))


def write_key_file(path: Path) -> Path:
    def text(key: bytes) -> str:
        return base64.b64encode(key).decode()

    sealing = {name: text(key) for name, key in KEYS.sealing.items()}
    path.write_text(json.dumps({"current": KEYS.current, "sealing": sealing, "index": text(KEYS.index)}))
    return path
