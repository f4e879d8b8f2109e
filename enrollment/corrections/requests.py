"""Correction requests: when one is needed, who files it, and who finds it.

Until the deadline a family edits its application directly.  Later a guardian, or a helper for a guardian, files a request
with a paper; a clerk or an official files one for an error that they found.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines, identity_edits
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.lifecycle import DEAD_STAGES, HANDED_IN
from enrollment.applications.notifications import notify_guardians
from enrollment.corrections import corrected_values, correction_lifecycle, correction_papers, home_moves
from enrollment.corrections.corrected_values import Values
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.random_codes import typed_registration_code
from enrollment.people import household_rows
from enrollment.people.guardians import guardian_of
from enrollment.people.person_rows import Guardian
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import review
from enrollment.review.correction_rows import (
    CHILD_IDENTITY,
    UNDECIDED,
    WITH_A_FACT,
    CorrectionKind,
    CorrectionRequest,
)
from enrollment.season import policy_approval
from enrollment.season.facts import Fact
from enrollment.season.rules import CORRECTION_DAYS

LONGEST_STATEMENT = 500


def may_edit_freely(session: Session, application: Application, kind: CorrectionKind, *, now: dt.datetime) -> bool:
    """Whether the family can still edit these data directly, so that no request is needed."""
    try:
        deadlines.require_editable(session, application, now=now)
    except Refused:
        return False
    return kind not in CHILD_IDENTITY or identity_edits.identity_is_free(session, application.child_id)


def is_possible(session: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether at least one kind of correction can be requested for this application now."""
    return any(_why_not(session, application, kind, now) is None for kind in CorrectionKind)


def require_possible(session: Session, application: Application, kind: CorrectionKind, *, now: dt.datetime) -> None:
    """Refuse `correction_not_needed` where the family edits by itself, `application_is_over` or
    `application_not_handed_in` where nothing stands on the application, and `child_joined` where another entry does."""
    code = _why_not(session, application, kind, now)
    if code is not None:
        raise Refused(code)


def _why_not(session: Session, application: Application, kind: CorrectionKind, now: dt.datetime) -> str | None:
    if may_edit_freely(session, application, kind, now=now):
        return "correction_not_needed"
    if kind in CHILD_IDENTITY and application.child.is_joined:
        return "child_joined"
    if kind in CHILD_IDENTITY and not identity_edits.identity_is_free(session, application.child_id):
        return None
    if application.stage in DEAD_STAGES:
        return "application_is_over"
    return "application_not_handed_in" if application.stage == Stage.DRAFT else None


def request_by_family(
    session: Session,
    application_id: uuid.UUID,
    kind: CorrectionKind,
    typed: Mapping[str, Any],
    *,
    fact: Fact | None = None,
    statement: str,
    papers: Iterable[bytes],
    by: Actor,
    now: dt.datetime,
) -> CorrectionRequest:
    """File the request of a guardian.  `typed` maps a column, a fact or `other` to the corrected value.

    Refuses what `require_possible` refuses, `say_why`, `correction_needs_a_paper`, `correction_is_open`, and values that
    are not understood or change nothing.
    """
    application = applications.locked(session, application_id, by=by)
    require_possible(session, application, kind, now=now)
    contents = list(papers)
    if not contents:
        raise Refused("correction_needs_a_paper", field="pages")
    guardian = guardian_of(session, by=by)
    return _file(session, application, kind, typed, fact, statement, contents, guardian, by=by, now=now)


def request_by_staff(
    session: Session,
    application_id: uuid.UUID,
    kind: CorrectionKind,
    typed: Mapping[str, Any],
    *,
    fact: Fact | None = None,
    statement: str,
    papers: Iterable[bytes] = (),
    by: Actor,
    now: dt.datetime,
) -> CorrectionRequest:
    """File the request of a clerk or an official, within the actor's scope.  No paper is needed.

    Otherwise it refuses what `request_by_family` refuses.
    """
    application = review.locked(session, application_id, by=by)
    require_possible(session, application, kind, now=now)
    guardian = guardian_of_application(session, application)
    return _file(session, application, kind, typed, fact, statement, list(papers), guardian, by=by, now=now)


def _file(
    session: Session,
    application: Application,
    kind: CorrectionKind,
    typed: Mapping[str, Any],
    fact: Fact | None,
    statement: str,
    papers: list[bytes],
    guardian: Guardian | None,
    *,
    by: Actor,
    now: dt.datetime,
) -> CorrectionRequest:
    if not statement.strip():
        raise Refused("say_why", field="statement")
    _refuse_second(session, application.id, kind, fact)
    other = _other_application(session, application, typed) if kind == CorrectionKind.DUPLICATE else None
    before, after = _change(session, application, kind, typed, fact, guardian, other, now)
    kindergarten_id, area_code = desk_for(session, application)
    request = CorrectionRequest(
        id=uuid.uuid4(), application_id=application.id, kind=kind, fact=fact, version=1,
        before=corrected_values.as_text(before), after=corrected_values.as_text(after),
        statement=statement.strip()[:LONGEST_STATEMENT],
        guardian_id=guardian.id if guardian and kind == CorrectionKind.OTHER_IDENTITY else None,
        duplicate_of=other.id if other else None, kindergarten_id=kindergarten_id, area_code=area_code,
        requested_by=by.acting_account_id, requested_at=now, due_at=now + _time_to_decide(session, application.year, area_code),
    )  # fmt: skip
    correction_lifecycle.create(session, request, by=by, now=now)
    correction_papers.add(session, request, papers, now=now)
    notify(session, "correction_requested", request, now=now)
    return request


def _refuse_second(session: Session, application_id: uuid.UUID, kind: CorrectionKind, fact: Fact | None) -> None:
    there = select(CorrectionRequest.id).where(
        CorrectionRequest.application_id == application_id,
        CorrectionRequest.kind == kind,
        CorrectionRequest.fact.is_not_distinct_from(fact),
        CorrectionRequest.state.in_(UNDECIDED),
    )
    if session.scalar(there) is not None:
        raise Refused("correction_is_open")


def _change(
    session: Session,
    application: Application,
    kind: CorrectionKind,
    typed: Mapping[str, Any],
    fact: Fact | None,
    guardian: Guardian | None,
    other: Application | None,
    now: dt.datetime,
) -> tuple[Values, Values]:
    if kind in CHILD_IDENTITY:
        return corrected_values.change_of_child(session, application, kind, typed, now=now)
    if kind == CorrectionKind.OTHER_IDENTITY:
        if guardian is None:
            raise Refused("guardian_first")
        return corrected_values.change_of_guardian(guardian, typed, now=now)
    if kind == CorrectionKind.MOVE:
        return home_moves.change_of_home(session, application, typed, now=now)
    if other is not None:
        key = "registration_code"
        return {key: application.registration_code}, {key: other.registration_code}
    if fact is not None and kind in WITH_A_FACT:
        return corrected_values.change_of_fact(session, application.id, fact, typed[fact.value])
    if kind == CorrectionKind.FACTS:
        raise Refused("fact_missing", field="fact")
    return {}, {}


def _other_application(session: Session, application: Application, typed: Mapping[str, Any]) -> Application:
    """The application that stays when this one is removed as its duplicate."""
    code = typed_registration_code(typed["other"] or "")
    found = session.scalars(
        select(Application).where(
            Application.registration_code == code,
            Application.year == application.year,
            Application.id != application.id,
            Application.stage.in_(HANDED_IN),
        )
    ).one_or_none()
    if found is None:
        raise Refused("duplicate_unknown", field="other")
    return found


def desk_for(session: Session, application: Application) -> tuple[uuid.UUID | None, str | None]:
    """Who decides: the reviewing kindergarten and its area; without one the area of the home, else the city."""
    kindergarten_id = application.review_kindergarten_id
    if kindergarten_id is not None:
        return kindergarten_id, session.get_one(Kindergarten, kindergarten_id).area_code
    household = household_rows.household_of(session, application.id)
    return None, household.home_area if household else None


def _time_to_decide(session: Session, year: int, area_code: str | None) -> dt.timedelta:
    """By the policy of the area that answers for the request."""
    policy = policy_approval.policy_in_force(session, year, area_code) if area_code else None
    return dt.timedelta(days=policy_approval.rules_of(policy).correction_days if policy else CORRECTION_DAYS)


def guardian_of_application(session: Session, application: Application) -> Guardian | None:
    """The guardian in whose name the application was entered."""
    account_id = application.entered_for or application.entered_by
    return session.scalars(select(Guardian).where(Guardian.account_id == account_id)).one_or_none()


def find_application(session: Session, code: str, *, by: Actor) -> Application | None:
    """The application with this registration code, if its review is in the actor's scope."""
    coded = Application.registration_code == typed_registration_code(code)
    found = select(Application).where(coded, review.within(by))
    return session.scalars(found).one_or_none()


def _readable_by_family(by: Actor) -> ColumnElement[bool]:
    """SQL condition: what a guardian may read, the same as in the download of its data.

    Not the name and document of another guardian, and not what staff found about another family's application.  A helper reads
    what it filed itself, with its papers.
    """
    if by.on_behalf is not None:
        return CorrectionRequest.requested_by == by.on_behalf.helper_id
    own_identity = select(Guardian.id).where(Guardian.account_id == by.account_id)
    own_children = select(Application.id).where(Application.child_id.in_(applications.in_care_query(by.account_id)))
    return and_(
        or_(CorrectionRequest.guardian_id.is_(None), CorrectionRequest.guardian_id.in_(own_identity)),
        or_(
            CorrectionRequest.duplicate_of.is_(None),
            CorrectionRequest.duplicate_of.in_(own_children),
            CorrectionRequest.requested_by == by.account_id,
        ),
    )


def of_application(session: Session, application_id: uuid.UUID, *, by: Actor) -> list[CorrectionRequest]:
    """The requests of an application that the guardian may read, the newest first.

    The caller has checked access to the application.
    """
    rows = select(CorrectionRequest).where(CorrectionRequest.application_id == application_id, _readable_by_family(by))
    return list(session.scalars(rows.order_by(CorrectionRequest.requested_at.desc(), CorrectionRequest.id)))


def own(session: Session, request_id: uuid.UUID, *, by: Actor) -> CorrectionRequest:
    """A request about a child of the signed-in guardian.  NotFound for any other, and for the identity of another guardian."""
    readable = select(CorrectionRequest).where(CorrectionRequest.id == request_id, _readable_by_family(by))
    request = session.scalars(readable).one_or_none()
    if request is None:
        raise NotFound("correction_request")
    applications.own(session, request.application_id, by=by)
    return request


def withdraw(session: Session, request_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Withdraw a request before it is decided.  Raises Stale for an older `version`; refuses `decided_already`."""
    asked = own(session, request_id, by=by)
    applications.locked(session, asked.application_id, by=by)
    request = session.get_one(CorrectionRequest, request_id, with_for_update=True, populate_existing=True)
    if request.version != version:
        raise Stale()
    correction_lifecycle.make(session, request, "withdraw", by=by, now=now)
    notify(session, "correction_withdrawn", request, now=now)


def notify(session: Session, notice: str, request: CorrectionRequest, *, now: dt.datetime) -> None:
    """Notify every guardian of the child about a step of the request."""
    application = session.get_one(Application, request.application_id)
    code = application.registration_code or ""
    notify_guardians(session, notice, [application.id], now=now, event=f"{notice}:{request.id}", code=code)
