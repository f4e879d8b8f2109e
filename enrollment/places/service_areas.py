"""Service areas: which streets, communities, estates, roads or polygons a kindergarten serves."""

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

KINDS = ("street", "community", "estate", "road", "polygon")


class ServiceArea(Base):
    """One row of the notice that lists service areas.  `boundary` (GeoJSON) belongs to the kind `polygon` alone."""

    __tablename__ = "service_area"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    kind: Mapped[str]
    name: Mapped[str]
    boundary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("(kind = 'polygon') = (boundary IS NOT NULL)", name="polygon_has_a_boundary"),
        UniqueConstraint("kindergarten_id", "kind", "name"),
        Index("ix_service_area__name", "kind", "name"),
    )
