"""The open kindergartens of the city in arrays, so that a search filters, counts and sorts all of them at once."""

import functools
import itertools
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import Part
from enrollment.ground.table_version import TableVersion, table_version
from enrollment.places.areas import LEVELS
from enrollment.places.distances import metres_to, minutes_on_foot_of
from enrollment.places.grades import held
from enrollment.places.grades.rows import Grade, HeldGrade
from enrollment.places.kept_places import EVERY, TABLES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.pinyin import readings
from enrollment.places.search.named_places import Start
from enrollment.places.search.text_index import Field, Lines, TextIndex, normalised
from enrollment.places.service_areas import NAMED, ServiceArea

HIGH_QUALITY = "quality"
"""The condition that a kindergarten holds any grade of high quality."""

Numbers = np.ndarray
"""Positions in the order of the pinyin of the names."""


class Order(StrEnum):
    """What decides which kindergarten comes first."""

    BEST = "best"
    NEAR = "near"
    LINE = "line"
    FEE = "fee"
    CHANCE = "chance"
    """The family's own chance this year: `wish_candidates` sorts those near home by it."""


@dataclass(frozen=True)
class Question:
    """What is looked for.  `within` are minutes on foot from `start`; `kept` are codes, when only these may be found;
    `grade` is one of the code list, or `HIGH_QUALITY` for any that counts as such;
    `serving` finds only what serves the home of a family.
    """

    words: str = ""
    area: str | None = None
    nature: str | None = None
    level: str | None = None
    within: int | None = None
    start: Start | None = None
    order: Order | None = None
    grade: str | None = None
    kept: frozenset[str] | None = None
    serving: bool = False

    @property
    def sorted_by(self) -> Order:
        """By distance once a start is known, if the reader wishes nothing else."""
        if self.order is not None and (self.order != Order.NEAR or self.start is not None):
            return self.order
        return Order.NEAR if self.start is not None and not self.words.strip() else Order.BEST


@dataclass(frozen=True)
class Counts:
    """How many kindergartens each choice would find beside the other conditions; `without` the condition named."""

    areas: Mapping[str, int]
    natures: Mapping[str, int]
    levels: Mapping[str, int]
    grades: Mapping[str, int]
    without: Mapping[str, int] = field(default_factory=dict)


class SiteIndex:
    """`every` are the kindergartens by pinyin, of which the open ones are found; `served` the names in the service area of
    each, `grades` what each holds now."""

    def __init__(
        self,
        every: Sequence[Kindergarten],
        served: Mapping[uuid.UUID, Iterable[str]],
        grades: Mapping[uuid.UUID, Sequence[Grade]],
    ):
        self.by_code = {each.code: each for each in every}
        self.listed = tuple(each for each in every if each.closed_on is None)
        self.number = {each.id: at for at, each in enumerate(self.listed)}
        self._codes = {each.code: at for at, each in enumerate(self.listed)}
        self._area_names = sorted({each.area_code for each in self.listed})
        self._nature_names = sorted({str(each.nature) for each in self.listed})
        self._area = _coded([each.area_code for each in self.listed], self._area_names)
        self._nature = _coded([str(each.nature) for each in self.listed], self._nature_names)
        self._fee = np.array([np.inf if each.fee is None else each.fee for each in self.listed], dtype=float)
        self._sites = np.array(
            [
                (np.nan, np.nan)
                if each.longitude is None or each.latitude is None
                else (float(each.longitude), float(each.latitude))
                for each in self.listed
            ],
            dtype=float,
        ).reshape(-1, 2)
        self._texts = _texts(self.listed, served)
        self.grades = grades
        self._holds: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(self.listed), dtype=bool))
        for at, each in enumerate(self.listed):
            for grade in grades.get(each.id, ()):
                self._holds[grade.code][at] = True
                if grade.high_quality:
                    self._holds[HIGH_QUALITY][at] = True

    def matching(self, words: str) -> tuple[Numbers, np.ndarray]:
        """The kindergartens that fit the words, with how well (smaller is better); all of them without words."""
        if not words.strip():
            return np.arange(len(self.listed)), np.zeros(len(self.listed), dtype=np.int64)
        found = self._texts.search(words)
        numbers = np.fromiter(sorted(found), dtype=np.int64, count=len(found))
        return numbers, np.fromiter((found[at] for at in numbers.tolist()), dtype=np.int64, count=len(found))

    def metres(self, start: Start | None) -> np.ndarray:
        """The distance of every kindergarten, infinite where one of the points is unknown."""
        if start is None or not self.listed:
            return np.full(len(self.listed), np.inf)
        known = ~np.isnan(self._sites[:, 0])
        found = np.full(len(self.listed), np.inf)
        found[known] = metres_to(start.longitude, start.latitude, self._sites[known])
        return found

    def conditions(self, asked: Question, metres: np.ndarray, offered: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """One mask for each condition that is set."""
        masks: dict[str, Any] = {}
        if asked.area is not None:
            masks["area"] = self._area == self._at(self._area_names, asked.area)
        if asked.nature is not None:
            masks["nature"] = self._nature == self._at(self._nature_names, asked.nature)
        if asked.level is not None:
            masks["level"] = offered.get(asked.level, np.zeros(len(self.listed), dtype=bool))
        if asked.within is not None and asked.start is not None:
            masks["within"] = minutes_on_foot_of(metres) <= asked.within
        if asked.grade is not None:
            masks["grade"] = self._holds.get(asked.grade, np.zeros(len(self.listed), dtype=bool))
        if asked.kept is not None:
            masks["kept"] = np.zeros(len(self.listed), dtype=bool)
            masks["kept"][[self._codes[code] for code in asked.kept if code in self._codes]] = True
        return masks

    def counts(self, numbers: Numbers, masks: Mapping[str, Any], offered: Mapping[str, np.ndarray]) -> Counts:
        def others(name: str) -> Numbers:
            kept = [mask for each, mask in masks.items() if each != name]
            return numbers[np.logical_and.reduce(kept)[numbers]] if kept else numbers

        by_area = np.bincount(self._area[others("area")], minlength=len(self._area_names))
        by_nature = np.bincount(self._nature[others("nature")], minlength=len(self._nature_names))
        beside_level, beside_grade = others("level"), others("grade")
        return Counts(
            dict(zip(self._area_names, by_area.tolist(), strict=True)),
            dict(zip(self._nature_names, by_nature.tolist(), strict=True)),
            {level: int(offered[level][beside_level].sum()) for level in LEVELS if level in offered},
            {grade: int(holds[beside_grade].sum()) for grade, holds in self._holds.items()},
            {name: len(others(name)) for name in masks},
        )

    def in_area(self, code: str | None) -> np.ndarray:
        return self._area == self._at(self._area_names, code or "")

    def on_street(self, name: str) -> np.ndarray:
        return np.array([each.street == name for each in self.listed], dtype=bool)

    def among(self, kindergarten_ids: Iterable[uuid.UUID]) -> np.ndarray:
        found = np.zeros(len(self.listed), dtype=bool)
        found[[self.number[each] for each in kindergarten_ids if each in self.number]] = True
        return found

    def ordered(
        self,
        asked: Question,
        numbers: Numbers,
        ranks: np.ndarray,
        metres: np.ndarray,
        ease: Callable[[int], Any],
        before: Sequence[np.ndarray] = (),
    ) -> Numbers:
        """The numbers in the order that is asked for; equal ones by rank, `before` (the last one first), distance, pinyin."""
        keys: list[np.ndarray] = [numbers, metres[numbers], *(each[numbers] for each in before), ranks]
        match asked.sorted_by:
            case Order.NEAR:
                keys.append(metres[numbers])
            case Order.FEE:
                keys.append(self._fee[numbers])
            case Order.LINE:
                keys.append(np.array([ease(at) for at in numbers.tolist()], dtype=float))
        return numbers[np.lexsort(keys)]

    @staticmethod
    def _at(names: Sequence[str], name: str) -> int:
        return names.index(name) if name in names else -1


def _coded(values: Sequence[str], names: Sequence[str]) -> np.ndarray:
    number = {name: at for at, name in enumerate(names)}
    return np.array([number[value] for value in values], dtype=np.int64)


def _texts(listed: Sequence[Kindergarten], served: Mapping[uuid.UUID, Iterable[str]]) -> TextIndex:
    """The texts of the open kindergartens: name, pinyin and its initials before street, service area, address, numbers."""
    names, whole, inner, initials, inner_initials = [], [], [], [], []
    streets, homes, addresses, numbers = [], [], [], []
    for at, each in enumerate(listed):
        names.append((at, _plain(each.name)))
        for syllables, letters in _letters(each.name, each.sort_key):
            whole.append((at, syllables[0]))
            inner += [(at, text) for text in syllables[1:]]
            initials.append((at, letters[0]))
            inner_initials += [(at, text) for text in letters[1:]]
        streets += [(at, _plain(text)) for text in (each.street, each.area.name, each.area.name_en) if text]
        homes += [(at, _plain(name)) for name in served.get(each.id, ())]
        addresses.append((at, _plain(each.address or "")))
        numbers += [(at, _plain(text)) for text in (each.phone, each.code) if text]
    return TextIndex(
        [
            Field(Lines(names), 0, 1, 3), Field(Lines(whole), 2, 2), Field(Lines(initials), 4, 4), Field(Lines(inner), None, 5),
            Field(Lines(inner_initials), None, 6), Field(Lines(streets), 7, 7, 8), Field(Lines(homes), 8, 8, 9),
            Field(Lines(addresses), None, None, 10), Field(Lines(numbers), 11, 11, 12),
        ],
        len(listed),
    )  # fmt: skip


_plain = functools.lru_cache(maxsize=65_536)(normalised)


@functools.lru_cache(maxsize=8_192)
def _letters(name: str, key: str) -> tuple[tuple[list[str], list[str]], ...]:
    """For each reading of a name: its pinyin from every syllable on, and its initials from every syllable on."""
    found = []
    for syllables in readings(name, key):
        plain = [syllable.replace("v", "u") for syllable in syllables]
        joined, letters = "".join(plain), "".join(each[:1] for each in plain)
        starts = itertools.accumulate(map(len, plain[:-1]), initial=0)
        found.append(([joined[at:] for at in starts], [letters[at:] for at in range(len(plain))]))
    return tuple(found)


def _read(session: Session) -> SiteIndex:
    served: dict[uuid.UUID, list[str]] = defaultdict(list)
    named = select(ServiceArea.kindergarten_id, ServiceArea.name).where(ServiceArea.kind.in_(NAMED))
    for kindergarten_id, name in session.execute(named):
        served[kindergarten_id].append(name)
    every = session.scalars(select(Kindergarten).order_by(Kindergarten.sort_key, Kindergarten.code)).all()
    return SiteIndex(every, served, held.now_held(session))


SITES = Part("sites", TABLES, _read, every=EVERY)
"""The index of the city, kept in the process for pages."""

_kept: tuple[TableVersion, SiteIndex] | None = None


def site_index(session: Session) -> SiteIndex:
    """The index of the city: the catalogue's or, for a request that writes, one that is read anew when a row changed."""
    found = SITES.of(session)
    if found is not None:
        return found
    global _kept
    state, known = table_version(session, Kindergarten, ServiceArea, Grade, HeldGrade), _kept
    if known is None or known[0] != state:
        with Session(session.connection()) as reader:  # the rows must not belong to the caller's session
            known = _kept = (state, _read(reader))
            reader.expunge_all()
    return known[1]
