"""Random codes: the registration code that lists show, and the pseudonyms that the draw sees."""

import secrets

import numpy as np

# no vowels (no words arise), no 0 O 1 I 2 Z 5 S 8 B (nobody confuses them on the phone)
UNMISTAKABLE = "CDFGHJKLMNPQRTVWXY34679"
NOTICE_LETTERS = 12


def registration_code() -> str:
    """A registration code 登记编号 such as `K7MQ-4T9X`: 37 random bits, readable aloud."""
    letters = "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def notice_codes(number: int) -> list[str]:
    """Codes for many admission notices at once, as `notice_code` makes one: 54 random bits each."""
    wanted = number * NOTICE_LETTERS
    found = np.zeros(0, dtype=np.uint8)
    while len(found) < wanted:
        drawn = np.frombuffer(secrets.token_bytes(wanted + wanted // 20 + 64), dtype=np.uint8)
        # what is left over of the 256 values would make the first letters likelier
        found = np.concatenate((found, drawn[drawn < 256 // len(UNMISTAKABLE) * len(UNMISTAKABLE)]))
    letters = np.frombuffer(UNMISTAKABLE.encode(), dtype="S1")[found[:wanted] % len(UNMISTAKABLE)]
    return [code.decode() for code in letters.view(f"S{NOTICE_LETTERS}").tolist()]


def notice_code() -> str:
    """What the notice's QR code carries: 54 random bits that tell nothing."""
    return notice_codes(1)[0]


def pseudonym() -> str:
    """A code of a child or a family for the draw: 80 random bits, tied to nothing."""
    return secrets.token_hex(10)
