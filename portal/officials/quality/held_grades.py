"""The grades of a kindergarten: what it holds, its history, a new one, and the end of one."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.places import scope
from enrollment.places.grades import code_list, held
from enrollment.places.grades.rows import LONGEST_DOCUMENT, HeldGrade
from enrollment.places.staffing import counts
from portal.officials import pages
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.scope import DECIDERS, READERS
from portal.text.grade_names import grade_name
from portal.text.numbers import whole_number
from portal.web.forms import CivilDate, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db


class GiveForm(OfficialForm):
    grade = SelectField(_l("等级"), validate_choice=False)
    since = CivilDate(_l("从哪一天起"), [InputRequired(NEEDED)])
    document = StringField(_l("依据的文件"), [InputRequired(NEEDED), Length(max=LONGEST_DOCUMENT)])

    def set_choices(self) -> None:
        listed = [each for each in code_list.all_grades(db()) if each.in_use]
        self.grade.choices = [("", _("请选择")), *((each.code, grade_name(each)) for each in listed)]


class EndForm(OfficialForm):
    until = CivilDate(_l("从哪一天起不再有"), [InputRequired(NEEDED)])


@pages.get("/quality/kindergartens/<uuid:kindergarten_id>")
@desk("officials", *READERS)
def kindergarten_grades(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    return _page(kindergarten_id, GiveForm())


@pages.post("/quality/kindergartens/<uuid:kindergarten_id>")
@desk("officials", *DECIDERS)
def give_grade(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    form = GiveForm()
    if form.validate_on_submit():
        with refusals_in(form):
            held.give(
                db(),
                kindergarten_id,
                form.grade.data or "",
                form.since.data,
                form.document.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("等级已登记，家长从现在起能看到。"))
            return redirect(url_for("officials.kindergarten_grades", kindergarten_id=kindergarten_id), 303)
    return _page(kindergarten_id, form)


@pages.post("/quality/held/<uuid:held_id>")
@desk("officials", *DECIDERS)
def end_grade(held_id: uuid.UUID) -> ResponseReturnValue:
    found = db().get(HeldGrade, held_id)
    if found is None:
        abort(404)
    form = EndForm(prefix=str(held_id)[:8])
    if form.validate_on_submit():
        with refusals_in(form):
            held.end(db(), held_id, form.until.data, by=actor(), now=clock())
            flash(_("等级已结束，记录会保留。"))
            return redirect(url_for("officials.kindergarten_grades", kindergarten_id=found.kindergarten_id), 303)
    return _page(found.kindergarten_id, GiveForm(formdata=None), {held_id: form})


def _page(
    kindergarten_id: uuid.UUID, form: GiveForm, ending: dict[uuid.UUID, EndForm] | None = None
) -> ResponseReturnValue:
    kindergarten = scope.kindergarten_in_scope(db(), kindergarten_id, by=actor())
    history = held.history(db(), kindergarten_id)
    forms = {
        each.id: EndForm(formdata=None, prefix=str(each.id)[:8], data={"until": city_day()})
        for each in history
        if each.until is None
    } | (ending or {})
    form.set_choices()
    return render_template(
        "officials/kindergarten_grades.html",
        kindergarten=kindergarten,
        history=history,
        form=form,
        ending=forms,
        refused=next(iter((ending or {}).values()), None),
        staff=counts.history(db(), kindergarten_id, by=actor(), page=request.args.get("page", 1, whole_number)),
        may_change=actor().is_any(*DECIDERS) and scope.may_decide(actor(), kindergarten),
    )
