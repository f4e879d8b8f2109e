"""Verification of an admission notice: the page that its QR code opens."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField

from enrollment.ground.errors import NotFound
from enrollment.ground.vault import mask
from enrollment.results import admission_notice
from portal.public import pages
from portal.web.guards import public
from portal.web.unit_of_work import db

TONES = {
    "valid": "ok",
    "replaced": "warn",
    "superseded": "warn",
    "revoked": "stop",
    "ended": "warn",
    "not_confirmed": "warn",
}


class CodeForm(FlaskForm):
    """A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    code = StringField(_l("通知书编号"))


@pages.get("/verify")
@public
def verify_page() -> ResponseReturnValue:
    form = CodeForm(request.args)
    if form.code.data and admission_notice.normal(form.code.data):
        return redirect(url_for("public.verify", code=admission_notice.normal(form.code.data)), 303)
    return render_template("public/verify.html", form=form, checked=None, code=None)


@pages.get("/verify/<code>")
@public
def verify(code: str) -> ResponseReturnValue:
    form = CodeForm(code=code[:40])
    try:
        checked = admission_notice.check(db(), code)
    except NotFound:
        return render_template("public/verify.html", form=form, checked=None, code=code[:40]), 404
    name = mask(checked.child_name, 1, 0) if checked.child_name else None
    return render_template(
        "public/verify.html", form=form, checked=checked, code=code, name=name, tone=TONES[checked.state]
    )
