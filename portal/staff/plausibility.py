"""What looks hardly plausible in an application: the clerk's verdict about one hint."""

import uuid

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.review import review
from enrollment.review.plausibility import verdicts
from portal.staff import pages
from portal.staff.applications import HintForm, application_page
from portal.staff.case_page import facts_form
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.post("/applications/<uuid:application_id>/hints")
@desk("staff")
def judge_hint(application_id: uuid.UUID) -> ResponseReturnValue:
    form, found = HintForm(), review.find(db(), application_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            verdicts.judge(
                db(),
                application_id,
                form.key.data or "",
                verdict=request.form.get("verdict", ""),
                note=form.note.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("记下了。内容不变，就不再提示。"))
            return redirect(url_for("staff.application", application_id=application_id), 303)
    shown = facts_form(found)
    shown.form.form_errors += [*form.form_errors, *form.note.errors]
    return application_page(found, shown, hinting=form)
