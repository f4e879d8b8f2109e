"""Export of all data about a family, for the family itself."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, contents, mandates, receipts
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.returned_items import ReturnedItem
from enrollment.corrections import corrected_values, correction_papers, requests
from enrollment.eligibility import evidence
from enrollment.eligibility.claims import VerifiedFact
from enrollment.ground import audit, outbox
from enrollment.ground.accounts import Account, Actor, require_oneself
from enrollment.ground.uploads import SafePage
from enrollment.people import children, guardians
from enrollment.people.consents import Consent
from enrollment.review import cases
from enrollment.review.correction_rows import CorrectionRequest


def export(session: Session, *, by: Actor, now: dt.datetime) -> dict[str, Any]:
    """The account, the guardian, the consents, each application with its history, messages and cases, as plain values."""
    require_oneself(by)
    account = session.get_one(Account, by.account_id)
    guardian = guardians.guardian_of(session, by=by)
    audit.record(session, "take_own_data", "account", account.id, by=by, now=now)
    return {
        "made_at": now.isoformat(),
        "account": {"phone": account.phone, "name": account.name, "since": account.created_at.isoformat()},
        "guardian": _row(guardian, "name", "phone", "id_kind", "id_number", "created_at") if guardian else None,
        "consents": [
            _row(consent, "kind", "text_version", "text_digest", "mandate_id", "given_at", "withdrawn_at")
            for consent in session.scalars(select(Consent).where(Consent.account_id == account.id))
        ],
        "mandates": [
            _row(
                mandate, "way", "year", "text_version", "text_digest", "given_at", "ends_at", "ended_at", "signed_name"
            )
            for mandate in mandates.of_guardian(session, by=by)
        ],
        "applications": [_application(session, each) for each in applications.list_own(session, by=by)],
        "messages": [
            _row(notice, "kind", "params", "created_at", "sent_at", "read_at")
            for notice in outbox.notices_of_account(session, account.id, limit=10_000)
        ],
        "cases": [_row(case, "kind", "text", "opened_at", "settled_at") for case in cases.own_cases(session, by=by)],
    }


def uploaded_files(session: Session, *, by: Actor, now: dt.datetime) -> Iterator[tuple[str, bytes]]:
    """The name and content of every uploaded page of the family, and of every mandate that it signed."""
    require_oneself(by)
    for number, mandate in enumerate(mandates.of_guardian(session, by=by), start=1):
        if mandate.way == "paper":
            safe = mandates.read_paper(session, mandate.id, by=by, now=now)
            yield f"{mandate.year}/mandate-{number}.{_ending(safe)}", safe.content
    for application in applications.list_own(session, by=by):
        for document, pages in evidence.pages_of(session, application.id).items():
            for number, page in enumerate(pages, start=1):
                safe = evidence.page_content(session, application.id, page.id)
                yield f"{application.year}/{application.child_code}/{document}-{number}.{_ending(safe)}", safe.content
        for count, request in enumerate(requests.of_application(session, application.id), start=1):
            for number, sheet in enumerate(correction_papers.pages_of(session, request.id), start=1):
                safe = correction_papers.page_content(session, request.id, sheet.id)
                name = f"correction-{count}-{number}.{_ending(safe)}"
                yield f"{application.year}/{application.child_code}/{name}", safe.content


def _ending(page: SafePage) -> str:
    return "pdf" if page.media_type == "application/pdf" else "webp"


def _application(session: Session, application: Application) -> dict[str, Any]:
    mine = application.id
    return {
        "year": application.year,
        "stage": application.stage,
        "registration_code": application.registration_code,
        "answers": contents.gather(session, application),
        "versions": [
            {"number": each.number, "at": each.submitted_at.isoformat(), "digest": each.digest, "changed": each.changed}
            for each in receipts.all_of(session, application)
        ],
        "history": _rows(session, MoveMade, mine, "move", "before", "after", "at", "reason"),
        "verified": _rows(session, VerifiedFact, mine, "fact", "outcome", "value", "reason", "source", "at"),
        "registers": _rows(session, RegisterAnswer, mine, "fact", "register", "answer", "value", "at", "disputed_at"),
        "returned": _rows(session, ReturnedItem, mine, "item", "note", "asked_at", "answered_at"),
        "corrections": [_correction(each) for each in requests.of_application(session, mine)],
        "guardians": len(children.accounts_of(session, application.child_id)),
    }


def _correction(request: CorrectionRequest) -> dict[str, Any]:
    values = {"before": corrected_values.before_of(request), "after": corrected_values.after_of(request)}
    told = ("kind", "state", "statement", "answer", "requested_at", "due_at", "decided_at")
    return _row(request, *told) | values


def _rows(session: Session, table: Any, application_id: uuid.UUID, *names: str) -> list[dict[str, Any]]:
    return [_row(row, *names) for row in session.scalars(select(table).where(table.application_id == application_id))]


def _row(row: Any, *names: str) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in values.items()}
