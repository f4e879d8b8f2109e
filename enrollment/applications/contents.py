"""All answers of an application as one JSON value, which a receipt records and later versions are compared with."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import claim_rows, elder_siblings, evidence_rows, units
from enrollment.applications.application_rows import WISHES, Application, Wish
from enrollment.ground.reading.read_ahead import Read
from enrollment.people import consents, household_rows
from enrollment.people.person_rows import Child, Guardian, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import kept_years
from enrollment.season.rounds import Round

Answers = dict[str, Any]

CARE_WITH_NAMES = Read(Guardianship, Guardianship.child_id, (Guardianship.accepted_at.is_not(None),))
"""The accepted guardians of a child, read ahead only together with what the guardians say of themselves."""


def gather(session: Session, application: Application) -> Answers:
    """The answers as JSON-ready values.  Keys are codes; the values are personal data and are stored encrypted."""
    return {
        "child": _child(session.get_one(Child, application.child_id), application.level),
        "guardians": _guardians(session, application.child_id),
        "household": _household(session, application.id),
        "claims": {ground.value: details for ground, details in claim_rows.of(session, application.id).items()},
        "evidence": _evidence(session, application.id),
        "wishes": _wishes(session, application.id),
        "bound_with": units.codes_bound_with(session, application),
        "elder": units.code_of_elder(session, application),
        "agrees_to_central": application.agrees_to_central,
        "registers": sorted(consents.registers_of(session, application.entered_for or application.entered_by)),
        **_elder_sibling(session, application.id),
    }


def digest_of(answers: Answers) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return digest_of_text(as_text(answers))


def digest_of_text(text: str) -> str:
    """The same of answers that are canonical JSON already."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_text(answers: Answers) -> str:
    """Canonical JSON: sorted keys, no spaces."""
    return json.dumps(answers, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def changed(before: Answers, after: Answers) -> list[str]:
    """The parts that differ, as codes: `household.home_area`, `claims.elder_sibling`, `evidence.hukou_booklet`, `wishes` …"""
    found = []
    for part in after.keys() | before.keys():
        old, new = before.get(part), after.get(part)
        if old == new or (part == "registers" and old is None):  # versions from before 2026-11 do not say it
            continue
        if part in ("child", "household", "claims", "evidence"):
            old, new = old or {}, new or {}
            if (
                part == "evidence"
            ):  # nobody changes the order of pages, and first receipts before 2026-12 had another one
                old, new = _sorted_pages(old), _sorted_pages(new)
            found += [f"{part}.{name}" for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
        else:
            found.append(part)
    return sorted(found)


def _sorted_pages(evidence: Answers) -> Answers:
    return {document: sorted(digests) for document, digests in evidence.items()}


def _child(child: Child, level: str) -> Answers:
    return {
        "name": child.name,
        "id_kind": child.id_kind,
        "id_number": child.id_number,
        "born": child.born.isoformat(),
        "sex": child.sex,
        "level": level,
    }


def _guardians(session: Session, child_id: uuid.UUID) -> list[Answers]:
    return [
        {
            "name": guardian.name,
            "id_number": guardian.id_number,
            "phone": guardian.phone,
            "relation": relation,
        }
        for guardian, relation in _in_care(session, child_id)
    ]


def _in_care(session: Session, child_id: uuid.UUID) -> list[tuple[Guardian, str]]:
    """The accepted guardians with their relation to the child, in the order of their care."""
    known = CARE_WITH_NAMES.ahead(session, child_id)
    if known is not None:
        listed = sorted(known, key=lambda care: (care.since, care.guardian_id))
        return [(session.get_one(Guardian, care.guardian_id), care.relation) for care in listed]
    rows = session.execute(
        select(Guardian, Guardianship.relation)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardianship.child_id == child_id, Guardianship.accepted_at.is_not(None))
        .order_by(Guardianship.since, Guardian.id)
    )
    return [(guardian, relation) for guardian, relation in rows]


def _household(session: Session, application_id: uuid.UUID) -> Answers:
    household = household_rows.household_of(session, application_id)
    if household is None:
        return {}
    said = {name: getattr(household, name) for name in sorted(household_rows.ANSWERS)}
    return {name: plain(value) for name, value in said.items() if value is not None}


def _elder_sibling(session: Session, application_id: uuid.UUID) -> Answers:
    """The part `elder_sibling` if the family names one; otherwise the key is absent, so that old digests stay valid."""
    elder = elder_siblings.of(session, application_id)
    if elder is None:
        return {}
    said = {"name": elder.name, "id_number": elder.id_number, "born": elder.born}
    return {"elder_sibling": {name: value for name, value in said.items() if value is not None}}


def _evidence(session: Session, application_id: uuid.UUID) -> dict[str, list[str]]:
    pages = evidence_rows.pages_of(session, application_id)
    return {document: [page.original_digest for page in pages[document]] for document in sorted(pages)}


def _wishes(session: Session, application_id: uuid.UUID) -> dict[str, list[str]]:
    by_round: dict[str, list[str]] = {}
    for number, code, level in _wished(session, application_id):
        by_round.setdefault(str(number), []).append(f"{code}/{level}")
    return by_round


def _wished(session: Session, application_id: uuid.UUID) -> Iterable[tuple[int, str, str]]:
    """The number of the round, the code of the kindergarten and the level of each wish, in the order of rounds and ranks."""
    known = WISHES.ahead(session, application_id)
    if known is not None:
        listed = sorted(
            (kept_years.round_of(session, wish.round_id).number, wish.rank, wish.programme) for wish in known
        )
        return [(number, programme.kindergarten.code, programme.level) for number, _rank, programme in listed]
    rows = session.execute(
        select(Round.number, Kindergarten.code, Programme.level)
        .select_from(Wish)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.application_id == application_id)
        .order_by(Round.number, Wish.rank)
    )
    return [(number, code, level) for number, code, level in rows]


def plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value.normalize()) if isinstance(value, Decimal) else value
