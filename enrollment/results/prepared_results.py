"""A family's result as it was prepared before the hour: the page of the first minutes, read with one statement.

It is given only while nothing has happened since: one unanswered offer of the run, or none; no bond, dispute, decision or
later run, and nothing that the family was asked for and did not answer.  In every other case, and an hour after the opening, `family_results` reads the result as it is now.
"""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.publication.rows import RESULT
from enrollment.draw.run_rows import PUBLISHED_PLACEMENTS, RUNS, RunState
from enrollment.ground.accounts import Actor
from enrollment.ground.vault import row_name, unseal
from enrollment.offers.joint_decision_rows import DecisionState
from enrollment.offers.offer_rows import OfferState

FRESH = dt.timedelta(hours=1)
"""How long after the opening the prepared places in line are shown, as those at the opening."""

_LOOK = text("""
    SELECT prepared_result.content, prepared_result.run_id, application.child_id, application.year, application.level, application.agrees_to_central, child.name,
           round.pair_rule, offer.answer_by, household.home_outside,
           EXISTS (SELECT FROM opening WHERE opening.run_id = run.id AND opening.application_id = application.id) AS has_opening
    FROM application
    JOIN child ON child.id = application.child_id
    JOIN guardianship ON guardianship.child_id = child.id AND guardianship.accepted_at IS NOT NULL
    JOIN guardian ON guardian.id = guardianship.guardian_id AND guardian.account_id = :reader
    JOIN prepared_result ON prepared_result.application_id = application.id
    JOIN run ON run.id = prepared_result.run_id AND run.state = :published AND run.published_at <= :now
        AND run.published_at > :since
    JOIN round ON round.id = run.round_id
    JOIN placement ON placement.run_id = run.id AND placement.application_id = application.id
    LEFT JOIN offer ON offer.application_id = application.id AND offer.run_id = run.id AND offer.state = :offered
    LEFT JOIN household ON household.application_id = application.id
    WHERE application.id = :application AND application.stage <> ALL(:gone) AND NOT application.on_hold
      AND (offer.id IS NULL) = (placement.programme_id IS NULL)
      AND application.unit IS NULL AND guardianship.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM offer AS other WHERE other.application_id = application.id AND other.id IS DISTINCT FROM offer.id)
      AND NOT EXISTS (SELECT FROM joint_decision WHERE joint_decision.application_id = application.id AND joint_decision.state = :waiting)
      AND NOT EXISTS (SELECT FROM application AS sibling WHERE sibling.family_code = application.family_code
                        AND sibling.year = application.year AND sibling.id <> application.id)
      AND NOT EXISTS (SELECT FROM placement AS later JOIN run AS newer ON newer.id = later.run_id
                      WHERE later.application_id = application.id AND newer.published_at > run.published_at)
""")


@dataclass(frozen=True)
class FreshResult:
    """`content` is that of `result_contents`.  `answer_by` is when an answer to the offer is due; None without a place."""

    application_id: uuid.UUID
    year: int
    level: str
    child_name: str
    agrees_to_central: bool
    lives_outside: bool
    pair_rule: str
    answer_by: dt.datetime | None
    has_opening: bool
    content: dict[str, Any]


def look(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> FreshResult | None:
    """The prepared result of a child in the reader's care; None where the page has to be made from the rows of today.

    It is unsealed only for a guardian of the child, and only from the moment that opened the run.
    """
    if by.account_id is None or by.on_behalf is not None or _is_long_open(session, application_id, now):
        return None
    values = {"application": application_id, "reader": by.account_id, "now": now, "since": now - FRESH}
    states = {"published": RunState.PUBLISHED, "offered": OfferState.OFFERED, "waiting": DecisionState.WAITING}
    row = session.execute(_LOOK, {**values, **states, "gone": [*DEAD_STAGES, Stage.RETURNED]}).one_or_none()
    if row is None:
        return None
    content = json.loads(unseal(row.content, RESULT, row_name(row.run_id, application_id)))
    if content["application"] != str(application_id):
        raise LookupError("a prepared result of another application")
    return FreshResult(
        application_id=application_id,
        year=row.year,
        level=row.level,
        child_name=unseal(row.name, "child.name", row.child_id),
        agrees_to_central=row.agrees_to_central,
        lives_outside=bool(row.home_outside),
        pair_rule=row.pair_rule,
        answer_by=row.answer_by,
        has_opening=row.has_opening,
        content=content,
    )


def _is_long_open(session: Session, application_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether it is known without a question that no run of the last hour placed the child."""
    known = PUBLISHED_PLACEMENTS.ahead(session, application_id)
    runs = [run for each in known or () for run in RUNS.of(session, each.run_id)]
    return known is not None and not any(run.published_at and run.published_at > now - FRESH for run in runs)
