"""A save of one page of a returned application: one statement, like that of a draft, also after registration has ended.

Until it is handed in again a change makes no receipt.  The plain case: a separate child that is not on hold, in this person's
care, while registration is open or the newest round is not frozen yet; no fact was found and no refusal is proposed.
"""

import dataclasses
import datetime as dt
import functools
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.statements.draft_changes import IS_SEPARATE, REGISTRATION_IS_OPEN
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change, Page

TO_REGISTRATION = Page(parts="", condition=REGISTRATION_IS_OPEN)
"""What is asked of the time while registration is open."""
TO_REVIEW = Page(
    parts="",
    before=f"""
    unfrozen AS (
        SELECT id FROM round WHERE id = %(last_round)s
            AND stage IN ('{"', '".join(deadlines.BEFORE_THE_FREEZE)}') FOR SHARE),
    """,  # noqa: S608 (constants)
    condition="EXISTS (SELECT FROM unfrozen)",
)
"""The same afterwards: a round that is not frozen and stays so until the end of the statement, as `deadlines.before_the_freeze` asks."""

NO_REFUSAL = """
    NOT EXISTS (SELECT FROM refusal_proposal
        WHERE refusal_proposal.application_id = application.id AND decided_at IS NULL)
"""
NO_FINDING = "NOT EXISTS (SELECT FROM verified_fact WHERE verified_fact.application_id = application.id)"
"""What a change of answers may end besides is left to the service."""


def is_plain(read: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it looks like the plain case.  The statement asks again."""
    if application.stage != Stage.RETURNED or application.unit is not None or application.on_hold:
        return False
    times = deadlines.of(read, application, now=now)
    return times.open is not None or times.returned_may_be_answered


def in_time(read: Session, application: Application, *, now: dt.datetime) -> tuple[Page, dict[str, Any]]:
    """What the statement asks of the time, with its values."""
    times = deadlines.of(read, application, now=now)
    values = {"last_round": None if times.last is None else times.last.id}
    return TO_REGISTRATION if times.open is not None else TO_REVIEW, values


def change(read: Session, application: Application, made: Change, *, now: dt.datetime) -> Change | None:
    """The change of a page, made of a draft, of a returned application."""
    if made.page is None:
        return None
    time, values = in_time(read, application, now=now)
    return dataclasses.replace(made, statement=_statement(made.page, time), values=made.values | values)


@functools.cache
def _statement(page: Page, time: Page) -> str:
    return f"""
    WITH {time.before} {page.before}
    kept AS (
        {lifecycle.NEXT_VERSION} {page.source}
        WHERE {IS_SEPARATE} AND application.stage = '{Stage.RETURNED}' AND {time.condition} AND {page.condition}
          AND {NO_REFUSAL} AND {NO_FINDING}
        RETURNING application.id{page.returning}),
    {page.parts},
    {DONE}
    SELECT id, {SAVED} FROM kept
"""  # noqa: S608 (constants)
