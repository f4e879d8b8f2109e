"""Kindergartens and their sites.  A site that admits by itself is a row with a parent."""

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.places.areas import NATURES, Area


class Kindergarten(Base):
    """`code` is the school identification code 学校标识码; `sort_key` is the name in pinyin; `fee` is yuan a month."""

    __tablename__ = "kindergarten"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code: Mapped[str] = mapped_column(unique=True)
    credit_code: Mapped[str | None]
    name: Mapped[str]
    sort_key: Mapped[str]
    nature: Mapped[str]
    run_by: Mapped[str | None]
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), index=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    attached: Mapped[bool] = mapped_column(default=False)
    street: Mapped[str | None]
    address: Mapped[str | None]
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    phone: Mapped[str | None]
    fee: Mapped[int | None]
    licensed_classes: Mapped[int] = mapped_column(default=0)
    closed_on: Mapped[dt.date | None]

    area: Mapped[Area] = relationship(lazy="joined")
    parent: Mapped["Kindergarten | None"] = relationship(remote_side=[id])

    __table_args__ = (
        CheckConstraint("nature IN ('" + "','".join(NATURES) + "')", name="known_nature"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("licensed_classes >= 0", name="licensed_classes_not_negative"),
        Index("ix_kindergarten__sort_key", "sort_key"),
    )
