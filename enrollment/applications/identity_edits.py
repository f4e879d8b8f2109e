"""Whether a child's identity may still be edited directly.  Every page and every role uses this check.

After a list with the child was frozen, its ticket, place and notice belong to this identity.  From then on only an agreed
correction changes its name, birth date, sex or document, in any round and season and for any role.
"""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.ground.errors import Refused
from enrollment.people.person_rows import Child
from enrollment.season.round_rows import Round, RoundStage

FROZEN_STAGES = (RoundStage.FROZEN, RoundStage.DRAWN, RoundStage.PUBLISHED)

FIELD_OF_COLUMN = {"name": "name", "born": "born", "sex": "sex", "id_kind": "id_number", "id_number": "id_number"}
"""The form field of each column, for error messages."""


def identity_is_free(session: Session, child_id: uuid.UUID) -> bool:
    """True if no round with a wish of this child, in any season, was ever frozen."""
    frozen = (
        select(Wish.rank)
        .join(Round, Round.id == Wish.round_id)
        .join(Application, Application.id == Wish.application_id)
        .where(Application.child_id == child_id, Round.stage.in_(FROZEN_STAGES))
    )
    return session.scalar(frozen.limit(1)) is None


def require_free_identity(session: Session, child: Child, values: dict) -> None:
    """Refuse `identity_needs_a_request` if `values` differ from the child's and can no longer be edited directly."""
    changed = [column for column in FIELD_OF_COLUMN if values[column] != getattr(child, column)]
    if changed and not identity_is_free(session, child.id):
        raise Refused("identity_needs_a_request", field=FIELD_OF_COLUMN[changed[0]])
