"""The status of an application for its family: the stage until the result is published, then the offer."""

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, wishes
from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import DEAD_STAGES, HANDED_IN, LIVE_STAGES
from enrollment.draw.publication import hours
from enrollment.draw.publication.hours import Announcement
from enrollment.eligibility import households
from enrollment.offers import joint_decisions
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.results import family_results, tickets
from enrollment.results.family_results import Outcome
from enrollment.results.tickets import OwnTicket
from enrollment.season import openings
from enrollment.season.openings import Chance, Window
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import Round
from portal.text.area_names import area_name_of
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
    """`result` is None before publication, and always for a helper, who may not see it.

    `announced` is the hour of the result that the family waits for, and `ticket` its ticket until then.
    `wished_now` says that the wishes of the open round are in, `answer_is_over` that the time to confirm the place has passed.  `chance` is the next registration for the child's level, `office` the name of the area whose office to ask.
    """

    application: Application
    times: Window
    result: Outcome | None
    wishes_again: bool
    chance: Chance
    office: str | None
    announced: Announcement | None = None
    ticket: OwnTicket | None = None
    wished_now: bool = False
    answer_is_over: bool = False

    @property
    def draw_round(self) -> Round | None:
        """The round whose result the family waits for."""
        return self.times.last

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
        return self.offer_tag or _("还没有学位")

    @property
    def offer_tag(self) -> str | None:
        """The state of the offer in words, also in the minutes between the deadline and the run that ends it."""
        if self.offer is None:
            return None
        return _("确认时间已过") if self.answer_is_over else word("offer_tag", self.offer.state)

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
    def looks_for_a_place(self) -> bool:
        """Whether the family has to know the next chance: it was in a draw and holds no place, missed it, or withdrew."""
        if self.result is not None:
            return not self.result.holds and self.application.stage not in DEAD_STAGES
        return self.missed or (self.application.stage == Stage.WITHDRAWN and self.times.open is None)

    @property
    def in_next_draw(self) -> Round | None:
        """The round that takes no more wishes, whose result is not out, and in which the family's wishes take part."""
        waits = self.wishes_again and self.times.open is None and self.application.stage in HANDED_IN
        return self.times.last if waits else None

    @property
    def may_wish(self) -> bool:
        return self.application.stage in LIVE_STAGES and not self.application.on_hold

    @property
    def next_round(self) -> Round | None:
        """The supplementary round for a child that was in a draw and holds no place; else None."""
        return None if self.result is None or self.result.holds else self.supplementary


def status_of(session: Session, application: Application, *, now: dt.datetime) -> ApplicationStatus:
    times = deadlines.of(session, application, now=now)
    result = None if actor().on_behalf else family_results.outcome(session, application)
    newer = times.last if result is not None and times.last is not None and times.last.id != result.round.id else None
    wishes_again = newer is not None and bool(wishes.of(session, application.id, newer.id))
    waits = application.stage not in DEAD_STAGES and (result is None or wishes_again)
    announced = hours.announced_to(session, times.last, now=now) if waits else None
    ticket = tickets.own_ticket(session, application) if announced is not None and not actor().on_behalf else None
    chance = openings.next_chance(session, application.year, application.level, now=now)
    office = _office(session, application, times)
    wished_now = (
        times.open is not None
        and application.stage in HANDED_IN
        and bool(wishes.of(session, application.id, times.open.id))
    )
    return ApplicationStatus(
        application, times, result, wishes_again, chance, office, announced, ticket, wished_now,
        answer_is_over=result is not None and _answer_is_over(session, application, result.offer, now),
    )  # fmt: skip


def _answer_is_over(session: Session, application: Application, offer: Offer | None, now: dt.datetime) -> bool:
    """Whether nobody can confirm the place any more.  A dispute pauses the time, and a waiting decision replaces it."""
    if offer is None or offer.state != OfferState.OFFERED or application.on_hold or now < offer.answer_by:
        return False
    return joint_decisions.waiting_for(session, application.id) is None


def _office(session: Session, application: Application, times: Window) -> str | None:
    """The area whose office answers the family: where it lives, else where the kindergarten of its first wish is."""
    household = households.household_of(session, application.id)
    code = household.home_area if household is not None else None
    round_ = times.current
    if code is None and round_ is not None:
        listed = wishes.of(session, application.id, round_.id)
        code = listed[0].programme.kindergarten.area_code if listed else None
    return area_name_of(session, code)
