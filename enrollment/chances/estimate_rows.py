"""The rows of an estimate 机会估计: the cut-offs (lines) of each programme in many simulated draws of a round.

They contain no personal data: no application, no wish, no ticket of a child.
"""

import datetime as dt
import uuid
import zlib
from typing import Any

import numpy as np
from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class ChanceEstimate(Base):
    """The newest estimate of a round.  `made_at` is when its market was read, `digest` is over all its lines."""

    __tablename__ = "chance_estimate"

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    made_at: Mapped[dt.datetime]
    families: Mapped[int]
    children: Mapped[int]
    draws: Mapped[int]
    digest: Mapped[str]

    __table_args__ = (
        CheckConstraint("families > 0 AND children >= families AND draws > 0", name="of_somebody"),
        CheckConstraint("length(digest) = 64", name="digest_is_sha256"),
    )


class ChanceLine(Base):
    """The lines of a programme.  `pools` has `{"grounds": [...], "locked": bool}` for each pool at that time, in order."""

    __tablename__ = "chance_line"

    round_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chance_estimate.round_id", ondelete="CASCADE"), primary_key=True
    )
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    pools: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    lines: Mapped[bytes] = mapped_column(LargeBinary)


def packed(lines: np.ndarray) -> bytes:
    """The lines of a programme (uint64[draws, pools]) as compressed bytes, pool by pool.  It is deterministic."""
    return zlib.compress(np.ascontiguousarray(lines.T, dtype="<u8").tobytes(), 6)


def unpacked(data: bytes, draws: int) -> np.ndarray:
    """The inverse of `packed`."""
    return np.frombuffer(zlib.decompress(data), dtype="<u8").reshape(-1, draws).T
