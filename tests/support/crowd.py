"""Many competing families as bare rows, for tests about one family among them."""

import itertools
import uuid
from typing import Any

from sqlalchemy import insert

from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.claim_rows import Claim
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import ages
from tests.support.town import Town

_numbers = itertools.count(1)


def crowd(
    town: Town,
    number: int,
    *wishes: Kindergarten,
    grounds: dict[str, dict[str, Any]] | None = None,
    stage: str = "submitted",
) -> None:
    """`number` families of one child each have handed in these wishes and claim these grounds.  The round is open."""
    programmes = [town.programme_of(kindergarten).id for kindergarten in wishes]
    account, born = town.family("众").account.id, ages.born_between("lower", 2026)[0]
    rows: dict[type, list[dict[str, Any]]] = {Child: [], ChildDocument: [], Application: [], Claim: [], Wish: []}
    for _ in range(number):
        n, child, application = next(_numbers), uuid.uuid4(), uuid.uuid4()
        rows[Child].append(
            {"id": child, "name": "众", "id_kind": "passport", "id_number": f"M{n}", "id_index": child.bytes, "born": born,
             "sex": "f", "created_at": town.now}
        )  # fmt: skip
        rows[ChildDocument].append(
            {"id": uuid.uuid4(), "child_id": child, "kind": "passport", "number": f"M{n}", "person_index": child.bytes,
             "added_at": town.now, "current": True, "checked_at": town.now}
        )  # fmt: skip
        rows[Application].append(
            {"id": application, "child_id": child, "year": 2026, "entered_by": account, "level": "lower",
             "stage": stage, "registration_code": f"MANY-{n:04}", "child_code": application.hex[:20],
             "family_code": application.hex[12:], "created_at": town.now, "changed_at": town.now, "submitted_at": town.now}
        )  # fmt: skip
        rows[Claim] += [
            {"application_id": application, "ground": ground, "details": details, "claimed_at": town.now}
            for ground, details in (grounds or {}).items()
        ]
        rows[Wish] += [
            {"application_id": application, "round_id": town.the_round.id, "rank": rank, "programme_id": programme}
            for rank, programme in enumerate(programmes, start=1)
        ]
    for table, values in rows.items():
        if values:
            town.session.execute(insert(table), values)
