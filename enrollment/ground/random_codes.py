"""Random codes: registration codes, codes of admission notices, and pseudonyms for the draw."""

import secrets

import numpy as np

# no vowels, so no words appear; no 0 O 1 I 2 Z 5 S 8 B, because they are confused on the phone
CODE_ALPHABET = "CDFGHJKLMNPQRTVWXY34679"
NOTICE_LETTERS = 12


def registration_code() -> str:
    """A registration code 登记编号 such as `K7MQ-4T9X`: 37 random bits, readable aloud."""
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


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
