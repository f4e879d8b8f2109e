"""Notifications to families, written to the outbox in the same transaction as the event that they report.

Recipients: every guardian of the child whose guardianship is accepted.  Each of them has an account and gets a message of
their own; nobody else gets one.  A message is written once for an event, a child's application and a guardian, however
often the function runs.

With `by`, each message says who made the decision, as its reader names them: `you`, the relation to the child, or who
acted for a family, a kindergarten, the offices or the scheduler (`who` in `params`, a code of the text group `who`).

`notify_guardians` sends the same message about each application; `notify_guardians_together` sends each guardian one
message about an act on several children; `notify_guardians_each` sends a different message about each application;
`notify_guardians_of` sends messages about the rows of a query, without loading them.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground.accounts import SYSTEM, Actor, Role
from enrollment.ground.sealed.codes import keyed

BATCH = 2000

NO_CODE = "—"
"""Stands in a message for the registration code of an application that was not handed in; words leave it out."""
"""Notifications in one statement."""

_NAMED = re.compile(r"(?<!:):(\w+)")

BY_ROLE = {
    Role.SYSTEM: "system",
    Role.CITY_OFFICIAL: "city_office",
    Role.AREA_OFFICIAL: "area_office",
    Role.HEAD: "kindergarten",
    Role.CLERK: "kindergarten",
}
"""The code by which families read of an actor who is not a guardian; the wider role comes first."""

HELPED = "helper_"
"""Prefix of `who` where a community worker acted for the guardian that the rest of the code names."""

OF_APPLICATIONS = """
    SELECT child_id, id AS application_id, coalesce(CAST(:event AS text), :kind || ':' || version) AS event, CAST(:params AS jsonb) AS params
    FROM application WHERE id = ANY(:ids)
"""

OF_VALUES = """
    SELECT * FROM jsonb_to_recordset(CAST(:notifications AS jsonb))
        AS given (child_id uuid, application_id uuid, event text, params jsonb)
"""


@dataclass(frozen=True)
class Notification:
    """A message to the guardians of `child_id`.

    `event` is the key of what happened: there is one message for an event, an application and a guardian.  `params` are
    codes and numbers for the text of the message; names are looked up when it is read.
    """

    child_id: uuid.UUID
    application_id: uuid.UUID
    event: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        row = {"child_id": str(self.child_id), "application_id": str(self.application_id)}
        return row | {"event": self.event, "params": dict(self.params)}


def notify_guardians(
    session: Session,
    kind: str,
    application_ids: Collection[uuid.UUID],
    *,
    now: dt.datetime,
    event: str | None = None,
    by: Actor | None = None,
    **params: Any,
) -> None:
    """Send the same message to the guardians of the children of these applications, in one statement.

    Without `event`, there is one message for each `kind` and version of an application.
    """
    values = {"ids": list(application_ids), "event": event, "params": json.dumps(keyed(params))}
    _write(session, kind, OF_APPLICATIONS, values, now, by)


def notify_guardians_together(
    session: Session,
    kind: str,
    application_ids: Collection[uuid.UUID],
    *,
    now: dt.datetime,
    event: str,
    by: Actor | None = None,
    **params: Any,
) -> None:
    """Send each guardian one message about an act that changed several children.

    The message names only the children that this guardian cares for: `together` are their applications,
    `codes` the registration codes of those that were handed in.  With `by`, a guardian who acted and cares for none of
    them is named as the family.
    """
    statement = text(f"""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), :event || ':' || guardian.account_id, :kind, guardian.account_id,
               about.children[1], about.applications[1],
               CAST(:params AS jsonb) || jsonb_build_object('together', about.applications, 'codes', about.codes)
               || {_who(by, "ANY(about.children)", "family")},
               :now
        FROM (
            SELECT guardianship.guardian_id,
                   array_agg(application.child_id ORDER BY application.id) AS children,
                   array_agg(application.id ORDER BY application.id) AS applications,
                   coalesce(string_agg(application.registration_code, '、' ORDER BY application.id), '{NO_CODE}') AS codes
            FROM application
            JOIN guardianship ON guardianship.child_id = application.child_id AND guardianship.accepted_at IS NOT NULL
            WHERE application.id = ANY(:ids)
            GROUP BY guardianship.guardian_id) AS about
        JOIN guardian ON guardian.id = about.guardian_id
        ON CONFLICT (key) DO NOTHING
    """)  # noqa: S608 (`_who` is made of constants; its values are bound)
    session.flush()
    values = {
        "ids": list(application_ids),
        "event": event,
        "kind": kind,
        "now": now,
        "params": json.dumps(keyed(params)),
    }
    who = {} if by is None else _values_of_who(by)
    session.execute(statement, values | who)


def notify_guardians_each(
    session: Session,
    kind: str,
    notifications: Iterable[Notification],
    *,
    now: dt.datetime,
    by: Actor | None = None,
) -> None:
    """Send these messages to the guardians of their children, `BATCH` notifications in a statement."""
    waiting = list(notifications)
    for start in range(0, len(waiting), BATCH):
        rows = [each.as_row() for each in waiting[start : start + BATCH]]
        _write(session, kind, OF_VALUES, {"notifications": json.dumps(keyed(rows))}, now, by)


def notify_guardians_of(
    session: Session,
    kind: str,
    selection: str,
    values: Mapping[str, Any],
    *,
    now: dt.datetime,
    by: Actor | None = None,
    params: Mapping[str, Any] | None = None,
) -> None:
    """Send a message about each row of `selection` to the child's guardians, in one statement.

    `selection` is SQL that selects `child_id`, `application_id` and `event`; `values` are its bound parameters.
    """
    with_params = f"SELECT selected.*, CAST(:params AS jsonb) AS params FROM ({selection}) AS selected"  # noqa: S608
    _write(session, kind, with_params, {**values, "params": json.dumps(keyed(params or {}))}, now, by)


def _write(
    session: Session, kind: str, about: str, values: Mapping[str, Any], now: dt.datetime, by: Actor | None
) -> None:
    """Write the messages."""
    selected, who = messages_query(kind, about, by)
    statement = text(f"""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), key, kind, account_id, child_id, application_id, params, :now FROM ({selected}) AS told
        ON CONFLICT (key) DO NOTHING
    """)  # noqa: S608 (`selected` is made of constants; its values are bound)
    session.flush()
    session.execute(statement, {**values, **who, "now": now})


def messages_query(kind: str, about: str, by: Actor | None) -> tuple[str, dict[str, Any]]:
    """SQL of one row for each message about the rows of `about`, with its values: key, kind, account_id, child_id,
    application_id and params.  The recipients are the guardians of each child.

    `about` selects child_id, application_id, event and params (jsonb).
    """
    selected = f"""
        SELECT about.event || ':' || about.application_id || ':' || guardian.account_id AS key, CAST(:kind AS text) AS kind,
               guardian.account_id, about.child_id, about.application_id, about.params || {_who(by)} AS params
        FROM ({about}) AS about
        JOIN guardianship ON guardianship.child_id = about.child_id AND guardianship.accepted_at IS NOT NULL
        JOIN guardian ON guardian.id = guardianship.guardian_id
    """  # noqa: S608 (`about` and `_who` are constants; their values are bound)
    return selected, {"kind": kind} | ({} if by is None else _values_of_who(by))


def messages_text(about: str) -> str:
    """The same query, of an actor, with the parameters of psycopg; the text does not depend on the actor."""
    selected, _values = messages_query("", about, SYSTEM)
    return _NAMED.sub(r"%(\1)s", selected)


def _who(by: Actor | None, children: str = "about.child_id", unrelated: str = "other") -> str:
    """SQL of the parameter `who` for the guardian of the enclosing row; a guardian who acts is named by its relation to one
    of `children`, or `unrelated` where it has none."""
    if by is None:
        return "'{}'"
    return f"""jsonb_build_object('who', coalesce(CAST(:office AS text), :helped || CASE
        WHEN guardian.account_id = CAST(:actor AS uuid) THEN 'you'
        ELSE coalesce((
            SELECT own.relation FROM guardianship AS own JOIN guardian AS acting ON acting.id = own.guardian_id
            WHERE own.child_id = {children} AND own.accepted_at IS NOT NULL
              AND acting.account_id = CAST(:actor AS uuid)
            ORDER BY own.child_id LIMIT 1), '{unrelated}') END))"""  # noqa: S608 (constants)


def _values_of_who(by: Actor) -> dict[str, Any]:
    office = next((code for role, code in BY_ROLE.items() if by.is_any(role)), None)
    return {"office": office, "actor": by.account_id, "helped": HELPED if by.on_behalf else ""}
