"""Everything that is held about a family, for the family: its right, in one act."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import applications, contents, mandates
from enrollment.applications.applications import Application
from enrollment.corrections import correction_papers
from enrollment.eligibility import evidence
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.files.uploads import SafePage
from enrollment.reports import family_records
from enrollment.reports.family_records import PEOPLE, Records, people_in
from enrollment.review import guardian_requests
from enrollment.review.correction_rows import CorrectionRequest


def export(session: Session, *, by: Actor, now: dt.datetime) -> Records:
    """Every record about the family; the act itself stands in the audit trail.  Refuses `only_the_guardian`."""
    require_oneself(by)
    audit.record(session, "take_own_data", "account", by.account_id, by=by, now=now)
    session.flush()
    return family_records.records_of(session, by=by)


def plain_values(session: Session, records: Records, *, by: Actor, now: dt.datetime) -> dict[str, Any]:
    """The records as values that JSON knows: moments in ISO 8601, staff as role and workplace."""
    return {
        "made_at": now.isoformat(),
        "applications": [_answers(session, each) for each in applications.list_own(session, by=by)],
        "records": {
            name: [{column: _plain(records, column, value) for column, value in row.items()} for row in rows]
            for name, rows in records.tables.items()
        },
    }


def _answers(session: Session, application: Application) -> dict[str, Any]:
    """What an application says now, handed in or not."""
    return {
        "id": str(application.id),
        "year": application.year,
        "registration_code": application.registration_code,
        "answers": contents.gather(session, application),
    }


def _plain(records: Records, column: str, value: Any) -> Any:
    if column in PEOPLE and value is not None:
        named = [_person(records, one) for one in people_in(value)]
        return named if isinstance(value, list) else named[0]
    if isinstance(value, uuid.UUID):
        return (
            {"id": str(value), "kindergarten": records.kindergartens[value]}
            if value in records.kindergartens
            else str(value)
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _person(records: Records, account_id: uuid.UUID) -> dict[str, str | None] | None:
    person = records.people.get(account_id)
    return {"role": person.role, "workplace": person.workplace} if person else None


def uploaded_files(session: Session, *, by: Actor, now: dt.datetime) -> Iterator[tuple[str, bytes]]:
    """The name and content of every uploaded page of the family, of every mandate that it signed, and of every paper with
    which the reader asked to add or to remove a guardian."""
    require_oneself(by)
    family = family_records.family_of(session, by=by)
    corrections = family_records.rows_of(session, CorrectionRequest, family)
    for number, mandate in enumerate(mandates.of_guardian(session, by=by), start=1):
        if mandate.way == "paper":
            safe = mandates.read_paper(session, mandate.id, by=by, now=now)
            yield f"{mandate.year}/mandate-{number}.{_ending(safe)}", safe.content
    for application in applications.list_own(session, by=by):
        for document, pages in evidence.pages_of(session, application.id).items():
            for number, page in enumerate(pages, start=1):
                safe = evidence.page_content(session, application.id, page.id)
                yield f"{application.year}/{application.child_code}/{document}-{number}.{_ending(safe)}", safe.content
        own = [request for request in corrections if request.application_id == application.id]
        for count, request in enumerate(own, start=1):
            for number, sheet in enumerate(correction_papers.pages_of(session, request.id), start=1):
                safe = correction_papers.page_content(session, request.id, sheet.id)
                name = f"correction-{count}-{number}.{_ending(safe)}"
                yield f"{application.year}/{application.child_code}/{name}", safe.content
    for number, safe in enumerate(guardian_requests.own_papers(session, by=by), start=1):
        yield f"guardian-request-{number}.{_ending(safe)}", safe.content


def _ending(page: SafePage) -> str:
    return "pdf" if page.media_type == "application/pdf" else "webp"
