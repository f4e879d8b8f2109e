"""Random codes: registration codes, codes of admission notices, and pseudonyms for the draw."""

import re
import secrets
import unicodedata

import numpy as np

# no vowels, so no words appear; no 0 O 1 I 2 Z 5 S 8 B, because they are confused on the phone
CODE_ALPHABET = "CDFGHJKLMNPQRTVWXY34679"
CODE_PART = 4
"""Letters before the hyphen of a registration code, and behind it."""

NOTICE_LETTERS = 12


def registration_code() -> str:
    """A registration code 登记编号 such as `K7MQ-4T9X`: 37 random bits, readable aloud."""
    return _with_hyphen("".join(secrets.choice(CODE_ALPHABET) for _ in range(2 * CODE_PART)))


def typed_registration_code(typed: str) -> str:
    """The registration code that somebody typed, as it is kept: small letters, wide ones of a Chinese keyboard, blanks, a missing
    or another hyphen do not matter.  What is no whole code comes back without them.
    """
    plain = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper()
    return _with_hyphen(plain) if len(plain) == 2 * CODE_PART else plain


def _with_hyphen(letters: str) -> str:
    return f"{letters[:CODE_PART]}-{letters[CODE_PART:]}"


def notice_codes(number: int) -> list[str]:
    """Codes for many admission notices, 54 random bits each."""
    wanted = number * NOTICE_LETTERS
    found = np.zeros(0, dtype=np.uint8)
    while len(found) < wanted:
        drawn = np.frombuffer(secrets.token_bytes(wanted + wanted // 20 + 64), dtype=np.uint8)
        # larger bytes are rejected: they would make the first letters more likely
        found = np.concatenate((found, drawn[drawn < 256 // len(CODE_ALPHABET) * len(CODE_ALPHABET)]))
    letters = np.frombuffer(CODE_ALPHABET.encode(), dtype="S1")[found[:wanted] % len(CODE_ALPHABET)]
    return [code.decode() for code in letters.view(f"S{NOTICE_LETTERS}").tolist()]


def notice_code() -> str:
    """The code in the QR code of an admission notice: 54 random bits."""
    return notice_codes(1)[0]


def pseudonym() -> str:
    """A code of a child or a family for the draw: 80 random bits."""
    return secrets.token_hex(10)
