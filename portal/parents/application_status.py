"""The status of an application for its family: the stage until the result is published, then the offer."""

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, wishes
from enrollment.applications.applications import Application, Stage
from enrollment.applications.deadlines import Window
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.results import family_results
from enrollment.results.family_results import FamilyResult
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import Round
from portal.text.words import word
from portal.web.unit_of_work import actor

STAGE_TONES: dict[str, str] = {
    Stage.SUBMITTED: "ok",
    Stage.RETURNED: "pink",
    Stage.CONFIRMED: "ok",
    Stage.REFUSED: "stop",
    Stage.WITHDRAWN: "grey",
}
OFFER_TONES: dict[str, str] = {
    OfferState.OFFERED: "warn",
    OfferState.CONFIRMED: "ok",
    OfferState.CONFIRMED_WAITING: "ok",
    OfferState.ARRIVED: "ok",
}


@dataclass(frozen=True)
class ApplicationStatus:
    """`result` is None before publication, and always for a helper, who may not see it."""

    application: Application
    times: Window
    result: FamilyResult | None
    wishes_again: bool

    @property
    def offer(self) -> Offer | None:
        return self.result.offer if self.result else None

    @property
    def missed(self) -> bool:
        """Whether it is a draft whose round has closed."""
        return self.application.stage == Stage.DRAFT and self.times.open is None and self.times.last is not None

    @property
    def settled(self) -> bool:
        """Whether the result is shown instead of the stage; not while the family takes part in another round."""
        if self.result is None or self.application.stage in DEAD_STAGES:
            return False
        return self.result.holds or not self.wishes_again

    @property
    def tag(self) -> str:
        if self.missed:
            return _("未提交")
        if not self.settled:
            return word("stage", self.application.stage)
        return word("offer_tag", self.offer.state) if self.offer else _("还没有学位")

    @property
    def tone(self) -> str:
        if self.missed:
            return "grey"
        if not self.settled:
            return STAGE_TONES.get(self.application.stage, "")
        return OFFER_TONES.get(self.offer.state, "grey") if self.offer else "warn"

    @property
    def place(self) -> str | None:
        """The name of the newest offer's kindergarten."""
        return self.result.offered_at.kindergarten.name if self.result and self.result.offered_at else None

    @property
    def supplementary(self) -> Round | None:
        """The supplementary round, if it is open or planned."""
        return next(
            (each for each in (self.times.open, self.times.coming) if each and each.kind == RoundKind.SUPPLEMENTARY),
            None,
        )

    @property
    def next_round(self) -> Round | None:
        """The supplementary round for a child that was in a draw and holds no place; else None."""
        return None if self.result is None or self.result.holds else self.supplementary


def status_of(session: Session, application: Application, *, now: dt.datetime) -> ApplicationStatus:
    times = deadlines.of(session, application, now=now)
    result = None if actor().on_behalf else family_results.for_application(session, application.id, now=now)
    newer = times.last if result is not None and times.last is not None and times.last.id != result.round.id else None
    wishes_again = newer is not None and bool(wishes.of(session, application.id, newer.id))
    return ApplicationStatus(application, times, result, wishes_again)
