"""The verification of each claimed fact: the register's answer with source and date, which the family may dispute, and
the clerk's finding with its reason."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Length

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.applications.registers.answer_rows import RegisterAnswer
from enrollment.eligibility import tiers
from enrollment.eligibility.claims import VerifiedFact
from enrollment.review import cases, refusals
from enrollment.season.facts import Fact
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.text.facts import names_for
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

DECIDED = (Stage.CONFIRMED, Stage.RETURNED, Stage.REFUSED)
"""Stages in which the clerk's findings are final, so that the family sees them."""


class DisputeForm(PageForm):
    text = TextAreaField(_l("哪里不对（可不填）"), [Length(max=cases.LONGEST_REGISTER_TEXT)])


def fact_rows(application: Application) -> list[dict]:
    claimed = tiers.claimed_facts(db(), application.id)
    answers = register_answers.answers_for_family(db(), application.id)
    rows = db().query(VerifiedFact).filter_by(application_id=application.id)
    found = {row.fact: row for row in rows} if application.stage in DECIDED else {}
    values: list[tuple[str, Any]] = list(claimed.items())
    values += [(row.fact, row.value) for row in found.values()]
    values += [(answer.fact, answer.value) for answer in answers.values()]
    names = names_for(db(), values)
    return [
        {
            "fact": fact,
            "claimed": names.value_words(fact, claimed[fact]),
            "answer": answers.get(fact),
            "registered": names.value_words(fact, answers[fact].value) if fact in answers else None,
            "found": found.get(fact),
            "value": names.value_words(fact, found[fact].value) if fact in found else None,
        }
        for fact in Fact
        if fact in claimed
    ]


@pages.get("/applications/<uuid:application_id>/findings")
@desk("parents")
def findings_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _page(application_of(application_id))


def _page(application: Application, sent: str = "", form: DisputeForm | None = None) -> ResponseReturnValue:
    """`sent` is the fact whose form comes back."""
    application_id, lines = application.id, fact_rows(application)
    may_dispute = application.stage in (Stage.SUBMITTED, Stage.IN_REVIEW, Stage.RETURNED)
    proposal = refusals.refusal_of(db(), application_id) if application.stage == Stage.REFUSED else None
    return render_template(
        "parents/verified_facts.html",
        application=application,
        lines=lines,
        forms={
            line["fact"]: form
            if form is not None and line["fact"] == sent
            else DisputeForm(prefix=f"{line['fact'].value}-")
            for line in lines
        },
        sent=sent,
        case=cases.register_dispute_of(db(), application_id),
        decided=application.stage in DECIDED,
        refusal=proposal,
        may_dispute=may_dispute,
        disputable=[line["fact"] for line in lines if may_dispute and _is_disputable(line["answer"])],
    )


def _is_disputable(answer: RegisterAnswer | None) -> bool:
    return answer is not None and answer.disputed_at is None and answer.answer in ("matches", "differs")


@pages.post("/applications/<uuid:application_id>/findings/<fact>")
@desk("parents")
def dispute_register(application_id: uuid.UUID, fact: str) -> ResponseReturnValue:
    application, form = application_of(application_id), DisputeForm(prefix=f"{fact}-")
    if form.validate_on_submit():
        with refusals_in(form):
            case = cases.open_register_dispute(
                db(), application_id, fact, text=form.text.data or "", by=actor(), now=clock()
            )
            flash(_("已记下您的异议。审核员会看证明材料，不以部门数据为准。"))
            return redirect(url_for("parents.asked_page", case_id=case.id), 303)
    return _page(application, fact, form)
