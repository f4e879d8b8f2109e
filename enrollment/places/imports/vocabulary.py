"""Words of district offices and their codes, from `data/office_words.toml`."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from enrollment.ground.classifications import Level
from enrollment.places.imports.cell_readers import text
from enrollment.places.imports.faults import CellError

FILE = Path(__file__).parents[1] / "data" / "office_words.toml"

_class_name = re.compile(r"(托|小|中|大|混)(?:龄|儿)?班?[(]?第?[0-9a-z一二三四五六七八九十]{0,3}[)]?班?", re.IGNORECASE)
_ages = re.compile(r"(\d)(?:周岁|岁)?[-~至到—](\d)(?:周岁|岁)")
_age_group = re.compile(r"[(（]?\d(?:周岁|岁)?[-~至到—]\d(?:周岁|岁)(?:组|段)?[)）]?")
_level_of_age = {(2, 3): Level.NURSERY, (3, 4): Level.LOWER, (4, 5): Level.MIDDLE, (5, 6): Level.UPPER}
_level_of_letter = {"托": Level.NURSERY, "小": Level.LOWER, "中": Level.MIDDLE, "大": Level.UPPER, "混": Level.MIXED}


@cache
def level_word(code: str) -> str:
    """The office's word of a level, the name of a class that stands for the whole level."""
    words: list[str] = tomllib.loads(FILE.read_text("utf-8"))["level"][code]
    return words[0]


@cache
def codes(group: str) -> dict[str, str]:
    """Map of words to codes of one table; it contains the codes too."""
    table = tomllib.loads(FILE.read_text("utf-8"))[group]
    return {_without_suffix(word): code for code, words in table.items() for word in (code, *words)}


def _without_suffix(word: str) -> str:
    return re.sub(r"[\s()（）\-—_,、]", "", word).casefold()


def _code_for(group: str, fault: str, cell: Any) -> str | None:
    value = text(cell)
    if value is None:
        return None
    found = codes(group).get(_without_suffix(value))
    if found is None:
        raise CellError(fault, value=value[:30])
    return found


def nature(cell: Any) -> str | None:
    """A nature's code; `unclear` for 民办, which needs another column.  `831 教育部门` is the return's way to write it."""
    value = text(cell)
    bare = re.sub(r"^\d{2,3}\s*[-.:、]?\s*(?=\D)", "", value) if value else None
    return _code_for("nature", "nature_unknown", bare)


def level(cell: Any) -> str | None:
    """A class level: 小班, 小班（3-4岁）, 3-4岁."""
    value = text(cell)
    if value is None:
        return None
    ages = _ages.search(value)
    word = _age_group.sub("", value)
    if not word and ages:
        found = _level_of_age.get((int(ages[1]), int(ages[2])))
        if found is not None:
            return found
    return _code_for("level", "level_unknown", word or value)


def service_kind(cell: Any) -> str | None:
    return _code_for("service_kind", "service_kind_unknown", cell)


def measure_kind(cell: Any) -> str | None:
    return _code_for("measure_kind", "measure_kind_unknown", cell)


def measure_stage(cell: Any) -> str | None:
    return _code_for("measure_stage", "measure_stage_unknown", cell)


def groups(cell: Any) -> list[str] | None:
    """Codes of the groups that a reserve is for, in alphabetical order."""
    value = text(cell)
    if value is None:
        return None
    found = {_code_for("group", "group_unknown", word) for word in re.split(r"[,;、/|]", value) if word.strip()}
    return sorted(code for code in found if code)


def level_of_class(name: str) -> str | None:
    """`小一班`, `小(1)班`, `小班1` → lower; None for a name like 小熊班."""
    found = _class_name.fullmatch(name.replace(" ", ""))
    return _level_of_letter[found.group(1)] if found else None
