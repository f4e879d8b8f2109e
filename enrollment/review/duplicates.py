"""The clerk's work on possible duplicates: open pairs, verdicts, and documents that were added after the freeze."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from enrollment.applications import identity_documents, identity_edits
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import documents
from enrollment.people.duplicate_rows import VERDICTS, DuplicateHint, Verdict
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.places.kindergartens import Page, paginate
from enrollment.review import duplicate_verdicts
from enrollment.review.findings import LONGEST_NOTE
from enrollment.review.scope import SECOND_PEOPLE, office_of, within

PER_PAGE = 50


@dataclass(frozen=True)
class Side:
    """One child of a pair; `application` is its newest one, None if it has none."""

    child: Child
    documents: list[ChildDocument]
    application: Application | None


@dataclass(frozen=True)
class Pair:
    """A hint with its two children, the one who was entered first in front."""

    hint: DuplicateHint
    sides: tuple[Side, Side]


def open_pairs(session: Session, *, by: Actor) -> list[Pair]:
    """The undecided pairs with a live application in this actor's scope, the oldest first."""
    found = select(DuplicateHint).where(DuplicateHint.decided_at.is_(None), _is_own(by))
    return [_pair(session, hint) for hint in session.scalars(found.order_by(DuplicateHint.found_at, DuplicateHint.id))]


def decided_pairs(session: Session, *, by: Actor, page: int = 1) -> Page:
    """The decided pairs, the last decided first."""
    found = select(DuplicateHint).where(DuplicateHint.decided_at.is_not(None), _is_own(by))
    listed = paginate(session, found.order_by(DuplicateHint.decided_at.desc(), DuplicateHint.id), page, PER_PAGE)
    return replace(listed, items=[_pair(session, hint) for hint in listed])


def find(session: Session, hint_id: uuid.UUID, *, by: Actor) -> Pair:
    """One pair.  NotFound outside the actor's kindergartens and areas."""
    return _pair(session, _hint(session, hint_id, by))


def judge(
    session: Session, hint_id: uuid.UUID, *, verdict: str, reason: str, by: Actor, now: dt.datetime
) -> DuplicateHint:
    """Say whether the two are one child.  `different` closes the pair at this desk; `same` waits for a second person.

    Where the first has lost the role since, the next one is the first.  When the second person agrees, the later application is refused as a duplicate, its family is told why, and its
    documents move to the child that stays.  Refuses `verdict_missing`, `say_why`, `decided_already`, `second_person_needed`,
    `only_a_head_or_official_decides`, `refusal_is_proposed`, `duplicate_after_the_draw`.
    """
    hint = _hint(session, hint_id, by)
    identity_documents.lock_families_of(session, hint.child_a, hint.child_b)
    hint = _hint(session, hint_id, by, lock=True)
    if hint.decided_at is not None:
        raise Refused("decided_already")
    if verdict not in VERDICTS:
        raise Refused("verdict_missing", field="verdict")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if verdict == Verdict.SAME == hint.verdict and _first_can_answer(session, hint):
        _require_second_person(hint, by)
        _unite(session, hint, by=by, now=now)
        return hint
    hint.verdict, hint.reason = verdict, reason.strip()[:LONGEST_NOTE]
    hint.first_by, hint.first_at = by.account_id, now
    if verdict == Verdict.DIFFERENT:
        hint.decided_by, hint.decided_at = by.account_id, now
    session.flush()
    audit.record(session, "judge_duplicate", "duplicate_hint", hint.id, by=by, now=now, verdict=verdict)
    return hint


def _first_can_answer(session: Session, hint: DuplicateHint) -> bool:
    both = select(Application).where(Application.child_id.in_((hint.child_a, hint.child_b)))
    offices = [office_of(session, application) for application in session.scalars(both)]
    return any(signatures.can_answer(session, hint.first_by, office) for office in offices)


def _require_second_person(hint: DuplicateHint, by: Actor) -> None:
    if hint.first_by == by.account_id:
        raise Refused("second_person_needed")
    if not by.is_any(*SECOND_PEOPLE):
        raise Refused("only_a_head_or_official_decides")


def _unite(session: Session, hint: DuplicateHint, *, by: Actor, now: dt.datetime) -> None:
    union = identity_documents.union_of(session, hint.child_a, hint.child_b)
    if union.ends is not None and not identity_edits.identity_is_free(session, union.ends.child_id):
        raise Refused("duplicate_after_the_draw")
    first, at, reason = hint.first_by, hint.first_at, hint.reason or ""
    duplicate_verdicts.unite(session, hint, union, first_by=first, first_at=at, reason=reason, by=by, now=now)


def documents_to_look_at(session: Session, *, by: Actor) -> list[tuple[ChildDocument, Child, Application]]:
    """Unchecked documents that families added when the application was no longer editable, the oldest first."""
    found = (
        select(ChildDocument, Child, Application)
        .join(Child, Child.id == ChildDocument.child_id)
        .join(Application, Application.child_id == Child.id)
        .where(ChildDocument.checked_at.is_(None), Application.stage.in_(LIVE_STAGES), within(by))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(found.order_by(ChildDocument.added_at))]


def _is_own(by: Actor) -> ColumnElement[bool]:
    return exists().where(
        or_(Application.child_id == DuplicateHint.child_a, Application.child_id == DuplicateHint.child_b), within(by)
    )


def _hint(session: Session, hint_id: uuid.UUID, by: Actor, *, lock: bool = False) -> DuplicateHint:
    found = select(DuplicateHint).where(DuplicateHint.id == hint_id, _is_own(by))
    if lock:
        found = found.with_for_update(of=DuplicateHint).execution_options(populate_existing=True)
    hint = session.scalars(found).one_or_none()
    if hint is None:
        raise NotFound("duplicate_hint")
    return hint


def _pair(session: Session, hint: DuplicateHint) -> Pair:
    children = [session.get_one(Child, child_id) for child_id in (hint.child_a, hint.child_b)]
    first, second = sorted(children, key=lambda child: (child.created_at, child.id))
    return Pair(hint, (_side(session, first), _side(session, second)))


def _side(session: Session, child: Child) -> Side:
    newest = select(Application).where(Application.child_id == child.id).order_by(Application.year.desc()).limit(1)
    return Side(child, documents.documents_of(session, child.id), session.scalars(newest).first())
