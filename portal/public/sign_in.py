"""Sign-in: families with a one-time code, all others with login, password and second factor."""

import math
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from enrollment.delivery import code_statements, code_status
from enrollment.ground import sign_in as sign_in_service
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from portal.demo import people as demo_people
from portal.public import pages
from portal.public.phone_doubts.doubted_phone import question_first
from portal.text.messages import signed, text_words
from portal.text.words import contact, language
from portal.web import phone_messages
from portal.web.authentication import log_in, log_out, note_second_factor, signed_in
from portal.web.clock import real_now
from portal.web.devices import asker_for, remember_login
from portal.web.forms import PageForm
from portal.web.guards import public
from portal.web.phone_fields import code_field, digits, phone_field
from portal.web.rate_limits import (
    CODES_OF_A_BROWSER,
    EVERYBODY,
    attempts_of_an_address,
    attempts_of_an_address_first,
    browser_key,
    codes_of_an_address,
    codes_of_everybody,
    limiter,
    login_key,
    was_taken,
)
from portal.web.safe_redirect import local_path
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db, services

ASK_AGAIN = "ask_who_signs_in"
"""Somebody has signed out in this browser: the single sign-on, which still knows that person, asks who it is."""


class PhoneForm(PageForm):
    phone = phone_field(_l("手机号"))
    next = HiddenField()


class CodeForm(PageForm):
    code = code_field(_l("短信验证码"))


class PasswordForm(PageForm):
    login = StringField(_l("账号"), validators=[InputRequired(_l("请填写账号。"))])
    password = PasswordField(_l("密码"), validators=[InputRequired(_l("请填写密码。"))])
    next = HiddenField()


class SecondFactorForm(PageForm):
    code = StringField(
        _l("动态口令"), filters=[digits], validators=[InputRequired(_l("请填写身份验证器上的 6 位数字。"))]
    )


def _redirect_after_sign_in() -> ResponseReturnValue:
    target = local_path(session.pop("next", None))
    return redirect(target or f"/{current_user.desk}", 303)


@pages.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated and not request.args.get("next"):
        return redirect(f"/{current_user.desk}", 303)
    return _phone_page(PhoneForm(next=request.args.get("next", "")))


def _phone_page(form: PhoneForm) -> ResponseReturnValue:
    people = demo_people.families() if services().config.demo else []
    sign_on = services().config.single_sign_on
    return render_template(
        "public/sign_in.html", form=form, people=people, sign_on=sign_on.named(language()) if sign_on else ""
    )


@pages.post("/sign-in")
@public
@limiter.limit(codes_of_an_address)
@limiter.limit(CODES_OF_A_BROWSER, key_func=browser_key)
@limiter.limit(codes_of_everybody, key_func=lambda: EVERYBODY, deduct_when=was_taken)
def send_code() -> ResponseReturnValue:
    form = PhoneForm()
    if not form.validate_on_submit():
        return _phone_page(form)
    send_code_to(form.phone.data)
    session["next"] = local_path(form.next.data)
    return redirect(url_for("public.enter_code"), 303)


def send_code_to(phone: str) -> None:
    """Send a code for a sign-in, unless this asker had too many, and keep the phone for the page that asks for the code."""
    sent = code_statements.ask(db(), phone, words=_code_message, now=clock(), asker=asker_for(phone))
    session["code_sent"] = sent is not None
    if sent is not None:
        session["code_message"] = str(sent.message_id)
    current_session().set_sealed("phone", phone)


def _code_message(code: str) -> str:
    words = text_words("code", code=code, minutes=sign_in_service.CODE_LIFETIME.seconds // 60)
    return signed(words, services().config)


@pages.get("/sign-in/code")
@public
def enter_code() -> ResponseReturnValue:
    phone = current_session().get_sealed("phone")
    if phone is None:
        return redirect(url_for("public.sign_in"), 303)
    return _code_page(CodeForm(), phone)


def _code_page(form: CodeForm, phone: str) -> ResponseReturnValue:
    return render_template("public/sign_in_code.html", form=form, **code_values(phone))


def code_values(phone: str) -> dict[str, Any]:
    """What a page that asks for a code says: where the code went, and when there can be another one."""
    wait = sign_in_service.waiting_time(db(), phone, now=clock(), asker=asker_for(phone))
    sent = session.get("code_sent", False) and "code_message" in session
    return {
        "phone": mask_phone(phone),
        "sent": sent,
        "status": code_status.of_message(db(), uuid.UUID(session["code_message"]), now=clock()) if sent else None,
        "trouble": code_status.TROUBLE,
        "minutes": math.ceil(wait.total_seconds() / 60),
    }


@pages.post("/sign-in/code")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("60 per hour", key_func=browser_key)
def use_code() -> ResponseReturnValue:
    phone = current_session().get_sealed("phone")
    if phone is None:
        flash(_("请先填写手机号，我们再发一次验证码。"))
        return redirect(url_for("public.sign_in"), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return _code_page(form, phone)
    account = account_of_code(form, phone)
    if account is None:
        return _code_page(form, phone)
    return question_first(account, phone) or log_in_and_go_on(account)


def account_of_code(form: CodeForm, phone: str) -> Account | None:
    """The account of a phone whose newest code was typed; None, with the error beside the field, if it does not open one."""
    used = code_statements.use(db(), phone, form.code.data, now=clock(), asker=asker_for(phone))
    if used is None:
        form.code.errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
        return None
    known = used.account
    if used.changes_due:
        # the job that does it may come minutes later: until then the new number would open an empty account
        phone_messages.end_waiting_times(db(), now=clock())
        known = None
    account = known or sign_in_service.account_of_phone(db(), phone, now=clock())
    if account.disabled_at is not None or account.login is not None:  # staff need a password and a second factor
        form.code.errors = [_("这个账号已停用，请%(contact)s。", contact=contact())]
        return None
    return account


def log_in_and_go_on(account: Account) -> ResponseReturnValue:
    """Sign the person in and lead to the page that was asked for before."""
    target = session.get("next")
    log_in(account)
    session["next"] = target
    return _redirect_after_sign_in()


@pages.get("/sign-in/staff")
@public
def staff_sign_in() -> ResponseReturnValue:
    return _password_page(PasswordForm(next=request.args.get("next", "")))


def _password_page(form: PasswordForm) -> ResponseReturnValue:
    people = demo_people.staff() if services().config.demo else []
    return render_template("public/sign_in_staff.html", form=form, people=people, password=demo_people.PASSWORD)


@pages.post("/sign-in/staff")
@public
@limiter.limit("10 per minute", key_func=lambda: login_key(request.form.get("login", "")))
@limiter.limit(attempts_of_an_address_first)
def check_password() -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate_on_submit():
        return _password_page(form)
    account = sign_in_service.check_password(db(), form.login.data, form.password.data)
    if account is None:
        form.password.errors = [_("账号或密码不对。")]
        return _password_page(form)
    session["second_factor_for"], session["second_factor_login"] = str(account.id), account.login
    session["next"] = local_path(form.next.data)
    if services().config.demo:
        demo_people.show_second_factor(db(), account, now=clock())
    return redirect(url_for("public.second_factor"), 303)


@pages.get("/sign-in/staff/code")
@public
def second_factor() -> ResponseReturnValue:
    if "second_factor_for" not in session:
        return redirect(url_for("public.staff_sign_in"), 303)
    return render_template("public/sign_in_second_factor.html", form=SecondFactorForm())


@pages.post("/sign-in/staff/code")
@public
@limiter.limit(
    "10 per minute; 60 per day", key_func=lambda: "factor:" + login_key(session.get("second_factor_login", ""))
)
def check_second_factor() -> ResponseReturnValue:
    waiting = session.get("second_factor_for")
    if waiting is None:
        flash(_("请重新填写账号和密码。"))
        return redirect(url_for("public.staff_sign_in"), 303)
    form = SecondFactorForm()
    account = db().get_one(Account, uuid.UUID(waiting))
    if form.validate_on_submit() and sign_in_service.check_second_factor(
        db(), account.id, form.code.data, at=real_now()
    ):
        remember_login(account.login or "")
        answer = log_in_and_go_on(account)
        note_second_factor()
        return answer
    form.code.errors = [*form.code.errors, _("动态口令不对，或已经用过。请等下一组数字。")][:1]
    return render_template("public/sign_in_second_factor.html", form=form)


@pages.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """Whoever works at a desk comes to the sign-in of the desks: the front page may have a line before it."""
    person = signed_in()
    log_out()
    session[ASK_AGAIN] = True
    flash(_("您已退出。"))
    at_desk = person is not None and person.desk not in (None, "parents")
    return redirect(url_for("public.staff_sign_in") if at_desk else "/", 303)
