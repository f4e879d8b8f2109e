"""Blind indexes to find children who may be the same by name, birth date and sex, without decryption.

A name is compared in two ways: by its characters, and by its sound in pinyin without tones.  A passport spells the name in
Latin letters, joins the syllables and may put the family name last, so the sound is compared up to rotation of its letters.
A swapped character and a wrong day of birth are found by two further indexes.

Homes are compared by what stands behind the street: `dwelling_index`.
"""

import datetime as dt
import re
import unicodedata

from enrollment.ground.vault import blind_index
from enrollment.places import pinyin


def indexes_of(name: str, born: dt.date, sex: str) -> dict[str, bytes]:
    """The four indexes of a child: name, sound, letters in any order, and name with the month of birth."""
    letters = "".join(sorted(name_key(name)))
    return {
        "name_index": blind_index(f"{name_key(name)}|{born}|{sex}", "child.name"),
        "sound_index": blind_index(f"{sound_key(name)}|{born}|{sex}", "child.sound"),
        "letters_index": blind_index(f"{letters}|{born}|{sex}", "child.letters"),
        "month_index": blind_index(f"{name_key(name)}|{born:%Y-%m}|{sex}", "child.month"),
    }


def lock_key(name: str, born: dt.date, sex: str) -> int:
    """A number that two children with any of the four likenesses share, for the lock of their entry."""
    letters = "".join(sorted(sound_key(name)))
    key = blind_index(f"{letters}|{born:%Y-%m}|{sex}", "child.lock")
    return int.from_bytes(key[:8], "big", signed=True)


def name_key(name: str) -> str:
    """The letters of a name: no accents, spaces, middle dots or hyphens, in lower case."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(each for each in plain if each.isalpha()).casefold()


def sound_key(name: str) -> str:
    """The letters of a name in pinyin, in the rotation that sorts first alphabetically, so that `王小二`, `WANG XIAOER` and
    `Xiaoer Wang` give the same key.

    Passports write `ü` as `yu`.  A name in another script has no pinyin and gives its own letters.
    """
    letters = pinyin.sort_key(name_key(name)).replace(" ", "").replace("v", "yu")
    letters = letters or name_key(name)
    return min((letters[start:] + letters[:start] for start in range(len(letters))), default="")


BUILDING = re.compile("号楼|[幢座栋]")
FLAT = re.compile("栋|单元|室|层")
SEPARATORS = re.compile(r"[^\w]|_")
SMALLEST_ROOM = 100
"""The number of a room tells its floor first, so it has three digits or more."""


def dwelling_index(area: str | None, estate: str | None, address: str | None) -> bytes | None:
    """The index of one dwelling; None if the address does not go down to a room, as most people of a house would share it."""
    key = dwelling_key(estate or "", address or "")
    return None if key is None or area is None else blind_index(f"{area}|{key}", "household.dwelling")


def dwelling_key(estate: str, address: str) -> str | None:
    """The address without spaces and marks, with one word for a building: `3 幢 2 单元 502 室` is `3-2-502` of `3栋2单元502号`."""
    plain = BUILDING.sub("栋", unicodedata.normalize("NFKC", address).casefold())
    parts = re.split(r"(\d+)", SEPARATORS.sub("-", plain))
    numbers = [int(part) for part in parts[1::2]]
    if len(numbers) < 2 or numbers[-1] < SMALLEST_ROOM or not (FLAT.search(plain) or len(numbers) > 2):
        return None
    where = SEPARATORS.sub("", "".join(part for part in parts[0::2]))
    where = re.sub("[号栋单元室层楼]", "", where.replace(estate, "") if estate else where)
    return f"{estate}|{where}|{'-'.join(map(str, numbers))}"
