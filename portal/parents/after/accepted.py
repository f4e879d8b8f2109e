"""What a family without a place would accept, and the map of a place that was proposed to it."""

import uuid

from flask import abort, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField

from enrollment.applications.applications import Application
from enrollment.draw.unserved import accepted_places
from enrollment.draw.unserved.accepted_places import WALKS
from enrollment.draw.unserved.rows import AcceptedNature
from enrollment.eligibility import home_points, households
from enrollment.results import family_results
from portal.parents import application_status, pages
from portal.parents.form_pages import application_of
from portal.text.numbers import number_or
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.finder import cards
from portal.web.unit_of_work import actor, clock, db


class AcceptedForm(PageForm):
    agrees = RadioField(
        _l("要区里替您找空学位吗？"), choices=[("yes", _l("要，找到了告诉我")), ("no", _l("不要，只等原来的志愿"))],
        validate_choice=False,
    )  # fmt: skip
    minutes = RadioField(
        _l("最多走多远？"), choices=[*((str(n), _l("%(n)s 分钟", n=n)) for n in WALKS), ("", _l("多远都可以"))], default="",
        validate_choice=False,
    )  # fmt: skip
    nature = RadioField(
        _l("哪些幼儿园？"), choices=coded_choices("accepted_nature", AcceptedNature), default=AcceptedNature.ANY,
        validate_choice=False,
    )  # fmt: skip
    note = TextAreaField(_l("还想让专员知道的（可以不写）"))


@pages.get("/applications/<uuid:application_id>/nearby-places")
@desk("parents")
def accepted_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = _without_a_place(application_id)
    said = accepted_places.of(db(), application.id)
    form = AcceptedForm()
    if said is not None and not form.was_restored:
        form.agrees.data = "yes" if application.agrees_to_central else "no"
        form.minutes.data, form.nature.data, form.note.data = str(said.minutes or ""), said.nature, said.note
    return _page(application, form)


def _page(application: Application, form: AcceptedForm) -> ResponseReturnValue:
    return render_template("parents/accepted.html", application=application, form=form)


@pages.post("/applications/<uuid:application_id>/nearby-places")
@desk("parents")
def save_accepted(application_id: uuid.UUID) -> ResponseReturnValue:
    application, form = _without_a_place(application_id), AcceptedForm()
    if form.validate_on_submit():
        with refusals_in(form):
            accepted_places.save(
                db(), application.id, agrees={"yes": True, "no": False}.get(form.agrees.data or ""),
                minutes=number_or(form.minutes.data, None), nature=form.nature.data or "",
                note=form.note.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已记下，专员照这个找。随时可以改。"))
            return redirect(url_for("parents.result_page", application_id=application.id), 303)
    return _page(application, form)


def _without_a_place(application_id: uuid.UUID) -> Application:
    application = application_of(application_id)
    if not application_status.status_of(db(), application, now=clock()).looks_for_a_place:
        abort(404)
    return application


@pages.get("/applications/<uuid:application_id>/place-pins")
@desk("parents")
def place_pins(application_id: uuid.UUID) -> ResponseReturnValue:
    """The home and the kindergarten of the child's place, for the map of its page."""
    application = application_of(application_id)
    result = family_results.for_application(db(), application.id, now=clock())
    if result is None or result.place is None or not result.holds:
        abort(404)
    home = home_points.point_of(db(), households.household_of(db(), application.id))
    return jsonify(cards.points_of([result.place.kindergarten], home))
