"""Who acts: accounts, the roles they were given and the scope of each role; staff passwords and second factors."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.vault import Sealed

LANGUAGES = ("zh", "en")
"""In which people read pages, letters and messages."""

ROLES = ("guardian", "helper", "clerk", "head", "area_official", "city_official", "auditor", "operator")
DESK_OF_ROLE = {
    "guardian": "parents",
    "helper": "helpers",
    "clerk": "staff",
    "head": "staff",
    "area_official": "officials",
    "city_official": "officials",
    "auditor": "officials",
    "operator": "officials",
}


class Account(Base):
    """A person who signs in: a guardian by phone, everybody else by login name, password and second factor.

    A phone without an index is one that nobody has proved yet: it can be told things, and nobody signs in with it.
    `language` is that of the messages to this person.
    """

    __tablename__ = "account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    login: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(Sealed("account.name"))
    phone: Mapped[str | None] = mapped_column(Sealed("account.phone"))
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    password_hash: Mapped[str | None]
    second_factor: Mapped[str | None] = mapped_column(Sealed("account.second_factor"))
    second_factor_used: Mapped[int | None]
    disabled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    language: Mapped[str] = mapped_column(default="zh", server_default="zh")

    grants: Mapped[list["RoleGrant"]] = relationship(back_populates="account", lazy="selectin")

    __table_args__ = (
        CheckConstraint("phone IS NOT NULL OR login IS NOT NULL OR disabled_at IS NOT NULL", name="somehow_reached"),
        CheckConstraint("language IN ('" + "','".join(LANGUAGES) + "')", name="known_language"),
        CheckConstraint("login IS NULL OR password_hash IS NOT NULL", name="login_needs_password"),
    )


class RoleGrant(Base):
    """One role of an account and where it holds: a kindergarten, an area, or (neither) the whole city."""

    __tablename__ = "role_grant"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]
    kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))

    account: Mapped[Account] = relationship(back_populates="grants")

    __table_args__ = (
        CheckConstraint("role IN ('" + "','".join(ROLES) + "')", name="known_role"),
        CheckConstraint("(role IN ('clerk','head')) = (kindergarten_id IS NOT NULL)", name="staff_has_a_kindergarten"),
        CheckConstraint("(role = 'area_official') = (area_code IS NOT NULL)", name="area_official_has_an_area"),
        UniqueConstraint("account_id", "role", "kindergarten_id", "area_code", postgresql_nulls_not_distinct=True),
    )


@dataclass(frozen=True)
class OnBehalf:
    """A community helper acts for a guardian, under a mandate, within one season and since a moment."""

    helper_id: uuid.UUID
    mandate_id: uuid.UUID
    year: int
    since: dt.datetime


@dataclass(frozen=True)
class Actor:
    """Who does an act, as verbs see it: a value, so nothing below the portal asks the air for the user.

    `account_id` is whose things the act is about.  Only where a helper acts `on_behalf` of that account is it not also
    who does it: `hand` is.
    """

    account_id: uuid.UUID | None
    name: str
    roles: frozenset[str] = frozenset()
    kindergartens: frozenset[uuid.UUID] = field(default_factory=frozenset)
    areas: frozenset[str] = field(default_factory=frozenset)
    on_behalf: OnBehalf | None = None

    @property
    def hand(self) -> uuid.UUID | None:
        """The account of the person who does the act."""
        return self.on_behalf.helper_id if self.on_behalf else self.account_id

    @property
    def desk(self) -> str | None:
        """The desk where this person works; city-wide roles win over narrower ones."""
        for role in reversed(ROLES):
            if role in self.roles:
                return DESK_OF_ROLE[role]
        return None

    def is_any(self, *roles: str) -> bool:
        return bool(self.roles & set(roles))


SYSTEM = Actor(account_id=None, name="system")


def require_oneself(by: Actor) -> None:
    """Refuse `only_the_guardian` to a helper: what a family decides, it decides itself."""
    if by.on_behalf is not None:
        raise Refused("only_the_guardian")


def choose_language(session: Session, language: str, *, by: Actor) -> None:
    """Remember in which language this person reads.  Raises ValueError for another than `LANGUAGES`."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {LANGUAGES}")
    mine = update(Account).where(Account.id == by.hand, Account.language != language)
    session.execute(mine.values(language=language))


def actor_of(account: Account) -> Actor:
    return Actor(
        account_id=account.id,
        name=account.name,
        roles=frozenset(grant.role for grant in account.grants),
        kindergartens=frozenset(grant.kindergarten_id for grant in account.grants if grant.kindergarten_id),
        areas=frozenset(grant.area_code for grant in account.grants if grant.area_code),
    )
