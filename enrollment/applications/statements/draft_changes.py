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
from enrollment.applications.statements.keyed_write import DONE, SAVED, Page
from enrollment.ground.accounts import Actor
from enrollment.season.round_rows import KINDS_WITH_WISHES, RoundStage

_KINDS = "', '".join(KINDS_WITH_WISHES)

_IS_OPEN = f"""
    round.year = application.year AND application.level = ANY(round.levels)
        AND round.kind IN ('{_KINDS}') AND round.stage = '{RoundStage.OPEN}'
        AND season.announced_at IS NOT NULL AND season.closed_at IS NULL
"""
"""That a round, joined with its season, is the open one of the application's year, whether its time has come or passed."""

TAKES_WISHES = f"""
    {_IS_OPEN}
        AND round.opens_at <= %(now)s AND round.closes_at > %(now)s
"""
"""That a round, joined with its season, takes registrations for the application now."""

REGISTRATION_IS_OPEN = f"""
    EXISTS (SELECT FROM round JOIN season ON season.year = round.year WHERE {TAKES_WISHES})
"""

_WISHES = """
    EXISTS (SELECT FROM round JOIN season ON season.year = round.year JOIN wish ON wish.round_id = round.id
        WHERE wish.application_id = application.id AND
"""
WISHES_IN_OPEN_ROUND = f"{_WISHES} {_IS_OPEN})"
"""That the application has a wish in the round that is open, for a read that is not given the time."""
WISHES_NOW = f"{_WISHES} {TAKES_WISHES})"
"""That it has a wish in a round that takes registrations now: what `completeness.has_wish` asks of a draft."""

IN_CARE = """
    EXISTS (SELECT FROM guardianship JOIN guardian ON guardian.id = guardianship.guardian_id
        WHERE guardianship.child_id = application.child_id AND accepted_at IS NOT NULL AND account_id = %(account)s)
"""
"""That the account is an accepted guardian of the child."""

IS_SEPARATE = f"""
    application.id = %(application)s AND application.version = %(version)s AND application.unit IS NULL
      AND NOT application.on_hold AND {IN_CARE}
"""
"""The application of `values_of` as it was read: of a separate child, in this person's care, and not held."""

IS_PLAIN_NOW = f"""
    {IS_SEPARATE} AND application.stage = '{Stage.DRAFT}' AND {REGISTRATION_IS_OPEN}
"""
"""The application of `values_of` as a plain draft that its guardian may change now."""


def statement(page: Page) -> str:
    """The save of a page of a plain draft: the application gets its next version, as `edits.keep` gives it in the service."""
    return f"""
    WITH {page.before}
    kept AS (
        {lifecycle.NEXT_VERSION} {page.source}
        WHERE {IS_PLAIN_NOW} AND {page.condition}
        RETURNING application.id{page.returning}),
    {page.parts},
    {DONE}
    SELECT id, {SAVED} FROM kept
"""  # noqa: S608 (constants)


def values_of(application: Application, *, by: Actor, now: dt.datetime) -> dict[str, Any]:
    """The parameters of `IS_SEPARATE`, and the time."""
    return {"application": application.id, "version": application.version, "account": by.account_id, "now": now}


def is_plain(read: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it looks like a plain draft.  The statement asks again."""
    is_separate = application.unit is None and not application.on_hold
    draft = application.stage == Stage.DRAFT and is_separate
    return draft and deadlines.of(read, application, now=now).open is not None
