"""What a family chose about its text messages: hours in which none is sent, and reminders that only the inbox shows.

Every message stands in the inbox.  Messages that name a right or a deadline that can be lost cannot be switched off; in
the quiet hours they wait, at most `LONGEST_QUIET` hours, which no deadline is shorter than.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import LANGUAGES, Account, Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "drafts_and_papers": ("not_handed_in", "papers_missing"),
    "rounds": ("round_open", "round_open_again", "wishes_missing"),
    "own_edits": ("application_changed", "bond_changed"),
    "arrival": ("arrival_reminder",),
}
"""What can be switched off, with the kinds of messages."""

AT_ONCE = (
    "phone_change_waiting",
    "phone_changed",
    "phone_change_stopped",
    "phone_change_taken",
    "phone_change_refused",
    "phone_release_waiting",
    "phone_released",
    "sign_on_bound",
    "access_code_issued",
    "access_code_used",
)
"""Warnings that somebody may be taking the account over: the quiet hours do not hold them."""

LONGEST_QUIET = 12


class MessageChoice(Base):
    """`quiet_from` and `quiet_until` are hours of the day in Chengdu, both None for a family without quiet hours; `muted`
    are the kinds of messages that are not sent to the phone."""

    __tablename__ = "message_choice"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    muted: Mapped[list[str]] = mapped_column(JSONB, default=list)
    changed_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint(
            "(quiet_from IS NULL AND quiet_until IS NULL)"
            " OR (quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23 AND quiet_from <> quiet_until)",
            name="hours_of_a_day",
        ),
    )


@dataclass(frozen=True)
class Choices:
    """`muted` are codes of `OPTIONAL`."""

    quiet: tuple[int, int] | None = None
    muted: frozenset[str] = frozenset()
    language: str = "zh"


def of_account(session: Session, account_id: uuid.UUID) -> Choices:
    spoken = session.get_one(Account, account_id).language
    row = session.get(MessageChoice, account_id)
    if row is None:
        return Choices(language=spoken)
    quiet = None if row.quiet_from is None or row.quiet_until is None else (row.quiet_from, row.quiet_until)
    muted = frozenset(code for code, kinds in OPTIONAL.items() if set(kinds) <= set(row.muted))
    return Choices(quiet, muted, spoken)


def save(
    session: Session,
    *,
    quiet: tuple[int, int] | None,
    muted: Collection[str],
    language: str,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Store the choices of the signed-in person.  Refuses `quiet_too_long`."""
    require_oneself(by)
    if by.account_id is None or language not in LANGUAGES:
        raise NotFound
    if quiet is not None and not 0 < (quiet[1] - quiet[0]) % 24 <= LONGEST_QUIET:
        raise Refused("quiet_too_long", field="quiet_until", most=LONGEST_QUIET)
    row: dict[str, Any] = {
        "quiet_from": quiet[0] if quiet else None,
        "quiet_until": quiet[1] if quiet else None,
        "muted": [kind for code, kinds in OPTIONAL.items() if code in muted for kind in kinds],
        "changed_at": now,
    }
    written = insert(MessageChoice).values(account_id=by.account_id, **row)
    session.execute(written.on_conflict_do_update(index_elements=["account_id"], set_=row))
    session.get_one(Account, by.account_id).language = language
    audit.record(session, "choose_messages", "account", by.account_id, by=by, now=now)
    session.flush()
    session.expire_all()
