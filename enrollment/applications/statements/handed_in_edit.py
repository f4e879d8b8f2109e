"""An edit of a handed-in application, and a returned one that is handed in again, in one read more and one write.

The plain case: a separate child that is not on hold and not in review, registration is open, and nothing is missing.  The
caller has read the state of the family (`results.family_state`) and made the change of a page there, so that the services
answer from it as the family will be after the change: what changed, what is missing, who reviews it, and what the receipt
says.  This module reads what the state does not have, the version that was handed in last and the names of the guardians, and
writes the move, its history, the receipt, the audit entry and the messages together with the page.  In every other case it
gives None, and `edits` or `submission` decide.
"""

import datetime as dt
import functools
import json
import uuid
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Json
from sqlalchemy import Uuid, bindparam
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.applications import (
    completeness,
    contents,
    deadlines,
    edits,
    lifecycle,
    receipts,
    register_answers,
    reviewer_assignment,
    submission,
)
from enrollment.applications.application_rows import LAST_VERSION, Application, ApplicationVersion, Stage
from enrollment.applications.notifications import messages_query, messages_text
from enrollment.applications.statements import returned_changes
from enrollment.applications.statements.draft_changes import IS_SEPARATE, REGISTRATION_IS_OPEN, values_of
from enrollment.applications.statements.first_submission import FAMILY
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change, Page
from enrollment.applications.statements.returned_changes import NO_FINDING, NO_REFUSAL
from enrollment.ground import jobs, outbox
from enrollment.ground.accounts import Actor
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.reading.read_ahead import compiled
from enrollment.ground.sealed.codes import keyed
from enrollment.ground.vault import row_name
from enrollment.people import consents
from enrollment.people.person_rows import CARERS, Guardian

READ = PreparedRead(f"""
    SELECT json_build_array(application.version, child.version, ({FAMILY}),
        ({compiled(LAST_VERSION.as_json(bindparam("application", type_=Uuid())))}),
        (SELECT json_agg(json_build_array(guardian.id, guardian.name, guardian.id_number, guardian.phone))
            FROM guardianship JOIN guardian ON guardian.id = guardianship.guardian_id
            WHERE guardianship.child_id = application.child_id AND accepted_at IS NOT NULL))
    FROM application JOIN child ON child.id = application.child_id WHERE application.id = %(application)s
""")  # noqa: S608 (constants)
"""The versions of the application and of its child, the text of `FAMILY`, the version handed in last as `LAST_VERSION` has it,
and the accepted guardians with their sealed columns as they are stored."""

_SEALED: Any = {name: Guardian.__table__.columns[name].type for name in ("name", "id_number", "phone")}

ABOUT = """
    SELECT child_id, id AS application_id, CAST(:event AS text) AS event, CAST(:params AS jsonb) AS params FROM kept
"""

IS_AS_READ = f"""
    {IS_SEPARATE} AND ({FAMILY}) = %(family)s
      AND EXISTS (SELECT FROM consent
        WHERE account_id = %(account)s AND kind = '{consents.CHILD_DATA}' AND withdrawn_at IS NULL)
      AND {NO_REFUSAL} AND (NOT %(changes_claims)s OR {NO_FINDING})
"""
"""What is asked before anything is written.  A proposed refusal, and findings about claims that change, are left to the service."""

ANSWERED = f"""
    answered AS (
        UPDATE returned_item SET answered_at = %(now)s FROM kept
        WHERE returned_item.application_id = kept.id AND answered_at IS NULL),
    asked AS (
        {jobs.ENQUEUE} FROM kept WHERE %(asks_registers)s ON CONFLICT (dedupe_key) DO NOTHING),
"""  # noqa: S608 (constants)
"""What handing in again does besides: the returned items are answered, and the registers are asked."""

EDITED_AT_ONCE = (Stage.SUBMITTED, Stage.CONFIRMED)
"""Stages of a plain case.  In review a clerk who holds the row may be writing a finding or a proposal to refuse, which the
statement would not see on its snapshot from before it waited for the row; `edits` locks first and reads afterwards."""

CLAIMED_PARTS = ("claims", "household", "child", "elder_sibling", "elder")
"""The parts of the answers on which claims rest."""


@dataclass(frozen=True)
class Edit:
    """The write of an edit, and the number of the newest receipt; `is_new`: this edit adds it."""

    change: Change
    number: int
    is_new: bool = True


def is_plain(read: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it looks like the plain case.  The statement asks again."""
    if application.stage not in EDITED_AT_ONCE or application.unit is not None or application.on_hold:
        return False
    return deadlines.of(read, application, now=now).open is not None


def edit(read: Session, application: Application, change: Change, *, by: Actor, now: dt.datetime) -> Edit | None:
    """The change of a page as `edits.keep` ends it, after it was made in `read`.

    Without a difference to what was handed in last it makes no move and no receipt.  None where this person may not edit.
    Refuses what `completeness.require` refuses.
    """
    if application.stage not in EDITED_AT_ONCE or change.page is None:
        return None
    made = _made(read, application, edits.move_of(application), change.page, change.values, by=by, now=now)
    # the others would read of the one who acts by the relation before the change, which the statement still finds
    is_told_to_others = made is not None and made.is_new and len(CARERS.of(read, application.child_id)) > 1
    return None if is_told_to_others and "relation" in change.values else made


def submit_again(
    read: Session, application: Application, *, agrees_to_central: bool, by: Actor, now: dt.datetime
) -> Edit | None:
    """A returned application handed in as it is, as `submission.submit` does it.  Refuses what that refuses of what is missing."""
    if not returned_changes.is_plain(read, application, now=now) or application.registration_code is None:
        return None
    agrees = submission.may_agree(read, application, agrees_to_central)
    set_committed_value(application, "agrees_to_central", agrees)
    about, key = submission.question_to_registers(application, now=now)
    page, values = returned_changes.in_time(read, application, now=now)
    values |= {
        "agrees": agrees,
        "asks_registers": bool(register_answers.may_be_asked(read, application)),
        "job_kind": submission.ASK_REGISTERS,
        "job_key": key,
        "job_args": Json(about),
    }
    return _made(read, application, "submit", page, values, by=by, now=now)


def _made(
    read: Session,
    application: Application,
    move: str,
    page: Page,
    page_values: dict[str, Any],
    *,
    by: Actor,
    now: dt.datetime,
) -> Edit | None:
    if by.on_behalf is not None or not lifecycle.MOVES[move].admits(by):
        return None
    family = _read_the_rest(read, application)
    if family is None:
        return None
    comparison = receipts.compare(read, application)
    if comparison.before is None:
        return None
    values = values_of(application, by=by, now=now) | page_values
    values |= {
        "family": family,
        "changes_claims": any(code.partition(".")[0] in CLAIMED_PARTS for code in comparison.changed),
    }
    if not comparison.changed and move != "submit":
        statement = _unchanged(Stage(application.stage), page)
        return Edit(Change(statement, values, page), comparison.before.number, is_new=False)
    completeness.require(read, application, by=by, now=now)
    reviewed_by = application.review_kindergarten_id
    if move == "submit" or "wishes" in comparison.changed:
        reviewer_assignment.assign_again(read, application, comparison, now=now)
    version = receipts.next_version(application, comparison, by=by, now=now)
    values |= {
        "assigns": application.review_kindergarten_id != reviewed_by,
        "kindergarten": application.review_kindergarten_id,
    }
    values |= _receipt_values(version) | _message_values(application, version.number, by=by, now=now)
    return Edit(Change(_statement(move, Stage(application.stage), page), values, page), version.number)


def _receipt_values(version: ApplicationVersion) -> dict[str, Any]:
    columns: Any = ApplicationVersion.__table__.columns
    row = row_name(version.application_id, version.number)
    return {
        "number": version.number,
        "answers": columns["answers"].type.sealed(version.answers, row),
        "digest": version.digest,
        "changed": Json(keyed(version.changed)),
        "way": version.way,
    }


def _message_values(application: Application, number: int, *, by: Actor, now: dt.datetime) -> dict[str, Any]:
    params = keyed({"code": application.registration_code, "number": number})
    _selected, who = messages_query(receipts.CHANGED, "", by)
    return who | {"event": receipts.event_of(number), "params": json.dumps(params), "send_at": now + outbox.QUIET}


def _read_the_rest(read: Session, application: Application) -> str | None:
    """Add the version handed in last and the names of the guardians to what `read` answers from; the text of `FAMILY`.

    None if the application, its child or its guardians are no longer as the state of the family has them.
    """
    found = READ.one_or_none(read, {"application": application.id})
    if found is None or found[:2] != [application.version, application.child.version]:
        return None
    family, last, listed = found[2:]
    care = {each.guardian_id: each for each in CARERS.of(read, application.child_id)}
    if {uuid.UUID(each[0]) for each in listed or ()} != care.keys():
        return None
    for id_, *sealed in listed:
        guardian = read.get_one(Guardian, uuid.UUID(id_))
        for (name, kind), stored in zip(_SEALED.items(), sealed, strict=True):
            value = None if stored is None else kind.opened(bytes.fromhex(stored[2:]), guardian.id)
            set_committed_value(guardian, name, value)
    contents.CARE_WITH_NAMES.put(read, application.child_id, [*care.values()])
    versions: list[Any] = [LAST_VERSION.shape.object(read, values) for values in last or ()]
    LAST_VERSION.put(read, application.id, versions)
    return str(family)


@functools.cache
def _unchanged(before: Stage, page: Page) -> str:
    """A save that changes no answers: the page is written as it is, and the application is only locked."""
    source = page.source.replace("FROM ", "CROSS JOIN ")
    return f"""
    WITH {page.before}
    kept AS (
        SELECT application.id, application.child_id{page.returning} FROM application {source}
        WHERE {IS_AS_READ} AND application.stage = '{before}' AND {page.condition} AND {REGISTRATION_IS_OPEN}
        FOR NO KEY UPDATE OF application),
    {page.parts},
    {DONE}
    SELECT id, {SAVED} FROM kept
"""  # noqa: S608 (constants)


@functools.cache
def _statement(move: str, before: Stage, page: Page) -> str:
    """The edit of an application of this stage by this move, with the parts of a page."""
    change, history = lifecycle.sql_of(move, before)
    submits = move == "submit"
    more = ", submitted_at = %(now)s, agrees_to_central = %(agrees)s" if submits else ""
    return f"""
    WITH {page.before}
    kept AS (
        {change}{more},
            review_kindergarten_id = CASE WHEN %(assigns)s THEN %(kindergarten)s::uuid ELSE review_kindergarten_id END
        {page.source}
        WHERE {IS_AS_READ} AND application.stage = '{before}' AND {page.condition}
          {"" if submits else f"AND {REGISTRATION_IS_OPEN}"}
        RETURNING application.id, application.child_id{page.returning}),
    moved AS (SELECT id FROM kept),
    receipt AS (
        INSERT INTO application_version
            (application_id, number, answers, digest, changed, submitted_at, submitted_by, way)
        SELECT id, %(number)s, %(answers)s, %(digest)s, %(changed)s, %(now)s, %(account)s, %(way)s FROM kept),
    history AS (
        {history}),
    noted AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, '{move}', 'application', id,
            '{{"before": "{before}", "after": "{lifecycle.MOVES[move].to}"}}' FROM kept),
    message AS (
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at, next_try_at)
        SELECT gen_random_uuid(), key, kind, account_id, child_id, application_id, params, %(now)s, %(send_at)s
        FROM ({messages_text(ABOUT)}) AS told
        ON CONFLICT (key) DO NOTHING
        RETURNING kind, account_id, application_id, created_at, params),
    quieted AS (
        {outbox.REPLACE_EARLIER.format(newer="message", now="%(now)s")}),
    {ANSWERED if submits else ""}
    {page.parts}{"," if page.parts else ""}
    {DONE}
    SELECT id, {SAVED} FROM kept
"""  # noqa: S608 (constants)
