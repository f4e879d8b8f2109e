"""A save of one page of a plain draft: one statement that changes the application and everything that the page holds.

The plain case: a separate child's draft that is not on hold, of a signed-in guardian, while registration is open, and the page
is the newest.  What the page needs was read by the caller, in one statement that writes nothing (`results.family_state`); the
modules beside this one make a `Change` from it, or None for any other case, which the service then decides.
"""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.ground.accounts import Actor
from enrollment.season.round_rows import KINDS_WITH_WISHES, RoundStage

_KINDS = "', '".join(KINDS_WITH_WISHES)

TAKES_WISHES = f"""
    round.year = application.year AND application.level = ANY(round.levels)
        AND round.kind IN ('{_KINDS}') AND round.stage = '{RoundStage.OPEN}'
        AND round.opens_at <= %(now)s AND round.closes_at > %(now)s
        AND season.announced_at IS NOT NULL AND season.closed_at IS NULL
"""
"""That a round, joined with its season, takes registrations for the application now."""

REGISTRATION_IS_OPEN = f"""
    EXISTS (SELECT FROM round JOIN season ON season.year = round.year WHERE {TAKES_WISHES})
"""

IN_CARE = """
    EXISTS (SELECT FROM guardianship JOIN guardian ON guardian.id = guardianship.guardian_id
        WHERE guardianship.child_id = application.child_id AND accepted_at IS NOT NULL AND account_id = %(account)s)
"""
"""That the account is an accepted guardian of the child."""

KEPT = f"""
    {lifecycle.NEXT_VERSION}
    WHERE id = %(application)s AND version = %(version)s AND stage = '{Stage.DRAFT}' AND unit IS NULL AND NOT on_hold
      AND {IN_CARE} AND {REGISTRATION_IS_OPEN}
"""
"""The change of the application itself, which `edits.keep` makes in the service.  The caller adds conditions and RETURNING."""


def values_of(application: Application, *, by: Actor, now: dt.datetime) -> dict[str, Any]:
    """The parameters of `KEPT`."""
    return {"application": application.id, "version": application.version, "account": by.account_id, "now": now}


def is_plain(read: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it looks like a plain draft.  The statement asks again."""
    is_separate = application.unit is None and not application.on_hold
    draft = application.stage == Stage.DRAFT and is_separate
    return draft and deadlines.of(read, application, now=now).open is not None
