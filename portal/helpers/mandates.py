"""Start of a mandate: the guardian's consent by a code on its phone, or on a signed paper."""

import json
import math
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField, DateField, RadioField, StringField
from wtforms.validators import InputRequired

from enrollment.applications import mandates
from enrollment.applications.guardian_access import paper_families
from enrollment.applications.guardian_access.paper_families import EarlierFamily
from enrollment.applications.mandates import Paper
from enrollment.delivery import code_messages
from enrollment.ground import sign_in as sign_in_service
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files.upload_limits import LIMITS
from enrollment.ground.phones import mask_phone
from enrollment.people import consents
from enrollment.results import letters
from enrollment.results.letters import Subject
from enrollment.season import openings, seasons
from enrollment.season.calendar import Season
from portal.helpers import pages
from portal.letters.mandate import mandate_letter
from portal.letters.preparing import pdf_file, waiting_page
from portal.text import consent_texts
from portal.text.formats import day
from portal.text.messages import signed, text_words
from portal.text.numbers import whole_number
from portal.text.words import language
from portal.web import acting_for
from portal.web.forms import PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.phone_fields import code_field, phone_field
from portal.web.rate_limits import limiter
from portal.web.sessions import current_session
from portal.web.shared_views.register_choice import RegistersField, register_hints
from portal.web.unit_of_work import actor, clock, db, services
from portal.web.upload_fields import PHOTO_OR_PDF, UploadField, accepts_uploads

SESSION_KEY = "asked_to_help"


class YearForm(PageForm):
    """A mandate is for one year; where two take registrations, the guardian says which."""

    year = RadioField(_l("哪一年入园"), validate_choice=False)

    def set_choices(self) -> None:
        self.year.choices = [(str(each), _("%(year)s 年秋季", year=each)) for each in _years()]
        self.year.data = self.year.data or str(_season().year)

    def wanted_year(self) -> int:
        return next((each for each in _years() if str(each) == self.year.data), _season().year)


class AskForm(YearForm):
    phone = phone_field(_l("监护人的手机号"))
    agreed = BooleanField(_l("委托书和同意书已读给监护人听，监护人同意"))
    registers = RegistersField(_l("监护人也同意向这些部门核对，少交纸质材料（逐个问，可不选）"))


class CodeForm(PageForm):
    code = code_field(_l("监护人读给您的验证码"))


class PaperForm(YearForm):
    name = StringField(_l("委托书上的监护人姓名"), [InputRequired(_l("请填写姓名。"))])
    phone = phone_field(_l("委托书上的手机号（没有手机就不填）"), optional=True, receives_code=False)
    family = RadioField(_l("没有手机的：您以前代办过这一家吗"), validate_choice=False)
    signed_on = DateField(_l("签名日期"))
    paper = UploadField(_l("签好的委托书：拍照或 PDF"), kinds=PHOTO_OR_PDF)
    agreed = BooleanField(_l("监护人当面签名，纸上的内容已读给他听"))
    registers = RegistersField(_l("纸上勾选了同意核对的部门（没有勾选就不选）"))

    def set_choices(self) -> None:
        super().set_choices()
        known = paper_families.without_phone(db(), by=actor())
        self.family.choices = [
            ("", _("没有，是新的一家")),
            *((str(each.account_id), _of_family(each)) for each in known),
        ]
        self.family.data = self.family.data or ""

    def is_valid(self) -> bool:
        """Check the form.  The service checks a missing date; a wrong format is an error of the form."""
        self.validate_on_submit()
        typed = (self.signed_on.raw_data or [""])[0].strip() if self.signed_on.errors else ""
        self.signed_on.errors = [_("请写成 2026-05-21 这样的日期。")] if typed else []
        return not self.errors

    def read(self) -> Paper:
        file = self.paper.data
        content = file.read() if getattr(file, "filename", None) else b""
        family = parse_uuid(self.family.data)
        return Paper(self.name.data or "", self.signed_on.data, self.phone.data or "", content, family)


def _of_family(family: EarlierFamily) -> str:
    """Names by which the helper knows the family again."""
    parts = (family.name, *family.children)
    named = _("、").join(part for part in parts if part)
    return _("%(names)s（%(when)s 签名）", names=named, when=day(family.signed_on)) if family.signed_on else named


def _rate_limit_key() -> str:
    return f"helper:{current_user.get_id() if current_user.is_authenticated else ''}"


def _season() -> Season:
    found = openings.year_to_register(db(), now=clock())
    if found is None:
        raise NotFound
    return found


def _years() -> list[int]:
    return [season.year for season in openings.years_to_register(db(), now=clock())]


def _redirect_if_acting() -> ResponseReturnValue | None:
    """A redirect to the helper's home if the helper acts for a family already; else None."""
    if acting_for.current_family() is None:
        return None
    flash(_("一次只代办一个家庭。请先结束正在代办的。"), "warn")
    return redirect(url_for("helpers.home"), 303)


def _page(template: str, form: YearForm, **more: Any) -> ResponseReturnValue:
    form.set_choices()
    kinds = ("mandate", consents.CHILD_DATA, consent_texts.REGISTERS)
    return render_template(
        f"helpers/{template}.html",
        form=form,
        texts={kind: consent_texts.read(kind, language()) for kind in kinds},
        hints=register_hints(),
        season=_season(),
        years=_years(),
        **more,
    )


@pages.get("/new")
@desk("helpers")
def new_family() -> ResponseReturnValue:
    return _redirect_if_acting() or _page("new", AskForm())


@pages.post("/new")
@desk("helpers")
@limiter.limit("30 per hour", key_func=_rate_limit_key)
def ask() -> ResponseReturnValue:
    """Send a code.  The response is the same for unknown phones and for phones that got too many codes."""
    form = AskForm()
    if (redirection := _redirect_if_acting()) is not None:
        return redirection
    if form.validate_on_submit():
        with refusals_in(form):
            if not form.agreed.data:
                raise Refused("mandate_agreed_needed", field="agreed")
            request_data = {
                "phone": form.phone.data,
                "registers": form.registers.data or [],
                "language": language(),
                "year": form.wanted_year(),
            }
            code = mandates.ask(db(), form.phone.data or "", _terms(request_data), by=actor(), now=clock())
            session["mandate_code_sent"] = code is not None
            if code is not None:
                _send_code(request_data, code)
            current_session().set_sealed(SESSION_KEY, json.dumps(request_data))
            return redirect(url_for("helpers.enter_code"), 303)
    return _page("new", form)


def _terms(request_data: dict) -> mandates.Terms:
    return consent_texts.terms(
        _asked_year(request_data), registers=request_data["registers"], language=request_data["language"]
    )


def _asked_year(request_data: dict) -> int:
    """The year that was asked for, also for a request from before the year was chosen."""
    return int(request_data.get("year") or _season().year)


def _send_code(request_data: dict, code: str) -> None:
    """Send the guardian the code with the helper's name and the purpose."""
    year = _asked_year(request_data)
    season = seasons.visible_of_year(db(), year)
    words = text_words(
        "mandate_code_registers" if request_data["registers"] else "mandate_code",
        helper=actor().name,
        year=year,
        code=code,
        minutes=sign_in_service.CODE_LIFETIME.seconds // 60,
    )
    if season is not None and season.hotline:
        words += text_words("mandate_questions", hotline=season.hotline)
    body, key = signed(words, services().config), f"mandate:{uuid.uuid4()}"
    purpose = sign_in_service.MANDATE
    code_messages.write(db(), request_data["phone"], body, purpose=purpose, key=key, now=clock())


@pages.get("/new/code")
@desk("helpers")
def enter_code() -> ResponseReturnValue:
    return _redirect_if_acting() or _code_page(CodeForm())


def _code_page(form: CodeForm) -> ResponseReturnValue:
    request_data = current_session().get_sealed(SESSION_KEY)
    if request_data is None:
        return redirect(url_for("helpers.new_family"), 303)
    phone = json.loads(request_data)["phone"]
    wait = mandates.waiting_time(db(), phone, by=actor(), now=clock())
    return render_template(
        "helpers/code.html",
        form=form,
        phone=mask_phone(phone),
        sent=session.get("mandate_code_sent", False),
        minutes=math.ceil(wait.total_seconds() / 60),
    )


@pages.post("/new/code")
@desk("helpers")
@limiter.limit("60 per hour", key_func=_rate_limit_key)
def use_code() -> ResponseReturnValue:
    form = CodeForm()
    if (redirection := _redirect_if_acting()) is not None:
        return redirection
    sealed = current_session().get_sealed(SESSION_KEY)
    if sealed is not None and form.validate_on_submit():
        request_data = json.loads(sealed)
        with refusals_in(form):
            given = mandates.give_by_code(
                db(), request_data["phone"], form.code.data or "", _terms(request_data), by=actor(), now=clock()
            )
            if given is not None:
                return _start_acting(given)
            form.code.errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
    return _code_page(form)


def _start_acting(mandate: mandates.Mandate) -> ResponseReturnValue:
    session.pop(SESSION_KEY, None)
    acting_for.start(mandate.id)
    flash(_("监护人已同意。下面由您代为填写，每一步都会记下是您替这家办理的。"))
    return redirect(url_for("parents.home"), 303)


@pages.get("/new/paper")
@desk("helpers")
def paper_page() -> ResponseReturnValue:
    return _redirect_if_acting() or _page("paper", PaperForm())


@pages.post("/new/paper")
@desk("helpers")
@limiter.limit("30 per hour", key_func=_rate_limit_key)
@accepts_uploads(LIMITS["photo"])
def give_paper() -> ResponseReturnValue:
    form = PaperForm()
    if (redirection := _redirect_if_acting()) is not None:
        return redirection
    if form.is_valid():
        with refusals_in(form):
            if not form.agreed.data:
                raise Refused("mandate_agreed_needed", field="agreed")
            request_data = {
                "registers": form.registers.data or [],
                "year": form.wanted_year(),
                "language": "zh",
            }  # what was signed is the Chinese paper
            return _start_acting(
                mandates.give_on_paper(db(), form.read(), _terms(request_data), by=actor(), now=clock())
            )
    return _page("paper", form)


@pages.get("/mandate.pdf")
@desk("helpers")
def blank_paper() -> ResponseReturnValue:
    """The mandate form to print: the texts, and lines for name, phone, date and signature."""
    year = next((each for each in _years() if each == request.args.get("year", 0, whole_number)), _season().year)
    page = mandate_letter(year, helper=actor().name, demo=services().config.demo)
    letter = letters.ask(db(), Subject(account_id=actor().account_id), page, now=clock())
    waiting = waiting_page(
        letter, frame="helpers/base.html", back=url_for("helpers.paper_page"), back_text=_("用签名委托书代办")
    )
    return waiting if waiting is not None else pdf_file(letter, "mandate")
