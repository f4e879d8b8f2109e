"""Signing in: families by a one-time code, everybody else by login, password and second factor."""

import uuid

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from enrollment.ground import outbox
from enrollment.ground import sign_in as doors
from enrollment.ground.accounts import Account
from enrollment.ground.vault import normalised
from portal.demo import people as demo_people
from portal.public import pages
from portal.text.messages import signed, text_words
from portal.web.authentication import admit, dismiss
from portal.web.clock import real_now
from portal.web.forms import PageForm
from portal.web.guards import public
from portal.web.phone_fields import code_field, digits, phone_field, shortened
from portal.web.rate_limits import limiter
from portal.web.safe_redirect import inside
from portal.web.unit_of_work import clock, db, house


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


def _onward():
    target = inside(session.pop("next", None))
    return redirect(target or f"/{current_user.desk}", 303)


@pages.get("/sign-in")
@public
def sign_in():
    if current_user.is_authenticated and not request.args.get("next"):
        return redirect(f"/{current_user.desk}", 303)
    return _phone_page(PhoneForm(next=request.args.get("next", "")))


def _phone_page(form):
    people = demo_people.families() if house().config.demo else []
    return render_template("public/sign_in.html", form=form, people=people)


@pages.post("/sign-in")
@public
@limiter.limit("30 per hour")
@limiter.limit("6000 per minute", key_func=lambda: "everybody")
def send_code():
    form = PhoneForm()
    if not form.validate_on_submit():
        return _phone_page(form)
    phone = form.phone.data
    code = doors.send_code(db(), phone, now=clock())
    if code is not None:
        words = text_words("code", code=code, minutes=doors.CODE_LIFE.seconds // 60)
        outbox.text_phone(db(), phone, signed(words, house().config), key=f"code:{uuid.uuid4()}", now=clock())
    session.hide("phone", phone)
    session["next"] = inside(form.next.data)
    return redirect(url_for("public.enter_code"), 303)


@pages.get("/sign-in/code")
@public
def enter_code():
    if "phone" not in session:
        return redirect(url_for("public.sign_in"), 303)
    return _code_page(CodeForm())


def _code_page(form):
    phone = session.hidden("phone")
    return render_template("public/sign_in_code.html", form=form, phone=shortened(phone))


@pages.post("/sign-in/code")
@public
@limiter.limit("60 per hour")
def use_code():
    if "phone" not in session:
        flash(_("请先填写手机号，我们再发一次验证码。"))
        return redirect(url_for("public.sign_in"), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return _code_page(form)
    phone = session.hidden("phone")
    if not doors.use_code(db(), phone, form.code.data, now=clock()):
        form.code.errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
        return _code_page(form)
    account = doors.account_of_phone(db(), phone, now=clock())
    if account.disabled_at is not None or account.login is not None:  # staff need a password and a second factor
        form.code.errors = [_("这个账号已停用，请拨打服务热线。")]
        return _code_page(form)
    return _admit(account)


def _admit(account: Account):
    target = session.get("next")
    admit(account)
    session["next"] = target
    return _onward()


@pages.get("/sign-in/staff")
@public
def staff_sign_in():
    return _password_page(PasswordForm(next=request.args.get("next", "")))


def _password_page(form):
    people = demo_people.staff() if house().config.demo else []
    return render_template("public/sign_in_staff.html", form=form, people=people, password=demo_people.PASSWORD)


@pages.post("/sign-in/staff")
@public
@limiter.limit("30 per hour")
@limiter.limit("10 per minute", key_func=lambda: "login:" + normalised(request.form.get("login", ""))[:80])
def check_password():
    form = PasswordForm()
    if not form.validate_on_submit():
        return _password_page(form)
    account = doors.check_password(db(), form.login.data, form.password.data)
    if account is None:
        form.password.errors = [_("账号或密码不对。")]
        return _password_page(form)
    session["second_factor_for"] = str(account.id)
    session["next"] = inside(form.next.data)
    if house().config.demo:
        demo_people.show_second_factor(db(), account, now=clock())
    return redirect(url_for("public.second_factor"), 303)


@pages.get("/sign-in/staff/code")
@public
def second_factor():
    if "second_factor_for" not in session:
        return redirect(url_for("public.staff_sign_in"), 303)
    return render_template("public/sign_in_second_factor.html", form=SecondFactorForm())


@pages.post("/sign-in/staff/code")
@public
@limiter.limit("10 per minute; 60 per day", key_func=lambda: "factor:" + str(session.get("second_factor_for")))
def check_second_factor():
    waiting = session.get("second_factor_for")
    if waiting is None:
        flash(_("请重新填写账号和密码。"))
        return redirect(url_for("public.staff_sign_in"), 303)
    form = SecondFactorForm()
    account = db().get_one(Account, uuid.UUID(waiting))
    if form.validate_on_submit() and doors.check_second_factor(db(), account.id, form.code.data, at=real_now()):
        return _admit(account)
    form.code.errors = [*form.code.errors, _("动态口令不对，或已经用过。请等下一组数字。")][:1]
    return render_template("public/sign_in_second_factor.html", form=form)


@pages.post("/sign-out")
@public
def sign_out():
    dismiss()
    flash(_("您已退出。"))
    return redirect("/", 303)
