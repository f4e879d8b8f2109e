"""The first submission of a draft by its guardian, in one read and one write.

The plain case: a separate child, nothing missing, registration open, the page is the newest, the first wish's kindergarten
has no `closed_on`.  In every other case (`submission.submit` knows them all) the functions give None and have written
nothing.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import contents, evidence_rows, lifecycle
from enrollment.applications.application_rows import Stage
from enrollment.applications.claim_rows import DETAILS
from enrollment.applications.contents import Answers
from enrollment.applications.statements import keyed_write
from enrollment.applications.statements.draft_changes import TAKES_WISHES, WISHES_IN_OPEN_ROUND, WISHES_NOW
from enrollment.applications.statements.keyed_write import SAVED, Change, Visit, answered
from enrollment.ground import random_codes
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.phones import SealedPhone
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.sealed.codes import code_of
from enrollment.ground.sign_in import RequestKey
from enrollment.ground.vault import row_name, seal, unseal
from enrollment.people import consents, household_rows
from enrollment.people.person_rows import RESIDENT

PHONE = SealedPhone("guardian.phone")
SEALED_HOME = ("home_address", "home_longitude", "home_latitude")
HOUSEHOLD = sorted(household_rows.ANSWERS - set(SEALED_HOME))

WRITTEN = "concat_ws(' ', guardian.id, guardian.version, guardian.xmin, guardianship.xmin)"
"""Of one guardian, when the rows were written."""

FAMILY = f"""
    SELECT concat_ws(' ', child.version, child.xmin, string_agg({WRITTEN}, ' ' ORDER BY guardian.id))
    FROM child
    LEFT JOIN guardianship ON guardianship.child_id = child.id AND guardianship.accepted_at IS NOT NULL
    LEFT JOIN guardian ON guardian.id = guardianship.guardian_id
    WHERE child.id = application.child_id GROUP BY child.id, child.version, child.xmin
"""  # noqa: S608 (constants)
"""The versions of the child and its guardians as one text, because a change of them does not change the application's.

`xmin` is the transaction that wrote a row: it tells a change that counts no version, such as that of a phone.  `READ` puts the same
text together from the guardians that it reads anyway."""

READ = PreparedRead(f"""
    SELECT to_json(found) FROM (SELECT application.version, application.registration_code, application.child_id, guardians.accounts, guardians.relations,
        json_build_object(
            'child', json_build_object('id_kind', child.id_kind, 'sex', child.sex,
                'level', application.level),
            'household', json_build_object({", ".join(f"'{name}', household.{name}" for name in HOUSEHOLD)}),
            'claims', (SELECT json_object_agg(ground, details) FROM claim WHERE claim.application_id = application.id),
            'evidence', (SELECT json_agg(json_build_array(document, original_digest) ORDER BY {", ".join(evidence_rows.ORDER)})
                FROM evidence_page WHERE evidence_page.application_id = application.id AND removed_at IS NULL),
            'wishes', (SELECT json_agg(json_build_array(round.number, wish.rank, kindergarten.code || '/' || programme.level,
                    CASE WHEN kindergarten.closed_on IS NULL THEN kindergarten.id END))
                FROM wish JOIN round ON round.id = wish.round_id
                JOIN programme ON programme.id = wish.programme_id
                JOIN kindergarten ON kindergarten.id = programme.kindergarten_id
                WHERE wish.application_id = application.id),
            'documents', (SELECT json_agg(json_build_array(kind, entered_before)) FROM child_document
                WHERE child_document.child_id = application.child_id AND joined_from IS NULL),
            'registers', (SELECT json_agg(kind) FROM consent WHERE withdrawn_at IS NULL
                AND account_id = coalesce(application.entered_for, application.entered_by)),
            'elder', (SELECT child_code FROM application AS elder WHERE elder.id = application.elder_id)) AS said,
        ARRAY[child.name, child.id_number, child.born] AS sealed_child,
        ARRAY[{", ".join(f"household.{name}" for name in SEALED_HOME)}] AS sealed_home,
        ARRAY[elder_sibling.name, elder_sibling.id_number, elder_sibling.born] AS sealed_elder,
        guardians.ids AS guardian_ids, guardians.sealed AS sealed_guardians,
        concat_ws(' ', child.version, child.xmin, guardians.written) AS family
    FROM application
    JOIN child ON child.id = application.child_id
    CROSS JOIN LATERAL (
        SELECT array_agg(guardian.account_id ORDER BY since, guardian.id) AS accounts,
            array_agg(relation ORDER BY since, guardian.id) AS relations,
            array_agg(guardian.id ORDER BY since, guardian.id) AS ids,
            array_agg(ARRAY[guardian.name, guardian.id_number, guardian.phone] ORDER BY since, guardian.id) AS sealed,
            string_agg({WRITTEN}, ' ' ORDER BY guardian.id) AS written
        FROM guardianship JOIN guardian ON guardian.id = guardianship.guardian_id
        WHERE guardianship.child_id = application.child_id AND accepted_at IS NOT NULL) AS guardians
    LEFT JOIN household ON household.application_id = application.id
    LEFT JOIN elder_sibling ON elder_sibling.application_id = application.id
    WHERE application.id = %(application)s AND application.stage = 'draft' AND application.unit IS NULL
      AND NOT application.on_hold AND {WISHES_IN_OPEN_ROUND} AND %(account)s = ANY(guardians.accounts)
      AND NOT EXISTS (SELECT FROM application_version WHERE application_version.application_id = application.id)
    ) AS found
""")  # noqa: S608 (constants)
"""A `_Found`.  It is sent before the transaction of the write, whose condition has every version that was read."""

CLOSES_AT = f"""
    SELECT to_char(round.closes_at AT TIME ZONE '{CHENGDU.key}', 'YYYY-MM-DD HH24:MI')
    FROM round JOIN season ON season.year = round.year WHERE {TAKES_WISHES} ORDER BY round.number LIMIT 1
"""  # noqa: S608 (constants)
"""Until when the application can be changed, as `city_time.format_time` writes it."""

_CHANGE, _HISTORY = lifecycle.sql_of("submit", Stage.DRAFT)

WRITE = f"""
    WITH moved AS (
        {_CHANGE}, submitted_at = %(now)s,
            registration_code = coalesce(registration_code, %(code)s), agrees_to_central = %(agrees)s,
            review_kindergarten_id = %(kindergarten)s
        WHERE id = %(application)s AND version = %(version)s AND stage = 'draft' AND unit IS NULL AND NOT on_hold
          AND ({FAMILY}) = %(family)s
          AND EXISTS (SELECT FROM consent
                WHERE account_id = %(account)s AND kind = '{consents.CHILD_DATA}' AND withdrawn_at IS NULL)
          AND {WISHES_NOW}
        RETURNING id, child_id, ({CLOSES_AT}) AS closes_at),
    receipt AS (
        INSERT INTO application_version (application_id, number, answers, digest, changed, submitted_at, submitted_by)
        SELECT id, 1, %(answers)s, %(digest)s, '[]', %(now)s, %(account)s FROM moved),
    history AS (
        {_HISTORY}),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, 'submit', 'application', id, '{{"before": "draft", "after": "submitted"}}'
        FROM moved),
    message AS (
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), 'receipt:1:' || id || ':' || receiver, 'application_submitted', receiver, child_id, id,
            jsonb_build_object('code', %(code)s::text, 'number', 1, 'who', who, 'changes_until', closes_at), %(now)s
        FROM moved, unnest(%(receivers)s::uuid[], %(who)s::text[]) AS told (receiver, who)
        ON CONFLICT (key) DO NOTHING),
    {answered("moved")}
    SELECT id, {SAVED} FROM moved
"""  # noqa: S608 (constants)


@dataclass(frozen=True)
class _Found:
    """What is read of a draft: sealed values as they are stored, what belongs to guardians in the order of their care, and
    everything else in `said`."""

    version: int
    registration_code: str | None
    child_id: uuid.UUID
    accounts: list[uuid.UUID | None]
    relations: list[str]
    said: dict[str, Any]
    sealed_child: list[bytes]
    sealed_home: list[bytes | None]
    sealed_elder: list[bytes | None]
    guardian_ids: list[uuid.UUID]
    sealed_guardians: list[list[Any]]
    family: str


@dataclass(frozen=True)
class Draft:
    """A draft that its guardian can hand in as it is: `answers` without the family's choice about central placement.

    `outside`: the family lives outside the city, so that it cannot choose central placement.  `receivers` are the accounts
    of the guardians, with the code by which each reads of the one who acts.
    """

    application_id: uuid.UUID
    version: int
    code: str | None
    answers: Answers
    outside: bool
    kindergarten_id: uuid.UUID
    receivers: Sequence[uuid.UUID | None]
    who: Sequence[str]
    family: str


def read(session: Session, application_id: uuid.UUID, *, by: Actor) -> Draft | None:
    """The draft of this person in its plain case; None for any other application."""
    if by.on_behalf is not None or not lifecycle.MOVES["submit"].admits(by):
        return None
    found = _one(session, application_id, by.account_id)
    if found is None or not _is_complete(found, by):
        return None
    said = found.said
    first = min((each for each in said["wishes"] if each[1] == 1), key=lambda each: -each[0], default=None)
    if first is None or first[3] is None:
        return None
    relation = found.relations[found.accounts.index(by.account_id)]
    return Draft(
        application_id,
        found.version,
        found.registration_code,
        _answers(application_id, found),
        bool(said["household"]["home_outside"]),
        uuid.UUID(first[3]),
        found.accounts,
        ["you" if each == by.account_id else relation for each in found.accounts],
        found.family,
    )


def write(
    session: Session,
    draft: Draft,
    *,
    agrees_to_central: bool,
    key: RequestKey,
    location: str,
    visit: Visit | None = None,
    by: Actor,
    now: dt.datetime,
) -> bool:
    """Hand the draft in: history, audit entry, receipt 1, messages, the answer `location` under the request's key, and the
    web session.

    False if the draft, its family, its consent or the round is not as it must be any more, or somebody was faster; then
    nothing is written.
    """
    answers = draft.answers | {"agrees_to_central": agrees_to_central and not draft.outside}
    said = contents.as_text(answers)
    values = {
        "application": draft.application_id,
        "version": draft.version,
        "family": draft.family,
        "now": now,
        "code": draft.code or random_codes.registration_code(),
        "agrees": answers["agrees_to_central"],
        "kindergarten": draft.kindergarten_id,
        "account": by.account_id,
        "answers": seal(said, "application_version.answers", row_name(draft.application_id, 1)),
        "digest": hashlib.sha256(said.encode()).hexdigest(),
        "receivers": list(draft.receivers),
        "who": list(draft.who),
    }
    return keyed_write.write(session, Change(WRITE, values), key=key, location=location, visit=visit)


def _stored(texts: Iterable[str | None]) -> list[Any]:
    """Sealed values as they are stored, from what JSON holds."""
    return [None if text is None else bytes.fromhex(text[2:]) for text in texts]


def _one(session: Session, application_id: uuid.UUID, account_id: uuid.UUID | None) -> _Found | None:
    found = READ.one_or_none(session, {"application": application_id, "account": account_id})
    if found is None:
        return None
    ids = {name: [each and uuid.UUID(each) for each in found[name]] for name in ("accounts", "guardian_ids")}
    sealed = {name: _stored(found[name]) for name in ("sealed_child", "sealed_home", "sealed_elder")}
    of_guardians = [_stored(each) for each in found["sealed_guardians"]]
    return _Found(**found | ids | sealed | {"sealed_guardians": of_guardians, "child_id": uuid.UUID(found["child_id"])})


def _is_complete(found: _Found, by: Actor) -> bool:
    """Whether `completeness.missing` finds nothing but what the statements ask: consent, and a wish in the open round."""
    _name, number, _phone = found.sealed_guardians[found.accounts.index(by.account_id)]
    home, documents = found.said["household"], found.said["documents"] or []
    asked = [kind for kind, answer in documents if answer is None]
    no_question = not asked or (asked == [RESIDENT] and len(documents) == 1)
    has_home = home["home_area"] is not None or bool(home["home_outside"])
    return bool(number) and no_question and home["hukou_kind"] is not None and has_home


def _answers(application_id: uuid.UUID, found: _Found) -> Answers:
    """What `contents.gather` gives, from the one row."""
    said = found.said
    wishes: dict[str, list[str]] = {}
    for number, _rank, programme, _kindergarten in sorted(said["wishes"]):
        wishes.setdefault(str(number), []).append(programme)
    evidence: dict[str, list[str]] = {}
    for document, digest in said["evidence"] or []:
        evidence.setdefault(code_of(document), []).append(digest)
    identity = {
        part: unseal(value, f"child.{part}", found.child_id)
        for part, value in zip(("name", "id_number", "born"), found.sealed_child, strict=True)
    }
    return {
        "child": said["child"] | identity,
        "guardians": [
            _guardian(id_, relation, *sealed)
            for id_, sealed, relation in zip(found.guardian_ids, found.sealed_guardians, found.relations, strict=True)
        ],
        "household": _household(application_id, said["household"], found.sealed_home),
        "claims": {
            code_of(ground): _details(application_id, ground, stored)
            for ground, stored in (said["claims"] or {}).items()
        },
        "evidence": evidence,
        "wishes": wishes,
        "bound_with": [],
        "elder": said["elder"],
        "registers": sorted(
            consents.REGISTER_OF_KIND[kind] for kind in said["registers"] or [] if kind in consents.REGISTER_OF_KIND
        ),
        **_elder_sibling(application_id, *found.sealed_elder),
    }


def _guardian(id_: uuid.UUID, relation: str, name: bytes, number: bytes | None, phone: bytes) -> Answers:
    return {
        "name": unseal(name, "guardian.name", id_),
        "id_number": number and unseal(number, "guardian.id_number", id_),
        "phone": PHONE.opened(phone, id_),
        "relation": relation,
    }


def _details(application_id: uuid.UUID, ground: str, stored: str) -> Answers:
    """`ground` is the code as it is stored, which is part of the row's key."""
    details: Answers = DETAILS.opened(bytes.fromhex(stored[2:]), row_name(application_id, ground))
    return details


def _household(application_id: uuid.UUID, home: Answers, sealed: Sequence[bytes | None]) -> Answers:
    columns: Any = household_rows.Household.__table__.columns
    said = home | {
        name: columns[name].type.opened(value, application_id) for name, value in zip(SEALED_HOME, sealed, strict=True)
    }
    return {name: contents.plain(value) for name, value in said.items() if value is not None}


def _elder_sibling(application_id: uuid.UUID, name: bytes | None, number: bytes | None, born: bytes | None) -> Answers:
    if name is None:
        return {}
    sealed = {"name": name, "id_number": number, "born": born}
    said = {
        part: unseal(value, f"elder_sibling.{part}", application_id)
        for part, value in sealed.items()
        if value is not None
    }
    return {"elder_sibling": said}
