"""Beginning to help a family: its consent by a code on the guardian's phone, or on a signed paper."""

import json
import uuid

from flask import Response, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField, DateField, StringField
from wtforms.validators import InputRequired

from enrollment.applications import mandates
from enrollment.applications.mandates import Paper
from enrollment.ground import outbox
from enrollment.ground import sign_in as doors
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.upload_limits import LIMITS
from enrollment.people import consents
from enrollment.season import calendar
from enrollment.season.calendar import Season
from portal.helpers import pages
from portal.letters.mandate import mandate_letter
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.unavailable import letters_wait
from portal.text import consent_texts
from portal.text.words import language, word
from portal.web import acting_for
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.phone_fields import code_field, phone_field, shortened
from portal.web.rate_limits import limiter
from portal.web.unit_of_work import actor, clock, db, house
from portal.web.upload_fields import PHOTO_OR_PDF, UploadField, accepts_uploads

KEPT = "asked_to_help"


class AskForm(PageForm):
    phone = phone_field(_l("监护人的手机号"))
    agreed = BooleanField(_l("委托书和同意书已读给监护人听，监护人同意"))
    registers = BooleanField(_l("监护人也同意向政府部门核对，少交纸质材料（可不选）"))


class CodeForm(PageForm):
    code = code_field(_l("监护人读给您的验证码"))


class PaperForm(PageForm):
    name = StringField(_l("委托书上的监护人姓名"), [InputRequired(_l("请填写姓名。"))])
    phone = phone_field(_l("委托书上的手机号"))
    signed_on = DateField(_l("签名日期"))
    paper = UploadField(_l("签好的委托书：拍照或 PDF"), kinds=PHOTO_OR_PDF)
    agreed = BooleanField(_l("监护人当面签名，纸上的内容已读给他听"))
    registers = BooleanField(_l("纸上也勾选了同意向政府部门核对（没有勾选就不选）"))

    def understood(self) -> bool:
        """A date that was left out is the verb's business; one that is no date is a fault of the form."""
        self.validate_on_submit()
        typed = (self.signed_on.raw_data or [""])[0].strip() if self.signed_on.errors else ""
        self.signed_on.errors = [_("请写成 2026-05-21 这样的日期。")] if typed else []
        return not self.errors

    def read(self) -> Paper:
        file = self.paper.data
        content = file.read() if getattr(file, "filename", None) else b""
        return Paper(self.name.data or "", self.signed_on.data, self.phone.data or "", content)


def _who() -> str:
    return f"helper:{current_user.get_id() if current_user.is_authenticated else ''}"


def _season() -> Season:
    found = calendar.current(db(), clock())
    if found is None:
        raise NotFound
    return found


def _one_at_a_time():
    """Where a helper who acts for a family is led instead."""
    if acting_for.now_for() is None:
        return None
    flash(_("一次只代办一个家庭。请先结束正在代办的。"), "warn")
    return redirect(url_for("helpers.home"), 303)


def _page(template: str, form: PageForm, **more):
    texts = {kind: consent_texts.read(kind, language()) for kind in ("mandate", *consents.KINDS)}
    return render_template(f"helpers/{template}.html", form=form, texts=texts, season=_season(), **more)


@pages.get("/new")
@desk("helpers")
def new_family():
    return _one_at_a_time() or _page("new", AskForm())


@pages.post("/new")
@desk("helpers")
@limiter.limit("30 per hour", key_func=_who)
def ask():
    """The same answer whether or not the phone is known, and whether or not it was asked too often."""
    form = AskForm()
    if (led := _one_at_a_time()) is not None:
        return led
    if form.validate_on_submit():
        with refusals_in(form):
            if not form.agreed.data:
                raise Refused("mandate_agreed_needed", field="agreed")
            kept = {"phone": form.phone.data, "registers": bool(form.registers.data), "language": language()}
            code = mandates.ask(db(), form.phone.data or "", _terms(kept), by=actor(), now=clock())
            if code is not None:
                _text(kept, code)
            session.hide(KEPT, json.dumps(kept))  # type: ignore[attr-defined]
            return redirect(url_for("helpers.enter_code"), 303)
    return _page("new", form)


def _terms(kept: dict) -> mandates.Terms:
    return consent_texts.terms(_season().year, registers=kept["registers"], language=kept["language"])


def _text(kept: dict, code: str) -> None:
    """The guardian reads who asks, for what, what to do, and that doing nothing is a no."""
    season = _season()
    body = word(
        "text_message",
        "mandate_code_registers" if kept["registers"] else "mandate_code",
        helper=actor().name,
        year=season.year,
        code=code,
        minutes=doors.CODE_LIFE.seconds // 60,
        hotline=season.hotline or "028-12345",
    )
    outbox.text_phone(db(), kept["phone"], body, key=f"mandate:{uuid.uuid4()}", now=clock())


@pages.get("/new/code")
@desk("helpers")
def enter_code():
    return _one_at_a_time() or _code_page(CodeForm())


def _code_page(form: CodeForm):
    if KEPT not in session:
        return redirect(url_for("helpers.new_family"), 303)
    kept = json.loads(session.hidden(KEPT))  # type: ignore[attr-defined]
    return render_template("helpers/code.html", form=form, phone=shortened(kept["phone"]))


@pages.post("/new/code")
@desk("helpers")
@limiter.limit("60 per hour", key_func=_who)
def use_code():
    form = CodeForm()
    if (led := _one_at_a_time()) is not None:
        return led
    if KEPT in session and form.validate_on_submit():
        kept = json.loads(session.hidden(KEPT))  # type: ignore[attr-defined]
        with refusals_in(form):
            given = mandates.give_by_code(
                db(), kept["phone"], form.code.data or "", _terms(kept), by=actor(), now=clock()
            )
            if given is not None:
                return _begun(given)
            form.code.errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
    return _code_page(form)


def _begun(mandate: mandates.Mandate):
    session.pop(KEPT, None)
    acting_for.begin(mandate.id)
    flash(_("监护人已同意。下面由您代为填写，每一步都会记下是您替这家办理的。"))
    return redirect(url_for("parents.home"), 303)


@pages.get("/new/paper")
@desk("helpers")
def paper_page():
    return _one_at_a_time() or _page("paper", PaperForm())


@pages.post("/new/paper")
@desk("helpers")
@limiter.limit("30 per hour", key_func=_who)
@accepts_uploads(LIMITS["photo"])
def give_paper():
    form = PaperForm()
    if (led := _one_at_a_time()) is not None:
        return led
    if form.understood():
        with refusals_in(form):
            if not form.agreed.data:
                raise Refused("mandate_agreed_needed", field="agreed")
            kept = {"registers": bool(form.registers.data), "language": "zh"}  # what was signed is the Chinese paper
            return _begun(mandates.give_on_paper(db(), form.read(), _terms(kept), by=actor(), now=clock()))
    return _page("paper", form)


@pages.get("/mandate.pdf")
@desk("helpers")
def blank_paper():
    """The paper to sign: the same texts, and places for name, phone, date and signature."""
    try:
        content = mandate_letter(_season().year, helper=actor().name, demo=house().config.demo)
    except PdfUnavailable as stands:
        return letters_wait(stands)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'attachment; filename="mandate.pdf"'
    return answer
