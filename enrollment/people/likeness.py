"""Blind indexes to find children who may be the same by name, birth date and sex, without decryption.

A name is compared in two ways: by its characters, and by its sound in pinyin without tones.  A passport spells the name in
Latin letters, joins the syllables and may put the family name last, so the sound is compared up to rotation of its letters.
"""

import datetime as dt
import unicodedata

from enrollment.ground.vault import blind_index
from enrollment.places import pinyin


def indexes_of(name: str, born: dt.date, sex: str) -> dict[str, bytes]:
    """The columns `name_index` and `sound_index` of a child."""
    return {
        "name_index": blind_index(f"{name_key(name)}|{born}|{sex}", "child.name"),
        "sound_index": blind_index(f"{sound_key(name)}|{born}|{sex}", "child.sound"),
    }


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
