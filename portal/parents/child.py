"""The child's page: birth date, sex and class level follow from the identity number."""

import datetime as dt
import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import DateField, RadioField, SelectField, StringField

from enrollment.applications import identity_documents, identity_edits, registration
from enrollment.applications.application_rows import WISHES, Stage
from enrollment.applications.applications import Application
from enrollment.applications.statements import child_kept
from enrollment.ground.errors import Refused
from enrollment.ground.identity import EIGHTEEN_DIGITS
from enrollment.ground.vault import mask
from enrollment.people import consents, documents, guardians
from enrollment.people.person_rows import ID_KINDS, RELATIONS, RESIDENT, EnteredBefore, Guardianship
from enrollment.season import ages, openings, seasons
from portal.parents import pages
from portal.parents.form_pages import (
    Planned,
    Required,
    VersionedForm,
    application_of,
    form_page,
    redirect_after_save,
    save_at_once,
    season_year,
    years_to_enter,
)
from portal.text.formats import day
from portal.text.words import word
from portal.web.forms import coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.idempotency import keeps_key, replay_answer
from portal.web.unit_of_work import actor, clock, db

ABOUT_THE_AGE = (
    "no_level_for_age",
    "too_young",
    "too_young_until",
    "no_registration_for_level",
    "registration_over",
    "registration_over_expected",
    "registration_over_late",
)


class ChildForm(VersionedForm):
    page = "child"
    name = StringField(_l("孩子的姓名"), [Required("name_missing")])
    relation = RadioField(_l("您是孩子的"), [Required("relation_missing")], validate_choice=False)
    id_kind = SelectField(_l("孩子的证件类型"), validate_choice=False)
    id_number = StringField(_l("孩子的证件号码"))
    born = DateField(_l("出生日期"))
    year = RadioField(_l("哪一年入园"), validate_choice=False)
    sex = RadioField(_l("性别"), validate_choice=False)
    entered_before = RadioField(_l("这个孩子以前有没有用别的证件登记过？"), validate_choice=False)

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        return {"version": str(application.child.version) if application is not None else ""}

    def set_choices(self) -> None:
        self.relation.choices = [(code, word("relation", code)) for code in RELATIONS]
        self.id_kind.choices = [(kind, word("id_kind", kind)) for kind in ID_KINDS]
        self.sex.choices = [(code, word("sex", code)) for code in ("f", "m")]
        self.entered_before.choices = coded_choices("entered_before", EnteredBefore)
        self.year.choices = [(str(each), _("%(year)s 年秋季", year=each)) for each in years_to_enter()]
        self.year.data = self.year.data or str(season_year())
        if actor().on_behalf:
            self.relation.label.text = _("监护人是孩子的")

    def wanted_year(self) -> int:
        """The chosen year where several take registrations; otherwise the one that does."""
        return next((each for each in years_to_enter() if str(each) == self.year.data), season_year())

    def values(self) -> dict:
        return {
            "name": self.name.data or "",
            "id_kind": self.id_kind.data or "",
            "relation": self.relation.data or "",
            "born": self.born.data,
            "sex": self.sex.data or None,
        }

    def is_valid(self, *, known: bool) -> bool:
        """Check the form.  A wrong date format is an error of the form; the service checks a missing date."""
        self.validate_on_submit({} if known else {"id_number": [Required("id_empty")]})
        if self.born.errors:
            typed = (self.born.raw_data or [""])[0].strip()
            self.born.errors = [_("请写成 2023-03-12 这样的日期。")] if typed else []
        return not self.errors

    def refuse(self, refused: Refused) -> None:
        """Show an age for which nothing is open beside the birth date, if that was entered by hand."""
        if refused.code in ABOUT_THE_AGE and self.by_hand:
            refused.field = "born"
        if refused.code == "born_missing" and not self.sex.data:
            super().refuse(Refused("sex_missing", field="sex"))  # both at once, not one after the other
        super().refuse(refused)

    @property
    def dated_kinds(self) -> str:
        """The kinds of document whose number contains the birth date, for the script that opens the questions for it."""
        return " ".join(sorted(EIGHTEEN_DIGITS))

    def opens(self, asks: bool) -> bool:
        """Whether the questions for another document than a resident number are open; `asks` where one is about an earlier entry."""
        return self.by_hand or (asks and (self.id_kind.data or RESIDENT) != RESIDENT)

    @property
    def by_hand(self) -> bool:
        """Whether the family has to enter the birth date, because the document's number does not contain it."""
        return (self.id_kind.data or RESIDENT) not in EIGHTEEN_DIGITS or bool(self.born.errors or self.sex.errors)


def _view(form: ChildForm, application: Application | None = None) -> ResponseReturnValue:
    form.set_choices()
    shown = mask(application.child.id_number, keep_start=4) if application else ""
    fixed = application is not None and not identity_edits.identity_is_free(db(), application.child_id)
    year = application.year if application else form.wanted_year()
    years = [] if application else years_to_enter() or [year]
    offered = [
        openings.of_year(db(), season, now=clock())
        for each in years
        if (season := seasons.visible_of_year(db(), each)) is not None
    ]
    return form_page(
        "child",
        "child",
        application,
        form,
        shown=shown,
        year=year,
        fixed=fixed,
        asks=application is None,
        offered=offered,
        born={str(levels[0].season.year): _born_when(levels) for levels in offered},
    )


def _born_when(levels: list[openings.LevelOfYear]) -> str:
    """Who can be entered in a year, in words, beside the choice of the year."""
    open_to = [each for each in levels if each.window.takes_drafts]
    return _("；").join(
        _(
            "%(level)s：%(first)s 至 %(last)s 出生",
            level=word("level", each.level),
            first=day(ages.born_between(each.level, each.season.year)[0], year=True),
            last=day(ages.born_between(each.level, each.season.year)[1], year=True),
        )
        for each in open_to
    )


@pages.get("/children/new")
@desk("parents", allows_helper=True)
def new_child() -> ResponseReturnValue:
    if guardians.guardian_of(db(), by=actor()) is None:
        flash(_("请先填写监护人信息。"))
        return redirect(url_for("parents.guardian_page"), 303)
    if consents.current_consent(db(), consents.CHILD_DATA, by=actor()) is None:
        flash(_("请先阅读同意书，我们才能保存孩子的信息。"))
        return redirect(url_for("parents.consent_page"), 303)
    return _view(ChildForm())


@pages.post("/children/new")
@desk("parents", allows_helper=True)
def enter_child() -> ResponseReturnValue:
    form = ChildForm()
    if form.is_valid(known=False):
        with refusals_in(form):
            application = registration.enter_child(
                db(), form.wanted_year(), id_number=form.id_number.data or "", by=actor(), now=clock(), **form.values()
            )
            if form.entered_before.data == EnteredBefore.NO:
                _answer_no(application)
            return _flash_birth_and_level(application, _after_saving(application, form.entered_before.data or ""))
        if form.refused == "child_already_entered":
            identity_documents.note_known_child(
                db(),
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                born=form.born.data,
                sex=form.sex.data or None,
                by=actor(),
                now=clock(),
            )
    return _view(form)


@pages.get("/applications/<uuid:application_id>/child")
@desk("parents", allows_helper=True)
def child_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = ChildForm()
    if not form.was_restored:
        child = application.child
        form.name.data, form.id_kind.data = child.name, child.id_kind
        form.born.data, form.sex.data = child.born, child.sex
        form.relation.data = _relation(child.id)
        form.version.data = str(child.version)
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/child")
@desk("parents", allows_helper=True)
@keeps_key
def save_child(application_id: uuid.UUID) -> ResponseReturnValue:
    form = ChildForm()
    valid = form.is_valid(known=True)
    if valid and (done := _save_at_once(application_id, form)) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    before, wished = application.level, bool(WISHES.of(db(), application_id))
    if valid:
        with refusals_in(form):
            registration.correct_child(
                db(),
                application_id,
                id_number=form.id_number.data or application.child.id_number,
                version=form.seen_version(),
                by=actor(),
                now=clock(),
                **form.values(),
            )
            answer = _flash_birth_and_level(application, _after_saving(application))
            if wished and application.level != before:
                flash(_wishes_of_another_level(application))
            return answer
        if form.refused == "child_already_entered":
            identity_documents.note_known_document(
                db(),
                application_id,
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                by=actor(),
                now=clock(),
            )
    return _view(form, application)


def _save_at_once(application_id: uuid.UUID, form: ChildForm) -> ResponseReturnValue | None:
    """The page of a plain draft whose child stays who it is, in one statement; None for the service to decide."""

    def change(read: Session, application: Application) -> Planned | None:
        if documents.question_is_due(read, application.child_id):
            return None
        said = form.values() | {"id_number": form.id_number.data or application.child.id_number}
        made = child_kept.change(read, application, said, version=form.seen_version(), by=actor(), now=clock())
        return None if made is None else Planned(made, (_birth_and_level(application),))

    return save_at_once("child", application_id, change)


def _answer_no(application: Application) -> None:
    """The answer about an earlier entry, where it is asked; to say yes takes the other document, on a page of its own."""
    if documents.question_is_due(db(), application.child_id):
        identity_documents.answer_entered_before(
            db(), application.id, entered_before=EnteredBefore.NO, by=actor(), now=clock()
        )


def _after_saving(application: Application, answer: str = "") -> ResponseReturnValue:
    """The question of the documents' page comes first, where it is due; an `answer` that was given is not asked again there."""
    if documents.question_is_due(db(), application.child_id):
        yes = EnteredBefore.YES if answer == EnteredBefore.YES else None
        return redirect(url_for("parents.documents_page", application_id=application.id, entered_before=yes), 303)
    return redirect_after_save("child", application)


def _flash_birth_and_level(application: Application, answer: ResponseReturnValue) -> ResponseReturnValue:
    flash(_birth_and_level(application))
    return answer


def _birth_and_level(application: Application) -> str:
    """The birth date and class level that follow from the number."""
    born: dt.date = application.child.born
    return _("%(born)s出生，适龄%(level)s。", born=day(born, year=True), level=word("level", application.level))


def _wishes_of_another_level(application: Application) -> str:
    """What became of the wishes after a correction that changed the class level."""
    level = word("level", application.level)
    if application.stage == Stage.RETURNED:
        return _("志愿换成了同一所幼儿园的%(level)s，没有这个年级的已经去掉。请核对志愿，再次提交。", level=level)
    return _("年级改成了%(level)s，原来年级的志愿已经去掉，请重新选幼儿园。", level=level)


def _relation(child_id: uuid.UUID) -> str:
    guardian = guardians.guardian_of(db(), by=actor())
    shared = db().get(Guardianship, (guardian.id, child_id)) if guardian else None
    return shared.relation if shared else ""
