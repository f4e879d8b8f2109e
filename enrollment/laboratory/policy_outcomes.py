"""The dry run of a policy version: which wishes change their priority, and how many children would be placed differently.

The first is computed at once.  The second is a small study of the laboratory, drawn in the background over the same families:
the version that it replaces against the new one.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.chances import policy_trial
from enrollment.ground.accounts import Actor
from enrollment.laboratory import studies
from enrollment.laboratory.study_rows import LaboratoryStudy, LaboratoryVariant
from enrollment.laboratory.variants import Variant
from enrollment.places.areas import Area
from enrollment.season import policy_approval
from enrollment.season.policy_rows import Policy
from enrollment.season.round_rows import Round


def dry_run(session: Session, policy_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> LaboratoryStudy | None:
    """Make the dry run and ask for its outcomes; None where there is no earlier version or no family to draw.

    Refuses as `policy_approval.dry_run`.
    """
    cases = policy_trial.cases_for(session, policy_id)
    policy_approval.dry_run(session, policy_id, cases, by=by, now=now)
    made = policy_approval.get_policy(session, policy_id)
    before, round_ = policy_approval.previous_version(session, made), _round_to_draw(session, made)
    if before is None or round_ is None:
        return None
    area = session.get_one(Area, made.area_code)
    study = LaboratoryStudy(
        name=f"{area.name} {made.year} v{made.version}",
        round_id=round_.id,
        policy_id=made.id,
        draws=studies.USUAL_DRAWS,
        seed=round_.year,
        made_by=by.account_id,
        made_at=now,
    )
    study.variants = [
        LaboratoryVariant(number=number, variant=Variant(f"{one.year} v{one.version}", policy=str(one.id)).to_json())
        for number, one in enumerate((before, made), start=1)
    ]
    session.add(study)
    session.flush()
    studies.start(session, study, by=by, now=now)
    return study


def newest(session: Session, policy_id: uuid.UUID) -> LaboratoryStudy | None:
    """The newest study of outcomes of this version."""
    found = select(LaboratoryStudy).where(LaboratoryStudy.policy_id == policy_id)
    return session.scalars(found.order_by(LaboratoryStudy.made_at.desc(), LaboratoryStudy.id).limit(1)).first()


def _round_to_draw(session: Session, made: Policy) -> Round | None:
    """The newest main round with families of the year that is tried."""
    year = policy_trial.year_to_try(session, made.year, made.area_code)
    return next((each for each in studies.rounds_to_study(session) if each.year == year), None)
