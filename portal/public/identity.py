"""A second factor again, before a dangerous act of a desk."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import HiddenField

from enrollment.ground import audit
from enrollment.ground import sign_in as sign_in_service
from enrollment.ground.accounts import Account
from portal.demo import people as demo_people
from portal.public import pages
from portal.public.sign_in import SecondFactorForm
from portal.web.authentication import FRESH, note_second_factor, own_account
from portal.web.clock import real_now
from portal.web.guards import public
from portal.web.rate_limits import limiter, login_key
from portal.web.safe_redirect import local_path
from portal.web.unit_of_work import actor, clock, db, services


class IdentityForm(SecondFactorForm):
    next = HiddenField()


def _login() -> str:
    account = own_account()
    return login_key(account.login or "") if account is not None else "nobody"


@pages.get("/sign-in/confirm")
@public
def confirm_identity() -> ResponseReturnValue:
    account = own_account()
    if account is None or account.login is None:
        return redirect(url_for("public.staff_sign_in"), 303)
    if services().config.demo:
        demo_people.show_second_factor(db(), account, now=clock())
    return _page(IdentityForm(next=request.args.get("next", "")))


@pages.post("/sign-in/confirm")
@public
@limiter.limit("10 per minute; 60 per day", key_func=lambda: "factor:" + _login())
def check_identity() -> ResponseReturnValue:
    account = own_account()
    if account is None or account.login is None:
        return redirect(url_for("public.staff_sign_in"), 303)
    form = IdentityForm()
    if form.validate_on_submit() and _is_right(account, form.code.data or ""):
        note_second_factor()
        audit.record(db(), "confirm_identity", "account", account.id, by=actor(), now=real_now())
        flash(_("已确认是您本人，请继续。"))
        return redirect(local_path(form.next.data) or "/", 303)
    form.code.errors = [*form.code.errors, _("动态口令不对，或已经用过。请等下一组数字。")][:1]
    return _page(form)


def _is_right(account: Account, code: str) -> bool:
    return sign_in_service.check_second_factor(db(), account.id, code, at=real_now())


def _page(form: IdentityForm) -> ResponseReturnValue:
    back = local_path(form.next.data) or "/"
    minutes = FRESH.seconds // 60
    return render_template("public/confirm_identity.html", form=form, back=back, minutes=minutes)
