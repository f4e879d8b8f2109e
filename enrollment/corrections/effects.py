"""The effect of an agreed correction: on the child, a guardian, a fact or an application, and on notices and the roll.

Before publication an application whose tier may change goes back into the review, and the frozen list counts as outdated.
After publication the result of the round stays; an admission notice gets a new code, and the roll a dated entry.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, receipts
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.identity_documents import Union
from enrollment.applications.judgements import endings
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.corrections import corrected_values, home_moves, level_changes
from enrollment.corrections.corrected_values import Values
from enrollment.draw import snapshot
from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.offers import notice_codes
from enrollment.offers.offer_rows import LIVE, Offer
from enrollment.people import documents, duplicates
from enrollment.people.person_rows import Child, Guardian
from enrollment.places import roll_corrections
from enrollment.review import duplicate_verdicts, review
from enrollment.review.correction_rows import (
    CHANGES_THE_MARKET,
    CHILD_IDENTITY,
    CorrectionKind,
    CorrectionMove,
    CorrectionRequest,
)
from enrollment.review.review import Finding
from enrollment.season.facts import Fact
from enrollment.season.rounds import Round


def changes_the_market(request: CorrectionRequest) -> bool:
    """Whether the correction may change a tier or who takes part; a new number may also change the birth date."""
    if request.kind in CHANGES_THE_MARKET or "born" in corrected_values.after_of(request):
        return True
    return home_moves.counts(request)


def put_into_effect(
    session: Session,
    request: CorrectionRequest,
    application: Application,
    rounds: Sequence[Round],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Apply the correction.  The caller holds the locks of the application and of its unpublished `rounds`.

    Refuses `correction_outdated` where the value is no longer the one before, what `level_changes.level_of` refuses,
    `number_of_another_child`,
    `guardian_known_elsewhere`, `child_joined`, `duplicate_holds_a_place`, `refusal_is_proposed` and
    `move_waits_for_review`.
    """
    if (
        application.stage == Stage.RETURNED
    ):  # the version that is written below holds what the family has changed so far
        endings.end_outdated(session, application, receipts.compare(session, application), by=by, now=now)
    if request.kind in CHILD_IDENTITY:
        _correct_child(session, request, application, rounds, by=by, now=now)
    elif request.kind == CorrectionKind.OTHER_IDENTITY:
        _correct_guardian(session, request)
    elif request.kind == CorrectionKind.MOVE:
        home_moves.apply(session, request, application, by=by, now=now)
    elif request.kind == CorrectionKind.DUPLICATE:
        _remove_duplicate(session, request, application, by=by, now=now)
    elif request.fact is not None:
        _correct_fact(session, request, application, by=by, now=now)
    if changes_the_market(request) and rounds:
        reopen(session, application, rounds, by=by, now=now, reason=request.kind)
    add_version(session, application, by=by, now=now)


def reopen(
    session: Session, application: Application, rounds: Sequence[Round], *, by: Actor, now: dt.datetime, reason: str
) -> None:
    """Send a reviewed application back into the review with its corrected data, and mark its frozen lists as outdated.

    An application that is still in the review, or was removed, keeps its stage.  Tickets stay.
    """
    if lifecycle.can(application, "reopen"):
        lifecycle.make(session, application, "reopen", by=by, now=now, reason=reason)
    for round_ in rounds:
        snapshot.mark_outdated(session, round_.id, now=now)


def _require_same(expected: Values, values: Values) -> None:
    if any(values[name] != value for name, value in expected.items()):
        raise Refused("correction_outdated")


def _correct_child(
    session: Session,
    request: CorrectionRequest,
    application: Application,
    rounds: Sequence[Round],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    child = session.get_one(Child, application.child_id, with_for_update={"key_share": True}, populate_existing=True)
    before, after = corrected_values.before_of(request), corrected_values.after_of(request)
    level = before.pop(corrected_values.LEVEL, None), after.pop(corrected_values.LEVEL, None)
    _require_same(before, corrected_values.of_child(child))
    if child.is_joined:
        raise Refused("child_joined")
    if "born" in after:
        _change_level(session, application, after["born"], level, rounds)
    index, found = child.id_index, _corrected_document(session, child, after, now=now)
    for column, value in after.items():
        setattr(child, column, dt.date.fromisoformat(value) if column == "born" else value)
    if found is not None:
        documents.correct_current(session, child, found)
        child.id_index = found.index
    child.version += 1
    if "born" in after:
        review.record_finding(
            session, application.id, Finding(Fact.BORN, after["born"], source="correction"), by=by, now=now
        )
    session.flush()
    audit.record(session, "correct_child", "child", child.id, by=by, now=now, changed=sorted(after))
    notice_codes.replace(session, child.id, by=by, now=now)
    roll_corrections.correct(session, index, after, by=by, now=now)
    duplicates.find(session, child, now=now)


def _change_level(
    session: Session,
    application: Application,
    born: str,
    asked: tuple[str | None, str | None],
    rounds: Sequence[Round],
) -> None:
    """Change the class level as two people read it; refuses `correction_outdated` where it is another by now."""
    former, level = asked[0] or application.level, asked[1]
    now_another = level_changes.level_of(session, application, dt.date.fromisoformat(born), field="reason")
    if application.level != former or now_another != level:
        raise Refused("correction_outdated")
    if level is not None:
        level_changes.apply(session, application, level, rounds)


def _corrected_document(session: Session, child: Child, after: Values, *, now: dt.datetime) -> identity.Identity | None:
    """The corrected document, of which the kind or the number alone may be new; None if it stays."""
    if not {"id_kind", "id_number"} & after.keys():
        return None
    kind, number = after.get("id_kind", child.id_kind), after.get("id_number", child.id_number)
    if corrected_values.is_held_by_another_child(session, child, kind, number):
        raise Refused("number_of_another_child")
    return identity.check(kind, number, today=today(now))


def _correct_guardian(session: Session, request: CorrectionRequest) -> None:
    guardian = session.get_one(Guardian, request.guardian_id, with_for_update=True, populate_existing=True)
    after = corrected_values.after_of(request)
    _require_same(corrected_values.before_of(request), corrected_values.of_guardian(guardian))
    kind, number = after.get("id_kind", guardian.id_kind), after.get("id_number")
    if number and corrected_values.is_held_by_another_guardian(session, guardian, kind, number):
        raise Refused("guardian_known_elsewhere")
    for column, value in after.items():
        setattr(guardian, column, value)
    if number:
        guardian.id_index = identity.index_of(number, kind)
    guardian.version += 1
    session.get_one(Account, guardian.account_id).name = guardian.name
    session.flush()


def _correct_fact(
    session: Session, request: CorrectionRequest, application: Application, *, by: Actor, now: dt.datetime
) -> None:
    fact = Fact(request.fact or "")
    value = corrected_values.after_of(request)[fact.value]
    before = corrected_values.of_fact(session, application.id, fact)
    _require_same(corrected_values.before_of(request), {fact.value: before})
    finding = Finding(fact, value, reason=request.answer if value is None else None, source="correction")
    review.record_finding(session, application.id, finding, by=by, now=now)
    session.flush()


def _remove_duplicate(
    session: Session, request: CorrectionRequest, application: Application, *, by: Actor, now: dt.datetime
) -> None:
    """The two people who decided the request gave the verdict on the pair; the other application stays."""
    held = select(Offer.id).where(Offer.application_id == application.id, Offer.state.in_(LIVE))
    if session.scalar(held) is not None:
        raise Refused("duplicate_holds_a_place")
    stays = session.get_one(Application, request.duplicate_of, populate_existing=True)
    if not {application.stage, stays.stage} <= set(HANDED_IN):
        raise Refused("correction_outdated")
    first = session.scalars(
        select(CorrectionMove).where(CorrectionMove.request_id == request.id, CorrectionMove.move == "sign")
    ).one()
    hint = duplicates.hint_of(session, application.child_id, stays.child_id, now=now)
    union = Union(stays=stays.child_id, goes=application.child_id, ends=application)
    duplicate_verdicts.unite(
        session, hint, union, first_by=first.account_id, first_at=first.at, reason=request.answer or "", by=by, now=now
    )


def add_version(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """Add a version, so that a receipt shows the corrected data and says that a correction wrote it."""
    comparison = receipts.compare(session, application)
    if comparison.before is not None and comparison.changed:
        receipts.write(session, application, comparison, by=by, now=now)
    application.version += 1
    application.changed_at = now
    session.flush()
