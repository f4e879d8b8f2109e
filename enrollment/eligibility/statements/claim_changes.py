"""The claims of an application replaced inside a larger statement, which changes the application in its CTE `kept`."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications.claim_rows import CLAIMS, DETAILS, Claim
from enrollment.ground.sealed.codes import token_of
from enrollment.ground.vault import row_name
from enrollment.season.facts import Ground

CLAIMED = """
    unclaimed AS (
        DELETE FROM claim USING kept WHERE application_id = kept.id AND ground = ANY(%(unclaimed)s)),
    claimed AS (
        INSERT INTO claim (application_id, ground, details, claimed_at)
        SELECT kept.id, ground, details, %(now)s
        FROM kept, unnest(%(grounds)s::text[], %(details)s::bytea[]) AS said (ground, details)
        ON CONFLICT (application_id, ground) DO UPDATE SET details = excluded.details, claimed_at = excluded.claimed_at)
"""
"""Two CTEs with the parameters of `claim_values`, and `now`.  No ground is in both."""


def claim_values(
    read: Session,
    application_id: uuid.UUID,
    among: Sequence[Ground],
    wanted: dict[Ground, dict[str, Any]],
    *,
    now: dt.datetime,
) -> dict[str, Any]:
    """What replaces the claims of the grounds in `among` by `wanted`; a claim that stays as it is keeps its date.

    The claims of `read` are then those after the change.
    """
    there = {Ground(claim.ground): claim for claim in CLAIMS.of(read, application_id)}
    replaced = [ground for ground in among if ground in there and ground not in wanted]
    written = [ground for ground, details in wanted.items() if ground not in there or there[ground].details != details]
    fresh = {
        ground: Claim(application_id=application_id, ground=ground.value, details=wanted[ground], claimed_at=now)
        for ground in written
    }
    left = {ground: claim for ground, claim in there.items() if ground not in replaced}
    CLAIMS.put(read, application_id, list((left | fresh).values()))
    names = [token_of(ground.value) for ground in written]
    return {
        "unclaimed": [token_of(ground.value) for ground in replaced],
        "grounds": names,
        "details": [
            DETAILS.sealed(wanted[ground], row_name(application_id, name))
            for ground, name in zip(written, names, strict=True)
        ],
    }
