"""Keyed codes: a code that tells of a disability, or of the work or fate of a parent, is stored as a token.

A token is `~` and 16 hexadecimal digits of an HMAC, so that queries compare and group tokens as they would codes, and nobody
can read the code without the key.  All tables have the same token for a code.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from enrollment.ground import vault

PRIVATE_CODES = frozenset(
    {
        # grounds and facts
        "policy_care", "special_need", "staff_child", "staff_child_at",
        # kinds of policy care
        "martyr", "soldier", "police", "firefighter", "talent",
        # the papers that prove them
        "policy_care_proof", "disability_certificate", "staff_proof",
        # a kind of case
        "disability",
    }
)  # fmt: skip
MARK = "~"
TOKEN = f"^{MARK}[0-9a-f]{{16}}$"
"""What a check constraint demands of a token."""
_WORDS = re.compile(r"\b(?:" + "|".join(sorted(PRIVATE_CODES)) + r")\b")
_TOKENS = re.compile(MARK + "[0-9a-f]{16}")


def listed(codes: Iterable[str]) -> str:
    """Codes as the list of a check constraint."""
    return "('" + "','".join(codes) + "')"


@lru_cache(maxsize=4)
def _tables(key: bytes) -> tuple[Mapping[str, str], Mapping[str, str]]:
    tokens = {code: MARK + vault.message_code(code.encode(), "code").hex()[:16] for code in sorted(PRIVATE_CODES)}
    return tokens, {token: code for code, token in tokens.items()}


def tokens() -> Mapping[str, str]:
    """The token of each private code, with the open keys."""
    return _tables(vault.index_key())[0]


def token_of(code: str) -> str:
    """The code as it is stored: a token if it is private."""
    return tokens()[code] if code in PRIVATE_CODES else code


def code_of(stored: str) -> str:
    """The code of what is stored.  Raises VaultError for a token of another key."""
    if not stored.startswith(MARK):
        return stored
    try:
        return _tables(vault.index_key())[1][stored]
    except KeyError:
        raise vault.VaultError(f"no code has the token {stored}: the index key is another one") from None


class KeyedCode(TypeDecorator):
    """A column of codes; private ones are stored as tokens."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else token_of(str(value))

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else code_of(value)


class KeyedText(TypeDecorator):
    """A text in which private codes may stand as words, such as an address with the name of a paper."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else keyed_text(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else _read_text(value)


class KeyedJson(TypeDecorator):
    """A JSON column in whose texts and keys private codes may stand as words: `claims.policy_care`."""

    impl = JSONB
    cache_ok = True

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return keyed(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return _each_text(value, _read_text)


def keyed(value: Any) -> Any:
    """A JSON value with tokens in place of private codes."""
    return _each_text(value, keyed_text)


def keyed_text(text: str) -> str:
    """The text with tokens in place of the words that are private codes."""
    return _WORDS.sub(lambda found: tokens()[found[0]], text)


def _read_text(stored: str) -> str:
    if MARK not in stored:
        return stored
    codes = _tables(vault.index_key())[1]
    return _TOKENS.sub(lambda found: codes.get(found[0], found[0]), stored)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_each_text(name, change): _each_text(part, change) for name, part in value.items()}
    return [_each_text(part, change) for part in value] if isinstance(value, list | tuple) else value
