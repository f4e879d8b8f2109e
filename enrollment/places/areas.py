"""The 23 admission areas, and what a kindergarten is called by nature and class level."""

from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

NATURES = ("public", "inclusive", "private")
LEVELS = ("nursery", "lower", "middle", "upper")
CLASS_NORM = {"nursery": 20, "lower": 25, "middle": 30, "upper": 35}
MOST_CHILDREN = 360


class Area(Base):
    """An admission area.  The three functional zones have a row of their own beside the 20 districts and counties."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    has_boundary: Mapped[bool]
    weight: Mapped[int]
    position: Mapped[int]
