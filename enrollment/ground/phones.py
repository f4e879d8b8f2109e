"""Telephone numbers: parsed in one place, kept as E.164 (`+8613900000000`, `+85291234567`).

A number without a country code is Chinese.  A Chinese number must be a mobile one, because it receives text messages.
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from enrollment.ground.errors import Refused
from enrollment.ground.sealed.values import Sealed
from enrollment.ground.vault import blind_index

HOME_REGION = "CN"
HOME_CODE = "86"
CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")
CHINESE_E164 = re.compile(r"\+86(1[3-9]\d{9})")
"""What almost every kept number looks like; it is recognised without the library, which takes a hundred times as long."""

INDEX_PURPOSE = "phone"


def parse_phone(typed: str, *, field: str = "phone") -> str:
    """The E.164 form of a number as a person types it.  Refuses `phone_form` at `field`."""
    number = _parse(typed)
    if number is None:
        raise Refused("phone_form", field=field)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def country_code(phone: str) -> str:
    """The country code of an E.164 number, without the plus sign."""
    if CHINESE_E164.fullmatch(phone):
        return HOME_CODE
    number = _parse(phone)
    return str(number.country_code) if number is not None else ""


def phone_index(phone: str, purpose: str = INDEX_PURPOSE) -> bytes:
    """The blind index of a number, however it is written.

    A Chinese number is indexed by its 11 digits, as it was before other countries' numbers were accepted, so that the
    rows from that time are found.
    """
    return blind_index(_index_text(phone), purpose)


def mask_phone(phone: str) -> str:
    """`139****0000`, `+852****4567`."""
    if not phone:
        return ""
    shown = _index_text(phone)
    start = f"+{country_code(phone)}" if shown.startswith("+") else shown[:3]
    return f"{start}****{shown[-4:]}"


def _parse(typed: str) -> PhoneNumber | None:
    text = unicodedata.normalize("NFKC", typed or "").strip()
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except NumberParseException:
        return None
    national = phonenumbers.national_significant_number(number)
    if str(number.country_code) == HOME_CODE:
        return number if CHINESE_MOBILE.fullmatch(national) else None
    return number if phonenumbers.is_valid_number(number) else None


def _index_text(phone: str) -> str:
    if kept := CHINESE_E164.fullmatch(phone):
        return kept[1]
    number = _parse(phone)
    if number is None:
        return phone
    if str(number.country_code) == HOME_CODE:
        return phonenumbers.national_significant_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


class SealedPhone(Sealed):
    """A sealed column with a telephone number.  It is read and written as E.164; an empty text stays empty."""

    cache_ok = True

    def to_text(self, value: str) -> str:
        return parse_phone(value) if value else value

    def from_text(self, text: str) -> str:
        if not text or CHINESE_E164.fullmatch(text):
            return text
        number = _parse(text)
        return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number is not None else text
