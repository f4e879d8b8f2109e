"""Accounts, their roles and the scope of each role; the actor of a service function."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    UniqueConstraint,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.phones import SealedPhone
from enrollment.ground.sealed.values import Sealed

LANGUAGES = ("zh", "en")
"""The languages of pages, letters and messages."""


class Role(StrEnum):
    """What somebody is to an act.  `SYSTEM` is the clock and the commands of the machine; no account is granted it."""

    GUARDIAN = "guardian"
    HELPER = "helper"
    CLERK = "clerk"
    HEAD = "head"
    AREA_OFFICIAL = "area_official"
    CITY_OFFICIAL = "city_official"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    SYSTEM = "system"


ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
"""The roles that an account can be granted, the narrower before the wider."""

DESK_OF_ROLE: dict[str, str] = {
    Role.GUARDIAN: "parents",
    Role.HELPER: "helpers",
    Role.CLERK: "staff",
    Role.HEAD: "staff",
    Role.AREA_OFFICIAL: "officials",
    Role.CITY_OFFICIAL: "officials",
    Role.AUDITOR: "officials",
    Role.OPERATOR: "officials",
}


class Account(Base):
    """A person who signs in: a guardian by phone, everybody else by login name, password and second factor.

    A phone without an index is not verified: it can receive messages, but nobody can sign in with it.  A guardian
    without a phone is entered by a helper and signs in with a printed access code.  `desk_phone` is the office number
    of an official, which families see.
    `language` is that of the messages to this person.
    """

    __tablename__ = "account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    login: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(Sealed("account.name"))
    phone: Mapped[str | None] = mapped_column(SealedPhone("account.phone"))
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    desk_phone: Mapped[str | None]
    password_hash: Mapped[str | None]
    second_factor: Mapped[str | None] = mapped_column(Sealed("account.second_factor"))
    second_factor_used: Mapped[int | None]
    disabled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    phone_proven_at: Mapped[dt.datetime | None]
    language: Mapped[str] = mapped_column(default="zh", server_default="zh")

    grants: Mapped[list["RoleGrant"]] = relationship(back_populates="account", lazy="selectin")

    __table_args__ = (
        CheckConstraint("language IN ('" + "','".join(LANGUAGES) + "')", name="known_language"),
        CheckConstraint("login IS NULL OR password_hash IS NOT NULL", name="login_needs_password"),
    )


class RoleGrant(Base):
    """One role of an account and its scope: a kindergarten, an area, or (with neither) the whole city."""

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
class Office:
    """Who decides a subject: officials of the city, with `area` also those of the area, with `kindergarten` also its staff.

    Both are values, or columns of the statement in which `held_by` is used.
    """

    area: Any = None
    kindergarten: Any = None
    city: bool = True

    def held_by(self, account: Any) -> ColumnElement[bool]:
        """SQL condition: this account is not disabled, and has a role today with which it may decide the subject."""
        role, roles, holder = RoleGrant.role, [], aliased(Account)
        if self.city:
            roles.append(role == Role.CITY_OFFICIAL)
        if self.area is not None:
            roles.append(and_(role == Role.AREA_OFFICIAL, RoleGrant.area_code == self.area))
        if self.kindergarten is not None:
            roles.append(and_(role.in_((Role.CLERK, Role.HEAD)), RoleGrant.kindergarten_id == self.kindergarten))
        held = select(RoleGrant.id).where(RoleGrant.account_id == account, or_(*roles))
        return held.join(holder, holder.id == RoleGrant.account_id).where(holder.disabled_at.is_(None)).exists()


CITY = Office()


@dataclass(frozen=True)
class OnBehalf:
    """A community helper acts for a guardian under a mandate: in season `year`, from the time `since`."""

    helper_id: uuid.UUID
    mandate_id: uuid.UUID
    year: int
    since: dt.datetime


@dataclass(frozen=True)
class Actor:
    """The person who acts, as an argument of every service function.

    `account_id` is the account that the act is about.  When a helper acts `on_behalf` of it, `acting_account_id` is the
    account of the helper; otherwise the two are equal.
    """

    account_id: uuid.UUID | None
    name: str
    roles: frozenset[str] = frozenset()
    kindergartens: frozenset[uuid.UUID] = field(default_factory=frozenset)
    areas: frozenset[str] = field(default_factory=frozenset)
    on_behalf: OnBehalf | None = None

    @property
    def acting_account_id(self) -> uuid.UUID | None:
        """The account of the person who performs the act: the helper, if there is one."""
        return self.on_behalf.helper_id if self.on_behalf else self.account_id

    @property
    def desk(self) -> str | None:
        """The desk of this person's widest role; None without a role."""
        for role in reversed(ROLES):
            if role in self.roles:
                return DESK_OF_ROLE[role]
        return None

    def is_any(self, *roles: str) -> bool:
        return bool(self.roles & set(roles))


SYSTEM = Actor(account_id=None, name="system", roles=frozenset({Role.SYSTEM}))


def require_oneself(by: Actor) -> None:
    """Refuse `only_the_guardian` to a helper.  For acts that a family must do itself."""
    if by.on_behalf is not None:
        raise Refused("only_the_guardian")


def choose_language(session: Session, language: str, *, by: Actor) -> None:
    """Remember in which language this person reads.  Raises ValueError for another than `LANGUAGES`."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {LANGUAGES}")
    mine = update(Account).where(Account.id == by.acting_account_id, Account.language != language)
    session.execute(mine.values(language=language))


def actor_of(account: Account) -> Actor:
    return Actor(
        account_id=account.id,
        name=account.name,
        roles=frozenset(grant.role for grant in account.grants),
        kindergartens=frozenset(grant.kindergarten_id for grant in account.grants if grant.kindergarten_id),
        areas=frozenset(grant.area_code for grant in account.grants if grant.area_code),
    )
