"""`docs/writing.md`: every text of the portal, in both languages, by the rules that a program can check."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.pofile import read_po

TEXT = Path(__file__).parents[2] / "portal" / "text"
STAFF_ONLY = re.compile(
    r"^(planning|laboratory|coverage|coverage_desk|places|roll|season|season_desk|seasons|officials|audit|reports|run_records|doors|quality|measures)"
)
"""Files whose texts only staff and officials read."""

LONGEST = {"zh": 60, "en": 30}
LONGEST_FOR_STAFF = {"zh": 80, "en": 34}
"""Chinese characters, or English words, between two stops."""

NEVER = {
    "zh": ("务必", "严禁", "敬请", "特此", "予以", "逾期", "摇号", "随机号", "抽签号", "分数线", "报名表", "花名册", "普惠民办", "用户"),
    "en": ("e.g.", "i.e.", "etc.", "kindly", "be advised", "in order to", "utilize", "utilise", "user", "seats"),
}  # fmt: skip
INSTEAD = "docs/writing.md has the word to use"


class Text(NamedTuple):
    where: str
    zh: str
    en: str


@cache
def texts() -> tuple[Text, ...]:
    """Every text of the catalogues and of the word groups."""
    return (*_of_catalogues(), *_of_words())


def _of_catalogues() -> Iterator[Text]:
    for file in sorted((TEXT / "translations" / "en" / "LC_MESSAGES").glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened):
                if message.id:
                    zh, en = (each if isinstance(each, str) else each[-1] for each in (message.id, message.string))
                    yield Text(f"{file.name}: {zh[:30]}", zh, en)


def _of_words() -> Iterator[Text]:
    for file in sorted((TEXT / "words").glob("*.toml")):
        for group, codes in tomllib.loads(file.read_text("utf-8")).items():
            for code, words in codes.items():
                if isinstance(words, dict) and "zh" in words:
                    yield Text(f"{file.name}: {group}.{code}", words["zh"], words.get("en", ""))


def longest(language: str, text: str) -> int:
    plain = re.sub(r"《.*?》|\{[^{}]*\}|%\([a-z_0-9]+\)s", "0", text)  # titles and names are not the writer's words
    if language == "zh":
        return max(len(part) for part in re.split(r"[。！？；：\n·]", plain))
    return max(len(part.split()) for part in re.split(r"[.!?;:\n·](?:\s|$)", plain))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_sentence_is_too_long(language):
    found = []
    for text in texts():
        most = (LONGEST_FOR_STAFF if STAFF_ONLY.match(text.where) else LONGEST)[language]
        if longest(language, getattr(text, language)) > most:
            found.append(f"{text.where}: {getattr(text, language)}")
    assert not found, f"more than {LONGEST[language]} between two stops: " + "\n".join(found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_thing_has_one_name(language):
    def says(text: str, word: str) -> bool:
        return word in text if language == "zh" else bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I))

    found = [
        f"{text.where}: {word} in {getattr(text, language)}"
        for text in texts() for word in NEVER[language] if says(getattr(text, language), word)
    ]  # fmt: skip
    assert not found, f"{INSTEAD}: " + "\n".join(found)


def test_nobody_is_shouted_at():
    found = [text.where for text in texts() if re.search("\\w[!！]", text.zh + text.en)]
    assert not found


def test_chinese_texts_have_chinese_punctuation():
    """A comma, a semicolon or a question mark after a Chinese character is a Chinese one."""
    found = [f"{text.where}: {text.zh}" for text in texts() if re.search(r"[\u4e00-\u9fff][,;?](?!\w)", text.zh)]
    assert not found, "\n".join(found)


def test_chinese_characters_stand_without_a_space_between_them():
    found = [
        f"{text.where}: {text.zh}"
        for text in texts()
        if re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", re.sub("《.*?》", "", text.zh))
    ]
    assert not found, "\n".join(found)


def test_every_text_has_both_languages():
    # an English text may name a Chinese word that has to be typed, a kindergarten, or the mark that a map has to carry
    found = [text.where for text in texts() if not text.en.strip() or re.search(r"[。；？]", text.en)]
    assert len(texts()) > 5_000
    assert not found, "\n".join(found)


def test_a_text_has_one_translation():
    """All catalogues are one: of two translations of the same text the later file's would stand on the other's pages too."""
    translations: dict[str, dict[str, str]] = {}
    for file in sorted((TEXT / "translations" / "en" / "LC_MESSAGES").glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened):
                if message.id:
                    translations.setdefault(str(message.id), {})[str(message.string)] = file.name
    assert {text: found for text, found in translations.items() if len(found) > 1} == {}
