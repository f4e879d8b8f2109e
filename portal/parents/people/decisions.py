"""Joint decisions: what waits for the other guardian, and the buttons to agree, to object and to take back."""

import uuid
from dataclasses import dataclass

from flask import abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from enrollment.applications import applications
from enrollment.applications.applications import Application
from enrollment.offers import irrevocable_acts, joint_decisions
from enrollment.offers.joint_decision_rows import DecisionKind, DecisionState, JointDecision
from enrollment.offers.offer_rows import Offer
from enrollment.results import answers
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.text.words import word
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

ANSWERS = ("agree", "object", "take_back")


@dataclass(frozen=True)
class WaitingDecision:
    """What a page shows of a decision that waits.  `who` is a code of the words' group `who`.

    `when` says when it takes effect: "paused" while a dispute is open, "over" when its time is over and it takes effect
    at any moment, else "due" at the row's time.  A past time is never shown as a future one.  `place_is_confirmed` says
    that the place was confirmed before, so that only an objection keeps it.
    """

    row: JointDecision
    application: Application
    who: str
    agreed: bool
    when: str
    place_is_confirmed: bool = False

    @property
    def is_mine(self) -> bool:
        return self.who == "you"


class DecisionForm(PageForm):
    text = TextAreaField(_l("想对工作人员说明的情况（可不填）"))


def waiting_decision(application: Application) -> WaitingDecision | None:
    """The decision that waits for an application of the signed-in family."""
    row = joint_decisions.waiting_for(db(), application.id)
    if row is None:
        return None
    by = actor()
    who = answers.who(db(), application.child_id, row.proposed_by, by=by)
    paused = joint_decisions.is_paused(db(), row.act_id)
    when = "paused" if paused else "due" if row.takes_effect_at > clock() else "over"
    return WaitingDecision(
        row, application, who, by.account_id in row.agreed_by, when, joint_decisions.place_is_confirmed(db(), row)
    )


def waiting_decisions() -> list[WaitingDecision]:
    """All that wait for the signed-in guardian's children, for the banner of every page."""
    found = (waiting_decision(each) for each in applications.list_own(db(), by=actor()))
    return [each for each in found if each is not None]


def note_that_none_waits() -> None:
    """The page of this request knows that no decision of any of the family's children waits, and asks for none."""
    g.waiting_decisions = []


@pages.context_processor
def banner_values() -> dict:
    by = actor()
    if "waiting_decisions" in g:
        return {"waiting_decisions": g.waiting_decisions}
    return {"waiting_decisions": waiting_decisions() if by.account_id and not by.on_behalf else []}


def _page(application: Application, form: DecisionForm) -> ResponseReturnValue:
    waiting = waiting_decision(application)
    if waiting is None:
        return render_template("parents/decision_over.html", application=application), 409 if form.errors else 200
    offer = db().get(Offer, waiting.row.offer_id) if waiting.row.offer_id else None
    return render_template(
        "parents/decision.html",
        application=application,
        waiting=waiting,
        form=form,
        offer=offer,
        # without its date: while an act waits, pages name one time only
        may_be_had_back=waiting.row.kind == DecisionKind.DECLINE and offer is not None and offer.answer_by > clock(),
    )


@pages.get("/applications/<uuid:application_id>/decision")
@desk("parents")
def decision_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _page(application_of(application_id), DecisionForm())


@pages.post("/applications/<uuid:application_id>/decision/<uuid:act_id>/<answer>")
@desk("parents")
def answer_decision(application_id: uuid.UUID, act_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    application = application_of(application_id)
    form = DecisionForm()
    if answer not in ANSWERS:
        abort(404)
    if form.validate_on_submit():
        with refusals_in(form):
            flash(_answered(application, act_id, answer, form.text.data or ""))
            return redirect(url_for("parents.application_page", application_id=application.id), 303)
    return _page(application, form)


def _answered(application: Application, act_id: uuid.UUID, answer: str, text: str) -> str:
    if answer == "agree":
        state = irrevocable_acts.agree(db(), act_id, by=actor(), now=clock())
        if state == DecisionState.VOID:
            return _proposer_has_left()
        return _("您已同意，还要等其他监护人。") if state == DecisionState.WAITING else _("您已同意，已经生效。")
    if answer == "take_back":
        irrevocable_acts.take_back(db(), act_id, by=actor(), now=clock())
        return _("已收回，学位和申请保持原样。")
    waiting = waiting_decision(application)
    said = text.strip() or (word("objection", waiting.row.kind, in_language="zh") if waiting else "")
    if irrevocable_acts.object_to(db(), act_id, text=said, by=actor(), now=clock()) == DecisionState.VOID:
        return _proposer_has_left()
    return _("您不同意，所以没有生效。区教育局会核实处理，学位为孩子保留。")


def _proposer_has_left() -> str:
    return _("提出的人已经不是监护人，这个决定没有生效，学位和申请保持原样。")
