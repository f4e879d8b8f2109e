"""The household of an application: hukou, home, workplace and residence permit, as the family says them."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Numeric
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.families import changes, claims, people
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused, Stale
from enrollment.ground.vault import Sealed
from enrollment.places.areas import Area

HUKOU_KINDS = ("local", "collective", "elsewhere")
LONGEST_TEXT = 120


class Household(Base):
    """One for each application, so that what was reviewed does not change under another child's edit."""

    __tablename__ = "household"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    hukou_kind: Mapped[str | None]
    hukou_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    hukou_street: Mapped[str | None]
    hukou_since: Mapped[dt.date | None]
    home_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    home_street: Mapped[str | None]
    home_community: Mapped[str | None]
    home_estate: Mapped[str | None]
    home_address: Mapped[str | None] = mapped_column(Sealed("household.home_address"))
    home_longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    home_latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    home_owned: Mapped[bool | None]
    work_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    residence_permit_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (CheckConstraint("hukou_kind IN ('" + "','".join(HUKOU_KINDS) + "')", name="known_hukou_kind"),)


ANSWERS = frozenset(Household.__table__.columns.keys()) - {"application_id", "version"}


def of(session: Session, application_id: uuid.UUID) -> Household | None:
    return session.get(Household, application_id)


def save(
    session: Session,
    application_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
    **said: Any,
) -> Household:
    """Keep where the family is registered, lives and works; `said` are columns of the table, all of them optional.

    `version` is the household's own (0 before the first save).  The grounds that follow from these answers are claimed
    with them, so the family is not asked twice.  Refuses areas and kinds that do not exist, next to their field.
    """
    application = changes.begin(session, application_id, by=by, now=now)
    household = session.get(Household, application_id, populate_existing=True)
    if version is not None and version != (household.version if household else 0):
        raise Stale()
    values = _checked(session, said, people.today(now))
    if household is None:
        household = Household(application_id=application_id, **values)
        session.add(household)
    else:
        for field, value in values.items():
            setattr(household, field, value)
        household.version += 1
    session.flush()
    claims.follow_household(session, application, household, now=now)
    changes.keep(session, application, by=by, now=now)
    return household


def _checked(session: Session, said: dict[str, Any], today: dt.date) -> dict[str, Any]:
    unknown = said.keys() - ANSWERS
    if unknown:
        raise TypeError(f"a household has no {', '.join(sorted(unknown))}")
    values = {name: _tidied(value) for name, value in said.items()}
    if "hukou_kind" in values and values["hukou_kind"] not in HUKOU_KINDS:
        raise Refused("hukou_kind_missing", field="hukou_kind")
    if values.get("hukou_kind") == "elsewhere":
        values |= {"hukou_area": None, "hukou_street": None, "hukou_since": None}
    elif values.get("hukou_kind") and "hukou_area" in values and values["hukou_area"] is None:
        raise Refused("hukou_area_missing", field="hukou_area")
    if "home_area" in values and values["home_area"] is None:
        raise Refused("home_area_missing", field="home_area")
    for field in ("hukou_area", "home_area", "work_area", "residence_permit_area"):
        if values.get(field) and session.get(Area, values[field]) is None:
            raise Refused("area_unknown", field=field)
    since = values.get("hukou_since")
    if since is not None and since > today:
        raise Refused("hukou_since_in_future", field="hukou_since")
    return values


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())[:LONGEST_TEXT] or None
    return value
