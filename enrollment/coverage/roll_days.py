"""How many children a class kept by name has on a day.  Triggers on the roll keep the rows; nothing else writes them."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class RollClassDay(Base):
    """The change of a class on a day: `children` who entered less those who left.  A sum up to a day is the class on it.

    `of_school_age` are those of a mixed class who leave for school the next September.
    """

    __tablename__ = "roll_class_day"

    class_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_class.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    children: Mapped[int]
    of_school_age: Mapped[int]

    __table_args__ = (CheckConstraint("children <> 0 OR of_school_age <> 0", name="some_change"),)
