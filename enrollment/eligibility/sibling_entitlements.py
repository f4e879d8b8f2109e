"""A sibling's right 绑定入园 from an earlier year: stored with its proof and its expiry."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class Entitlement(Base):
    __tablename__ = "entitlement"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    proof: Mapped[str]
    granted_on: Mapped[dt.date]
    expires_on: Mapped[dt.date]

    __table_args__ = (UniqueConstraint("child_id_index", "kindergarten_id"),)
