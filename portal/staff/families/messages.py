"""Messages to a selection: choosing, the preview in both languages, sending, the log, and the head's own texts."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from enrollment.family_messages import addresses, selection, sending, templates
from enrollment.family_messages.rows import FamilyMessage
from enrollment.family_messages.selection import Choice, choice_of
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.places.areas import LEVELS
from enrollment.places.kindergartens import Kindergarten
from enrollment.results import letters
from enrollment.results.letters import Subject
from enrollment.season.facts import Ground
from portal.letters.addresses import Sheet, address_sheets
from portal.letters.preparing import pdf_file, waiting_page
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.text.messages import notice_words
from portal.text.words import language, table, word
from portal.web.admission_year import shown_year
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services

LANGUAGES = ("zh", "en")
SAMPLE_CODE = "××××-××××"
"""Stands in a preview for the codes of the family's children."""


class ChooseForm(PageForm):
    audience = RadioField(_l("发给谁"), [InputRequired(_l("请选发给谁。"))], validate_choice=False)
    level = SelectField(_l("只要这个年级"), validate_choice=False)
    ground = SelectField(_l("只要有这项依据的（只对审核中的）"), validate_choice=False)
    template = RadioField(_l("发什么"), [InputRequired(_l("请选一段话。"))], validate_choice=False)

    def offer(self, here: Kindergarten) -> None:
        found = selection.audiences(db(), here.id, shown_year(), by=actor(), now=clock())
        self.audience.choices = [(code, f"{audience_words(code)} · {number}") for code, number in found.items()]
        self.level.choices = [("", _("都要")), *coded_choices("level", LEVELS)]
        self.ground.choices = [("", _("都要")), *coded_choices("ground", Ground)]
        self.template.choices = [*coded_choices("family_template_name", templates.COMMON)]
        self.template.choices += [(str(each.id), each.name) for each in templates.own(db(), here.id, by=actor())]

    def choice(self) -> Choice:
        codes = {"audience": self.audience.data or "", "level": self.level.data or "", "ground": self.ground.data or ""}
        return choice_of(codes | {"year": str(shown_year())})


class TemplateForm(PageForm):
    name = StringField(_l("名称"))
    text_zh = TextAreaField(_l("中文"))
    text_en = TextAreaField(_l("英文"))


def audience_words(code: str) -> str:
    """An audience in words: a group of the queue, a list of children with a place, or a class."""
    kind, _dash, which = code.partition("-")
    if kind == "class":
        return which
    if kind == "place":
        return word("message_audience", which)
    return word("queue_group", which) if which else word("message_audience", "queue")


def texts_of(here: Kindergarten) -> dict[str, tuple[str, dict[str, str]]]:
    """The name and the texts of each template that can be chosen, by its code."""
    words = table()
    found = {
        code: (words["family_template_name"][code]["zh"], dict(words["family_template"][code]))
        for code in templates.COMMON
    }
    own = templates.own(db(), here.id, by=actor())
    return found | {str(each.id): (each.name, {"zh": each.text_zh, "en": each.text_en}) for each in own}


def _choose_page(form: ChooseForm) -> ResponseReturnValue:
    here = kindergarten_of_page()
    form.offer(here)
    texts = {code: each[language()] for code, (_name, each) in texts_of(here).items()}
    return render_template("staff/message_new.html", form=form, here=here, year=shown_year(), texts=texts)


@pages.get("/messages/new")
@desk("staff")
def choose_message() -> ResponseReturnValue:
    return _choose_page(ChooseForm(data={"audience": request.args.get("audience")}))


@pages.post("/messages/new")
@desk("staff")
def prepare_message() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), ChooseForm()
    found = texts_of(here).get(form.template.data or "")
    if form.validate_on_submit() and found is not None:
        with refusals_in(form):
            name, texts = found
            made = sending.prepare(db(), here.id, form.choice(), name=name, texts=texts, by=actor(), now=clock())
            return redirect(url_for("staff.family_message", message_id=made.id), 303)
    return _choose_page(form)


def _preview(message: FamilyMessage, here: Kindergarten) -> list[tuple[str, str]]:
    """The message as a family reads it, in each language."""
    params = {
        "kindergarten": here.name,
        "codes": SAMPLE_CODE,
        "texts": {"zh": message.text_zh, "en": message.text_en},
    }
    return [(language, notice_words(sending.KIND, params, in_language=language)) for language in LANGUAGES]


def _message_page(message_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    message = sending.find(db(), message_id, by=actor())
    here = db().get_one(Kindergarten, message.kindergarten_id)
    reach = sending.reach_of(db(), message)
    audit.record(
        db(),
        "view",
        "family_message",
        message_id,
        by=actor(),
        now=clock(),
        reason="family_message",
        lines=reach.children,
    )
    return render_template(
        "staff/message.html", form=form, message=message, here=here, reach=reach, preview=_preview(message, here),
        audience=audience_words(message.chosen["audience"]), chosen=message.chosen,
        outcomes=sending.outcomes(db(), message) if message.sent_at else {}, sheets=tuple(Sheet),
        letters=len(addresses.out_of_reach(db(), message)) if message.sent_at and reach.out_of_reach else 0,
    )  # fmt: skip


@pages.get("/messages/<uuid:message_id>")
@desk("staff")
def family_message(message_id: uuid.UUID) -> ResponseReturnValue:
    return _message_page(message_id, ActForm())


@pages.post("/messages/<uuid:message_id>/send")
@desk("staff", step_up=True)
def send_family_message(message_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            sent = sending.send(db(), message_id, by=actor(), now=clock())
            flash(_("已交给短信发送，共 %(n)s 人。", n=sent.people))
            return redirect(url_for("staff.family_message", message_id=message_id), 303)
    return _message_page(message_id, form)


def _templates_page(form: TemplateForm) -> ResponseReturnValue:
    here = kindergarten_of_page()
    return render_template(
        "staff/message_templates.html", form=form, here=here, own=templates.own(db(), here.id, by=actor()),
        longest=templates.LONGEST_TEXT,
    )  # fmt: skip


@pages.get("/messages/<uuid:message_id>/addresses/<sheet>.pdf")
@desk("staff", step_up=True)
def message_addresses(message_id: uuid.UUID, sheet: str) -> ResponseReturnValue:
    """Labels or envelopes for the families whom the message does not reach."""
    message = sending.find(db(), message_id, by=actor())
    if message.sent_at is None or sheet not in set(Sheet):
        raise NotFound(sending.KIND)
    listed = addresses.out_of_reach(db(), message)
    if not listed:
        raise NotFound("address")
    here = db().get_one(Kindergarten, message.kindergarten_id)
    page = address_sheets(message_id, listed, Sheet(sheet), sender=here.name, demo=services().config.demo)
    letter = letters.ask(db(), Subject(account_id=actor().account_id), page, now=clock())
    back = url_for("staff.family_message", message_id=message_id)
    waiting = waiting_page(letter, frame="staff/base.html", back=back, back_text=message.name)
    if waiting is not None:
        return waiting
    addresses.record_printing(db(), message, sheet, len(listed), by=actor(), now=clock())
    return pdf_file(letter, sheet)


@pages.get("/message-templates")
@desk("staff", Role.HEAD)
def message_templates() -> ResponseReturnValue:
    return _templates_page(TemplateForm())


@pages.post("/message-templates")
@desk("staff", Role.HEAD)
def add_message_template() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), TemplateForm()
    if form.validate_on_submit():
        with refusals_in(form):
            templates.add(
                db(), here.id, name=form.name.data or "", text_zh=form.text_zh.data or "",
                text_en=form.text_en.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已加入，群发时可以选它。"))
            return redirect(url_for("staff.message_templates", at=here.id), 303)
    return _templates_page(form)


@pages.post("/message-templates/<uuid:template_id>/retire")
@desk("staff", Role.HEAD)
def retire_message_template(template_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            templates.retire(db(), template_id, by=actor(), now=clock())
            flash(_("不再使用。已经发出的不受影响。"))
    return redirect(url_for("staff.message_templates", at=request.form.get("at")), 303)
