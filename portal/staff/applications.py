"""The review page of an application: claims, register answers and evidence; take, verify, confirm."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.eligibility import evidence, households, required_documents, tiers
from enrollment.eligibility.claims import VerifiedFact
from enrollment.ground import audit
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import refusals, review, workload
from enrollment.review.roll_register import OnRoll, elder_on_roll
from enrollment.season.facts import Fact
from enrollment.season.rounds import Round
from portal.staff import pages
from portal.staff.fact_forms import FactRow, fact_rows, findings_in, form_for, other_names
from portal.staff.queue import redirect_to_next
from portal.text.facts import Names, names_for, tier_words
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


def facts_of(application: Application) -> tuple[list[FactRow], Names, PageForm]:
    """The rows of the facts table, the names that they refer to, and their form."""
    claimed = tiers.claimed_facts(db(), application.id)
    answers = register_answers.answers_of(db(), application.id)
    found = {row.fact: row for row in db().query(VerifiedFact).filter_by(application_id=application.id)}
    lines = fact_rows(claimed, answers, found)
    values: list[tuple[str, Any]] = [(line.fact, value) for line in lines for value in (line.claimed, line.registered)]
    values += [(fact, row.value) for fact, row in found.items()]
    names = names_for(db(), values)
    return lines, names, form_for(lines, names)


def application_page(
    application: Application, lines: list[FactRow], names: Names, form: PageForm
) -> ResponseReturnValue:
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="review")
    mine = application.stage == Stage.IN_REVIEW and application.reviewer_id == actor().account_id
    return render_template(
        "staff/application.html",
        application=application,
        mine=mine,
        lines=lines,
        names=names,
        form=form,
        other_names=other_names,
        asking=set(register_answers.REGISTER_OF) if register_answers.being_asked(db(), application) else (),
        vaccination=register_answers.answers_of(db(), application.id).get(register_answers.VACCINATION),
        household=households.household_of(db(), application.id),
        own_wishes=wishes_here(application, lines),
        papers=evidence.pages_of(db(), application.id),
        needed=required_documents.needed(db(), application),
        refusal=refusals.refusal_of(db(), application.id),
        items=review.open_items(db(), application.id),
        counts=workload.counts(db(), by=actor(), now=clock()),
        late=sum(line.needs_review for line in lines),
        elder=_elder(application, lines),
    )


def _elder(application: Application, lines: list[FactRow]) -> OnRoll | None:
    claimed = next((line.claimed for line in lines if line.fact == Fact.SIBLING_AT), None)
    return elder_on_roll(db(), application.id, claimed)


def wishes_here(application: Application, lines: list[FactRow]) -> list[dict[str, str]]:
    """The tiers at the clerk's own kindergartens; wishes for other kindergartens are not shown.

    `counted` uses settled facts only, settled by a clerk or by an agreeing register; `claimed` and `registered` show the
    tier if the open facts were as claimed or as registered.
    """
    settled = {line.fact: value for line in lines if (value := line.settled) is not None}
    as_claimed = settled | {line.fact: line.claimed for line in lines if line.chosen is None}
    as_registered = settled | {line.fact: line.registered for line in lines if not line.chosen and line.registered}
    here = []
    for wish in application.wishes:
        kindergarten: Kindergarten = wish.programme.kindergarten
        if kindergarten.id not in actor().kindergartens:
            continue
        round_ = db().get_one(Round, wish.round_id)
        counted, claimed, registered = (
            tier_words(tiers.tier_at(db(), round_, facts, kindergarten))
            for facts in (settled, as_claimed, as_registered)
        )
        names = {"kindergarten": kindergarten.name, "round": round_.name}
        here.append(names | {"counted": counted, "claimed": claimed, "registered": registered})
    return here


@pages.get("/applications/<uuid:application_id>")
@desk("staff")
def application(application_id: uuid.UUID) -> ResponseReturnValue:
    found = review.find(db(), application_id, by=actor())
    return application_page(found, *facts_of(found))


@pages.post("/applications/<uuid:application_id>/take")
@desk("staff")
def take(application_id: uuid.UUID) -> ResponseReturnValue:
    review.take(db(), application_id, by=actor(), now=clock())
    return redirect(url_for("staff.application", application_id=application_id), 303)


@pages.post("/applications/<uuid:application_id>/release")
@desk("staff")
def release(application_id: uuid.UUID) -> ResponseReturnValue:
    review.release(db(), application_id, by=actor(), now=clock())
    flash(_("已放回待审队列。"))
    return redirect(url_for("staff.queue"), 303)


@pages.post("/applications/<uuid:application_id>/facts")
@desk("staff")
def settle(application_id: uuid.UUID) -> ResponseReturnValue:
    """Save the findings, or with `act=confirm` confirm the application and take the next one."""
    found = review.find(db(), application_id, by=actor())
    lines, names, form = facts_of(found)
    if form.validate_on_submit():
        with refusals_in(form):
            findings = findings_in(form, lines)
            if request.form.get("act") == "confirm":
                review.confirm(db(), application_id, by=actor(), now=clock(), facts=findings)
                flash(_("%(code)s 已核实通过。", code=found.registration_code))
                return redirect_to_next()
            review.verify(db(), application_id, findings, by=actor(), now=clock())
            flash(_("核实结果已保存。"))
            return redirect(url_for("staff.application", application_id=application_id), 303)
    return application_page(found, lines, names, form)
