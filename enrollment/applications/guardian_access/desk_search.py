"""The search of a desk for a family without its registration code: by a document, by the child's name and birth date, or by
the guardian's phone number.

What was typed is compared by blind index, whole: nobody browses, and no sealed value is decrypted.  Only applications that the
desk may serve are found, and the answer about any other family is that of a family that does not exist.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, func, or_, select, union
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import desk_access
from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.people.likeness import indexes_of
from enrollment.people.mandate_rows import Mandate
from enrollment.people.person_rows import ChildDocument, ChildLikeness, Guardian, Guardianship

MOST_SEARCHES = 40
SEARCHES_WITHIN = dt.timedelta(hours=1)
"""So often one person may search in this time: more than a busy desk needs, and too seldom to try names out."""

REASON = "desk"


class Way(StrEnum):
    """By what a family was searched, for the audit trail."""

    DOCUMENT = "document"
    NAME = "name"
    PHONE = "phone"


@dataclass(frozen=True)
class Question:
    """What the clerk typed: a document number, or a phone number, or the child's name and birth date."""

    document: str = ""
    phone: str = ""
    name: str = ""
    born: dt.date | None = None


def find_families(session: Session, question: Question, *, by: Actor, now: dt.datetime) -> list[Application]:
    """The applications of the family that this desk may serve, drafts too, the newest first.

    Each search counts for the limit and is audited, whatever it finds; the caller commits.  Refuses `search_by_nothing`,
    `search_by_one`, `name_missing`, `born_missing`, `id_characters`, `id_checksum`, `phone_form`, and `too_many_searches`
    after `MOST_SEARCHES`.
    """
    served = desk_access.served_query(by)
    way, children = _children(question)
    _count(session, by=by, now=now)
    ids = _with_joined_rows(session, session.scalars(children).all())
    theirs = select(Application).where(Application.child_id.in_(ids), Application.id.in_(served))
    newest_first = theirs.order_by(Application.year.desc(), Application.created_at.desc(), Application.id)
    found = list(session.scalars(newest_first)) if ids else []
    audit.record(
        session, "search_family", "account", by.account_id, by=by, now=now, reason=REASON, way=way, found=len(found)
    )
    for application in found:
        audit.record(session, "search_family", "application", application.id, by=by, now=now, reason=REASON, way=way)
    session.flush()
    return found


def _children(question: Question) -> tuple[Way, Select[uuid.UUID]]:
    """By what is searched, and a query for the ids of the children.  Refuses a question that is none, or two."""
    asked = [bool(question.document), bool(question.phone), bool(question.name or question.born)]
    if sum(asked) != 1:
        raise Refused("search_by_one" if any(asked) else "search_by_nothing", field="document")
    if question.document:
        return Way.DOCUMENT, _by_document(question.document)
    if question.phone:
        return Way.PHONE, _by_phone(parse_phone(question.phone))
    if not question.name:
        raise Refused("name_missing", field="name")
    if question.born is None:
        raise Refused("born_missing", field="born")
    return Way.NAME, _by_name(question.name, question.born)


def _by_document(typed: str) -> Select[uuid.UUID]:
    """The children with this document, and those in the care of a guardian with it."""
    number = identity.normalise_number(typed)
    if not number.isascii() or not number.isalnum():
        raise Refused("id_characters", field="document")
    if identity.has_wrong_check_character(number):
        raise Refused("id_checksum", field="document")
    indexes = {identity.index_of(number), identity.index_of(number, "passport")}
    documents = select(ChildDocument.child_id).where(ChildDocument.person_index.in_(indexes))
    return _any_of(documents, _in_care(select(Guardian.id).where(Guardian.id_index.in_(indexes))))


def _by_name(name: str, born: dt.date) -> Select[uuid.UUID]:
    indexes = {indexes_of(name, born, sex)["name_index"] for sex in ("f", "m")}
    return select(ChildLikeness.child_id).where(ChildLikeness.name_index.in_(indexes))


def _by_phone(phone: str) -> Select[uuid.UUID]:
    """The children of the guardian who signs in with this number, or whose signed paper has it."""
    index = phone_index(phone)
    account = select(Account.id).where(Account.phone_index == index)
    paper = select(Mandate.account_id).where(Mandate.phone_index == index, Mandate.taken_over_at.is_(None))
    return _in_care(select(Guardian.id).where(or_(Guardian.account_id.in_(account), Guardian.account_id.in_(paper))))


def _in_care(guardians: Select[uuid.UUID]) -> Select[uuid.UUID]:
    return select(Guardianship.child_id).where(
        Guardianship.guardian_id.in_(guardians), Guardianship.accepted_at.is_not(None)
    )


def _any_of(*queries: Select[uuid.UUID]) -> Select[uuid.UUID]:
    return select(union(*queries).subquery().c.child_id)


def _with_joined_rows(session: Session, children: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """These children, with the rows from which their documents were moved: an earlier application may hang on such a row."""
    if not children:
        return set()
    joined = select(ChildDocument.joined_from).where(
        ChildDocument.child_id.in_(children), ChildDocument.joined_from.is_not(None)
    )
    return {*children, *session.scalars(joined)}


def _count(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """Refuse `too_many_searches`.  The searches of one person run one after the other, so that none is counted twice."""
    session.get_one(Account, by.account_id, with_for_update={"key_share": True})
    recent = select(func.count()).where(
        AuditEntry.subject == "account",
        AuditEntry.subject_id == str(by.account_id),
        AuditEntry.act == "search_family",
        AuditEntry.at > now - SEARCHES_WITHIN,
    )
    if (session.scalar(recent) or 0) >= MOST_SEARCHES:
        raise Refused("too_many_searches", n=MOST_SEARCHES)
