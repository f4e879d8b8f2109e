"""The link in the message to an old number: whoever holds the number can stop the phone change without signing in."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications.guardian_access import phone_change_course
from enrollment.ground.errors import NotFound
from portal.public import pages
from portal.web.forms import ActForm
from portal.web.guards import public
from portal.web.rate_limits import attempts_of_an_address, limiter
from portal.web.unit_of_work import clock, db


@pages.get("/phone-change/<token>")
@public
@limiter.limit(attempts_of_an_address)
def phone_change_page(token: str) -> ResponseReturnValue:
    change = phone_change_course.stoppable(db(), token)
    if change is None:
        raise NotFound
    return render_template("public/phone_change.html", change=change, form=ActForm())


@pages.post("/phone-change/<token>")
@public
@limiter.limit(attempts_of_an_address)
def stop_phone_change(token: str) -> ResponseReturnValue:
    if not phone_change_course.stop_by_link(db(), token, now=clock()):
        raise NotFound
    flash(_("已经停止更换手机号，仍用这个号码登录。别处的登录都已退出。"))
    return redirect("/", 303)
