"""The texts that a guardian agrees to, with the version and the digest that the consent keeps."""

import functools
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from enrollment.applications.mandates import Terms, Text
from enrollment.people import consents
from enrollment.people.consents import Register

REGISTERS = "register_check"
"""The text that stands before those of the registers; nobody agrees to it alone."""

FOLDER = Path(__file__).parent / "words" / "consents"


@dataclass(frozen=True)
class ConsentText:
    """`sections` are pairs of a heading and its paragraph; `digest` is SHA-256 over the file as it was read."""

    version: str
    digest: str
    sections: tuple[tuple[str, str], ...]


@functools.cache
def read(kind: str, language: str) -> ConsentText:
    content = (FOLDER / f"{kind}.{language}.txt").read_text("utf-8")
    version, _, body = content.partition("\n")
    sections = [block.strip().partition("\n") for block in body.strip().split("\n\n")]
    return ConsentText(
        version=f"{version.strip()} {language}",
        digest=hashlib.sha256(content.encode()).hexdigest(),
        sections=tuple((heading, text.strip()) for heading, _, text in sections),
    )


def terms(year: int, *, registers: Collection[str], language: str) -> Terms:
    """The texts that a guardian agrees to when a helper enters its application, with those of the registers it agrees to."""

    def text(kind: str) -> Text:
        found = read(kind, language)
        return Text(found.version, found.digest)

    agreed = {register: text(consents.KIND_OF[register]) for register in Register if register in registers}
    return Terms(year, text("mandate"), text(consents.CHILD_DATA), agreed)


def of_registers(language: str) -> dict[Register, ConsentText]:
    """What a guardian agrees to for each register."""
    return {register: read(consents.KIND_OF[register], language) for register in Register}
