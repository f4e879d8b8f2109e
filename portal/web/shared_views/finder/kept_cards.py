"""Cards of the public list, kept in the memory of the process as pieces, with what belongs to one page filled into them.

A piece is what `find_card` in `templates/parts/finder.html` draws for anybody, with holes (`Filling`) where a page has its own number,
addresses and way.  It is as fresh as what it shows: a piece is bound to the stamps of the parts of the catalogue that it was drawn
from, and a request to which no catalogue is attached draws every card.

Nothing personal can be in a piece.  The macro is given the `Filling` of holes instead of the reader's own, and beside it only what
everybody can read and the variants of `_key`: whether the card is kept, compared, or has a way.
"""

import secrets
import sys
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields
from typing import Any
from urllib.parse import quote_plus

from flask import Flask, current_app, request
from markupsafe import Markup, escape

from enrollment.chances.demand import DEMAND
from enrollment.ground.reading.catalogue import stamps_read
from enrollment.places.finder import Hit
from enrollment.places.search.offered import OFFERED
from enrollment.places.search.site_index import SITES
from enrollment.results.last_lines import LAST_LINES
from portal.text.languages import spoken
from portal.text.page_environment import PLAIN_CODE, PLAIN_IN_QUERY, SOME_CODE, address_of
from portal.web.shared_views.finder.cards import LastYear
from portal.web.shared_views.finder.question import MOST_COMPARED, Asked, Draw
from portal.web.unit_of_work import db

MOST_BYTES = 8 * 1024 * 1024
"""Some 2,000 cards of 4 kB; the one that was asked for longest ago goes first."""

SHOWN = (SITES, OFFERED, LAST_LINES, DEMAND)
"""What a card shows something of."""

Stamps = tuple[str | None, ...]


@dataclass(frozen=True)
class Filling:
    """What a card has of one page: its number in the list, what follows the code in the address of the kindergarten, the address
    to come back to, the one that changes the comparison (None where it is full), and the way, as markup."""

    number: int | str
    tail: str
    here: str
    toggle: str | None
    way: str


HOLES = Filling(*(f"hole{secrets.token_hex(8)}" for _each in fields(Filling)))
"""Texts that nobody knows and that are the same in HTML and in an address."""


@dataclass
class KeptCards:
    """The pieces that this process keeps, the one that was used last at the end."""

    most_bytes: int = MOST_BYTES
    size: int = 0
    _pieces: OrderedDict[tuple[Any, ...], tuple[Stamps, str]] = field(default_factory=OrderedDict)

    def find(self, key: tuple[Any, ...], stamps: Stamps) -> str | None:
        """The piece, if what it shows is unchanged."""
        found = self._pieces.get(key)
        if found is None or found[0] != stamps:
            return None
        self._pieces.move_to_end(key)
        return found[1]

    def keep(self, key: tuple[Any, ...], stamps: Stamps, piece: str) -> None:
        if key in self._pieces:
            self._drop(key)
        self._pieces[key] = stamps, piece
        self.size += sys.getsizeof(piece)
        while self.size > self.most_bytes:
            self._drop(next(iter(self._pieces)))

    def _drop(self, key: tuple[Any, ...]) -> None:
        self.size -= sys.getsizeof(self._pieces.pop(key)[1])


@dataclass(frozen=True)
class CardList:
    """Draws the cards of a page for its template.  `year` is that of the places; `place` are the parts of the address of each
    kindergarten's page."""

    asked: Asked
    last: LastYear
    year: int | None
    place: dict[str, Any] = field(default_factory=dict)

    def __call__(self, hits: Iterable[Hit], draw: Draw, way_of: Draw, alone: bool = False) -> Markup:
        """The cards, a line feed between two.  `draw` and `way_of` are the macros `find_card` and `way_of`."""
        asked, kept = self.asked, current_app.extensions["kept_cards"]
        stamps = stamps_read(db(), SHOWN)
        page = asked.page if asked.page > 1 else None
        here = asked.address.with_(page=page)
        tail = address_of("public.kindergarten_page", code=SOME_CODE, **self.place).partition(SOME_CODE)[2]
        before, _mark, behind = asked.address.with_(k=[*asked.compared, HOLES.toggle], page=page).rpartition(
            str(HOLES.toggle)
        )
        before, behind = escape(before), escape(behind)
        of_page = {"tail": escape(tail), "here": escape(quote_plus(here, safe=PLAIN_IN_QUERY))}
        variant = (asked.question.level, self.year, spoken(), request.root_path, alone)
        is_measured = asked.question.start is not None
        drawn = []
        for hit in hits:
            code = hit.kindergarten.code
            has_way = is_measured or hit.metres is not None
            way = way_of(hit) if has_way else ""
            is_kept, is_compared = code in asked.kept, code in asked.compared
            may_toggle = is_compared or len(asked.compared) < MOST_COMPARED
            if stamps is None or PLAIN_CODE.fullmatch(code) is None:
                filling = Filling(hit.number, tail, here, asked.toggled(code), way)
                drawn.append(self._drawn(draw, hit, filling, is_kept, is_compared, alone))
                continue
            key = code, is_kept, is_compared, may_toggle, has_way, variant
            piece = kept.find(key, stamps)
            if piece is None:
                holes = Filling(HOLES.number, HOLES.tail, HOLES.here, HOLES.toggle if may_toggle else None, HOLES.way if has_way else "")  # fmt: skip
                piece = _with_places(self._drawn(draw, hit, holes, is_kept, is_compared, alone))
                kept.keep(key, stamps, piece)
            toggle = escape(asked.toggled(code)) if is_compared else f"{before}{code}{behind}#k-{code}"
            drawn.append(piece % {"number": hit.number, "toggle": toggle, "way": way, **of_page})
        return Markup("\n".join(drawn))  # noqa: S704  pieces are markup, and what is filled in is escaped

    def _drawn(self, draw: Draw, hit: Hit, filling: Filling, is_kept: bool, is_compared: bool, alone: bool) -> Markup:
        return draw(hit, hit.level(self.asked.question.level), self.last, filling, is_kept, is_compared, alone)


def _with_places(card: str) -> str:
    """The card with a place of a format, such as `%(number)s`, for each hole."""
    piece = str(card).replace("%", "%%")
    for name, hole in zip((each.name for each in fields(Filling)), astuple(HOLES), strict=True):
        piece = piece.replace(hole, f"%({name})s")
    return piece


def init(app: Flask) -> None:
    app.extensions["kept_cards"] = KeptCards()
