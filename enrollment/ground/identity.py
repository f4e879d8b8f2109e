"""Identity numbers: the check of GB 11643, and the formats of the other documents of children and guardians.

An eighteen-digit number contains the birth date and the sex, so the family does not enter them.
"""

import datetime as dt
import operator
import re
import unicodedata
from dataclasses import dataclass

from enrollment.ground.errors import Refused
from enrollment.ground.vault import blind_index

INDEX_PURPOSE = "identity"
"""Guardians, children, sibling entitlements and the roll share one purpose, so that their indexes can be compared."""

EIGHTEEN_DIGITS = {"resident", "hk_macau_residence", "taiwan_residence"}
PROVINCES = (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
MAINLAND = frozenset(str(province) for some in PROVINCES for province in some)
REGIONS = {"resident": MAINLAND, "hk_macau_residence": frozenset({"81", "82"}), "taiwan_residence": frozenset({"83"})}
FORMS = {
    "hk_macau_permit": r"[HM]\d{8}(\d{2})?",
    "taiwan_permit": r"\d{8}(\d{2})?",
    "foreign_residence": r"[A-Z]{3}\d{12}|9\d{16}[\dX]",
    "birth_certificate": r"[A-Z]\d{9}",
    "passport": r"[A-Z0-9]{5,15}",
}
PERSON_DIGITS = {"hk_macau_permit": 9, "taiwan_permit": 8}
"""How many leading characters of a permit's number belong to the person.  The rest counts the re-issues of the permit."""

OF_ONE_FORM = ("hk_macau_permit", "taiwan_permit", "birth_certificate")
"""Kinds whose form is recognised in a number without a kind, as a roll gives it."""

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
OLDEST = dt.date(1900, 1, 1)


@dataclass(frozen=True)
class Identity:
    """A valid number.  `born` and `sex` (`f`, `m`) are None if the number does not contain them."""

    kind: str
    number: str
    born: dt.date | None = None
    sex: str | None = None

    @property
    def index(self) -> bytes:
        """The blind index of the person's part."""
        return index_of(self.number, self.kind)


def check(kind: str, typed: str, *, today: dt.date, field: str = "id_number") -> Identity:
    """Check a typed number.  Full-width characters, spaces, hyphens and a lower-case x are corrected.

    Raises Refused with one of the codes `id_kind`, `id_empty`, `id_characters`, `id_length`, `id_form`, `id_region`,
    `id_birth_date`, `id_birth_in_future`, `id_checksum`.
    """
    number = normalise_number(typed)
    if kind not in EIGHTEEN_DIGITS and kind not in FORMS:
        raise Refused("id_kind", field="id_kind")
    if not number:
        raise Refused("id_empty", field=field)
    if not number.isascii() or not number.isalnum():
        raise Refused("id_characters", field=field)
    if kind in EIGHTEEN_DIGITS:
        return _check_eighteen_digits(kind, number, today, field)
    if not re.fullmatch(FORMS[kind], number):
        raise Refused("id_form", field=field)
    if kind == "foreign_residence" and number[0] == "9":
        return _check_eighteen_digits(kind, number, today, field)
    return Identity(kind, number)


def check_character(first_seventeen: str) -> str:
    """The eighteenth character of GB 11643 (ISO 7064, MOD 11-2)."""
    if len(first_seventeen) != len(WEIGHTS):
        raise ValueError("seventeen digits are needed")
    total = sum(map(operator.mul, WEIGHTS, map(int, first_seventeen)))
    return CHECK_CHARACTERS[total % 11]


def birth_date_in(number: str) -> dt.date:
    """The birth date in an eighteen-digit number.  Raises ValueError if there is no such day."""
    return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def index_of(number: str, kind: str | None = None) -> bytes:
    """The blind index of the person's part of a number, the same in every table.

    Without `kind` (a roll keeps none) the kind follows from the number's form.
    """
    return blind_index(person_part(number, kind), INDEX_PURPOSE)


def person_part(number: str, kind: str | None = None) -> str:
    """The part of a number that stays with the person, `H7654321002` -> `H76543210`; of most documents the whole number.

    A passport whose number looks like a permit or a birth certificate is prefixed, so that it stands for somebody else.
    """
    number = normalise_number(number)
    like = next((each for each in OF_ONE_FORM if re.fullmatch(FORMS[each], number)), None)
    if kind == "passport" and like is not None:
        return f"PASSPORT:{number}"
    return number[: PERSON_DIGITS.get(kind or like or "", len(number))]


def normalise_number(typed: str) -> str:
    if typed and typed.isascii() and typed.isalnum():
        return typed.upper()
    folded = unicodedata.normalize("NFKC", typed or "")
    return "".join(character for character in folded if not character.isspace() and character != "-").upper()


def has_wrong_check_character(number: str) -> bool:
    """Whether a normalised number of eighteen digits has another check character than GB 11643 asks for."""
    return re.fullmatch(r"\d{17}[\dX]", number) is not None and number[17] != check_character(number[:17])


def _check_eighteen_digits(kind: str, number: str, today: dt.date, field: str) -> Identity:
    if len(number) != 18:
        raise Refused("id_length", field=field, n=len(number))
    if not re.fullmatch(r"\d{17}[\dX]", number):
        raise Refused("id_characters", field=field)
    if kind in REGIONS and number[:2] not in REGIONS[kind]:
        raise Refused("id_region", field=field)
    try:
        born = birth_date_in(number)
    except ValueError as fault:
        raise Refused("id_birth_date", field=field) from fault
    if born > today:
        raise Refused("id_birth_in_future", field=field)
    if born < OLDEST:
        raise Refused("id_birth_date", field=field)
    if number[17] != check_character(number[:17]):
        raise Refused("id_checksum", field=field)
    return Identity(kind, number, born, "m" if int(number[16]) % 2 else "f")
