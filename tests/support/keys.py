"""The vault's keys in tests."""

from enrollment.ground.vault import Keys

KEYS = Keys(sealing={"test": bytes(range(32))}, current="test", index=bytes(range(32, 64)))
