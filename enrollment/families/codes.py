"""Random codes: the registration code that lists show, and the pseudonyms that the draw sees."""

import secrets

# no vowels (no words arise), no 0 O 1 I 2 Z 5 S 8 B (nobody confuses them on the phone)
UNMISTAKABLE = "CDFGHJKLMNPQRTVWXY34679"


def registration_code() -> str:
    """A registration code 登记编号 such as `K7MQ-4T9X`: 37 random bits, readable aloud."""
    letters = "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def pseudonym() -> str:
    """A code of a child or a family for the draw: 80 random bits, tied to nothing."""
    return secrets.token_hex(10)
