"""How people get in: one-time codes for families, server-side sessions for everybody.  Verbs beside the rows."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class OneTimeCode(Base):
    """A code sent to a phone.  Only its digest is kept; five wrong tries spend it."""

    __tablename__ = "one_time_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class WebSession(Base):
    """What a browser's cookie points at.  The key is the digest of the cookie, so the table opens no door."""

    __tablename__ = "web_session"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]

    __table_args__ = (Index("ix_web_session__expires_at", "expires_at"),)


class DoneOnce(Base):
    """The answer to a state-changing request of a family, kept under its idempotency key."""

    __tablename__ = "done_once"

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    location: Mapped[str | None]
    done_at: Mapped[dt.datetime] = mapped_column(index=True)
