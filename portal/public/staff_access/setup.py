"""Setting up a password and a second factor with the code that an official handed over.

First the code, then the password with the first numbers of the authenticator.  The secret of the authenticator stays sealed
in the session until its numbers were right.
"""

import pyotp
import segno
from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from enrollment.staff_accounts import setup_codes
from enrollment.staff_accounts.rows import AccountChange
from portal.public import pages
from portal.web.clock import real_now
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import public
from portal.web.phone_fields import digits
from portal.web.rate_limits import attempts_of_an_address, attempts_of_an_address_first, limiter, login_key
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db

ISSUER = "Chengdu Kindergarten Admission"
"""The name that an authenticator app shows for the account, as for one that the command adds."""

LOGIN, CODE, SECRET = "setup_login", "setup_code", "setup_secret"


class SetupCodeForm(PageForm):
    login = StringField(_l("账号"), [InputRequired(_l("请填写账号。"))])
    code = StringField(_l("开通码"), [InputRequired(_l("请填写开通码。"))])


class SetupForm(PageForm):
    password = PasswordField(_l("新密码"), [InputRequired(_l("请填写新密码。"))])
    totp = StringField(_l("动态口令"), [InputRequired(_l("请填写身份验证器上的 6 位数字。"))], filters=[digits])


@pages.get("/sign-in/staff/setup")
@public
def staff_setup() -> ResponseReturnValue:
    return render_template("public/staff_setup.html", form=SetupCodeForm())


@pages.post("/sign-in/staff/setup")
@public
@limiter.limit("10 per minute", key_func=lambda: "setup:" + login_key(request.form.get("login", "")))
@limiter.limit(attempts_of_an_address_first)
def check_setup_code() -> ResponseReturnValue:
    form = SetupCodeForm()
    if form.validate_on_submit():
        if setup_codes.check(db(), form.login.data or "", form.code.data or "", now=clock()) is not None:
            kept = current_session()
            kept.set_sealed(LOGIN, form.login.data or "")
            kept.set_sealed(CODE, form.code.data or "")
            kept.set_sealed(SECRET, pyotp.random_base32())
            return redirect(url_for("public.set_up_staff"), 303)
        form.code.errors = [_("账号或开通码不对，或者已经过期。请向给您的管理员再要一个。")]
    return render_template("public/staff_setup.html", form=form)


@pages.get("/sign-in/staff/setup/password")
@public
def set_up_staff() -> ResponseReturnValue:
    return _setup_page(SetupForm()) if _kept() else _begin_again()


@pages.post("/sign-in/staff/setup/password")
@public
@limiter.limit(attempts_of_an_address)
def finish_staff_setup() -> ResponseReturnValue:
    asked = _kept()
    if asked is None:
        return _begin_again()
    form = SetupForm()
    if form.validate_on_submit():
        with refusals_in(form):
            secret = current_session().get_sealed(SECRET) or ""
            setup_codes.finish(
                db(), asked, form.password.data or "", secret, form.totp.data or "", now=clock(), at=real_now()
            )
            for name in (LOGIN, CODE, SECRET):
                session.pop(name, None)
            flash(_("设好了。请用新密码和动态口令登录。"))
            return redirect(url_for("public.staff_sign_in"), 303)
    return _setup_page(form)


def _kept() -> AccountChange | None:
    """The change whose code was entered in this session, while the code is valid."""
    kept = current_session()
    login, code = kept.get_sealed(LOGIN), kept.get_sealed(CODE)
    return setup_codes.check(db(), login, code, now=clock()) if login and code else None


def _begin_again() -> ResponseReturnValue:
    flash(_("请先填账号和开通码。"))
    return redirect(url_for("public.staff_setup"), 303)


def _setup_page(form: SetupForm) -> str:
    kept = current_session()
    secret, login = kept.get_sealed(SECRET) or "", kept.get_sealed(LOGIN) or ""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
    picture = Markup(segno.make(address, error="m", micro=False).svg_inline(scale=5, omitsize=True))  # noqa: S704
    return render_template(
        "public/staff_setup_password.html", form=form, secret=secret, address=address, picture=picture, login=login,
        shortest=setup_codes.SHORTEST_PASSWORD,
    )  # fmt: skip
