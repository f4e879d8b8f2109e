"""The table of what a family tells about its child's needs.  All of it is sealed, the kinds too."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed, SealedJson


class NeedKind(StrEnum):
    MOVING = "moving"
    SEEING = "seeing"
    HEARING = "hearing"
    SPEAKING = "speaking"
    LEARNING = "learning"
    CALM = "calm"
    HEALTH = "health"
    ALLERGY = "allergy"
    DAILY = "daily"


class ChildNeeds(Base):
    """One row for an application whose family told something; none before, and none after it took everything back.

    `agreed_at`: the guardian agreed separately that those who look after the child read it.
    """

    __tablename__ = "child_needs"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    kinds: Mapped[list[str]] = mapped_column(SealedJson("child_needs.kinds"))
    note: Mapped[str | None] = mapped_column(Sealed("child_needs.note"))
    said_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    agreed_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)
