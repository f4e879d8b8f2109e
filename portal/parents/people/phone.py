"""The guardian changes the phone with which it signs in, and ends what somebody else requested: a change, a printed code."""

import math

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Optional, Regexp

from enrollment.applications.guardian_access import access_codes, phone_change_course, phone_changes
from enrollment.applications.guardian_access.phone_changes import SESSION_WAIT
from enrollment.ground.accounts import Account, Role
from enrollment.ground.phones import mask_phone
from portal.parents import pages
from portal.text.formats import moment
from portal.text.words import contact
from portal.web import phone_messages
from portal.web.authentication import log_in
from portal.web.devices import remember_phone
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.phone_fields import code_field, digits, phone_field
from portal.web.rate_limits import CODES_OF_A_BROWSER, browser_key, limiter
from portal.web.sessions import current_session
from portal.web.unit_of_work import account_id, actor, clock, db

SESSION_KEY = "new_phone"


class NewPhoneForm(PageForm):
    phone = phone_field(_l("新的手机号"))


class ProofForm(PageForm):
    new_code = code_field(_l("新手机号收到的验证码"))
    old_code = StringField(
        _l("旧手机号收到的验证码"),
        filters=[digits],
        validators=[Optional(), Regexp(r"^\d{6}$", message=_l("验证码是 6 位数字。"))],
    )


def _account() -> Account:
    return db().get_one(Account, account_id())


@pages.get("/phone")
@desk("parents", Role.GUARDIAN)
def phone_page() -> ResponseReturnValue:
    return _phone_view(NewPhoneForm())


def _phone_view(form: NewPhoneForm) -> ResponseReturnValue:
    return render_template(
        "parents/phone.html",
        form=form,
        phone=mask_phone(_account().phone or ""),
        change=phone_change_course.open_change(db(), account_id()),
        hours=int(SESSION_WAIT.total_seconds() // 3600),
    )


@pages.post("/phone")
@desk("parents", Role.GUARDIAN)
@limiter.limit(CODES_OF_A_BROWSER, key_func=browser_key)
def send_phone_codes() -> ResponseReturnValue:
    form = NewPhoneForm()
    if form.validate_on_submit():
        with refusals_in(form):
            phone = form.phone.data or ""
            codes = phone_changes.send_codes(db(), account_id(), phone, by=actor(), now=clock())
            phone_messages.send_codes(db(), codes, phone, _account().phone)
            current_session().set_sealed(SESSION_KEY, phone)
            return redirect(url_for("parents.phone_proof_page"), 303)
    return _phone_view(form)


@pages.get("/phone/code")
@desk("parents", Role.GUARDIAN)
def phone_proof_page() -> ResponseReturnValue:
    return _proof_view(ProofForm())


def _proof_view(form: ProofForm) -> ResponseReturnValue:
    phone = current_session().get_sealed(SESSION_KEY)
    if phone is None:
        return redirect(url_for("parents.phone_page"), 303)
    wait = phone_changes.waiting_time(db(), phone, by=actor(), now=clock())
    return render_template(
        "parents/phone_code.html",
        form=form,
        new_phone=mask_phone(phone),
        old_phone=mask_phone(_account().phone or ""),
        minutes=math.ceil(wait.total_seconds() / 60),
        hours=int(SESSION_WAIT.total_seconds() // 3600),
    )


@pages.post("/phone/code")
@desk("parents", Role.GUARDIAN)
@limiter.limit("60 per hour", key_func=browser_key)
def change_phone() -> ResponseReturnValue:
    form = ProofForm()
    phone = current_session().get_sealed(SESSION_KEY)
    if phone is not None and form.validate_on_submit():
        with refusals_in(form):
            old_phone = _account().phone
            request = phone_changes.request_change(
                db(), phone, form.new_code.data or "", form.old_code.data or "", by=actor(), now=clock()
            )
            if request.change is not None:
                return _requested(request, old_phone, phone)
            form[request.wrong_field].errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
    return _proof_view(form)


def _requested(request: phone_changes.Request, old_phone: str | None, new_phone: str) -> ResponseReturnValue:
    """Sign in again under the new number, or say until when the change waits."""
    change = request.change
    if change is None:
        return redirect(url_for("parents.phone_page"), 303)
    ended = phone_change_course.take_effect_now(db(), change, by=actor(), now=clock())
    if ended is not None:
        phone_messages.tell_old_phone(db(), ended)
        log_in(_account())
        remember_phone(new_phone)
        flash(_("手机号已经更换，以后用新号码登录。其他手机和电脑上的登录都已退出。"))
    elif change.ended_at is not None:
        flash(
            _("这个手机号已经用于另一位监护人的账户，没有更换。请换一个号码，或%(contact)s。", contact=contact()),
            "warn",
        )
    else:
        phone_messages.warn_old_phone(db(), change, old_phone, request.stop_token)
        flash(_("已经登记，%(when)s 生效。在那之前仍用旧号码登录。", when=moment(change.effective_at or clock())))
    current_session().pop(SESSION_KEY, None)
    return redirect(url_for("parents.phone_page"), 303)


@pages.post("/phone/stop")
@desk("parents", Role.GUARDIAN)
def stop_phone_change() -> ResponseReturnValue:
    """Whoever signs in with the old number can stop a change; every other session and a printed code end."""
    if phone_change_course.stop_own(db(), by=actor(), now=clock()):
        log_in(_account())
        flash(_("已经停止更换手机号。其他手机和电脑上的登录都已退出。"))
    return redirect(url_for("parents.phone_page"), 303)


@pages.post("/account/access-code/revoke")
@desk("parents", Role.GUARDIAN)
def revoke_own_access_code() -> ResponseReturnValue:
    """Nobody signs in with the printed code any more; every other session of the account ends."""
    if access_codes.revoke_own(db(), by=actor(), now=clock()):
        log_in(_account())
        flash(_("登录码已作废。其他手机和电脑上的登录都已退出。"))
    return redirect(url_for("parents.account"), 303)
