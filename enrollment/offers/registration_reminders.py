"""Messages before registration ends: an application that is not handed in, or that still lacks papers."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import WISHES, Application, Stage, Wish
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.eligibility import required_documents
from enrollment.eligibility.deadline_reminders import REMIND_BEFORE
from enrollment.ground.city_time import format_time
from enrollment.offers.offer_rows import Offer
from enrollment.offers.round_notices import holds_a_place
from enrollment.season.round_rows import KINDS_WITH_WISHES, Round, RoundStage

PAPERS_COUNT = (*AWAITING_DECISION, Stage.RETURNED)
"""The review is not finished, so that a paper that comes now is still looked at."""


def rounds_closing_soon(session: Session, *, now: dt.datetime) -> list[Round]:
    """The rounds that are open now and end within `REMIND_BEFORE`."""
    closing = select(Round).where(
        Round.kind.in_(KINDS_WITH_WISHES),
        Round.stage == RoundStage.OPEN,
        Round.opens_at <= now,
        Round.closes_at > now,
        Round.closes_at <= now + REMIND_BEFORE,
    )
    return list(session.scalars(closing.order_by(Round.year, Round.number)))


def remind(
    session: Session, round_: Round, *, now: dt.datetime, after: uuid.UUID | None = None, limit: int = 500
) -> uuid.UUID | None:
    """Notify the guardians of the next applications by id: those after `after`, at most `limit`.

    Of missing papers only those are told whose papers count for this round, as `papers_count` says of one application.  Returns
    the last application's id, None when all were looked at.  The number of statements does not grow
    with the families.  Each guardian gets one message for an application and a closing time, however often this runs.  An
    application on hold cannot be changed, so it gets none.
    """
    in_the_round = exists().where(Wish.application_id == Application.id, Wish.round_id == round_.id)
    concerned = select(Application).where(
        Application.year == round_.year,
        Application.level.in_(round_.levels),
        (Application.stage == Stage.DRAFT) | (Application.stage.in_(PAPERS_COUNT) & in_the_round & ~holds_a_place()),
        Application.on_hold.is_(False),
    )
    if after is not None:
        concerned = concerned.where(Application.id > after)
    found = session.scalars(concerned.order_by(Application.id).limit(limit)).all()
    due = format_time(round_.closes_at)
    drafts = [each for each in found if each.stage == Stage.DRAFT]
    _tell(session, "not_handed_in", [(each, {"due": due}) for each in drafts], round_, now)
    handed_in = [each for each in found if each.stage != Stage.DRAFT]
    lacking = required_documents.missing_in_year(session, handed_in, round_.year) if handed_in else []
    about = [(each, {"due": due, "n": len(papers)}) for each, papers in lacking if papers]
    _tell(session, "papers_missing", about, round_, now)
    return found[-1].id if len(found) == limit else None


def papers_count(session: Session, application: Application, round_: Round | None, newest: Offer | None) -> bool:
    """Whether a missing paper still matters: the review goes on, a wish in the round depends on it, and there is no place yet.

    `newest` is the live offer of the application.
    """
    if application.stage not in PAPERS_COUNT or newest is not None or round_ is None:
        return False
    return any(wish.round_id == round_.id for wish in WISHES.of(session, application.id))


def _tell(
    session: Session, kind: str, about: Sequence[tuple[Application, dict]], round_: Round, now: dt.datetime
) -> None:
    event = f"{kind}:{round_.id}:{format_time(round_.closes_at)}"
    told = [Notification(each.child_id, each.id, event, params) for each, params in about]
    notify_guardians_each(session, kind, told, now=now)
