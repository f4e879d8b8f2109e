"""The desk for families without a mobile phone, or with a lost one: identity check, phone change, access code, answers."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from enrollment.applications import receipts
from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import (
    access_code_proofs,
    access_codes,
    desk_access,
    phone_change_course,
    phone_changes,
)
from enrollment.family_messages import addresses
from enrollment.ground import audit
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.ground.phones import mask_phone
from enrollment.offers import desk_answers, desk_contacts, joint_decisions
from enrollment.offers.desk_answers import CONTACT_WAYS, DeskAnswer
from enrollment.offers.offer_rows import OfferState
from enrollment.people.person_rows import GUARDIAN_ID_KINDS
from enrollment.places.programmes import Programme
from enrollment.results import admission_notice
from portal.staff import pages
from portal.text.facts import asked_words, item_words
from portal.text.messages import desk_words
from portal.web import phone_messages
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in, refusals_told, second_form
from portal.web.guards import desk
from portal.web.phone_fields import code_field, digits, phone_field
from portal.web.sessions import current_session
from portal.web.unit_of_work import actor, clock, db

PURPOSE = "desk"


class CheckForm(PageForm):
    document_kind = SelectField(_l("出示的证件"), validate_choice=False)
    document_end = StringField(
        _l("证件号码最后 4 位"), [InputRequired(_l("请看着证件填写最后 4 位。")), Length(max=40)]
    )

    def set_choices(self) -> None:
        self.document_kind.choices = [("", _("请选择")), *coded_choices("id_kind", GUARDIAN_ID_KINDS)]


class NewPhoneForm(PageForm):
    phone = phone_field(_l("新的手机号"))


class CodesForm(PageForm):
    new_code = code_field(_l("新手机号收到的验证码，由监护人读出"))
    old_code = StringField(
        _l("旧手机号收到的验证码（收不到就不填）"),
        filters=[digits],
        validators=[Optional(), Regexp(r"^\d{6}$", message=_l("验证码是 6 位数字。"))],
    )


class PhoneProofForm(PageForm):
    code = StringField(
        _l("监护人手机收到的验证码"),
        filters=[digits],
        validators=[Optional(), Regexp(r"^\d{6}$", message=_l("验证码是 6 位数字。"))],
    )


class AnswerForm(PageForm):
    answer = RadioField(_l("监护人的答复"), validate_choice=False)
    seen = HiddenField()

    def set_choices(self) -> None:
        self.answer.choices = coded_choices("desk_answer", tuple(DeskAnswer))


class ContactForm(PageForm):
    way = RadioField(_l("怎样联系到的"), validate_choice=False)

    def set_choices(self) -> None:
        self.way.choices = coded_choices("contact_way", CONTACT_WAYS)


def _application(application_id: uuid.UUID) -> Application:
    return desk_access.application_at_desk(db(), application_id, by=actor())


@pages.get("/desk", endpoint="desk")
@desk("staff")
def desk_home() -> ResponseReturnValue:
    """The search by registration code, families to call, and phone changes that wait for a second person."""
    code = request.args.get("code", "").strip()[:40]
    found = desk_access.find_by_code(db(), code, by=actor()) if code else None
    if found is not None:
        return redirect(url_for("staff.desk_family", application_id=found.id), 303)
    waiting = phone_changes.waiting_at_desk(db(), by=actor())
    return render_template(
        "staff/desk.html",
        code=code,
        to_contact=desk_contacts.families_to_contact(db(), by=actor(), now=clock()),
        desk_words=desk_words,
        waiting=[(change, db().get_one(Application, change.application_id)) for change in waiting],
        me=actor().account_id,
        form=ActForm(),
    )


@pages.get("/desk/<uuid:application_id>")
@desk("staff")
def desk_family(application_id: uuid.UUID) -> ResponseReturnValue:
    return _family_page(_application(application_id), ContactForm(formdata=None))


def _family_page(application: Application, contact_form: ContactForm) -> ResponseReturnValue:
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason=PURPOSE)
    contact_form.set_choices()
    return render_template(
        "staff/desk_family.html",
        application=application,
        guardians=[
            (each, mask_phone(db().get_one(Account, each.guardian.account_id).phone or ""))
            for each in desk_access.guardians_at_desk(db(), application)
        ],
        contact=desk_contacts.family_to_contact(db(), application, by=actor(), now=clock()),
        can_write=bool(addresses.of_applications(db(), [application.id])),
        offer=desk_answers.live_offer(db(), application),
        desk_words=desk_words,
        item_words=item_words,
        asked_words=asked_words,
        form=contact_form,
    )


@pages.post("/desk/<uuid:application_id>/contact")
@desk("staff")
def record_contact(application_id: uuid.UUID) -> ResponseReturnValue:
    application, form = _application(application_id), ContactForm()
    with refusals_in(form):
        desk_answers.record_contact(db(), application_id, form.way.data or "", by=actor(), now=clock())
        offer = desk_answers.live_offer(db(), application)
        waits = offer is not None and offer.state == OfferState.OFFERED
        flash(_("已记下。没有答复的，从现在起照常到期。") if waits else _("已记下。"))
        return redirect(url_for("staff.desk"), 303)
    return _family_page(application, form)


def guardian_view(
    application_id: uuid.UUID, account_id: uuid.UUID, form: PageForm, template: str = "desk_guardian", **more: object
) -> str:
    application = _application(application_id)
    account = desk_access.guardian_account(db(), application, account_id)
    check_form = form if isinstance(form, CheckForm) else CheckForm(formdata=None)
    check_form.set_choices()
    phone_form = form if isinstance(form, NewPhoneForm) else second_form(NewPhoneForm)
    proof_form = form if isinstance(form, PhoneProofForm) else second_form(PhoneProofForm)
    answer_form = form if isinstance(form, AnswerForm) else AnswerForm(formdata=None)
    answer_form.set_choices()
    offer = desk_answers.live_offer(db(), application)
    return render_template(
        f"staff/{template}.html",
        application=application,
        guardian_account=account,
        phone=mask_phone(account.phone or ""),
        form=form,
        check_form=check_form,
        phone_form=phone_form,
        proof_form=proof_form,
        answer_form=answer_form,
        checked=desk_access.current_check(db(), application_id, account_id, by=actor(), now=clock()),
        code=access_codes.live_code(db(), account_id, now=clock()),
        proof_needed=access_code_proofs.is_needed(account),
        can_be_texted=access_code_proofs.can_be_texted(db(), account),
        agreed=access_code_proofs.is_agreed(db(), application_id, account_id, by=actor(), now=clock()),
        change=phone_change_course.open_change(db(), account_id),
        offer=offer,
        place=db().get_one(Programme, offer.programme_id) if offer else None,
        seen=joint_decisions.state_seen(db(), offer) if offer else "",
        has_receipt=receipts.latest(db(), application) is not None,
        has_notice=admission_notice.exists(db(), application),
        **more,
    )


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>")
@desk("staff")
def desk_guardian(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    return guardian_view(application_id, account_id, CheckForm(formdata=None))


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/check")
@desk("staff")
def check_identity(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    form = CheckForm()
    _application(application_id)
    if form.validate_on_submit():
        with refusals_in(form):
            check = desk_access.check_identity(
                db(), application_id, account_id, document_kind=form.document_kind.data or "",
                document_end=form.document_end.data or "", purpose=PURPOSE, by=actor(), now=clock(),
            )  # fmt: skip
            if check is not None:
                flash(_("已记下核对的证件，30 分钟内可以办理。"))
                return redirect(guardian_address(application_id, account_id), 303)
            form.refuse(Refused("document_differs", field="document_end"))  # counted, so it is not undone
    return guardian_view(application_id, account_id, form)


def guardian_address(application_id: uuid.UUID, account_id: uuid.UUID) -> str:
    return url_for("staff.desk_guardian", application_id=application_id, account_id=account_id)


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/phone")
@desk("staff", step_up=True)
def send_desk_codes(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    form = NewPhoneForm()
    account = desk_access.guardian_account(db(), _application(application_id), account_id)
    if form.validate_on_submit():
        with refusals_in(form):
            desk_access.require_check(db(), application_id, account_id, by=actor(), now=clock())
            phone = form.phone.data or ""
            codes = phone_changes.send_codes(db(), account_id, phone, by=actor(), now=clock())
            phone_messages.send_codes(db(), codes, phone, account.phone)
            current_session().set_sealed(f"phone:{account_id}", phone)
            target = url_for("staff.desk_codes_page", application_id=application_id, account_id=account_id)
            return redirect(target, 303)
    return guardian_view(application_id, account_id, form)


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>/codes")
@desk("staff")
def desk_codes_page(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    return _codes_view(application_id, account_id, CodesForm())


def _codes_view(application_id: uuid.UUID, account_id: uuid.UUID, form: CodesForm) -> ResponseReturnValue:
    new_phone = current_session().get_sealed(f"phone:{account_id}")
    if new_phone is None:
        _application(application_id)
        return redirect(guardian_address(application_id, account_id), 303)
    return guardian_view(application_id, account_id, form, "desk_codes", new_phone=mask_phone(new_phone))


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/codes")
@desk("staff", step_up=True)
def request_desk_change(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    form = CodesForm()
    _application(application_id)
    phone = current_session().get_sealed(f"phone:{account_id}")
    if phone is not None and form.validate_on_submit():
        with refusals_in(form):
            asked = phone_changes.request_at_desk(
                db(), application_id, account_id, phone, form.new_code.data or "", form.old_code.data or "",
                by=actor(), now=clock(),
            )  # fmt: skip
            if asked.change is not None:
                current_session().pop(f"phone:{account_id}", None)
                flash(_("已登记。请另一位工作人员看过证件后，在“窗口”里确认。"))
                return redirect(url_for("staff.desk"), 303)
            form[asked.wrong_field].errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
    return _codes_view(application_id, account_id, form)


@pages.post("/desk/phone-changes/<uuid:change_id>")
@desk("staff", step_up=True)
def confirm_phone_change(change_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        flash(*phone_messages.outcome_words(phone_messages.confirm_at_desk(db(), change_id, by=actor())))
    return redirect(url_for("staff.desk"), 303)


@pages.post("/desk/phone-changes/<uuid:change_id>/refuse")
@desk("staff")
def refuse_phone_change(change_id: uuid.UUID) -> ResponseReturnValue:
    flash(*phone_messages.refusal_words(phone_changes.refuse_at_desk(db(), change_id, by=actor(), now=clock())))
    return redirect(url_for("staff.desk"), 303)


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/phone/keep")
@desk("staff", step_up=True)
def keep_phone(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """The guardian at the desk stops a change of the number, whoever asked for it."""
    with refusals_told():
        if phone_changes.stop_at_desk(db(), application_id, account_id, by=actor(), now=clock()):
            flash(_("已停止，号码仍属于这位监护人。别处的登录都已退出。"))
        else:
            flash(_("没有可以停止的：等待期已经结束，或者已经停止过。请看这位监护人现在的号码。"), "warn")
    return redirect(guardian_address(application_id, account_id), 303)


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/answer")
@desk("staff")
def record_answer(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    form = AnswerForm()
    _application(application_id)
    if form.validate_on_submit():
        with refusals_in(form):
            desk_answers.answer(
                db(), application_id, account_id, form.answer.data or "", seen=form.seen.data or "", by=actor(),
                now=clock(),
            )  # fmt: skip
            flash(_("答复已记下。请打印回执交给监护人。"))
            return redirect(guardian_address(application_id, account_id), 303)
    if form.refused == "place_changed":
        form.answer.data = None  # it was the answer for another place, or to another state
        return guardian_view(application_id, account_id, form), 409
    return guardian_view(application_id, account_id, form)
