"""Values of facts, tiers and kindergartens in the reader's language."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.places.areas import all_areas
from enrollment.places.kindergartens import Kindergarten
from enrollment.review.fact_values import AREAS, KINDERGARTENS
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
from portal.text.formats import day
from portal.text.words import language, word

AREA_COLUMNS = ("home_area", "hukou_area", "residence_permit_area")

BETWEEN = {"zh": "、", "en": ", "}


@dataclass(frozen=True)
class Names:
    """Names of areas and kindergartens by code."""

    areas: dict[str, str]
    kindergartens: dict[str, str]

    def value_words(self, fact: str, value: Any) -> str:
        """A value of a fact in words; `—` where there is none."""
        if value is None:
            return "—"
        if fact == Fact.BORN:
            return day(dt.date.fromisoformat(value), year=True)
        if fact in AREAS:
            return self.areas.get(value, value)
        if fact in KINDERGARTENS:
            return self.kindergartens.get(value, value)
        if fact == Fact.HUKOU_KIND:
            return word("hukou_kind", value)
        if fact == Fact.POLICY_CARE:
            return word("care_kind", value)
        if isinstance(value, dict):
            parts = [str(value[part]) for part in ("street", "community", "road", "estate") if value.get(part)]
            return BETWEEN[language()].join(parts) or _("地图上的位置")
        return _("是") if value is True else str(value)


def names_for(session: Session, facts: Iterable[tuple[str, Any]]) -> Names:
    """The names that these facts refer to, read in two queries."""
    english = language() == "en"
    codes = {value for fact, value in facts if fact in KINDERGARTENS and isinstance(value, str)}
    coded = select(Kindergarten.code, Kindergarten.name).where(Kindergarten.code.in_(codes))
    return Names(
        {area.code: area.name_en if english else area.name for area in all_areas(session)},
        {row.code: row.name for row in session.execute(coded)} if codes else {},
    )


def value_words(values: Mapping[str, Any], names: Names, *, fact: bool) -> list[tuple[str, str]]:
    """(what, value) of the values of a correction; `—` for none.  Of one fact, or of columns of a child, guardian or home."""
    return [
        (word("fact" if fact else "correction_value", name), _value(name, values[name], names, fact)) for name in values
    ]


def _value(name: str, value: Any, names: Names, fact: bool) -> str:
    if value is None:
        return "—"
    if fact:
        return names.value_words(name, value)
    if name in ("born", "moved_on"):
        return day(dt.date.fromisoformat(value), year=True)
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if name in AREA_COLUMNS:
        return names.areas.get(value, value)
    return word(name, value) if name in ("sex", "id_kind", "hukou_kind", "level") else str(value)


def changed_words(code: str) -> str:
    """`household.home_area` in words."""
    part, _dot, name = code.partition(".")
    whole = word("answer", part)
    if not name:
        return whole
    group = {"claims": "ground", "evidence": "document"}.get(part, "answer_detail")
    return _("%(part)s：%(name)s", part=whole, name=word(group, name))


def asked_words(phrase: str | None, note: str) -> str:
    """What a family is asked to do about a returned item: the ready-made sentence, then the clerk's own words."""
    between = "" if language() == "zh" else " "
    return between.join(part for part in (word("return_phrase", phrase) if phrase else "", note) if part)


def item_words(item: str) -> str:
    """An item that is asked for in words: a document, a fact, or other."""
    if item in set(Document):
        return word("document", item)
    return word("fact", item) if item in set(Fact) else _("其他")
