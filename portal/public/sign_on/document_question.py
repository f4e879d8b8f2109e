"""The question after the code of a doubted number, and what who has never applied with it is told (ADR 58).

Neither page says whose account it is: whoever reads it holds the number, and may be a stranger.
"""

import datetime as dt

from flask import redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.applications.guardian_access import doubted_phones
from enrollment.applications.guardian_access.doubted_phones import Answer
from enrollment.applications.guardian_access.phone_changes import SESSION_WAIT
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from portal.demo import people as demo_people
from portal.public import pages
from portal.public.phone_doubts.doubted_phone import QUESTION, asked_account
from portal.public.sign_on.single_sign_on import enter_proved
from portal.web.devices import remember_phone
from portal.web.forms import ActForm, PageForm, refusals_in
from portal.web.guards import public
from portal.web.rate_limits import attempts_of_an_address, browser_key, limiter
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db, services

FREE_AT = "number_free_at"
"""In the session: when the number that this browser has a code of belongs to no account any more."""


class DocumentForm(PageForm):
    document_end = StringField(
        _l("监护人证件号码的最后四位"), validators=[InputRequired(_l("请填写证件号码的最后四位。")), Length(max=40)]
    )


def _page(form: DocumentForm, account: Account, act: ActForm | None = None) -> ResponseReturnValue:
    return render_template(
        "public/sign_in_question.html",
        form=form,
        act=act,
        phone=mask_phone(account.phone or ""),
        hours=int(SESSION_WAIT.total_seconds() // 3600),
        release=doubted_phones.release_of(db(), account.id),
        demo_answer=demo_people.document_end(db(), account) if services().config.demo else "",
    )


def _again() -> ResponseReturnValue:
    session.pop(QUESTION, None)
    return redirect(url_for("public.sign_in"), 303)


@pages.get("/sign-in/question")
@public
def document_question() -> ResponseReturnValue:
    account = asked_account()
    return _again() if account is None else _page(DocumentForm(formdata=None), account)


@pages.post("/sign-in/question")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("20 per hour", key_func=browser_key)
def answer_question() -> ResponseReturnValue:
    account, form = asked_account(), DocumentForm()
    if account is None:
        return _again()
    if not form.validate_on_submit():
        return _page(form, account)
    match doubted_phones.answer(db(), account, form.document_end.data or "", now=clock()):
        case Answer.RIGHT:
            return _enter(account)
        case Answer.TOO_MANY:
            form.document_end.errors = [
                _("错的次数太多，24 小时后才能再填一次。也可以带证件到志愿幼儿园或区教育局的窗口。")
            ]
        case Answer.WRONG:
            form.document_end.errors = [_("与登记的不一致。请看着证件再填一次，字母 X 也要填。")]
    return _page(form, account)


def _enter(account: Account) -> ResponseReturnValue:
    """Sign in; a person who came from the single sign-on to prove the number is bound to the account first."""
    remember_phone(account.phone or "")
    return enter_proved(account)


@pages.post("/sign-in/question/never")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("20 per hour", key_func=browser_key)
def never_applied() -> ResponseReturnValue:
    account, act = asked_account(), ActForm()
    if account is None:
        return _again()
    if act.validate_on_submit():
        with refusals_in(act):
            change = doubted_phones.disclaim(db(), account, now=clock())
            session.pop(QUESTION, None)
            session[FREE_AT] = (change.effective_at or clock()).isoformat()
            return redirect(url_for("public.number_waits"), 303)
    return _page(DocumentForm(formdata=None), account, act)


@pages.get("/sign-in/question/wait")
@public
def number_waits() -> ResponseReturnValue:
    phone = current_session().get_sealed("phone")
    if FREE_AT not in session or phone is None:
        return _again()
    return render_template(
        "public/sign_in_number_waits.html", phone=mask_phone(phone), when=dt.datetime.fromisoformat(session[FREE_AT])
    )
