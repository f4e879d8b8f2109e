"""The declared form of a round's draw: shown to all officials, changed by a city official, public at once."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.draw.seed import declared_forms
from enrollment.ground.accounts import Role
from enrollment.season import rounds
from enrollment.season.current_step import STAGES_WITH_A_DRAW
from portal.officials import pages
from portal.officials.draw_room.draw_forms import SUGGESTED, DeclaredFormForm
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/rounds/<uuid:round_id>/draw-form")
@desk("officials", Role.CITY_OFFICIAL)
def draw_form(round_id: uuid.UUID) -> ResponseReturnValue:
    newest = declared_forms.newest(db(), round_id)
    shown = DeclaredFormForm.values_of(declared_forms.parse(newest.form)) if newest else {}
    return _draw_form_page(round_id, DeclaredFormForm(data={**SUGGESTED, **shown} if not newest else shown))


def _draw_form_page(round_id: uuid.UUID, form: DeclaredFormForm) -> ResponseReturnValue:
    round_ = rounds.get_round(db(), round_id)
    return render_template(
        "officials/draw_form.html",
        round=round_,
        is_fixed=round_.stage in STAGES_WITH_A_DRAW,
        declared=declared_forms.newest(db(), round_id),
        form=form,
        fewest=declared_forms.FEWEST_SEEDS,
    )


@pages.post("/rounds/<uuid:round_id>/draw-form")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def declare_draw_form(round_id: uuid.UUID) -> ResponseReturnValue:
    form = DeclaredFormForm()
    if form.validate_on_submit():
        declared = form.declared()
        if declared is not None:
            with refusals_in(form):
                declared_forms.declare(db(), round_id, declared, by=actor(), now=clock())
                fixed = rounds.get_round(db(), round_id).stage in STAGES_WITH_A_DRAW
                flash(
                    _("抽签的形式已公布，只用于下一次冻结。") if fixed else _("抽签的形式已公布。冻结名单时固定下来。")
                )
                return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return _draw_form_page(round_id, form)
