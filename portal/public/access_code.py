"""Sign-in with a printed access code, for guardians without a mobile phone."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.applications.guardian_access import access_codes
from portal.public import pages
from portal.web.authentication import log_in
from portal.web.forms import PageForm
from portal.web.guards import public
from portal.web.rate_limits import attempts_of_an_address, browser_key, limiter
from portal.web.unit_of_work import clock, db


class AccessCodeForm(PageForm):
    code = StringField(_l("登录码"), validators=[InputRequired(_l("请填写登录码。")), Length(max=60)])


@pages.get("/sign-in/access-code")
@public
def access_code_page() -> ResponseReturnValue:
    return render_template("public/sign_in_access_code.html", form=AccessCodeForm())


@pages.post("/sign-in/access-code")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("20 per hour", key_func=browser_key)
def use_access_code() -> ResponseReturnValue:
    form = AccessCodeForm()
    if form.validate_on_submit():
        account = access_codes.sign_in_with(db(), form.code.data or "", now=clock())
        if account is not None:
            log_in(account)
            flash(_("已用登录码登录。离开前请点“退出”，不要让别人看到纸上的登录码。"))
            return redirect("/parents", 303)
        form.code.errors = [_("登录码不对、已作废或已过期。请核对纸上的每一个字母和数字，或到窗口重新打印。")]
    return render_template("public/sign_in_access_code.html", form=form)
