"""The verification of each claimed fact: the register's answer with source and date, which the family may dispute, and
the clerk's finding with its reason."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.eligibility import tiers
from enrollment.eligibility.claims import VerifiedFact
from enrollment.review import refusals
from enrollment.season.facts import Fact
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.text.facts import names_for
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

DECIDED = (Stage.CONFIRMED, Stage.RETURNED, Stage.REFUSED)
"""Stages in which the clerk's findings are final, so that the family sees them."""


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
    application = application_of(application_id)
    proposal = refusals.refusal_of(db(), application_id) if application.stage == Stage.REFUSED else None
    return render_template(
        "parents/verified_facts.html",
        application=application,
        lines=fact_rows(application),
        decided=application.stage in DECIDED,
        refusal=proposal,
        may_dispute=application.stage in (Stage.SUBMITTED, Stage.IN_REVIEW, Stage.RETURNED),
    )


@pages.post("/applications/<uuid:application_id>/findings/<fact>")
@desk("parents")
def dispute_register(application_id: uuid.UUID, fact: str) -> ResponseReturnValue:
    register_answers.dispute(db(), application_id, fact, by=actor(), now=clock())
    flash(_("已记下您的异议。审核员会看证明材料，不以部门数据为准。"))
    return redirect(url_for("parents.findings_page", application_id=application_id), 303)
