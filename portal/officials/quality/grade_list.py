"""The code list of grades: all of them, a new one, and a change of one."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground.accounts import Role
from enrollment.places.grades import code_list
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.grades.rows import LONGEST_NAME
from portal.officials import pages
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.scope import READERS
from portal.text.numbers import number_or
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class GradeForm(OfficialForm):
    """A grade's names; `version` is that of the row on the page, empty for a new grade."""

    version = HiddenField()
    name = StringField(_l("中文名称"), [InputRequired(NEEDED), Length(max=LONGEST_NAME)])
    name_en = StringField(_l("英文名称"), [InputRequired(NEEDED), Length(max=LONGEST_NAME)])
    high_quality = BooleanField(_l("算优质园，计入年度目标"))
    in_use = BooleanField(_l("在用：还可以评给幼儿园"), default=True)

    def take_newer(self) -> bool:
        found = code_list.grade(db(), (request.view_args or {})["code"])
        self.newer = [(self.name.label.text, found.name), (self.name_en.label.text, found.name_en)]
        self.version.data = str(found.version)
        return True

    def names(self) -> GradeNames:
        return GradeNames(
            self.name.data or "", self.name_en.data or "", bool(self.high_quality.data), bool(self.in_use.data)
        )


@pages.get("/quality/grades")
@desk("officials", *READERS)
def grades() -> ResponseReturnValue:
    return _list_page(GradeForm())


@pages.post("/quality/grades")
@desk("officials", Role.CITY_OFFICIAL)
def add_grade() -> ResponseReturnValue:
    form = GradeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            code_list.add(db(), form.names(), by=actor(), now=clock())
            flash(_("等级已加入名单。"))
            return redirect(url_for("officials.grades"), 303)
    return _list_page(form)


@pages.get("/quality/grades/<code>")
@desk("officials", Role.CITY_OFFICIAL)
def grade(code: str) -> ResponseReturnValue:
    found = code_list.grade(db(), code)
    values: dict[str, Any] = {name: getattr(found, name) for name in ("name", "name_en", "high_quality", "in_use")}
    return _grade_page(code, GradeForm(data=values | {"version": found.version}))


@pages.post("/quality/grades/<code>")
@desk("officials", Role.CITY_OFFICIAL)
def change_grade(code: str) -> ResponseReturnValue:
    form = GradeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            version = number_or(form.version.data, 0)
            code_list.change(db(), code, form.names(), version=version, by=actor(), now=clock())
            flash(_("等级已修改。"))
            return redirect(url_for("officials.grades"), 303)
    return _grade_page(code, form)


def _list_page(form: GradeForm) -> ResponseReturnValue:
    return render_template(
        "officials/grades.html",
        form=form,
        listed=code_list.all_grades(db()),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


def _grade_page(code: str, form: GradeForm) -> ResponseReturnValue:
    return page_of(form, render_template("officials/grade.html", form=form, grade=code_list.grade(db(), code)))
