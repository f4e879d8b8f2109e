"""The promotion sheet 升班: exceptions first, a preview, one confirmation, and taking it back within seven days."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll, roll_checks
from enrollment.places.roll_changes import promotion_undo
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.roll import school_year_of_page
from portal.text.formats import refusal
from portal.text.numbers import whole_number
from portal.web.forms import ActForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

KEYS = ("child-", "class-", "level-")


def _choices() -> dict[str, str]:
    """The choices of the form, by the key of their exception."""
    return {key: value for key, value in request.values.items() if key.startswith(KEYS)}


@pages.get("/roll/promote")
@desk("staff")
def promote_preview() -> ResponseReturnValue:
    """The sheet; with choices in the query string it is counted again with them."""
    return _promote_page(ActForm())


@pages.post("/roll/promote")
@desk("staff")
def promote_roll() -> ResponseReturnValue:
    here, form, year = kindergarten_of_page(), ActForm(), school_year_of_page()
    if form.validate_on_submit():
        with refusals_in(form):
            done = promotion.promote(db(), here.id, year, choices=_choices(), by=actor(), now=clock())
            flash(
                _("已升班：%(n)s 名幼儿进入新学年，%(m)s 名毕业。7 天内可以整批撤回。", n=done.children, m=done.leavers)
            )
            return redirect(url_for("staff.roll", at=here.id, year=year + 1), 303)
    return _promote_page(form)


@pages.post("/roll/promotions/<uuid:promotion_id>/undo")
@desk("staff")
def undo_promotion(promotion_id: uuid.UUID) -> ResponseReturnValue:
    here, form = kindergarten_of_page(), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            undone = promotion_undo.undo(db(), promotion_id, by=actor(), now=clock())
            flash(_("升班已整批撤回，名册和升班前一样。"))
            return redirect(url_for("staff.roll", at=here.id, year=undone.from_year), 303)
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("staff.promote_preview", at=here.id, year=request.args.get("year", type=whole_number)), 303)


def _promote_page(form: ActForm) -> ResponseReturnValue:
    here, year = kindergarten_of_page(), school_year_of_page()
    done = promotion.last_promotion(db(), here.id, year)
    try:
        seen, hindrance = promotion.preview(db(), here.id, year, choices=_choices(), by=actor(), now=clock()), None
    except Refused as refused:
        seen, hindrance = None, refusal(refused)
    children = [one.child_id for one in seen.exceptions if one.child_id] if seen else []
    return render_template(
        "staff/roll_promote.html",
        here=here,
        year=year,
        seen=seen,
        hindrance=hindrance,
        done=done,
        undone_until=done.made_at + promotion_undo.UNDONE_WITHIN if done else None,
        choices=_choices(),
        names=roll.names_of(db(), children, by=actor(), now=clock()),
        norm_of=roll_checks.norm_of,
        form=form,
    )
