"""The declared form of a round's draw: public from its declaration on, fixed by the freeze.

`allocation/draw_form.py` says what a form is.  Here a beacon must also have the time when it becomes public, so that a
value that was known before the commitment can be refused, and the form must allow enough different seeds.
"""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from allocation.draw_form import DrawForm
from enrollment.draw import draw_jobs
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed.witness_rows import DeclaredForm
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.season.calendar import require_city_official
from enrollment.season.round_rows import Round, RoundStage

FEWEST_SEEDS = 1_000_000
"""With fewer possible seeds, somebody could try them all before the freeze and look for a list that suits each."""


def parse(text: str) -> DrawForm:
    """The form of a stored text."""
    return DrawForm.parse(json.loads(text))


def declare(session: Session, round_id: uuid.UUID, form: DrawForm, *, by: Actor, now: dt.datetime) -> DeclaredForm:
    """Publish the form of a round's draw.  A commitment keeps the form that it was published with; a newer one counts
    for the next freeze.

    Refuses `draw_form_fixed`, `draw_at_work`, `beacon_needs_a_time`, `beacon_public_already`, `draw_form_too_few` (with
    `n` and `fewest`).  The same form again changes nothing.
    """
    require_city_official(by)
    round_ = draw_jobs.lock_idle_round(session, round_id)
    if round_.stage == RoundStage.PUBLISHED:
        raise Refused("draw_form_fixed")
    _require_strong(form)
    _refuse_public_beacon(form, now)
    earlier = newest(session, round_id)
    if earlier is not None and earlier.form == form.text():
        return earlier
    number = session.scalar(select(func.max(DeclaredForm.number)).where(DeclaredForm.round_id == round_id)) or 0
    made = DeclaredForm(
        round_id=round_id, number=number + 1, form=form.text(), declared_at=now, declared_by=by.account_id
    )
    session.add(made)
    session.flush()
    audit.record(session, "declare_draw_form", "round", round_id, by=by, now=now, number=made.number)
    return made


def newest(session: Session, round_id: uuid.UUID) -> DeclaredForm | None:
    found = select(DeclaredForm).where(DeclaredForm.round_id == round_id).order_by(DeclaredForm.number.desc())
    return session.scalars(found.limit(1)).first()


def require_for_freeze(session: Session, round_: Round, *, now: dt.datetime) -> DrawForm:
    """The form that a freeze at this moment fixes.

    Refuses `draw_form_missing`, `beacon_public_already` (with `when`) and `beacon_used_before` (with `name`): a beacon
    that is known, or that was named for an earlier commitment and is known since, could be chosen.
    """
    declared = newest(session, round_.id)
    if declared is None:
        raise Refused("draw_form_missing")
    form = parse(declared.form)
    _refuse_public_beacon(form, now)
    beacon = form.beacon
    if beacon is not None and beacon.issue is not None:
        for text in session.scalars(select(Snapshot.draw_form).where(Snapshot.draw_form.is_not(None)).distinct()):
            earlier = parse(text or "").beacon
            known = earlier is not None and earlier.published_time is not None and earlier.published_time <= now
            if known and earlier is not None and (earlier.name, earlier.issue) == (beacon.name, beacon.issue):
                raise Refused("beacon_used_before", name=f"{beacon.name} {beacon.issue}")
    return form


def of_draw(draw: Draw) -> DrawForm:
    """The form that was fixed with the draw's commitment.  Refuses `draw_form_missing` for a draw of an older format."""
    if draw.draw_form is None:
        raise Refused("draw_form_missing")
    return parse(draw.draw_form)


def after_public_beacon(snapshots: Sequence[Snapshot]) -> set[uuid.UUID]:
    """The snapshots of a round that replaced another whose beacon was public by then, for the public record."""
    found = set()
    for earlier, later in pairwise(sorted(snapshots, key=lambda each: each.number)):
        if earlier.draw_form is not None and later.draw_form is not None:
            beacon = parse(earlier.draw_form).beacon
            public = beacon.published_time if beacon else None
            if public is not None and public <= later.made_at:
                found.add(later.id)
    return found


def _require_strong(form: DrawForm) -> None:
    if form.beacon is not None and form.beacon.published_at is None:
        raise Refused("beacon_needs_a_time", field="published_at")
    if form.outcomes < FEWEST_SEEDS:
        raise Refused("draw_form_too_few", n=form.outcomes, fewest=FEWEST_SEEDS)


def _refuse_public_beacon(form: DrawForm, now: dt.datetime) -> None:
    public = form.beacon.published_time if form.beacon else None
    if public is not None and public <= now:
        raise Refused("beacon_public_already", field="published_at", when=public)
