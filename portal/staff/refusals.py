"""Refusals: the proposal with a rule and an explanation, and the decision of a second person."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from enrollment.applications.returned_items import REFUSAL_RULES
from enrollment.ground import audit
from enrollment.review import refusal_grounds, refusals, review, support_cases
from enrollment.review.review import LONGEST_NOTE
from enrollment.season import ages
from portal.staff import pages
from portal.text.facts import item_words
from portal.text.words import word
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import refusal_decisions
from portal.web.unit_of_work import actor, clock, db


class ProposalForm(PageForm):
    rule = RadioField(_l("依据哪一条"), validate_choice=False)
    clause = StringField(_l("公告或细则第几条"), [Length(max=refusals.LONGEST_CLAUSE)])
    fact = SelectField(_l("哪一项不实"), validate_choice=False)
    explanation = TextAreaField(_l("具体理由（家长会看到）"), [Length(max=LONGEST_NOTE)])


@pages.route("/applications/<uuid:application_id>/refuse", methods=["GET", "POST"])
@desk("staff")
def propose_refusal(application_id: uuid.UUID) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    form = ProposalForm()
    rules = refusal_grounds.possible_rules(db(), application)
    form.rule.choices = [(rule, word("refusal_rule", rule)) for rule in rules]
    grounds = refusal_grounds.possible_grounds(db(), application)
    form.fact.choices = [("", _("请选择")), *((each, item_words(each)) for each in grounds)]
    if form.validate_on_submit():
        with refusals_in(form):
            refusals.propose_refusal(
                db(),
                application_id,
                rule=form.rule.data or "",
                explanation=form.explanation.data or "",
                clause=form.clause.data or "",
                fact=form.fact.data or None,
                by=actor(),
                now=clock(),
            )
            flash(_("已提出不予通过，等第二人决定。在那之前申请仍在您手上。"))
            return redirect(url_for("staff.application", application_id=application_id), 303)
    audit.record(db(), "view", "application", application_id, by=actor(), now=clock(), reason="refusal")
    return render_template(
        "staff/propose_refusal.html",
        application=application,
        form=form,
        left_out=[rule for rule in REFUSAL_RULES if rule not in rules],
        fits=ages.level_for(application.child.born, application.year) == application.level,
        disabled_child=support_cases.is_needed(db(), application_id),
        days=support_cases.DAYS,
    )


@pages.get("/refusals")
@desk("staff")
def refusal_list() -> ResponseReturnValue:
    return refusal_decisions.refusals_page("staff")


@pages.post("/refusals/<uuid:proposal_id>")
@desk("staff")
def decide_refusal(proposal_id: uuid.UUID) -> ResponseReturnValue:
    return refusal_decisions.decide("staff", proposal_id)
