"""The review in an area: workload, open applications, reassignment to another kindergarten, refusals."""

import uuid
from collections.abc import Iterable

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Row
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.ground import audit
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import reassignment, refusals
from enrollment.review.queue import task_groups, workload
from enrollment.review.review import LONGEST_NOTE
from portal.officials import pages
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.officials.years import chosen_year
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import refusal_decisions
from portal.web.unit_of_work import actor, clock, db


class ReassignForm(PageForm):
    applications = SelectMultipleField(
        _l("哪些申请"), option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False), validate_choice=False
    )
    target = SelectField(_l("交给哪所幼儿园审核"), validate_choice=False)
    reason = StringField(_l("原因"), [Length(max=LONGEST_NOTE)])


@pages.get("/review", endpoint="review")
@desk("officials", *READERS)
def loads_page() -> ResponseReturnValue:
    loads = workload.loads(db(), chosen_year(), by=actor())
    return render_template(
        "officials/review.html",
        loads=loads,
        reviewers=_slowest_first(workload.workload(db(), chosen_year(), by=actor(), now=clock())),
        may_decide=actor().is_any(*DECIDERS),
        area_names=area_names(),
        opens=task_groups.opens_at(db(), now=clock()),
        refusals=len(refusals.open_refusals(db(), by=actor())),
    )


def _slowest_first(people: list[workload.Reviewer]) -> list[workload.Reviewer]:
    return sorted(people, key=lambda person: (-(person.minutes or 0), person.name))


def _kindergarten(kindergarten_id: uuid.UUID, loads: list[workload.Load]) -> Kindergarten:
    if kindergarten_id not in {load.kindergarten_id for load in loads}:
        abort(404)
    return db().get_one(Kindergarten, kindergarten_id)


def _queue_page(kindergarten_id: uuid.UUID, form: ReassignForm | None = None) -> ResponseReturnValue:
    loads = workload.loads(db(), chosen_year(), by=actor())
    kindergarten = _kindergarten(kindergarten_id, loads)
    lines = workload.open_lines(db(), kindergarten_id, chosen_year(), by=actor())
    form = form or ReassignForm()
    _offer(form, lines, kindergarten, loads)
    audit.record(db(), "view", "review_queue", kindergarten_id, by=actor(), now=clock(), lines=len(lines))
    return render_template("officials/review_queue.html", form=form, kindergarten=kindergarten, lines=lines)


def _offer(form: ReassignForm, lines: Iterable[Row], kindergarten: Kindergarten, loads: list[workload.Load]) -> None:
    form.applications.choices = [(str(line.id), line.registration_code) for line in lines]
    others = [load for load in loads if load.kindergarten_id != kindergarten.id]
    form.target.choices = [
        ("", _("请选择")),
        *(
            (str(load.kindergarten_id), _("%(name)s（待审 %(n)s）", name=load.kindergarten, n=load.waiting))
            for load in others
        ),
    ]


@pages.get("/review/<uuid:kindergarten_id>")
@desk("officials", *DECIDERS)
def review_of(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    return _queue_page(kindergarten_id)


def _ids(texts: list[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError:
        abort(400)


@pages.post("/review/<uuid:kindergarten_id>")
@desk("officials", *DECIDERS)
def reassign(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    _kindergarten(kindergarten_id, workload.loads(db(), chosen_year(), by=actor()))
    form = ReassignForm()
    if form.validate_on_submit():
        chosen, target = _ids(form.applications.data or []), _ids([form.target.data] if form.target.data else [])
        with refusals_in(form):
            reassignment.reassign_many(
                db(), chosen, target[0] if target else None, by=actor(), now=clock(), reason=form.reason.data or ""
            )
            flash(_("已转交 %(n)s 份申请。", n=len(chosen)))
            return redirect(url_for("officials.review"), 303)
    return _queue_page(kindergarten_id, form)


@pages.get("/refusals")
@desk("officials", *DECIDERS)
def refusal_list() -> ResponseReturnValue:
    return refusal_decisions.refusals_page("officials")


@pages.post("/refusals/<uuid:proposal_id>")
@desk("officials", *DECIDERS)
def decide_refusal(proposal_id: uuid.UUID) -> ResponseReturnValue:
    return refusal_decisions.decide("officials", proposal_id)
