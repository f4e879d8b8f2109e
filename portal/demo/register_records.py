"""The records of the test registers of the demo: what the departments have about the families of the demo city.

A register has what the family handed in first in this year, so that an answer is a comparison: a family that later
changes a claim is contradicted, and one that keeps it is not.  About some families a register is behind or has nothing
(`STORIES`); a digest of the first guardian's number chooses them, so that twins get one answer, and always the same one.
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, ApplicationVersion
from enrollment.applications.judgements.claimed_values import said_by
from enrollment.applications.register_answers import VACCINATION
from enrollment.ground.identity import index_of
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import ChildDocument
from enrollment.season.facts import Fact
from portal.gateways.registers import Registers
from portal.gateways.stand_ins.registers import Record, TestRegisters

STREETS = ("府青路街道", "龙舟路街道", "双桥路街道")
AREAS = ("510104", "510105", "510106", "510107", "510108")
STORIES = (
    ("moved", 5),  # the property register still has the earlier home, on another street
    ("not_owner", 8),  # the home stands in somebody else's name
    ("registered_elsewhere", 11),  # the hukou has not been moved to the area yet
    ("one_child_less", 15),  # the youngest child is not in the household register yet
    ("works_elsewhere", 18),  # the contributions are paid in another area
    ("home_unknown", 22),  # a new building without a title
    ("permit_expired", 26),  # no valid residence permit
)
"""What a register has that is not what the family handed in; below the number in percent, and not below the one before."""


def find(session: Session, kind_of: Mapping[str, str]) -> dict[str, Record]:
    """The records of children by number, from the numbers of any of their documents with their kinds.

    A child that has handed in nothing has none.
    """
    numbers = {index_of(number, kind): number for number, kind in kind_of.items()}
    rows = session.execute(
        select(ChildDocument.person_index, ApplicationVersion.answers)
        .join(Application, Application.child_id == ChildDocument.child_id)
        .join(ApplicationVersion, ApplicationVersion.application_id == Application.id)
        .where(ChildDocument.person_index.in_(numbers), ApplicationVersion.number == 1)
        .order_by(Application.year)
    )
    return {numbers[row.person_index]: record_of(json.loads(row.answers)) for row in rows}


def record_of(answers: Mapping[str, Any]) -> Record:
    """What the registers have about a family that first handed in these answers (`applications/contents.py`)."""
    details: dict[str, Any] = {}
    for more in answers["claims"].values():
        details |= more
    said = said_by(Household(**answers["household"]), details)
    record: Record = {fact.value: value for fact, value in said.items()}
    if said.get(Fact.HUKOU_KIND) == "local" and Fact.HOME_PLACE in said:
        record.setdefault(Fact.HUKOU_STREET, said[Fact.HOME_PLACE].get("street"))
    record |= {Fact.BORN: answers["child"]["born"], VACCINATION: True}
    return _told_otherwise(record, story_of(answers))


def story_of(answers: Mapping[str, Any]) -> str | None:
    """Which of `STORIES` is the family's; None for most families."""
    first = next((each["id_number"] for each in answers["guardians"] if each["id_number"]), "")
    of_hundred = int.from_bytes(hashlib.sha256(first.encode()).digest()[:4], "big") % 100
    return next((story for story, limit in STORIES if of_hundred < limit), None)


def _told_otherwise(record: Record, story: str | None) -> Record:
    place = record.get(Fact.HOME_PLACE)
    if story == "moved" and place:
        street = next(each for each in STREETS if each != place.get("street"))
        return record | {Fact.HOME_PLACE: {"street": street}}
    if story == "not_owner" and record.get(Fact.HOME_OWNED):
        return record | {Fact.HOME_OWNED: None}
    if story == "registered_elsewhere" and record.get(Fact.HUKOU_KIND) == "local":
        return record | {Fact.HUKOU_KIND: "elsewhere", Fact.HUKOU_AREA: None, Fact.HUKOU_STREET: None}
    if story == "one_child_less" and record.get(Fact.CHILDREN_IN_FAMILY, 1) > 1:
        return record | {Fact.CHILDREN_IN_FAMILY: record[Fact.CHILDREN_IN_FAMILY] - 1}
    if story == "works_elsewhere" and Fact.WORK_AREA in record:
        return record | {Fact.WORK_AREA: next(area for area in AREAS if area != record[Fact.WORK_AREA])}
    unknown = {
        "home_unknown": (Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED),
        "permit_expired": (Fact.RESIDENCE_PERMIT_AREA,),
    }.get(story or "", ())
    return {fact: value for fact, value in record.items() if fact not in unknown}


@contextlib.contextmanager
def stand_in(engine: Engine) -> Iterator[Registers]:
    """A client of test registers on this machine, which have the records of this database."""
    with TestRegisters(functools.partial(_find, engine)) as standing:
        yield Registers(standing.url)


def _find(engine: Engine, kind_of: Mapping[str, str]) -> Mapping[str, Record]:
    with Session(engine) as session:
        return find(session, kind_of)
