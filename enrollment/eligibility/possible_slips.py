"""Answers that are allowed but often a slip of the pen: shown to the family before it hands in, and never a refusal.

A slip in a name or a birth date is corrected with a paper after the deadline, and one in a birth date can put the child in
another class level, which no correction mends.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.ground.accounts import Actor
from enrollment.people.guardians import guardian_of

NAMED_IN_CHARACTERS = ("resident", "birth_certificate")
"""Documents of the mainland that write the name in Chinese characters alone."""

SHORTEST_BETWEEN_BIRTHS = dt.timedelta(days=180)
DAYS_OF_ONE_BIRTH = dt.timedelta(days=1)


class Slip(StrEnum):
    CHILD_NAME = "child_name"
    GUARDIAN_NAME = "guardian_name"
    YEAR_OF_BIRTH = "year_of_birth"
    DAYS_BETWEEN_BIRTHS = "days_between_births"


@dataclass(frozen=True)
class PossibleSlip:
    """`sibling` is the name of the other child that a birth date is compared with."""

    slip: Slip
    name: str
    sibling: str = ""


def of_application(session: Session, application: Application, *, by: Actor) -> list[PossibleSlip]:
    """The possible slips in the names of the child and of the signed-in guardian, and beside the siblings' birth dates."""
    child = application.child
    found = []
    if child.id_kind in NAMED_IN_CHARACTERS and has_latin_letters(child.name):
        found.append(PossibleSlip(Slip.CHILD_NAME, child.name))
    guardian = guardian_of(session, by=by)
    if guardian is not None and guardian.id_kind in NAMED_IN_CHARACTERS and has_latin_letters(guardian.name):
        found.append(PossibleSlip(Slip.GUARDIAN_NAME, guardian.name))
    siblings = [
        each.child
        for each in applications.of_family(session, application, by=by)
        if each.child_id != child.id and each.stage not in DEAD_STAGES
    ]
    return found + _beside_siblings(child.name, child.born, [(one.name, one.born) for one in siblings])


def _beside_siblings(name: str, born: dt.date, siblings: Sequence[tuple[str, dt.date]]) -> list[PossibleSlip]:
    found = []
    for sibling, other in siblings:
        if born.year != other.year and (born.month, born.day) == (other.month, other.day):
            found.append(PossibleSlip(Slip.YEAR_OF_BIRTH, name, sibling))
        elif DAYS_OF_ONE_BIRTH < abs(born - other) < SHORTEST_BETWEEN_BIRTHS:
            found.append(PossibleSlip(Slip.DAYS_BETWEEN_BIRTHS, name, sibling))
    return found


def has_latin_letters(name: str) -> bool:
    return any("LATIN" in unicodedata.name(letter, "") for letter in name)
