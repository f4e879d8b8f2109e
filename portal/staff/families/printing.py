"""One PDF with the letters of many families: choosing, progress, download, cancelling."""

import uuid

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from enrollment.family_messages import selection, templates
from enrollment.family_messages.selection import Choice, choice_of
from enrollment.ground.retention import DAY
from enrollment.places.areas import LEVELS
from enrollment.places.kindergartens import Kindergarten
from enrollment.results import letter_batches
from enrollment.results.letter_batches import BatchKind, LetterBatch
from enrollment.results.letters import LetterState
from portal.letters.preparing import LONGEST, SHORTEST, file_of
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.families.messages import audience_words, texts_of
from portal.text.words import language
from portal.web.admission_year import shown_year
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class PrintForm(PageForm):
    kind = RadioField(_l("打印什么"), [InputRequired(_l("请选打印什么。"))], validate_choice=False)
    audience = RadioField(_l("给谁"), [InputRequired(_l("请选给谁。"))], validate_choice=False)
    level = SelectField(_l("只要这个年级"), validate_choice=False)
    template = RadioField(_l("信里说什么（只对信件）"), validate_choice=False)

    def offer(self, here: Kindergarten) -> None:
        found = selection.audiences(db(), here.id, shown_year(), by=actor(), now=clock())
        self.kind.choices = coded_choices("batch_kind", BatchKind)
        self.audience.choices = [(code, f"{audience_words(code)} · {number}") for code, number in found.items()]
        self.level.choices = [("", _("都要")), *coded_choices("level", LEVELS)]
        self.template.choices = [*coded_choices("family_template_name", templates.COMMON)]
        self.template.choices += [(str(each.id), each.name) for each in templates.own(db(), here.id, by=actor())]

    def choice(self) -> Choice:
        codes = {"audience": self.audience.data or "", "level": self.level.data or ""}
        return choice_of(codes | {"year": str(shown_year())})

    def texts(self, here: Kindergarten) -> dict[str, str] | None:
        """What a letter says; None for what has no text of its own."""
        if self.kind.data != BatchKind.LETTERS:
            return None
        found = texts_of(here).get(self.template.data or "")
        return found[1] | {"name": found[0]} if found is not None else None

    def is_valid(self, here: Kindergarten) -> bool:
        """Check the form; a letter needs its text."""
        valid = self.validate_on_submit() and self.kind.data in set(BatchKind)
        if valid and self.kind.data == BatchKind.LETTERS and self.texts(here) is None:
            self.template.errors = [_("请选信里说什么。")]
            return False
        return valid


def _print_page(form: PrintForm) -> ResponseReturnValue:
    here = kindergarten_of_page()
    form.offer(here)
    batches = letter_batches.of_desk(db(), here.id, by=actor(), now=clock())
    return render_template(
        "staff/print_letters.html", form=form, here=here, year=shown_year(), audience_words=audience_words,
        batches=[(each, letter_batches.state(db(), each)) for each in batches],
        texts={code: each[language()] for code, (_name, each) in texts_of(here).items()},
    )  # fmt: skip


@pages.get("/families/print")
@desk("staff")
def print_letters() -> ResponseReturnValue:
    return _print_page(PrintForm(data={"audience": request.args.get("audience")}))


@pages.post("/families/print")
@desk("staff", step_up=True)
def ask_for_letters() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), PrintForm()
    if form.is_valid(here):
        with refusals_in(form):
            batch = letter_batches.ask(
                db(), here.id, form.choice(), BatchKind(form.kind.data), texts=form.texts(here), by=actor(), now=clock()
            )
            return redirect(url_for("staff.letter_batch", batch_id=batch.id), 303)
    return _print_page(form)


@pages.get("/families/print/<uuid:batch_id>")
@desk("staff")
def letter_batch(batch_id: uuid.UUID) -> ResponseReturnValue:
    """How far it is; the page asks again by itself, and gives the PDF once it is there."""
    batch = letter_batches.find(db(), batch_id, by=actor(), now=clock())
    return _batch_page(batch)


def _batch_page(batch: LetterBatch) -> ResponseReturnValue:
    letter = letter_batches.state(db(), batch)
    page = render_template(
        "staff/letter_batch.html", batch=batch, letter=letter, here=db().get_one(Kindergarten, batch.kindergarten_id),
        audience=audience_words(batch.chosen["audience"]), one_day=DAY,
        missing=letter_batches.without_a_letter(db(), batch),
    )  # fmt: skip
    answer = make_response(page)
    if letter.state in (LetterState.WAITING, LetterState.RETRYING):
        again = max(SHORTEST, min(LONGEST, letter.seconds // 3))
        answer.headers["Refresh"] = f"{again}; url={request.path}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/families/print/<uuid:batch_id>.pdf")
@desk("staff", step_up=True)
def letter_batch_pdf(batch_id: uuid.UUID) -> ResponseReturnValue:
    batch = letter_batches.find(db(), batch_id, by=actor(), now=clock())
    content = letter_batches.read(db(), batch_id, by=actor(), now=clock())
    return file_of(content, f"{batch.kind}-{batch.asked_at:%Y%m%d}.pdf", "application/pdf")


@pages.post("/families/print/<uuid:batch_id>/cancel")
@desk("staff")
def cancel_letter_batch(batch_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    batch = letter_batches.find(db(), batch_id, by=actor(), now=clock())
    if not form.validate_on_submit():
        return _batch_page(batch)
    letter_batches.cancel(db(), batch_id, by=actor(), now=clock())
    flash(_("已取消，没有留下文件。"))
    return redirect(url_for("staff.print_letters", at=batch.kindergarten_id), 303)
