"""The guardians of a child: what each may see, asking for a third one, asking to remove one."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, TextAreaField

from enrollment.applications.applications import Application
from enrollment.applications.guardian_access.desk_access import guardians_at_desk
from enrollment.ground.files.upload_limits import LIMITS
from enrollment.people import guardians
from enrollment.people.person_rows import Guardianship
from enrollment.review import guardian_requests
from enrollment.review.guardian_requests import Paper
from portal.parents import pages
from portal.parents.form_pages import application_of, form_page
from portal.text.words import word
from portal.web.forms import PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.phone_fields import phone_field
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import PHOTO_OR_PDF, UploadField, accepts_uploads


class RequestForm(PageForm):
    text = TextAreaField(_l("请说明情况"))
    paper = UploadField(_l("证明：判决书、协议、证明或保护令的照片或 PDF"), kinds=PHOTO_OR_PDF)

    def read_paper(self) -> Paper:
        file = self.paper.data
        return Paper(file.read() if getattr(file, "filename", None) else b"")


class AddForm(RequestForm):
    phone = phone_field(_l("要增加的监护人的手机号"), receives_code=False)


class RemoveForm(RequestForm):
    guardian = RadioField(_l("要移除的监护人"), validate_choice=False)
    protected = BooleanField(_l("有人身安全保护令，办理前不要告诉对方"))

    def offer_guardians(self, application: Application) -> None:
        me = guardians.guardian_of(db(), by=actor())
        self.guardian.choices = [
            (str(each.guardian_id), _described(each, oneself=me is not None and me.id == each.guardian_id))
            for each in guardians_at_desk(db(), application)
        ]


def _described(guardianship: Guardianship, *, oneself: bool) -> str:
    name, relation = guardianship.guardian.name, word("relation", guardianship.relation)
    return _("您（%(name)s，%(relation)s）", name=name, relation=relation) if oneself else f"{name}（{relation}）"


@pages.get("/applications/<uuid:application_id>/guardians")
@desk("parents")
def guardian_list(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    me = guardians.guardian_of(db(), by=actor())
    listed = guardians_at_desk(db(), application)
    return form_page("guardians", "guardian", application, None, listed=listed, me=me.id if me else None)


def _add_view(application: Application, form: AddForm) -> ResponseReturnValue:
    return form_page("guardian_add", "guardian", application, form)


@pages.get("/applications/<uuid:application_id>/guardians/add")
@desk("parents")
def add_guardian_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _add_view(application_of(application_id), AddForm())


@pages.post("/applications/<uuid:application_id>/guardians/add")
@desk("parents")
@accepts_uploads(LIMITS["photo"])
def add_guardian(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = AddForm()
    if form.validate_on_submit():
        with refusals_in(form):
            guardian_requests.request_addition(
                db(), application.id, form.phone.data or "", form.read_paper(), text=form.text.data or "",
                by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已提交，负责人会在 10 天内决定。"))
            return redirect(url_for("parents.home"), 303)
    return _add_view(application, form)


def _remove_view(application: Application, form: RemoveForm) -> ResponseReturnValue:
    form.offer_guardians(application)
    return form_page("guardian_remove", "guardian", application, form)


@pages.get("/applications/<uuid:application_id>/guardians/remove")
@desk("parents")
def remove_guardian_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _remove_view(application_of(application_id), RemoveForm())


@pages.post("/applications/<uuid:application_id>/guardians/remove")
@desk("parents")
@accepts_uploads(LIMITS["photo"])
def remove_guardian(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = RemoveForm()
    if form.validate_on_submit():
        with refusals_in(form):
            guardian_requests.request_removal(
                db(), application.id, parse_uuid(form.guardian.data) or uuid.UUID(int=0), form.read_paper(),
                protected=bool(form.protected.data), text=form.text.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已提交，由区教育局的两位工作人员决定，10 天内答复。"))
            return redirect(url_for("parents.home"), 303)
    return _remove_view(application, form)
