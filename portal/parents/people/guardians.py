"""The second guardian: invitations, and disputes between guardians."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField

from enrollment.applications.applications import Application
from enrollment.applications.guardian_access import guardian_joining
from enrollment.ground.errors import NotFound
from enrollment.people import children, consents, guardians, invitations
from enrollment.people.invitations import Invitation
from enrollment.people.person_rows import ID_KINDS, RELATIONS
from enrollment.review import cases
from portal.parents import pages
from portal.parents.form_pages import application_of, form_page
from portal.text.words import word
from portal.web import phone_messages
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.rate_limits import CODES_OF_A_BROWSER, browser_key, limiter
from portal.web.unit_of_work import actor, clock, db


class InviteForm(PageForm):
    phone = StringField(_l("另一位监护人的手机号"))


class AcceptForm(PageForm):
    relation = SelectField(_l("您是孩子的"), validate_choice=False)

    def set_choices(self) -> None:
        self.relation.choices = [("", _("请选择")), *((code, word("relation", code)) for code in RELATIONS)]


class DisputeForm(PageForm):
    child_name = StringField(_l("孩子的姓名"))
    id_kind = SelectField(_l("孩子的证件类型"), validate_choice=False)
    id_number = StringField(_l("孩子的证件号码"))
    text = TextAreaField(_l("请说明情况"))

    def set_choices(self) -> None:
        self.id_kind.choices = [(kind, word("id_kind", kind)) for kind in ID_KINDS]


def _invite_view(form: InviteForm, application: Application) -> ResponseReturnValue:
    waiting = invitations.open_invitations(db(), application.child_id, now=clock())
    shared = len(children.accounts_of(db(), application.child_id)) > 1
    return form_page("invite", "guardian", application, form, waiting=waiting, shared=shared)


@pages.get("/applications/<uuid:application_id>/invite")
@desk("parents")
def invite_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _invite_view(InviteForm(), application_of(application_id))


@pages.post("/applications/<uuid:application_id>/invite")
@desk("parents")
@limiter.limit(CODES_OF_A_BROWSER, key_func=browser_key)
def invite(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = InviteForm()
    if form.validate_on_submit():
        with refusals_in(form):
            phone = form.phone.data or ""
            invitation = invitations.invite(db(), application.child_id, phone, by=actor(), now=clock())
            phone_messages.send_invitation(db(), invitation, phone)
            if invitation.made_at == clock():
                flash(_("已邀请，对方会收到短信。对方用这个手机号登录后就能看到。"))
            else:
                flash(_("这个号码已经邀请过，没有再发短信。对方用这个手机号登录后就能看到。"), "warn")
            return redirect(url_for("parents.invite_page", application_id=application_id), 303)
    return _invite_view(form, application)


@pages.post("/applications/<uuid:application_id>/invitations/<uuid:invitation_id>/withdraw")
@desk("parents")
def withdraw_invitation(application_id: uuid.UUID, invitation_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    invitations.withdraw(db(), application.child_id, invitation_id, by=actor(), now=clock())
    flash(_("邀请已撤回，对方不能再接受。"))
    return redirect(url_for("parents.invite_page", application_id=application_id), 303)


def _invitation_of(invitation_id: uuid.UUID) -> Invitation:
    for each in invitations.own_invitations(db(), by=actor(), now=clock()):
        if each.id == invitation_id:
            return each
    raise NotFound


def _accept_view(form: AcceptForm, invitation: Invitation) -> ResponseReturnValue:
    form.set_choices()
    known = guardians.guardian_of(db(), by=actor()) is not None
    consented = consents.current_consent(db(), consents.CHILD_DATA, by=actor()) is not None
    return form_page("invitation", "guardian", None, form, invitation=invitation, known=known, consented=consented)


@pages.get("/invitations/<uuid:invitation_id>")
@desk("parents")
def invitation_page(invitation_id: uuid.UUID) -> ResponseReturnValue:
    return _accept_view(AcceptForm(), _invitation_of(invitation_id))


@pages.post("/invitations/<uuid:invitation_id>")
@desk("parents")
def accept_invitation(invitation_id: uuid.UUID) -> ResponseReturnValue:
    form = AcceptForm()
    if form.validate_on_submit():
        with refusals_in(form):
            guardian_joining.accept_invitation(
                db(), invitation_id, relation=form.relation.data or "", by=actor(), now=clock()
            )
            flash(_("您已加入，可以一起查看和修改申请。"))
            return redirect(url_for("parents.home"), 303)
    return _accept_view(form, _invitation_of(invitation_id))


@pages.post("/invitations/<uuid:invitation_id>/decline")
@desk("parents")
def decline_invitation(invitation_id: uuid.UUID) -> ResponseReturnValue:
    if invitations.decline(db(), invitation_id, by=actor(), now=clock()):
        flash(_("您没有接受邀请，邀请您的人会收到消息。按错了的，请对方再邀请一次。"))
    return redirect(url_for("parents.home"), 303)


def _dispute_view(form: DisputeForm) -> ResponseReturnValue:
    form.set_choices()
    return form_page("dispute", "guardian", None, form)


@pages.get("/dispute")
@desk("parents")
def dispute_page() -> ResponseReturnValue:
    return _dispute_view(DisputeForm())


@pages.post("/dispute")
@desk("parents")
def open_dispute() -> ResponseReturnValue:
    form = DisputeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            cases.open_dispute(
                db(),
                child_name=form.child_name.data or "",
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                text=form.text.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("已提交给区教育局核实，会在 10 天内答复您。"))
            return redirect(url_for("parents.home"), 303)
    return _dispute_view(form)
