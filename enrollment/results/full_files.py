"""The full file of a run: every wish, priority and place by code.  Two officials grant it to one named recipient.

It is never public, because a family's wishes and priorities can tell which child it is.  A recipient opens a link and
enters a code; each file that is handed out has a mark of its own, so that a copy that turns up names who had it.
"""

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from allocation.files.issued_copy import issued_copy
from enrollment.draw import runs
from enrollment.draw.run_rows import Run
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, SYSTEM, Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.random_codes import notice_code
from enrollment.ground.sealed.values import Sealed
from enrollment.ground.vault import blind_index
from enrollment.season.calendar import require_city_official

VALID = dt.timedelta(days=14)
"""How long after the approval a full file may be downloaded."""

MOST_DOWNLOADS = 3
MOST_WRONG_CODES = 5
"""After so many wrong codes a new one is needed."""

LONGEST_REASON = 500
LONGEST_NAME = 120
CODE = "full_file_grant.code"


class RecipientKind(StrEnum):
    """Who may receive the full file of a run."""

    AUDITOR = "auditor"
    NOTARY = "notary"
    VERIFIER = "verifier"
    """An accredited person or office that computes the draw again."""


class GrantState(StrEnum):
    ASKED = "asked"
    OPEN = "open"
    ENDED = "ended"
    """Its time is over, all downloads were made, or nobody agreed in time."""
    REVOKED = "revoked"


class FullFileGrant(Base):
    """Asked for by one official, approved by another.  `code_index` is the blind index of the code of its link."""

    __tablename__ = "full_file_grant"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), index=True)
    kind: Mapped[str]
    recipient: Mapped[str] = mapped_column(Sealed("full_file_grant.recipient"))
    reason: Mapped[str]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    revoked_at: Mapped[dt.datetime | None]
    code_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    wrong_codes: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(RecipientKind) + "')", name="known_kind"),
        CheckConstraint("approved_by <> asked_by", name="approved_by_another"),
        CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL) AND (approved_at IS NULL) = (ends_at IS NULL)",
            name="approval_has_a_time",
        ),
        CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name="revocation_has_a_time"),
        CheckConstraint("code_index IS NULL OR approved_at IS NOT NULL", name="code_after_approval"),
    )

    def state(self, issued: int, now: dt.datetime) -> GrantState:
        if self.revoked_at is not None:
            return GrantState.REVOKED
        if self.ends_at is None:
            return GrantState.ENDED if signatures.has_lapsed(self.asked_at, now) else GrantState.ASKED
        return GrantState.OPEN if now < self.ends_at and issued < MOST_DOWNLOADS else GrantState.ENDED


class FullFileIssue(Base):
    """One file that was handed out.  `mark` stands in the file and nowhere else."""

    __tablename__ = "full_file_issue"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("full_file_grant.id"))
    number: Mapped[int]
    issued_at: Mapped[dt.datetime]
    mark: Mapped[str] = mapped_column(unique=True)

    __table_args__ = (
        UniqueConstraint("grant_id", "number"),
        CheckConstraint(f"number BETWEEN 1 AND {MOST_DOWNLOADS}", name="few_downloads"),
    )


@dataclass(frozen=True)
class GrantSummary:
    """A grant with its state, and the times at which a file was handed out."""

    grant: FullFileGrant
    state: GrantState
    issued: tuple[dt.datetime, ...]

    @property
    def left(self) -> int:
        return MOST_DOWNLOADS - len(self.issued)


def ask(
    session: Session,
    run_id: uuid.UUID,
    *,
    kind: str,
    recipient: str,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> FullFileGrant:
    """Ask that a named recipient gets the full file of a published run.

    Refuses `run_not_published`, `recipient_missing`, `say_why`.
    """
    require_city_official(by)
    run = runs.one(session, run_id)
    if run.published_at is None:
        raise Refused("run_not_published")
    if not recipient.strip() or kind not in set(RecipientKind):
        raise Refused("recipient_missing", field="recipient")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    grant = FullFileGrant(
        id=uuid.uuid4(),
        run_id=run.id,
        kind=kind,
        recipient=recipient.strip()[:LONGEST_NAME],
        reason=reason.strip()[:LONGEST_REASON],
        asked_by=by.account_id,
        asked_at=now,
        wrong_codes=0,
    )
    session.add(grant)
    session.flush()
    audit.record(session, "ask_full_file", "run", run.id, by=by, now=now, grant=str(grant.id), kind=kind)
    return grant


def approve(session: Session, run_id: uuid.UUID, grant_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> FullFileGrant:
    """Approve what another official asked for; from now on the file can be downloaded for two weeks.

    Refuses `signed_already` to the one who asked, `full_file_is_over`, and `first_person_left`: then it is asked for anew.
    """
    require_city_official(by)
    grant = _locked_of_run(session, run_id, grant_id)
    if _state(session, grant, now) != GrantState.ASKED:
        raise Refused("full_file_is_over")
    if grant.asked_by == by.account_id:
        raise Refused("signed_already")
    signatures.require_first_person(session, grant.asked_by, CITY)
    grant.approved_by, grant.approved_at, grant.ends_at = by.account_id, now, now + VALID
    session.flush()
    audit.record(session, "grant_full_file", "run", grant.run_id, by=by, now=now, grant=str(grant.id), kind=grant.kind)
    return grant


def revoke(session: Session, run_id: uuid.UUID, grant_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End a grant, or decline one that waits.  One official is enough.  Refuses `full_file_is_over`."""
    require_city_official(by)
    grant = _locked_of_run(session, run_id, grant_id)
    if grant.revoked_at is not None:
        raise Refused("full_file_is_over")
    grant.revoked_by, grant.revoked_at, grant.code_index = by.account_id, now, None
    session.flush()
    audit.record(session, "revoke_full_file", "run", grant.run_id, by=by, now=now, grant=str(grant.id))


def new_code(session: Session, run_id: uuid.UUID, grant_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> str:
    """A code for the link of an open grant.  It is shown once; an earlier one is void.  Refuses `full_file_is_over`."""
    require_city_official(by)
    grant = _locked_of_run(session, run_id, grant_id)
    if _state(session, grant, now) != GrantState.OPEN:
        raise Refused("full_file_is_over")
    code = notice_code()
    grant.code_index, grant.wrong_codes = blind_index(code, CODE), 0
    session.flush()
    audit.record(session, "code_of_full_file", "run", grant.run_id, by=by, now=now, grant=str(grant.id))
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def code_is_right(session: Session, grant_id: uuid.UUID, code: str, *, now: dt.datetime) -> bool:
    """Whether this is the code of an open grant.  Wrong ones are counted; the caller commits, or they are not."""
    grant = session.get(FullFileGrant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None or grant.code_index is None or _state(session, grant, now) != GrantState.OPEN:
        return False
    if grant.wrong_codes < MOST_WRONG_CODES and secrets.compare_digest(
        grant.code_index, blind_index(code.replace("-", ""), CODE)
    ):
        return True
    grant.wrong_codes += 1
    if grant.wrong_codes == MOST_WRONG_CODES:
        audit.record(session, "close_full_file", "run", grant.run_id, by=SYSTEM, now=now, grant=str(grant.id))
    session.flush()
    return False


def issue(session: Session, grant_id: uuid.UUID, *, now: dt.datetime) -> bytes:
    """The full file with a mark of its own.  The caller has checked the code.

    `issued.json` in the zip names grant, recipient and time; no program that verifies the file reads it.
    """
    grant = _locked(session, grant_id)
    count = _issued(session, [grant.id]).get(grant.id, ())
    run = session.get_one(Run, grant.run_id)
    if grant.state(len(count), now) != GrantState.OPEN or not run.bundle:
        raise NotFound("full_file")
    mark = secrets.token_hex(16)
    session.add(FullFileIssue(grant_id=grant.id, number=len(count) + 1, issued_at=now, mark=mark))
    session.flush()
    audit.record(
        session, "issue_full_file", "run", run.id, by=SYSTEM, now=now, grant=str(grant.id), number=len(count) + 1
    )
    told = {
        "grant": str(grant.id),
        "recipient": grant.recipient,
        "kind": grant.kind,
        "issued_at": now.isoformat(),
        "mark": mark,
    }
    return issued_copy(run.bundle, told)


def of_run(session: Session, run_id: uuid.UUID, *, now: dt.datetime) -> list[GrantSummary]:
    """Every grant of a run, the newest first."""
    found = session.scalars(
        select(FullFileGrant).where(FullFileGrant.run_id == run_id).order_by(FullFileGrant.asked_at.desc())
    ).all()
    issued = _issued(session, [grant.id for grant in found])
    return [GrantSummary(each, each.state(len(at), now), at) for each in found for at in (issued.get(each.id, ()),)]


def _issued(session: Session, grant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[dt.datetime, ...]]:
    found = select(FullFileIssue.grant_id, func.array_agg(FullFileIssue.issued_at)).where(
        FullFileIssue.grant_id.in_(grant_ids)
    )
    return {grant: tuple(sorted(at)) for grant, at in session.execute(found.group_by(FullFileIssue.grant_id))}


def _state(session: Session, grant: FullFileGrant, now: dt.datetime) -> GrantState:
    return grant.state(len(_issued(session, [grant.id]).get(grant.id, ())), now)


def _locked(session: Session, grant_id: uuid.UUID) -> FullFileGrant:
    grant = session.get(FullFileGrant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None:
        raise NotFound("full_file")
    return grant


def _locked_of_run(session: Session, run_id: uuid.UUID, grant_id: uuid.UUID) -> FullFileGrant:
    grant = _locked(session, grant_id)
    if grant.run_id != run_id:
        raise NotFound("full_file")
    return grant
