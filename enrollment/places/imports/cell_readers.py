"""Readers of cells.  Each converts the value of a cell, or raises `CellError` with a code."""

import datetime as dt
import json
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from enrollment.ground import identity
from enrollment.places import areas, contact_numbers
from enrollment.places.imports.faults import CellError
from enrollment.places.imports.files.sheet_parser import RepeatedNumber, RepeatedText
from enrollment.places.imports.units import PERIODS, YUAN_A_MONTH, Unit, unit_in

LAST_EXACT_DIGITS = 10**15
NOTHING = {"", "-", "—", "--", "/", "无", "暂无", "n/a", "null", "none"}
LONGEST_NOTHING = max(map(len, NOTHING))
YES = {"是", "有", "y", "yes", "true", "1", "√", "✓", "普惠"}
NO = {"否", "无", "没有", "n", "no", "false", "0", "×", "x", "非普惠"}
CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = [3**position % 31 for position in range(17)]
DIGITS_MEANT = str.maketrans("OIL", "011")
WEST, EAST, SOUTH, NORTH = Decimal("102.9"), Decimal("105.0"), Decimal("30.0"), Decimal("31.6")

_number = re.compile(
    r"(?:[¥￥$]|rmb|人民币)?([+-]?\d{1,3}(?:,\d{3})+|[+-]?\d+)(?:\.(\d+))?(?P<unit>万元|万|元|人|名|位|个班|个|班|所|套|户)?"
    r"(?P<per>(?:[/每·.*]|生|人|幼儿|月|学期|期|年)*)",
    re.IGNORECASE,
)
_unseen = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_letter_for_digit = re.compile(r"[0-9OIL]{8,}")
_only_digits = re.compile(r"[\d\s./:年月日-]+")
_between_chinese = re.compile(r"(?<=[\u3400-\u9fff·•・]) +(?=[\u3400-\u9fff·•・])")
_above_area = re.compile(r"^(四川省?)?(成都市?)?|(区域|招生区域|教育局)$|[(（].*[)）]$")
_power = re.compile(r"\d(?:\.\d+)?e\+?\d+", re.IGNORECASE)


def text(cell: Any) -> str | None:
    """Text with half-width letters and digits, without outer spaces; `1.0` from a number cell becomes `1`."""
    if type(cell) is str:
        folded = fold(cell)
        return None if len(folded) <= LONGEST_NOTHING and folded.casefold() in NOTHING else folded
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        if abs(cell) >= LAST_EXACT_DIGITS:
            raise CellError("number_lost_digits")
        cell = int(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    folded = fold(str(cell))
    return None if folded.casefold() in NOTHING else folded


def fold(written: str) -> str:
    """Text with half-width characters, one space between words, and none of the characters that nobody sees."""
    if written.isascii():
        return written if written.isalnum() else " ".join(written.split())
    if written.isalnum() and unicodedata.is_normalized("NFKC", written):
        return written
    plain = _unseen.sub("", unicodedata.normalize("NFKC", written))
    return " ".join(plain.split())


def title(cell: Any) -> str | None:
    """The name of a kindergarten: spaces within Chinese text are layout; a date, a number or a formula is no name."""
    value = _words(cell)
    return None if value is None else _between_chinese.sub("", value)


def person(cell: Any) -> str | None:
    """A child's name: `李　四` and `李 四` are `李四`; a name in other letters keeps the spaces between its words."""
    value = _words(cell)
    return None if value is None else person_name(value)


def _words(cell: Any) -> str | None:
    """A cell that has to hold a name: text that is neither a formula nor a number."""
    if isinstance(cell, dt.date | dt.time | float | int):
        raise CellError("name_is_not_text", value=str(text(cell))[:30])
    value = short(cell)
    if value is not None and (value.startswith("=") or _only_digits.fullmatch(value)):
        raise CellError("name_is_not_text", value=value[:30])
    return value


def person_name(name: str) -> str:
    """A name in the form in which the names of two lists are compared."""
    if len(name) <= 4 and name.isalpha():
        return name
    return _between_chinese.sub("", fold(name)).replace("•", "·").replace("・", "·")


def short(cell: Any) -> str | None:
    """A text of limited length."""
    value = text(cell)
    if value is not None and len(value) > 120:
        raise CellError("text_too_long", most=120, length=len(value))
    if value is not None and not value.isprintable():
        raise CellError("text_unprintable")
    return value


def _long_number(cell: Any) -> str | None:
    """An identifier without spaces, in upper case.  `5.1E+17` is refused: the spreadsheet lost digits."""
    value = text(cell)
    if value is None:
        return None
    value = value.replace(" ", "").removeprefix("'").upper()
    if _power.fullmatch(value):
        raise CellError("number_lost_digits")
    return value


def code(cell: Any) -> str | None:
    """A school's identification code: 4 to 20 letters and digits.  A letter O among digits is a slip of the hand."""
    value = _long_number(cell)
    if value is not None and _letter_for_digit.fullmatch(value) and not value.isdigit():
        raise CellError("code_letter_for_digit", value=value[:30], digits=value.translate(DIGITS_MEANT))
    if value is not None and not re.fullmatch(r"[0-9A-Z][0-9A-Z-]{3,19}", value):
        raise CellError("code_form", value=value[:30])
    return value


def credit_code(cell: Any) -> str | None:
    """Unified social credit code, GB 32100: 18 characters, the last one a check character."""
    value = _long_number(cell)
    if value is None:
        return None
    if len(value) != 18 or any(letter not in CREDIT_CHARACTERS for letter in value):
        raise CellError("credit_code_form", length=len(value))
    total = sum(CREDIT_CHARACTERS.index(c) * w for c, w in zip(value[:17], CREDIT_WEIGHTS, strict=True))
    if CREDIT_CHARACTERS[-total % 31] != value[17]:
        raise CellError("credit_code_check")
    return value


def decimal(cell: Any, unit: Unit | None = None) -> Decimal | None:
    """A number.  Raises CellError if it says another unit than that of its column."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Decimal(str(cell))
    value = text(cell)
    if value is None:
        return None
    found = _number.fullmatch(value.replace(" ", "").replace("，", ","))
    if found is None:
        raise CellError("not_a_number", value=value[:30])
    _check_unit(value, unit_in((found["unit"] or "") + found["per"]), bool(re.search("期|年", found["per"])), unit)
    try:
        return Decimal(found.group(1).replace(",", "") + "." + (found.group(2) or "0"))
    except InvalidOperation as fault:
        raise CellError("not_a_number", value=value[:30]) from fault


def _check_unit(value: str, told: str | None, is_by_term: bool, unit: Unit | None) -> None:
    """Refuse a number whose cell says another unit than its column's: 45人 are no classes."""
    if unit is None:
        if told is not None:
            raise CellError("not_a_number", value=value[:30])
    elif unit is YUAN_A_MONTH and is_by_term:
        raise CellError("not_by_month", value=value[:30])
    elif unit.refuses(told) or (is_by_term and unit.accepts >= PERIODS):
        raise CellError("other_unit", value=value[:30], wanted=unit.wanted)


@dataclass(frozen=True)
class Whole:
    """A reader of whole numbers from 0 up to `most`; `25人` and `２５` are 25.

    A number in merged cells may be the sum of their rows, so it is asked for; a rate such as a fee holds for each row.
    """

    most: int
    unit: Unit
    is_rate: bool = False

    def __call__(self, cell: Any) -> int | None:
        if not self.is_rate and isinstance(cell, RepeatedNumber | RepeatedText) and text(cell) is not None:
            raise CellError("merged_number", value=text(cell))
        value = decimal(cell, self.unit)
        if value is None:
            return None
        if value != value.to_integral_value():
            raise CellError("not_a_whole_number", value=str(value))
        if not 0 <= value <= self.most:
            raise CellError("number_out_of_range", value=int(value), least=0, most=self.most)
        return int(value)


def yes_or_no(cell: Any) -> bool | None:
    value = text(cell)
    if value is None:
        return None
    if value.casefold() in YES:
        return True
    if value.casefold() in NO:
        return False
    raise CellError("not_yes_or_no", value=value[:30])


def area(cell: Any) -> str | None:
    value = text(cell)
    if value is None:
        return None
    found = areas.code_of(value) or areas.code_of(_above_area.sub("", value)) or areas.code_of(value[:6])
    if found is None:
        raise CellError("area_unknown", value=value[:30])
    return found


def degrees(low: Decimal, high: Decimal, other_low: Decimal, other_high: Decimal):
    """A reader of WGS-84 degrees within the city; exchanged columns have a fault of their own."""

    def read(cell: Any) -> Decimal | None:
        value = decimal(str(cell).rstrip("°度EeNn ") if not isinstance(cell, int | float) else cell)
        if value is None:
            return None
        if other_low <= value <= other_high:
            raise CellError("degrees_exchanged", value=str(value))
        if not low <= value <= high:
            raise CellError("degrees_outside", value=str(value), low=str(low), high=str(high))
        return value.quantize(Decimal("0.000001"))

    return read


longitude = degrees(WEST, EAST, SOUTH, NORTH)
latitude = degrees(SOUTH, NORTH, WEST, EAST)


def phone(cell: Any) -> str | None:
    """One or several numbers in the form in which the city writes them, joined by 、."""
    value = text(cell)
    if value is None:
        return None
    found = contact_numbers.canonical(value)
    if found is None:
        raise CellError("phone_form", value=value[:30])
    return found


def id_number(cell: Any) -> str | None:
    """A resident's number is checked (GB 11643); the number of another document has 5 to 20 letters and digits."""
    value = _long_number(cell)
    if value is None:
        return None
    if not re.fullmatch(r"[0-9A-Z]{5,20}", value):
        raise CellError("id_number_form")
    if re.fullmatch(r"\d{16,17}[0-9X]?|\d{15}", value):
        _check_resident(value)
    return value


def _check_resident(value: str) -> None:
    if len(value) != 18:
        raise CellError("id_number_length", length=len(value))
    if identity.check_character(value[:17]) != value[17]:
        raise CellError("id_number_check")
    try:
        identity.birth_date_in(value)
    except ValueError as fault:
        raise CellError("id_number_birthday") from fault


def names(cell: Any) -> list[str] | None:
    """`三圣街道、柳江街道；成龙路街道` → three names."""
    value = text(cell)
    if value is None:
        return None
    return [part for part in (piece.strip() for piece in re.split(r"[,;、/|\n]", value)) if part]


def geojson(cell: Any) -> dict | None:
    value = str(cell).strip()
    if not value:
        return None
    try:
        found = json.loads(value)
    except (json.JSONDecodeError, RecursionError) as fault:
        raise CellError("boundary_unreadable") from fault
    if not isinstance(found, dict):
        raise CellError("boundary_unreadable")
    return found
