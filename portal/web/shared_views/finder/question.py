"""What a reader looks for, read from the address, and the links that change one part of it."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, urlencode

from flask import request
from markupsafe import Markup, escape
from werkzeug import Response

from enrollment.places.areas import LEVELS, NATURES
from enrollment.places.distances import within_city
from enrollment.places.search import named_places
from enrollment.places.search.named_places import Start
from enrollment.places.search.site_index import HIGH_QUALITY, Order, Question
from portal.text.languages import spoken
from portal.text.numbers import whole_number
from portal.web.unit_of_work import db, services

LONGEST = 80
WALKS = (10, 20, 30)
"""Minutes on foot that a reader can choose."""

OF_FAMILIES = frozenset(Order)
OF_EVERYBODY = OF_FAMILIES - {Order.CHANCE}
"""A chance is that of one child: who is not signed in has none."""

HERE = "here"
HERE_COOKIE = "here"
"""The reader's own point, rounded to 100 m, in a cookie that the browser forgets when it is closed; it is never stored here."""

KEPT_COOKIE = "kept"
MOST_KEPT, MOST_COMPARED = 40, 4
A_YEAR = 365 * 24 * 3600

MOST_CHIPS = 4_000
"""Texts of areas and grades with their counts, of which drawn chips are kept."""

HOLE = f"hole{secrets.token_hex(8)}"
"""Stands for the address in a kept chip: a text that nobody knows."""

Draw = Callable[..., Markup]

_chips: dict[tuple[str, str, bool, int], str] = {}

_code = re.compile(r"[0-9A-Za-z-]{1,20}")
_grade = re.compile(HIGH_QUALITY + r"|g\d{1,6}")


@dataclass(frozen=True)
class Address:
    """The address of the page; `with_` gives the same page with other parts.  A changed question begins at its first page."""

    parts: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    path: str = ""

    def with_(self, *, anchor: str = "", path: str | None = None, **changes: Any) -> str:
        kept = [text for name, text in self._encoded if name not in changes]
        fresh = [
            f"{quote_plus(name)}={quote_plus(str(each))}" for name, value in changes.items() for each in _values(value)
        ]
        query = "&".join([*kept, *fresh])
        return f"{self.path if path is None else path}{'?' if query else ''}{query}{'#' if anchor else ''}{anchor}"

    @cached_property
    def _encoded(self) -> list[tuple[str, str]]:
        """The parts that every link may keep, each as it stands in an address; a page has eighty links."""
        return [(name, urlencode([(name, value)])) for name, value in self.parts if name not in ("page", "lang")]

    def up_to(self, name: str) -> str:
        """The address with another value of one part, up to this value."""
        kept = "".join(f"{text}&" for each, text in self._encoded if each != name)
        return f"{self.path}?{kept}{quote_plus(name)}="

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """The parts that a form keeps beside its own fields."""
        return [(name, value) for name, value in self.parts if name not in {*without, "page", "lang"}]


def _values(value: Any) -> list[Any]:
    return [] if value in (None, "") else list(value) if isinstance(value, list | tuple) else [value]


@dataclass(frozen=True)
class Asked:
    """The question of the address.  `compared` and `kept` are codes; `place` is the start as the address names it."""

    question: Question
    address: Address
    place: str
    view: str
    compared: tuple[str, ...]
    kept: tuple[str, ...]
    page: int

    def options(
        self, draw: Draw, name: str, texts: Mapping[str, str], counts: Mapping[str, int], chosen: str | None
    ) -> Markup:
        """The chips of one part of the question: what would find something, and what is chosen.

        `draw` is the macro `chip`; what it draws for a text and a count is kept, without the address.
        """
        language, address = spoken(), escape(self.address.up_to(name))
        without: dict[str, Any] = {name: None}
        drawn = []
        for code, text in texts.items():
            count, is_chosen = counts.get(code, 0), chosen == code
            if not count and not is_chosen:
                continue
            key = language, text, is_chosen, count
            piece = _chips.get(key)
            if piece is None:
                if len(_chips) >= MOST_CHIPS:
                    _chips.clear()
                piece = _chips[key] = str(draw(HOLE, text, is_chosen, count)).replace("%", "%%").replace(HOLE, "%s")
            lifted = escape(self.address.with_(**without)) if is_chosen else f"{address}{quote_plus(code)}"
            drawn.append(piece % lifted)
        return Markup("".join(drawn))  # noqa: S704  chips are markup, and their addresses are escaped

    def toggled(self, code: str) -> str | None:
        """The link that puts a kindergarten into the comparison or takes it out; None when four stand in it."""
        if code in self.compared:
            others = [each for each in self.compared if each != code]
        elif len(self.compared) >= MOST_COMPARED:
            return None
        else:
            others = [*self.compared, code]
        return self.address.with_(k=others, page=self.page if self.page > 1 else None, anchor=f"k-{code}")


def read(*, level: str | None = None, path: str | None = None) -> Asked:
    """The question of this request.  Parts that make no sense are left out.  `path` is that of the list, if it is another."""
    args = request.args
    place = args.get("from", "")[:LONGEST]
    start = start_of(place)
    kept = kept_codes()
    question = Question(
        words=args.get("q", "")[:LONGEST],
        area=args.get("area") or None,
        nature=_one_of(args.get("nature"), NATURES),
        level=level or _one_of(args.get("level"), LEVELS),
        grade=args["grade"] if _grade.fullmatch(args.get("grade", "")) else None,
        within=args.get("walk", type=whole_number) if start and args.get("walk", type=whole_number) in WALKS else None,
        start=start,
        order=Order(args["sort"]) if args.get("sort") in (OF_FAMILIES if level else OF_EVERYBODY) else None,
        kept=frozenset(kept) if args.get("kept") else None,
        serving=bool(args.get("mine")),
    )
    compared = tuple(dict.fromkeys(code for code in args.getlist("k") if _code.fullmatch(code)))[:MOST_COMPARED]
    parts = tuple((name, value) for name, value in args.items(multi=True) if value)
    return Asked(
        question, Address(parts, path or request.path), place if start else "", "map" if args.get("view") == "map" else "list",
        compared, kept, max(args.get("page", 1, whole_number), 1),
    )  # fmt: skip


def start_of(place: str) -> Start | None:
    """Where ways begin: the reader's own point from the cookie, or a street or estate."""
    if place != HERE:
        return named_places.start_of(db(), place) if place else None
    longitude, _, latitude = request.cookies.get(HERE_COOKIE, "").partition(",")
    try:
        start = Start(float(longitude), float(latitude))
    except ValueError:
        return None
    return start if within_city(start.longitude, start.latitude) else None


def kept_codes() -> tuple[str, ...]:
    """The kindergartens that this browser keeps."""
    listed = request.cookies.get(KEPT_COOKIE, "").split(".")
    return tuple(dict.fromkeys(code for code in listed if _code.fullmatch(code)))[:MOST_KEPT]


def with_kept(code: str, keep: bool) -> str:
    """The cookie after a kindergarten is kept or not any more; the newest comes first."""
    others = [each for each in kept_codes() if each != code]
    chosen = [code, *others] if keep and _code.fullmatch(code) else others
    return ".".join(chosen[:MOST_KEPT])


def keep(answer: Response, codes: str) -> None:
    """Have the browser keep these kindergartens (`with_kept`) for a year."""
    answer.set_cookie(KEPT_COOKIE, codes, max_age=A_YEAR, secure=services().config.https, httponly=True, samesite="Lax")


def _one_of(value: str | None, codes: Any) -> str | None:
    return value if value in set(codes) else None
