"""The opening of a child's result: what its family needs to check it against the public file of the run."""

import datetime as dt
import uuid
import zlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.files import opening_packing
from enrollment.applications.applications import Application
from enrollment.draw.run_rows import OPENING, PUBLISHED_OPENINGS, Opening, Run
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound
from enrollment.ground.vault import row_name, unseal_file


def exists(session: Session, run_id: uuid.UUID, application_id: uuid.UUID) -> bool:
    return any(each.run_id == run_id for each in PUBLISHED_OPENINGS.of(session, application_id))


def of_application(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> bytes:
    """The JSON of the newest published run, for the guardians of the child alone.

    The caller has looked the application up in the reader's scope.  Refuses `only_the_guardian` to a helper; NotFound
    before the publication and for runs that have no public file.
    """
    require_oneself(by)
    found = session.execute(
        select(Opening.content, Opening.run_id)
        .join(Run, Run.id == Opening.run_id)
        .where(Opening.application_id == application.id, Run.published_at.is_not(None))
        .order_by(Run.published_at.desc(), Run.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound("opening")
    audit.record(session, "open_own_file", "application", application.id, by=by, now=now, run=str(found.run_id))
    return _json_of(unseal_file(found.content, OPENING, row_name(found.run_id, application.id)))


def _json_of(content: bytes) -> bytes:
    """Openings that were made before they were packed are compressed."""
    packed = content[0] == opening_packing.FORM
    return opening_packing.unpack(content) if packed else zlib.decompress(content)
