"""The table of joint decisions: irrevocable acts of one guardian that wait for the agreement of the others."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read


class DecisionKind(StrEnum):
    """The kind of act: giving up the place, or withdrawing the application after the freeze."""

    DECLINE = "decline"
    WITHDRAW = "withdraw"


class DecisionState(StrEnum):
    """`AGREED` took effect by agreement, `EFFECTIVE` when the waiting time ended; the last three had no effect."""

    WAITING = "waiting"
    AGREED = "agreed"
    EFFECTIVE = "effective"
    OBJECTED = "objected"
    TAKEN_BACK = "taken_back"
    VOID = "void"


class JointDecision(Base):
    """One row for each application that the act touches; the rows of one act share `act_id`.

    `offer_id` is the place that the act gives up, if the child holds one.  `agreed_by` are the accounts of the guardians
    who agreed.  `reason` says why a decision became void.
    """

    __tablename__ = "joint_decision"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    act_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str]
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    state: Mapped[str] = mapped_column(default=DecisionState.WAITING)
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime]
    takes_effect_at: Mapped[dt.datetime]
    agreed_by: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID(as_uuid=True)), default=list)
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(DecisionKind) + "')", name="known_kind"),
        CheckConstraint("state IN ('" + "','".join(DecisionState) + "')", name="known_state"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_or_waiting"),
        Index("uq_joint_decision__one_waiting", "application_id", unique=True,
              postgresql_where=text("state = 'waiting'")),
        Index("ix_joint_decision__due", "takes_effect_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_joint_decision__offer_id", "offer_id", postgresql_where=text("offer_id IS NOT NULL")),
    )  # fmt: skip


WAITING_DECISIONS = Read(JointDecision, JointDecision.application_id, (JointDecision.state == DecisionState.WAITING,))
"""The decision that waits for an application: one at most."""
