"""No list is frozen while two of its applications may be of one child, unless two officials say why.

The reason is public: it stands in the record of the draw.
"""

import datetime as dt
import hashlib
import uuid

from sqlalchemy import ColumnElement, ForeignKey, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from enrollment.applications.application_rows import Application
from enrollment.draw import draw_jobs, participants
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.season.calendar import require_city_official
from enrollment.season.rounds import Round

SIGNATURES_NEEDED = 2
LONGEST_REASON = 500
SUBJECT = "duplicate_waiver"


class DuplicateWaiver(Base):
    """Why a round is frozen with undecided pairs.  `digest` names these pairs: another open pair needs another waiver."""

    __tablename__ = "duplicate_waiver"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    digest: Mapped[str]
    pairs: Mapped[int]
    reason: Mapped[str]
    made_at: Mapped[dt.datetime]
    approved_at: Mapped[dt.datetime | None]

    __table_args__ = (UniqueConstraint("round_id", "digest"),)


def open_pairs(session: Session, round_: Round) -> list[uuid.UUID]:
    """The undecided hints between two applications that take part in the round."""
    taking_part = participants.participants_query(round_, participants.HANDED_IN)
    one, other = aliased(Application), aliased(Application)
    found = (
        select(DuplicateHint.id)
        .join(one, one.child_id == DuplicateHint.child_a)
        .join(other, other.child_id == DuplicateHint.child_b)
        .where(
            DuplicateHint.decided_at.is_(None),
            *(_is_among(taking_part, each) for each in (one, other)),
        )
    )
    return sorted(session.scalars(found))


def _is_among(query: Select[uuid.UUID], one: type[Application]) -> ColumnElement[bool]:
    """Looked up for the few applications of open hints; a list of all participants would be read as a whole."""
    return query.where(Application.id == one.id).correlate(one).exists()


def require_decided(session: Session, round_: Round) -> None:
    """Refuse `duplicates_undecided` (with `n`) while pairs are open and two officials have not waived exactly these."""
    pairs = open_pairs(session, round_)
    if pairs and not _approved(session, round_.id, _digest_of(pairs)):
        raise Refused("duplicates_undecided", n=len(pairs))


def waive(session: Session, round_id: uuid.UUID, reason: str, *, by: Actor, now: dt.datetime) -> int:
    """Sign that the list is frozen although pairs are open; returns how many people have signed.

    The first to sign says the reason; the second signs the same pairs and reason.  Refuses `say_why`, `nothing_to_waive`,
    `signed_already`, `draw_at_work`.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    pairs = open_pairs(session, round_)
    if not pairs:
        raise Refused("nothing_to_waive")
    waiver = of_pairs(session, round_id, pairs)
    if waiver is None:
        if not reason.strip():
            raise Refused("say_why", field="reason")
        waiver = DuplicateWaiver(
            round_id=round_id,
            digest=_digest_of(pairs),
            pairs=len(pairs),
            reason=reason.strip()[:LONGEST_REASON],
            made_at=now,
        )
        session.add(waiver)
        session.flush()
    people = signatures.sign(session, SUBJECT, waiver.id, waiver.digest, office=CITY, by=by, now=now)
    if people >= SIGNATURES_NEEDED:
        waiver.approved_at = now
    audit.record(session, "waive_duplicates", "round", round_id, by=by, now=now, pairs=len(pairs), reason=waiver.reason)
    session.flush()
    return people


def of_pairs(session: Session, round_id: uuid.UUID, pairs: list[uuid.UUID]) -> DuplicateWaiver | None:
    """The waiver of exactly these pairs, signed by one person or by two."""
    return session.scalars(
        select(DuplicateWaiver).where(DuplicateWaiver.round_id == round_id, DuplicateWaiver.digest == _digest_of(pairs))
    ).one_or_none()


def approved_of(session: Session, round_id: uuid.UUID) -> list[DuplicateWaiver]:
    """The waivers with both signatures, for the public record of the draw."""
    found = select(DuplicateWaiver).where(
        DuplicateWaiver.round_id == round_id, DuplicateWaiver.approved_at.is_not(None)
    )
    return list(session.scalars(found.order_by(DuplicateWaiver.made_at)))


def _approved(session: Session, round_id: uuid.UUID, digest: str) -> bool:
    found = select(DuplicateWaiver.id).where(
        DuplicateWaiver.round_id == round_id,
        DuplicateWaiver.digest == digest,
        DuplicateWaiver.approved_at.is_not(None),
    )
    return session.scalar(found) is not None


def _digest_of(pairs: list[uuid.UUID]) -> str:
    return hashlib.sha256("\n".join(str(pair) for pair in pairs).encode()).hexdigest()
