"""What the child needs in daily life: a page that a family may fill in or leave, at any time.  For the guardian alone."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectMultipleField, TextAreaField, widgets

from enrollment.applications.child_needs import answers
from enrollment.applications.child_needs.rows import ChildNeeds, NeedKind
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import PageForm, coded_choices, page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class NeedsForm(PageForm):
    version = HiddenField()
    kinds = SelectMultipleField(
        _l("有没有这些情况？（可以多选，也可以都不选）"),
        choices=coded_choices("child_need", NeedKind),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        validate_choice=False,
    )
    note = TextAreaField(_l("还想让老师知道的（可以不写）"))
    agrees = BooleanField(_l("我同意按上面说的用途，让照顾孩子的人看到这些内容"))

    def fill_from(self, told: ChildNeeds | None) -> None:
        self.version.data = str(told.version if told is not None else 0)
        if told is not None:
            self.kinds.data, self.note.data, self.agrees.data = told.kinds, told.note, True

    def take_newer(self) -> bool:
        """What another guardian saved meanwhile stands beside what was typed here."""
        told = answers.of_family(db(), (request.view_args or {})["application_id"], by=actor())
        kinds = [word("child_need", kind) for kind in told.kinds] if told is not None else []
        self.newer = [(str(self.kinds.label.text), _("、").join(kinds) or _("都没有选"))]
        if told is not None and told.note:
            self.newer.append((str(self.note.label.text), told.note))
        self.version.data = str(told.version if told is not None else 0)
        return True


@pages.get("/applications/<uuid:application_id>/needs")
@desk("parents")
def needs_page(application_id: uuid.UUID) -> ResponseReturnValue:
    form = NeedsForm()
    if not form.was_restored:
        form.fill_from(answers.of_family(db(), application_id, by=actor()))
    return _page(application_id, form)


def _page(application_id: uuid.UUID, form: NeedsForm) -> ResponseReturnValue:
    return page_of(form, render_template("parents/needs.html", application=application_of(application_id), form=form))


@pages.post("/applications/<uuid:application_id>/needs")
@desk("parents")
def save_needs(application_id: uuid.UUID) -> ResponseReturnValue:
    form, seen = NeedsForm(), request.form.get("version", "")
    if form.validate_on_submit():
        with refusals_in(form):
            told = answers.save(
                db(),
                application_id,
                kinds=form.kinds.data or [],
                note=form.note.data or "",
                agrees=form.agrees.data,
                version=number_or(seen, -1),
                by=actor(),
                now=clock(),
            )
            flash(_("记下了。孩子入园时，老师会看到。") if told is not None else _("已经清空，没有人会看到。"))
            return redirect(url_for("parents.application_page", application_id=application_id), 303)
    return _page(application_id, form)
