"""The first statement of a request: its web session with the account, roles, unread messages, the clock and the catalogue.

A browser without a session only asks for the clock and the stamps of the catalogue.
"""

import datetime as dt
import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from flask import current_app, g
from sqlalchemy import BigInteger, ColumnElement, bindparam, extract, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.ground import outbox
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.demo_clock import DemoClock
from enrollment.ground.reading.catalogue import Catalogue, stamps_sql
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.reading.read_ahead import Read, compiled
from enrollment.ground.sign_in import WebSession
from portal.web import clock

ACCOUNT = Read(Account, Account.id, unread=(Account.password_hash, Account.second_factor, Account.second_factor_used))
"""An account without its secrets, which are loaded where a password or a code is checked."""

GRANTS = Read(RoleGrant, RoleGrant.account_id)


@dataclass(frozen=True)
class Common:
    """What every request reads: the time of the database, how far the demo's clock is ahead, and the stamps of the catalogue."""

    read_at: dt.datetime
    ahead: dt.timedelta
    stamps: Mapping[str, str]


@dataclass(frozen=True)
class StoredSession:
    """The row of a web session, with its account (None before the sign-in) and the number of the account's unread messages.

    `told` is everything of it that a page can show: equal ones give equal pages.
    """

    data: dict[str, Any]
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    account: Account | None
    unread: int
    told: tuple[Any, ...]


def stored_session(session: Session, digest: bytes) -> StoredSession | None:
    """The web session with this digest; None if there is none.  Keeps what every request reads in `g`."""
    found = _session_read().one_or_none(session, {"digest": digest})
    if found is None:
        return None
    read_at, ahead, stamps, data, *moments, account_values, grants, unread = found
    g.common = _common(read_at, ahead, stamps)
    told = data, account_values, grants, unread
    account = _account(session, account_values, grants or []) if account_values else None
    created_at, seen_at, expires_at = map(dt.datetime.fromisoformat, moments)
    return StoredSession(data, created_at, seen_at, expires_at, account, unread, told)


def common(session: Session) -> Common:
    """What every request reads, once a request."""
    if "common" not in g:
        g.common = _common(*_common_read().one(session, {}))
    return g.common


def _common(read_at: int, ahead: int | None, stamps: Mapping[str, str]) -> Common:
    found = Common(clock.of_epoch(read_at), dt.timedelta(microseconds=ahead or 0), stamps)
    current_app.extensions["newest_common"] = time.monotonic(), found
    return found


def lend_common(within: float) -> None:
    """Answer this request, which has no session, from what another request of this process read at most so many seconds ago."""
    looked, newest = current_app.extensions.get("newest_common", (float("-inf"), None))
    since = time.monotonic() - looked
    if "common" not in g and since < within:
        g.common = replace(newest, read_at=newest.read_at + dt.timedelta(seconds=since))
        g.is_common_lent = True


def is_common_lent() -> bool:
    """Whether what every request reads was read by another request here."""
    return "is_common_lent" in g


def catalogue() -> Catalogue:
    """The catalogue that this process keeps."""
    return current_app.extensions["catalogue"]


def _account(session: Session, values: list[Any], grants: list[list[Any]]) -> Account:
    account = cast(Account, ACCOUNT.shape.object(session, values[0]))
    found = [GRANTS.shape.object(session, each) for each in grants]
    set_committed_value(account, "grants", found)
    g.account = account  # the session alone would not keep it alive
    return account


def _common_columns() -> list[Any]:
    read_at = sql_cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
    ahead = select(sql_cast(extract("epoch", DemoClock.ahead) * 1_000_000, BigInteger)).scalar_subquery()
    return [read_at, ahead, literal_column(stamps_sql())]


@functools.cache
def _common_read() -> PreparedRead:
    return PreparedRead(compiled(select(func.json_build_array(*_common_columns()))))


@functools.cache
def _session_read() -> PreparedRead:
    mine: ColumnElement[Any] = WebSession.account_id.expression
    account = ACCOUNT.as_json(mine).correlate(WebSession).scalar_subquery()
    grants = GRANTS.as_json(mine).correlate(WebSession).scalar_subquery()
    unread = select(func.count()).where(*outbox.unread_of(mine)).correlate(WebSession).scalar_subquery()
    columns = WebSession.data, WebSession.created_at, WebSession.seen_at, WebSession.expires_at
    row = select(func.json_build_array(*_common_columns(), *columns, account, grants, unread))
    return PreparedRead(compiled(row.where(WebSession.digest == bindparam("digest"))))
