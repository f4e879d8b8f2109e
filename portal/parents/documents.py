"""The documents of a child: their list, a further one, and the question about an earlier entry.

Every family with a document other than a first resident number is asked the same question and gets the same pages,
whether or not somebody has entered the other document.
"""

import uuid

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField

from enrollment.applications import identity_documents
from enrollment.applications.applications import Application
from enrollment.corrections import requests
from enrollment.ground.vault import mask
from enrollment.people import documents
from enrollment.people.person_rows import ID_KINDS, RESIDENT, EnteredBefore
from enrollment.review.correction_rows import CorrectionKind
from portal.parents import pages
from portal.parents.form_pages import Required, application_of, form_page, redirect_after_save
from portal.text.office_names import office_name
from portal.text.words import word
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class DocumentForm(PageForm):
    id_kind = SelectField(_l("证件类型"), validate_choice=False)
    id_number = StringField(_l("证件号码"), [Required("id_empty")])

    def set_choices(self) -> None:
        self.id_kind.choices = [(kind, word("id_kind", kind)) for kind in ID_KINDS]


class EarlierEntryForm(PageForm):
    entered_before = RadioField(_l("这个孩子以前有没有用别的证件登记过？"), validate_choice=False)
    other_kind = SelectField(_l("以前登记用的证件类型"), validate_choice=False)
    other_number = StringField(_l("以前登记用的证件号码"))

    def set_choices(self) -> None:
        self.entered_before.choices = coded_choices("entered_before", EnteredBefore)
        self.other_kind.choices = [(kind, word("id_kind", kind)) for kind in ID_KINDS]


def _view(
    application: Application,
    *,
    add: DocumentForm | None = None,
    earlier: EarlierEntryForm | None = None,
    said_yes: bool = False,
) -> ResponseReturnValue:
    """`said_yes`: the question about an earlier entry was answered on the page before, and the other document is still to come."""
    posted = add or earlier
    add, earlier = add or DocumentForm(), earlier or EarlierEntryForm()
    add.set_choices()
    earlier.set_choices()
    if said_yes and not earlier.was_restored:
        earlier.entered_before.data = EnteredBefore.YES
    listed = documents.of_family(db(), application.child_id)
    return form_page(
        "documents",
        "child",
        application,
        posted or add,
        add=add,
        earlier=earlier,
        asked=documents.question_is_due(db(), application.child_id),
        listed=listed,
        child_is_free=requests.may_edit_freely(db(), application, CorrectionKind.NAME, now=clock()),
        office=_office_of(application) if any(not each.checked_at for each in listed) else "",
        mask=mask,
    )


def _office_of(application: Application) -> str:
    """Who looks at what a family adds to its application."""
    return office_name(db(), *requests.desk_for(db(), application))


@pages.get("/applications/<uuid:application_id>/documents")
@desk("parents", allows_helper=True)
def documents_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _view(application_of(application_id), said_yes=request.args.get("entered_before") == EnteredBefore.YES)


def _added(application: Application, id_kind: str, *, counts: bool) -> str:
    if application.child.id_kind == RESIDENT and id_kind != RESIDENT:
        return _("证件已添加，仍以身份证号为准。") if counts else _("证件已添加，由审核员看过。仍以身份证号为准。")
    return _("证件已添加，现在以它为准。") if counts else _("证件已添加。登记已经截止，由审核员看过以后才以它为准。")


@pages.post("/applications/<uuid:application_id>/documents")
@desk("parents", allows_helper=True)
def save_documents(application_id: uuid.UUID) -> ResponseReturnValue:
    """One form with two acts.  Enter in a field names none: a number that was typed is added, else the question is answered."""
    application, add = application_of(application_id), DocumentForm()
    act = request.form.get("act") or ("add" if add.id_number.data else "answer")
    asked = documents.question_is_due(db(), application.child_id)
    return _answered(application, EarlierEntryForm()) if act == "answer" and asked else _add(application, add)


def _add(application: Application, form: DocumentForm) -> ResponseReturnValue:
    application_id = application.id
    if form.validate_on_submit():
        with refusals_in(form):
            counts = identity_documents.add_document(
                db(),
                application_id,
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_added(application, form.id_kind.data or "", counts=counts))
            return redirect(url_for("parents.documents_page", application_id=application_id), 303)
        if form.refused == "child_already_entered":
            identity_documents.note_known_document(
                db(),
                application_id,
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                by=actor(),
                now=clock(),
            )
    return _view(application, add=form)


def _answered(application: Application, form: EarlierEntryForm) -> ResponseReturnValue:
    if form.validate_on_submit():
        with refusals_in(form):
            joined = identity_documents.answer_entered_before(
                db(),
                application.id,
                entered_before=form.entered_before.data or "",
                id_kind=form.other_kind.data or "",
                id_number=form.other_number.data or "",
                by=actor(),
                now=clock(),
            )
            return _after_answer(application, joined, form.entered_before.data or "")
    return _view(application, earlier=form)


def _after_answer(application: Application, joined: Application | None, answer: str) -> ResponseReturnValue:
    if joined is not None:
        flash(_("两个证件已经合到一个孩子名下，以下是保留的那份申请。"))
        return redirect(url_for("parents.application_page", application_id=joined.id), 303)
    if answer == EnteredBefore.YES:
        return redirect(url_for("parents.earlier_entry", application_id=application.id), 303)
    return redirect_after_save("child", application)


@pages.get("/applications/<uuid:application_id>/documents/earlier")
@desk("parents", allows_helper=True)
def earlier_entry(application_id: uuid.UUID) -> ResponseReturnValue:
    """What a family does that says yes: the same page whether the other document is known or not."""
    return form_page("earlier_entry", "child", application_of(application_id), None)
