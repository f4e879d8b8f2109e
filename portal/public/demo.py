"""Pages of the demo: the tour, the inbox of delivered messages, and the clock that moves to a later step of the season."""

import datetime as dt
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import String, cast, select

from enrollment.ground import sign_in
from enrollment.ground.outbox import MessageState, SentMessage, TextMessage
from portal.demo import time_travel, tour
from portal.demo.actors.due_steps import DueStep, SimulatedStep, due_step
from portal.demo.time_travel import SimulationState
from portal.public import pages
from portal.text.formats import refusal
from portal.text.words import table
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import demo_only
from portal.web.unit_of_work import clock, db, services

MOST = 50
"""Messages of each kind that the inbox shows."""


@pages.get("/demo/inbox")
@demo_only
def demo_inbox() -> ResponseReturnValue:
    """Codes first: a person waits for them, and the messages of a whole round would bury them.

    What came to WeChat stands at the demo's own service account.

    A message from before the demo's clock was set is not shown: its time is in the future.
    """
    sent = select(SentMessage).where(SentMessage.at <= clock()).order_by(SentMessage.at.desc())
    is_code = SentMessage.key.in_(
        select(cast(TextMessage.id, String)).where(TextMessage.expires_at > clock() - sign_in.CODE_LIFETIME)
    )
    delivered = [*db().scalars(sent.where(is_code).limit(MOST)), *db().scalars(sent.where(~is_code).limit(MOST))]
    waits = TextMessage.state.in_((MessageState.WAITING, MessageState.SENDING))
    underway = db().scalars(select(TextMessage.id).where(waits).limit(1)).first()
    wechat = services().config.wechat
    return render_template(
        "public/demo_inbox.html",
        delivered=delivered,
        underway=underway is not None,
        wechat=f"{wechat.api}/" if wechat is not None and wechat.api == wechat.open else None,
    )


@pages.get("/demo/tour")
@demo_only
def demo_tour() -> ResponseReturnValue:
    """Three stories; a step links to its page, and says when in the season the page has something to show."""
    known = tour.addresses(db())
    reached = {stop.step for stop in time_travel.steps(db(), clock()) if stop.passed}
    return render_template(
        "public/demo_tour.html",
        stories=tour.STORIES,
        paths={step.code: tour.path_of(step, known) for story in tour.STORIES for step in story.steps},
        reached=reached,
        language=tour.PICTURE_LANGUAGE[str(get_locale()).startswith("en")],
    )


@pages.get("/demo/clock")
@demo_only
def demo_clock() -> ResponseReturnValue:
    return _clock_page(PageForm())


def _clock_page(form: PageForm) -> ResponseReturnValue:
    simulated = time_travel.simulation_state(db())
    due = due_step(db(), now=clock())
    return render_template(
        "public/demo_clock.html",
        form=form,
        steps=time_travel.steps(db(), clock()),
        simulated=simulated,
        waits=_waiting(due, simulated) if due is not None else None,
        word_of_refusal=refusal,
        OBSTACLE_OVER=time_travel.OBSTACLE_OVER,
    )


@dataclass(frozen=True)
class Waiting:
    """What the page of the clock says of a step that has not happened.  `helps` is a code of `demo_what_helps`."""

    step: SimulatedStep
    reason: str | None
    helps: str
    place: str | None
    ends_at: dt.datetime | None
    holds: bool


OF_DESKS = {"still_under_review": "staff.queue", "returns_have_time": "staff.queue"}
OF_OFFICIALS = {"duplicates_undecided": "officials.duplicate_list", "visitor_has_a_round": "officials.round_list"}
"""Where the reason of a refusal is removed; for all others the draw room of the round."""


ASKED_ANEW = ("round_not_closed", "still_under_review", "returns_have_time", "duplicates_undecided")
"""What `due_step` finds itself as long as it lasts: the refusal of an earlier attempt says nothing more."""


def _waiting(due: DueStep, simulated: SimulationState) -> Waiting:
    """The obstacle as it is now; where none is known, what the last attempt was refused for."""
    last = simulated.refused
    if last is not None and due.step != SimulatedStep.SUPPLEMENTARY and last.code in ASKED_ANEW:
        last = None
    refused = due.obstacle or last
    if refused is None:
        return Waiting(due.step, None, "nothing", None, None, due.holds_the_clock)
    known = table()["demo_what_helps"]
    return Waiting(
        due.step,
        refusal(refused),
        refused.code if refused.code in known else "other",
        _place(due, refused.code),
        due.ends_at,
        due.holds_the_clock,
    )


def _place(due: DueStep, code: str) -> str:
    if code in OF_DESKS:
        return url_for(OF_DESKS[code])
    if code in OF_OFFICIALS:
        return url_for(OF_OFFICIALS[code], year=due.round.year)
    return url_for("officials.draw_room", year=due.round.year, round_id=due.round.id)


@pages.post("/demo/clock/<step>")
@demo_only
def move_demo_clock(step: str) -> ResponseReturnValue:
    form = PageForm()
    if form.validate_on_submit():
        with refusals_in(form):
            time_travel.advance_to(db(), step, now=clock())
            flash(_("演示城市的时间已经往前走了。"))
            return redirect(url_for("public.demo_clock"), 303)
    return _clock_page(form)
