"""Telephone numbers of kindergartens in one form: a landline as area code, hyphen and number, with 转 before an extension;
a mobile number without anything between its digits; a service number in three groups.

Every admission area has the area code 028.  A spreadsheet that takes a number for a figure loses its first zero.
"""

import re
import unicodedata

HOME = "028"
SEPARATOR = "、"
_separators = re.compile(r"[,;、/|\n]|或|\s{2,}")
_extension = re.compile(r"(.+?)(?:转|ext\.?|-(?=\d{1,5}$)|#)(\d{1,6})", re.IGNORECASE)
_noise = re.compile(r"[\s()\-‐-―−~_.]")
_label = re.compile(r"^(?:电话|座机|手机|联系电话|办公室|tel|phone)[:：]?", re.IGNORECASE)


def canonical(written: str) -> str | None:
    """The numbers of a text in one form, joined by 、; None if one of them is no number."""
    folded = unicodedata.normalize("NFKC", written).strip()
    numbers = [_one(part) for part in _separators.split(folded) if part.strip()]
    if not numbers or None in numbers:
        return None
    return SEPARATOR.join(dict.fromkeys(number for number in numbers if number))


def same(one: str | None, other: str | None) -> bool:
    """Whether two texts tell the same numbers."""
    return one == other or (one is not None and other is not None and canonical(one) == canonical(other) is not None)


def _one(written: str) -> str | None:
    text = _label.sub("", written.strip())
    whole = _plain(text)
    if whole is not None:
        return whole
    found = _extension.fullmatch(text)
    main = _plain(found[1]) if found else None
    return f"{main}转{found[2]}" if found and main else None


def _plain(written: str) -> str | None:
    digits = _noise.sub("", written)
    digits = re.sub(r"^(?:\+|00)86(?=\d{8,})", "", digits)
    if digits.startswith("86") and len(digits) == 13:
        digits = digits[2:]
    if not digits.isdigit() or not digits.isascii():
        return None
    if re.fullmatch(r"1[3-9]\d{9}", digits):
        return digits
    if re.fullmatch(r"[48]00\d{7}", digits):
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    if re.fullmatch(r"[2-9]\d{7}", digits):
        return f"{HOME}-{digits}"
    if re.fullmatch(r"28[2-9]\d{7}", digits):
        digits = f"0{digits}"
    found = re.fullmatch(r"(010|02\d|0[3-9]\d{2})(\d{7,8})", digits)
    return f"{found[1]}-{found[2]}" if found else None
