"""Findings of clerks about the facts that a family claims, and what each of them rests on."""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.claim_rows import SEALED_VALUE, VerifiedFact, value_columns
from enrollment.applications.evidence_rows import EvidencePage, pages_of
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.errors import Refused
from enrollment.ground.sealed.codes import token_of
from enrollment.ground.vault import row_name, seal
from enrollment.review import fact_values
from enrollment.review.leases import in_hand
from enrollment.season.document_kinds import PROVES, Document
from enrollment.season.facts import Fact

COPIED = ("application_id", "fact", "outcome", "value", "sealed_value", "reason", "source", "account_id", "at")

SOURCES = ("paper", "register", "roll", "staff", "correction")
LONGEST_NOTE = 500


@dataclass(frozen=True)
class Finding:
    """A clerk's finding about one fact: verified with its value, or (without a value) declined with a reason.

    `page_id` is the page that proves it.  A verified fact has a reason too if no page supports it although a register
    differs; it then `needs_second`.
    """

    fact: Fact
    value: Any | None = None
    reason: str | None = None
    source: str = "paper"
    page_id: uuid.UUID | None = None
    needs_second: bool = False

    @property
    def outcome(self) -> str:
        return "declined" if self.value is None else "verified"


@dataclass(frozen=True)
class Found:
    """A finding about one application among many: a value that was verified, or (None) a fact declined with a reason."""

    application_id: uuid.UUID
    fact: str
    value: Any | None
    source: str
    reason: str | None = None

    @property
    def outcome(self) -> str:
        return "declined" if self.value is None else "verified"


def store_many(session: Session, found: Iterable[Found], *, by: Actor, now: dt.datetime) -> None:
    """Add findings by COPY.  The caller holds the applications' locks, has taken away earlier findings about these facts
    and writes the audit."""
    copy_rows(session, "verified_fact", COPIED, (_as_copied(each, by, now) for each in found))


def _as_copied(found: Found, by: Actor, now: dt.datetime) -> tuple[Any, ...]:
    columns, fact = value_columns(found.fact, found.value), token_of(found.fact)
    row, plain = row_name(found.application_id, fact), columns["plain_value"]
    return (
        found.application_id,
        fact,
        found.outcome,
        None if plain is None else json.dumps(plain),
        SEALED_VALUE.sealed(columns["sealed_value"], row),
        found.reason and seal(found.reason, "verified_fact.reason", row),
        found.source,
        by.account_id,
        now,
    )


def verify(
    session: Session, application_id: uuid.UUID, findings: Iterable[Finding], *, by: Actor, now: dt.datetime
) -> None:
    """Store the clerk's finding about each fact; a later finding replaces the earlier one, and the audit keeps both.
    A finding that says the same again stays as it is, with its author and its time.

    A finding without a page that can prove it is stored as a decision of the staff.  Against a register it then needs a
    reason, and counts once a second person has agreed (`second_opinions`).
    Refuses `not_in_your_hands`, `declined_without_reason`, `verified_without_a_page`, `register_says_otherwise`,
    `page_proves_nothing`, `fact_value_not_understood`.
    """
    in_hand(session, application_id, by=by, now=now)
    pages = proving_pages(pages_of(session, application_id))
    answers = register_answers.answers_of(session, application_id)
    rows = select(VerifiedFact).where(VerifiedFact.application_id == application_id)
    known = {row.fact: row for row in session.scalars(rows.execution_options(populate_existing=True))}
    for finding in findings:
        supported = _with_its_source(finding, answers.get(finding.fact), pages.get(finding.fact, []))
        if not _is_known(known.get(finding.fact.value), supported):
            record_finding(session, application_id, supported, by=by, now=now)
    for row in known.values():
        session.expire(row)  # a finding is stored by a statement of its own


def _is_known(known: VerifiedFact | None, finding: Finding) -> bool:
    """Whether the stored finding says the same, on the same grounds."""
    return known is not None and (
        known.outcome, known.value, known.reason, known.source, known.page_id, known.needs_second
    ) == (
        finding.outcome, finding.value, _reason(finding), finding.source, finding.page_id, finding.needs_second
    )  # fmt: skip


def _reason(finding: Finding) -> str | None:
    return (finding.reason or "").strip()[:LONGEST_NOTE] or None


def proving_pages(pages: Mapping[str, Sequence[EvidencePage]]) -> dict[Fact, list[EvidencePage]]:
    """For each fact the uploaded pages that may prove it, in the order of the documents."""
    found: dict[Fact, list[EvidencePage]] = {}
    for document in Document:
        for fact in PROVES[document]:
            found.setdefault(fact, []).extend(pages.get(document.value, ()))
    return {fact: listed for fact, listed in found.items() if listed}


def facts_on_paper(session: Session, ids: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, Fact]]:
    """The facts of these applications that at least one uploaded page may prove."""
    found = select(EvidencePage.application_id, EvidencePage.document).where(
        EvidencePage.application_id.in_(ids), EvidencePage.removed_at.is_(None)
    )
    pages = session.execute(found.distinct())
    return {(application_id, fact) for application_id, document in pages for fact in PROVES[Document(document)]}


def _with_its_source(finding: Finding, answer: RegisterAnswer | None, pages: Sequence[EvidencePage]) -> Finding:
    """The finding with what it rests on; a finding that claims to rest on more is refused."""
    fact = finding.fact
    if finding.source not in SOURCES:
        raise Refused("unknown_source", field=fact.value, source=finding.source)
    if finding.page_id is not None and all(page.id != finding.page_id for page in pages):
        raise Refused("page_proves_nothing", field=fact.value)
    if finding.value is None:
        return finding if finding.source != "paper" or pages else replace(finding, source="staff")
    differs = answer is not None and answer.answer == "differs"
    against = differs and answer is not None and answer.value != finding.value
    if finding.source in ("register", "roll"):
        if answer is None or against or answer.answer not in ("matches", "differs"):
            raise Refused("register_says_otherwise", field=fact.value)
        return replace(finding, page_id=None)
    if finding.source == "paper" and pages and (finding.page_id is not None or not against):
        return finding
    if differs and not against and answer is not None:
        return replace(finding, source="roll" if answer.register == "roll" else "register", page_id=None)
    if against and not (finding.reason or "").strip():
        raise Refused("verified_without_a_page", field=fact.value, fact=fact.value)
    return replace(finding, source="staff", page_id=None, needs_second=against)


def record_finding(
    session: Session, application_id: uuid.UUID, finding: Finding, *, by: Actor, now: dt.datetime
) -> None:
    """Store one finding.  The caller holds the application's lock, and has checked that it is in this actor's scope."""
    if finding.value is not None:
        fact_values.check(session, finding.fact, finding.value)
    elif not (finding.reason or "").strip():
        raise Refused("declined_without_reason", field=finding.fact.value, fact=finding.fact.value)
    found = {
        "outcome": finding.outcome,
        **value_columns(finding.fact, finding.value),
        "reason": _reason(finding),
        "source": finding.source,
        "account_id": by.account_id,
        "at": now,
        "page_id": finding.page_id,
        "needs_second": finding.needs_second,
        "second_by": None,
        "second_at": None,
    }
    note = insert(VerifiedFact).values(application_id=application_id, fact=finding.fact.value, **found)
    session.execute(
        note.on_conflict_do_update(
            index_elements=["application_id", "fact"], set_={name: note.excluded[name] for name in found}
        )
    )
    audit.record(
        session,
        "verify",
        "application",
        application_id,
        by=by,
        now=now,
        fact=finding.fact.value,
        outcome=finding.outcome,
        source=finding.source,
    )


def facts_still_open(session: Session, application_id: uuid.UUID) -> list[Fact]:
    """The claimed facts without a finding."""
    settled = set(session.scalars(select(VerifiedFact.fact).where(VerifiedFact.application_id == application_id)))
    return [fact for fact in claimed_facts(session, application_id) if fact.value not in settled]
