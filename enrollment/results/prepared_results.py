"""A family's result as it was prepared before the hour: the page of the first minutes, read with one statement.

It is given only while nothing has happened since: one unanswered offer of the run, or none; no withdrawal, dispute, decision
or later run, no case about the child, and nothing that the family was asked for and did not answer.  The page of a child that is or
was bound to others is made from the rows, where the others are told; siblings apart have prepared results like everybody.  In every other case, and an hour after the opening, `family_results` reads the result as it is now.

The statement is prepared and sent without a transaction, and the page asks nothing else of its family: whether a decision of
any of the reader's children waits, which the frame of every page tells, is one of its conditions.
"""

import datetime as dt
import functools
import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import GONE_STAGES
from enrollment.draw.publication.rows import RESULT
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.accounts import Actor
from enrollment.ground.reading.catalogue import Part
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.vault import row_name, unseal
from enrollment.offers.joint_decision_rows import DecisionState
from enrollment.offers.offer_rows import OfferState

FRESH = dt.timedelta(hours=1)
"""How long after the opening the prepared places in line are shown, as those at the opening."""

_GONE = ", ".join(f"'{stage}'" for stage in (*GONE_STAGES, Stage.RETURNED))

_LOOK = f"""
    SELECT json_build_array(
        prepared_result.content, prepared_result.run_id, run.published_at, application.child_id, child.name, application.year,
        application.level, application.agrees_to_central, round.pair_rule, offer.answer_by, household.home_outside,
        household.home_area,
        EXISTS (SELECT FROM opening WHERE opening.run_id = run.id AND opening.application_id = application.id))
    FROM application
    JOIN child ON child.id = application.child_id
    JOIN guardianship ON guardianship.child_id = child.id AND guardianship.accepted_at IS NOT NULL
    JOIN guardian ON guardian.id = guardianship.guardian_id AND guardian.account_id = %(reader)s
    JOIN prepared_result ON prepared_result.application_id = application.id
    JOIN run ON run.id = prepared_result.run_id AND run.state = '{RunState.PUBLISHED}'
    JOIN round ON round.id = run.round_id
    JOIN placement ON placement.run_id = run.id AND placement.application_id = application.id
    LEFT JOIN offer ON offer.application_id = application.id AND offer.run_id = run.id AND offer.state = '{OfferState.OFFERED}'
    LEFT JOIN household ON household.application_id = application.id
    WHERE application.id = %(application)s AND application.stage NOT IN ({_GONE}) AND NOT application.on_hold
      AND (application.submitted_at < round.closes_at OR NOT EXISTS (
          SELECT FROM move_made
          WHERE move_made.application_id = application.id AND move_made.move = 'withdraw' AND move_made.at >= round.closes_at))
      AND (offer.id IS NULL) = (placement.programme_id IS NULL)
      AND application.unit IS NULL AND guardianship.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM case_file WHERE case_file.application_id = application.id)
      AND NOT EXISTS (SELECT FROM offer AS other WHERE other.application_id = application.id AND other.id IS DISTINCT FROM offer.id)
      AND NOT EXISTS (SELECT FROM guardianship AS care JOIN application AS own ON own.child_id = care.child_id
                      JOIN joint_decision ON joint_decision.application_id = own.id AND joint_decision.state = '{DecisionState.WAITING}'
                      WHERE care.guardian_id = guardian.id)
      AND NOT EXISTS (SELECT FROM placement AS later JOIN run AS newer ON newer.id = later.run_id
                      WHERE later.application_id = application.id AND newer.published_at > run.published_at)
"""  # noqa: S608  the states are ours


NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def _last_opening(session: Session) -> dt.datetime:
    return session.scalar(select(func.max(Run.published_at)).where(Run.state == RunState.PUBLISHED)) or NEVER


LAST_OPENING = Part("last_opening", ("run",), _last_opening)
"""When the newest published result was opened, kept in the process: a page of any other hour asks for nothing prepared."""


@dataclass(frozen=True)
class FreshResult:
    """`content` is that of `result_contents`.  `answer_by` is when an answer to the offer is due; None without a place."""

    application_id: uuid.UUID
    year: int
    level: str
    child_name: str
    agrees_to_central: bool
    lives_outside: bool
    home_area: str | None
    pair_rule: str
    answer_by: dt.datetime | None
    has_opening: bool
    content: dict[str, Any]


def look(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> FreshResult | None:
    """The prepared result of a child in the reader's care; None where the page has to be made from the rows of today.

    It is unsealed only for a guardian of the child, and only from the moment that opened the run.  Where it is given, no
    decision waits for a guardian of any of the reader's children.
    """
    if by.account_id is None or by.on_behalf is not None or _is_long_open(session, now):
        return None
    found = _look().one_or_none(session, {"application": application_id, "reader": by.account_id})
    if found is None:
        return None
    sealed, run, published_at, child, name, year, level, agrees, pair_rule, answer_by, outside, area, has_opening = (
        found
    )
    if not now - FRESH < dt.datetime.fromisoformat(published_at) <= now:
        return None
    content = json.loads(unseal(_bytes(sealed), RESULT, row_name(run, application_id)))
    if content["application"] != str(application_id):
        raise LookupError("a prepared result of another application")
    if content.get("bound", True):  # what an earlier version prepared does not say it
        return None
    return FreshResult(
        application_id=application_id,
        year=year,
        level=level,
        child_name=unseal(_bytes(name), "child.name", child),
        agrees_to_central=agrees,
        lives_outside=bool(outside),
        home_area=area,
        pair_rule=pair_rule,
        answer_by=None if answer_by is None else dt.datetime.fromisoformat(answer_by),
        has_opening=has_opening,
        content=content,
    )


@functools.cache
def _look() -> PreparedRead:
    return PreparedRead(_LOOK)


def _bytes(written: str) -> bytes:
    return bytes.fromhex(written[2:])


def _is_long_open(session: Session, now: dt.datetime) -> bool:
    """Whether it is known without a question that no result was opened in the last hour."""
    last = LAST_OPENING.of(session)
    return last is not None and last <= now - FRESH
