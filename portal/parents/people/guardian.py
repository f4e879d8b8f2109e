"""The first two pages of the form: consent and guardian."""

from collections.abc import Collection

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField

from enrollment.applications import registration
from enrollment.applications.applications import Application
from enrollment.ground.errors import Refused
from enrollment.ground.vault import mask
from enrollment.people import consents, guardians
from enrollment.people.consents import Register
from enrollment.people.person_rows import GUARDIAN_ID_KINDS
from portal.parents import pages
from portal.parents.form_pages import Required, VersionedForm, form_page, redirect_after_save
from portal.text import consent_texts
from portal.text.words import language, word
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.shared_views.register_choice import RegistersField, register_hints, register_terms
from portal.web.unit_of_work import account_id, actor, clock, db


class ConsentForm(VersionedForm):
    consent = BooleanField(_l("我已阅读并同意"))
    asking = RadioField(
        _l("向部门核对，少交纸质材料"),
        choices=[("all", _l("每个部门都同意")), ("some", _l("逐个选")), ("none", _l("都不同意，交材料"))],
        validate_choice=False,
    )
    registers = RegistersField(_l("同意向这些部门核对"))

    def fill(self, given: Collection[str], *, answered: bool) -> None:
        """Show what was chosen before; a family that has not answered yet finds nothing ticked."""
        self.registers.data = list(given)
        if answered:
            self.asking.data = "all" if len(given) == len(Register) else "some" if given else "none"

    def chosen(self) -> list[str]:
        """The registers that the guardian agrees to."""
        if self.asking.data in ("all", "none"):
            return list(Register) if self.asking.data == "all" else []
        return list(self.registers.data or [])


class GuardianForm(VersionedForm):
    page = "guardian"
    name = StringField(_l("您的姓名"), [Required("name_missing")])
    id_kind = SelectField(_l("证件类型"), validate_choice=False)
    id_number = StringField(_l("证件号码"))

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        guardian = guardians.guardian_of(db(), by=actor())
        return {"version": str(guardian.version) if guardian is not None else ""}

    def is_valid(self, *, known: bool) -> bool:
        """Check the form.  The number may be left out if it is known."""
        extra = {} if known else {"id_number": [Required("id_empty")]}
        return self.validate_on_submit(extra_validators=extra)

    def set_choices(self) -> None:
        self.id_kind.choices = [(kind, word("id_kind", kind)) for kind in GUARDIAN_ID_KINDS]
        if actor().on_behalf:
            self.name.label.text = _("监护人的姓名")


def _consent_view(form: ConsentForm | None = None) -> ResponseReturnValue:
    """Without a form, for a helper, who only reads what the guardian agreed to."""
    text = consent_texts.read(consents.CHILD_DATA, language())
    return form_page(
        "consent",
        "consent",
        None,
        form,
        text=text,
        registers=consent_texts.read(consent_texts.REGISTERS, language()),
        hints=register_hints(),
        given=consents.current_consent(db(), consents.CHILD_DATA, by=actor()),
        agreed=consents.registers_of(db(), account_id()),
    )


@pages.get("/consent")
@desk("parents", allows_helper=True)
def consent_page() -> ResponseReturnValue:
    if actor().on_behalf:
        return _consent_view()
    form = ConsentForm()
    if not form.was_restored:
        known = consents.current_consent(db(), consents.CHILD_DATA, by=actor()) is not None
        form.consent.data = known
        form.fill(consents.registers_of(db(), account_id()), answered=known)
    return _consent_view(form)


@pages.post("/consent")
@desk("parents")
def give_consent() -> ResponseReturnValue:
    form = ConsentForm()
    if form.validate_on_submit():
        with refusals_in(form):
            if not form.consent.data:
                raise Refused("consent_needed", field="consent")
            text = consent_texts.read(consents.CHILD_DATA, language())
            consents.give(
                db(),
                consents.CHILD_DATA,
                text_version=text.version,
                text_digest=text.digest,
                by=actor(),
                now=clock(),
            )
            consents.choose_registers(db(), form.chosen(), register_terms(), by=actor(), now=clock())
            return redirect_after_save("consent", None)
    return _consent_view(form)


def _guardian_view(form: GuardianForm) -> ResponseReturnValue:
    form.set_choices()
    guardian = guardians.guardian_of(db(), by=actor())
    shown = mask(guardian.id_number, keep_start=4) if guardian and guardian.id_number else ""
    may_say = registration.may_say_guardian(db(), by=actor())
    return form_page("guardian", "guardian", None, form, shown=shown, guardian=guardian, may_say=may_say)


@pages.get("/guardian")
@desk("parents", allows_helper=True)
def guardian_page() -> ResponseReturnValue:
    form = GuardianForm()
    guardian = guardians.guardian_of(db(), by=actor())
    if guardian is None and consents.current_consent(db(), consents.CHILD_DATA, by=actor()) is None:
        return redirect(
            url_for("parents.consent_page", invitation=request.args.get("invitation")), 303
        )  # before an ID number is stored
    if guardian is not None and not form.was_restored:
        form.name.data, form.id_kind.data = guardian.name, guardian.id_kind
        form.version.data = str(guardian.version)
    return _guardian_view(form)


@pages.post("/guardian")
@desk("parents", allows_helper=True)
def save_guardian() -> ResponseReturnValue:
    form = GuardianForm()
    if form.is_valid(known=guardians.guardian_of(db(), by=actor()) is not None):
        with refusals_in(form):
            registration.save_guardian(
                db(),
                name=form.name.data or "",
                id_kind=form.id_kind.data or "",
                id_number=form.id_number.data or "",
                version=form.seen_version(),
                by=actor(),
                now=clock(),
            )
            return redirect_after_save("guardian", None)
    return _guardian_view(form)
