"""The declared form of a seed's public parts, and the one text that a value of this form has.

A form is fixed before the commitment is published: how many numbers are drawn, from which range, in which order.  An
entered value is read tolerantly (spaces, commas, full-width digits, leading zeros) and written in one way only, so that
nobody can choose a seed by the spelling of a value.  ``docs/engine.md`` describes the fields.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MOST_NUMBERS = 100
LARGEST = 10**9
MOST_DIGITS = 256
MOST_GROUPS = 10
LONGEST_NAME = 200
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_PARTS = ("ceremony", "beacon")
_FULL_WIDTH = {chr(ord(ascii_) + 0xFEE0): ascii_ for ascii_ in "0123456789ABCDEFabcdef+"}
_SPELLINGS = str.maketrans({**_FULL_WIDTH, **dict.fromkeys(",;\uff0c\uff1b\u3001", " ")})
"""Full-width digits become digits; commas of both widths separate numbers as spaces do."""
_DECIMAL = re.compile(r"[0-9]{1,100}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class PartKind(StrEnum):
    """What a part consists of."""

    INTEGERS = "integers"
    HEX = "hex"


class NumberOrder(StrEnum):
    """Whether the order in which numbers are drawn counts."""

    DRAWN = "drawn"
    SORTED = "sorted"


class FormFaultCode(StrEnum):
    """What is wrong with a form, or with a value of a form."""

    NOT_A_FORM = "not_a_form"
    UNKNOWN_FIELD = "unknown_field"
    NO_PART = "no_part"
    NOT_A_KIND = "not_a_kind"
    NOT_AN_ORDER = "not_an_order"
    NOT_YES_OR_NO = "not_yes_or_no"
    BAD_NUMBER = "bad_number"
    BAD_RANGE = "bad_range"
    TOO_FEW_TO_BE_DISTINCT = "too_few_to_be_distinct"
    BAD_GROUPS = "bad_groups"
    BAD_TEXT = "bad_text"
    BAD_TIME = "bad_time"
    PART_MISSING = "part_missing"
    PART_NOT_DECLARED = "part_not_declared"
    WRONG_GROUPS = "wrong_groups"
    WRONG_COUNT = "wrong_count"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    REPEATED = "repeated"
    WRONG_DIGITS = "wrong_digits"
    NOT_HEX = "not_hex"
    NOT_CANONICAL = "not_canonical"


_MESSAGES = {
    FormFaultCode.NOT_A_FORM: "is not an object with the fields of a form",
    FormFaultCode.UNKNOWN_FIELD: "is not a field of a form",
    FormFaultCode.NO_PART: "declares neither a ceremony nor a beacon",
    FormFaultCode.NOT_A_KIND: "is neither integers nor hex",
    FormFaultCode.NOT_AN_ORDER: "is neither drawn nor sorted",
    FormFaultCode.NOT_YES_OR_NO: "is neither true nor false",
    FormFaultCode.BAD_NUMBER: "is not a whole number from {least} to {most}",
    FormFaultCode.BAD_RANGE: "is less than the least number",
    FormFaultCode.TOO_FEW_TO_BE_DISTINCT: "asks for more different numbers than the range has",
    FormFaultCode.BAD_GROUPS: "is not a list of 2 to {most} groups",
    FormFaultCode.BAD_TEXT: "is not a text of 1 to {most} printable characters without spaces around it",
    FormFaultCode.BAD_TIME: "is not a time such as 2026-06-04T13:15:00Z",
    FormFaultCode.PART_MISSING: "is declared and has no value",
    FormFaultCode.PART_NOT_DECLARED: "has a value and is not declared",
    FormFaultCode.WRONG_GROUPS: "has {found} groups of numbers, not {expected}",
    FormFaultCode.WRONG_COUNT: "has {found} numbers in group {group}, not {expected}",
    FormFaultCode.NOT_A_NUMBER: "has something that is not a number in group {group}, place {place}",
    FormFaultCode.OUT_OF_RANGE: "has a number outside {least} to {most} in group {group}, place {place}",
    FormFaultCode.REPEATED: "has a number twice in group {group}, place {place}",
    FormFaultCode.WRONG_DIGITS: "has {found} hexadecimal digits, not {expected}",
    FormFaultCode.NOT_HEX: "has a character that is not a hexadecimal digit",
    FormFaultCode.NOT_CANONICAL: "is not written in its one form, {expected}",
}


@dataclass(frozen=True)
class FormFault:
    """One fault at a field of a form, or in the value of a part.  ``details`` are the numbers of its message."""

    code: FormFaultCode
    where: str
    details: Mapping[str, int | str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.where} {_MESSAGES[self.code].format(**self.details)}"


class DrawFormError(ValueError):
    """A form, or a value of a form, with all its faults."""

    def __init__(self, faults: Sequence[FormFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True)
class NumberGroup:
    """Numbers drawn together: ``count`` of them from ``least`` to ``most``."""

    count: int
    least: int
    most: int
    distinct: bool
    order: NumberOrder

    @property
    def outcomes(self) -> int:
        """How many different results the group can have."""
        numbers = self.most - self.least + 1
        if self.order == NumberOrder.DRAWN:
            return math.perm(numbers, self.count) if self.distinct else numbers**self.count
        return math.comb(numbers if self.distinct else numbers + self.count - 1, self.count)

    def declared(self) -> dict[str, object]:
        return {
            "count": self.count, "least": self.least, "most": self.most,
            "distinct": self.distinct, "order": str(self.order),
        }  # fmt: skip


@dataclass(frozen=True)
class PartForm:
    """The form of one part: groups of integers, or ``digits`` hexadecimal digits.

    A beacon has a ``name``, and where they are known before, the ``issue`` and the time when it becomes public.
    """

    groups: tuple[NumberGroup, ...] = ()
    digits: int = 0
    name: str | None = None
    issue: str | None = None
    published_at: str | None = None

    @property
    def kind(self) -> PartKind:
        return PartKind.INTEGERS if self.groups else PartKind.HEX

    @property
    def published_time(self) -> datetime | None:
        """When the beacon becomes public, with its time zone."""
        return datetime.fromisoformat(self.published_at) if self.published_at else None

    @property
    def outcomes(self) -> int:
        """How many different values the part can have."""
        return math.prod(group.outcomes for group in self.groups) if self.groups else 16**self.digits

    def declared(self) -> dict[str, object]:
        """The fields of the part as in ``draw.json``."""
        fields: dict[str, object] = {"kind": str(self.kind)}
        if self.kind == PartKind.HEX:
            fields["digits"] = self.digits
        elif len(self.groups) == 1:
            fields |= self.groups[0].declared()
        else:
            fields["groups"] = [group.declared() for group in self.groups]
        if self.name is not None:
            fields |= {"name": self.name, "issue": self.issue, "published_at": self.published_at}
        return fields

    def canonical_text(self, entered: str, where: str = "value") -> str:
        """The one text of an entered value.  Raises :class:`DrawFormError` with all faults of the value."""
        spelled = entered.translate(_SPELLINGS)
        faults: list[FormFault] = []
        text = (
            self._hex(spelled, where, faults) if self.kind == PartKind.HEX else self._integers(spelled, where, faults)
        )
        if faults:
            raise DrawFormError(faults)
        return text

    def _hex(self, spelled: str, where: str, faults: list[FormFault]) -> str:
        text = "".join(spelled.split()).lower()
        if not re.fullmatch(r"[0-9a-f]*", text):
            faults.append(FormFault(FormFaultCode.NOT_HEX, where))
        elif len(text) != self.digits:
            faults.append(FormFault(FormFaultCode.WRONG_DIGITS, where, {"found": len(text), "expected": self.digits}))
        return text

    def _integers(self, spelled: str, where: str, faults: list[FormFault]) -> str:
        pieces = spelled.split("+")
        if len(pieces) != len(self.groups):
            counts = {"found": len(pieces), "expected": len(self.groups)}
            faults.append(FormFault(FormFaultCode.WRONG_GROUPS, where, counts))
            return ""
        written = []
        for number, (group, piece) in enumerate(zip(self.groups, pieces, strict=True), start=1):
            found = list(_numbers(group, piece.split(), {"group": number}, where, faults))
            written.append(" ".join(map(str, sorted(found) if group.order == NumberOrder.SORTED else found)))
        return " + ".join(written)


def _numbers(
    group: NumberGroup, words: Sequence[str], at: dict[str, int | str], where: str, faults: list[FormFault]
) -> Iterator[int]:
    if len(words) != group.count:
        faults.append(FormFault(FormFaultCode.WRONG_COUNT, where, {**at, "found": len(words), "expected": group.count}))
    seen: set[int] = set()
    for place, word in enumerate(words[:MOST_NUMBERS], start=1):
        here = {**at, "place": place}
        if not _DECIMAL.fullmatch(word):
            faults.append(FormFault(FormFaultCode.NOT_A_NUMBER, where, here))
            continue
        number = int(word)
        if not group.least <= number <= group.most:
            limits = {"least": group.least, "most": group.most}
            faults.append(FormFault(FormFaultCode.OUT_OF_RANGE, where, {**here, **limits}))
        elif group.distinct and number in seen:
            faults.append(FormFault(FormFaultCode.REPEATED, where, here))
        seen.add(number)
        yield number


@dataclass(frozen=True)
class DrawForm:
    """The declared form of a draw.  At least one of the two parts is declared."""

    ceremony: PartForm | None
    beacon: PartForm | None

    @classmethod
    def parse(cls, declared: object) -> "DrawForm":
        """The form of a JSON object.  Raises :class:`DrawFormError` with all faults."""
        faults: list[FormFault] = []
        if not isinstance(declared, Mapping):
            raise DrawFormError([FormFault(FormFaultCode.NOT_A_FORM, "form")])
        _refuse_others(declared, _PARTS, "form", faults)
        parts = {name: _part(name, declared.get(name), faults) for name in _PARTS}
        if declared.get("ceremony") is None and declared.get("beacon") is None:
            faults.append(FormFault(FormFaultCode.NO_PART, "form"))
        if faults:
            raise DrawFormError(faults)
        return cls(**parts)

    @property
    def parts(self) -> dict[str, PartForm]:
        """The declared parts by their names."""
        found = {"ceremony": self.ceremony, "beacon": self.beacon}
        return {name: part for name, part in found.items() if part is not None}

    @property
    def outcomes(self) -> int:
        """How many different seeds the form allows after the commitment."""
        return math.prod(part.outcomes for part in self.parts.values())

    def declared(self) -> dict[str, object]:
        """The JSON object that :meth:`parse` reads."""
        return {name: self.parts[name].declared() if name in self.parts else None for name in _PARTS}

    def text(self) -> str:
        """The JSON that is hashed into the seed: sorted keys, no spaces, as ``lottery.canonical`` writes it."""
        return json.dumps(self.declared(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def faults(self, *, beacon: str, ceremony: str) -> list[FormFault]:
        """What is wrong with the parts of a seed: each declared part is there, in its one spelling."""
        found: list[FormFault] = []
        for name, value in (("ceremony", ceremony), ("beacon", beacon)):
            part = self.parts.get(name)
            if part is None:
                if value:
                    found.append(FormFault(FormFaultCode.PART_NOT_DECLARED, name))
            elif not value:
                found.append(FormFault(FormFaultCode.PART_MISSING, name))
            else:
                found += _spelling_faults(part, name, value)
        return found

    def require_parts(self, *, beacon: str, ceremony: str) -> None:
        """Raise :class:`DrawFormError` if :meth:`faults` finds something."""
        found = self.faults(beacon=beacon, ceremony=ceremony)
        if found:
            raise DrawFormError(found)


def _spelling_faults(part: PartForm, name: str, value: str) -> Iterator[FormFault]:
    try:
        expected = part.canonical_text(value, name)
    except DrawFormError as error:
        yield from error.faults
        return
    if expected != value:
        yield FormFault(FormFaultCode.NOT_CANONICAL, name, {"expected": expected})


_GROUP_FIELDS = ("count", "least", "most", "distinct", "order")
_BEACON_FIELDS = ("name", "issue", "published_at")


def _part(name: str, value: object, faults: list[FormFault]) -> PartForm | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        faults.append(FormFault(FormFaultCode.NOT_A_FORM, name))
        return None
    kind = value.get("kind")
    before = len(faults)
    groups: tuple[NumberGroup, ...] = ()
    digits = 0
    if kind == PartKind.HEX:
        own: tuple[str, ...] = ("digits",)
        digits = _whole(value.get("digits"), f"{name}.digits", 1, MOST_DIGITS, faults)
    elif kind == PartKind.INTEGERS and "groups" in value:
        own = ("groups",)
        groups = _groups(name, value["groups"], faults)
    elif kind == PartKind.INTEGERS:
        own = _GROUP_FIELDS
        groups = (_group(name, value, faults),)
    else:
        faults.append(FormFault(FormFaultCode.NOT_A_KIND, f"{name}.kind"))
        own = tuple(str(key) for key in value)
    _refuse_others(value, ("kind", *own, *(_BEACON_FIELDS if name == "beacon" else ())), name, faults)
    about: dict[str, str | None] = {}
    if name == "beacon":
        about["name"] = _text(value.get("name"), "beacon.name", faults)
        about["issue"] = _text(value.get("issue"), "beacon.issue", faults, optional=True)
        about["published_at"] = _time(value.get("published_at"), "beacon.published_at", faults)
    return PartForm(groups, digits, **about) if len(faults) == before else None


def _groups(name: str, value: object, faults: list[FormFault]) -> tuple[NumberGroup, ...]:
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_GROUPS:
        faults.append(FormFault(FormFaultCode.BAD_GROUPS, f"{name}.groups", {"most": MOST_GROUPS}))
        return ()
    made = []
    for number, each in enumerate(value, start=1):
        where = f"{name}.groups.{number}"
        if isinstance(each, Mapping):
            _refuse_others(each, _GROUP_FIELDS, where, faults)
            made.append(_group(where, each, faults))
        else:
            faults.append(FormFault(FormFaultCode.NOT_A_FORM, where))
    return tuple(made)


def _group(where: str, value: Mapping[str, object], faults: list[FormFault]) -> NumberGroup:
    before = len(faults)
    count = _whole(value.get("count"), f"{where}.count", 1, MOST_NUMBERS, faults)
    least = _whole(value.get("least"), f"{where}.least", 0, LARGEST, faults)
    most = _whole(value.get("most"), f"{where}.most", 0, LARGEST, faults)
    distinct = value.get("distinct")
    if not isinstance(distinct, bool):
        faults.append(FormFault(FormFaultCode.NOT_YES_OR_NO, f"{where}.distinct"))
    order = value.get("order")
    if order not in tuple(NumberOrder):
        faults.append(FormFault(FormFaultCode.NOT_AN_ORDER, f"{where}.order"))
    if len(faults) > before:
        return NumberGroup(1, 0, 0, False, NumberOrder.DRAWN)  # not used: the form is refused
    if most < least:
        faults.append(FormFault(FormFaultCode.BAD_RANGE, f"{where}.most"))
    elif distinct and most - least + 1 < count:
        faults.append(FormFault(FormFaultCode.TOO_FEW_TO_BE_DISTINCT, f"{where}.count"))
    return NumberGroup(count, least, most, bool(distinct), NumberOrder(str(order)))


def _refuse_others(value: Mapping[str, object], known: Sequence[str], where: str, faults: list[FormFault]) -> None:
    others = sorted(str(key) for key in value if key not in known)
    faults += [FormFault(FormFaultCode.UNKNOWN_FIELD, f"{where}.{key}") for key in others]


def _whole(value: object, where: str, least: int, most: int, faults: list[FormFault]) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    faults.append(FormFault(FormFaultCode.BAD_NUMBER, where, {"least": least, "most": most}))
    return least


def _text(value: object, where: str, faults: list[FormFault], *, optional: bool = False) -> str | None:
    if value is None and optional:
        return None
    if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value == value.strip() and value.isprintable():
        return value
    faults.append(FormFault(FormFaultCode.BAD_TEXT, where, {"most": LONGEST_NAME}))
    return None


def _time(value: object, where: str, faults: list[FormFault]) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and _TIME.fullmatch(value) and value.isascii():
        try:
            datetime.strptime(value, TIME_FORMAT)
        except ValueError:
            pass
        else:
            return value
    faults.append(FormFault(FormFaultCode.BAD_TIME, where))
    return None
