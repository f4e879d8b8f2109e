"""The grounds that a family claims in addition to those that follow from its household."""

import datetime as dt
import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField

from enrollment.applications import applications, elder_siblings
from enrollment.applications.applications import Application
from enrollment.applications.elder_siblings import Elder, ElderSibling
from enrollment.eligibility import claims, required_documents
from enrollment.eligibility.statements import saved_grounds
from enrollment.eligibility.statements.saved_grounds import AT_A_KINDERGARTEN
from enrollment.ground.errors import Refused
from enrollment.places import finder
from enrollment.season.facts import CARE_KINDS, Ground
from portal.parents import pages
from portal.parents.form_pages import (
    Planned,
    VersionedForm,
    application_of,
    form_page,
    redirect_after_save,
    save_at_once,
)
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.idempotency import keeps_key, replay_answer
from portal.web.page_data import check_answers
from portal.web.page_data.check_answers import Part
from portal.web.page_data.kindergarten_names import code_of, name_of
from portal.web.unit_of_work import actor, clock, db


class GroundsForm(VersionedForm):
    """Each checkbox has the name of its ground; the detail of a ground is in the field `<ground>_detail`."""

    page = "grounds"
    elder_sibling = BooleanField(_l("哥哥姐姐在园"))
    elder_sibling_detail = StringField(_l("哪所幼儿园"))
    elder_name = StringField(_l("哥哥或姐姐的姓名"))
    elder_number = StringField(_l("哥哥或姐姐的证件号码"))
    elder_born = DateField(_l("哥哥或姐姐的出生日期"))
    sibling_right = BooleanField(_l("往年绑定入园"))
    sibling_right_detail = StringField(_l("哪所幼儿园"))
    staff_child = BooleanField(_l("幼儿园教职工子女"))
    staff_child_detail = StringField(_l("哪所幼儿园"))
    policy_care = BooleanField(_l("政策照顾"))
    policy_care_detail = SelectField(_l("哪一类"), validate_choice=False)
    special_need = BooleanField(_l("残疾儿童"))
    multi_child = BooleanField(_l("多子女家庭"))
    multi_child_detail = IntegerField(_l("家里一共几个孩子"))

    def set_choices(self) -> None:
        kinds = [(kind, word("care_kind", kind)) for kind in CARE_KINDS]
        self.policy_care_detail.choices = [("", _("请选择")), *kinds]

    def entered_values(self) -> list[tuple[str, str]]:
        """Labels of details include their ground, kindergartens are shown by name, details of unticked grounds are left out."""
        for ground in claims.ASKED:
            detail = self._fields.get(f"{ground.value}_detail")
            if detail is None:
                continue
            detail.label.text = _("%(part)s：%(name)s", part=self[ground.value].label.text, name=detail.label.text)
            if not self[ground.value].data:
                detail.data, detail.raw_data = None, []
            elif ground in AT_A_KINDERGARTEN:
                detail.raw_data = [name_of(detail.data)]
        if not self.elder_sibling.data:
            for field in (self.elder_name, self.elder_number, self.elder_born):
                field.data, field.raw_data = None, []
        return super().entered_values()

    def fill_elder(self, elder: ElderSibling | None) -> None:
        if elder is not None:
            self.elder_name.data, self.elder_number.data = elder.name, elder.id_number
            self.elder_born.data = dt.date.fromisoformat(elder.born) if elder.born else None

    def elder(self, *, needed: bool) -> Elder | None:
        """The elder sibling as it is named; None where none is claimed, or none need be named and none is."""
        if not self.elder_sibling.data:
            return None
        typed = (self.elder_born.raw_data or [""])[0].strip()
        if typed and self.elder_born.data is None:
            raise Refused("birth_date_form", field="elder_born")
        elder = Elder(self.elder_name.data or "", self.elder_number.data or "", self.elder_born.data)
        return elder if elder or needed else None

    def refuse(self, refused: Refused) -> None:
        """Show the refusal of a ground beside its detail field, if it has one."""
        detail = f"{refused.field}_detail"
        if detail in self._fields:
            refused.field = detail
        super().refuse(refused)

    def fill_from(self, claimed: dict) -> None:
        for ground, details in claimed.items():
            if ground not in claims.ASKED:
                continue
            self[ground.value].data = True
            if f"{ground.value}_detail" in self._fields:
                value = details.get(claims.DETAIL[ground].value)
                self[f"{ground.value}_detail"].data = name_of(value) if ground in AT_A_KINDERGARTEN else value

    def fill_from_check(self, told: dict[str, str]) -> None:
        """Tick what the family answered before it signed in, with its details."""
        for ground in [ground for ground in claims.ASKED if ground.value in told]:
            value = told[ground.value]
            if ground == Ground.MULTI_CHILD and number_or(value, 0) < 2:
                continue
            self[ground.value].data = True
            if f"{ground.value}_detail" in self._fields:
                self[f"{ground.value}_detail"].data = number_or(value, None) if ground == Ground.MULTI_CHILD else value

    def values(self, among: list[Ground], session: Session) -> dict | None:
        """The ticked grounds with their details; None if a detail is missing or wrong, which is shown beside its field.

        A kindergarten may be given by its name, part of it, or its code.
        """
        found, whole = {}, True
        for ground in [ground for ground in among if self[ground.value].data]:
            try:
                found[ground] = self._detail(ground, session)
                claims.details_of(session, ground, found[ground])
            except Refused as refused:
                self.refuse(refused)
                whole = False
        return found if whole else None

    def _detail(self, ground: Ground, session: Session) -> Any:
        if f"{ground.value}_detail" not in self._fields:
            return True
        value = self[f"{ground.value}_detail"].data
        return code_of(value or "", field=ground.value, read=session) if ground in AT_A_KINDERGARTEN else value


def _view(form: GroundsForm, application: Application, *, from_check: bool = False) -> ResponseReturnValue:
    form.set_choices()
    claimed = claims.of(db(), application.id)
    carried = [ground for ground in claimed if ground not in claims.ASKED]
    asked = required_documents.useful_grounds(db(), application)
    return form_page(
        "grounds",
        "grounds",
        application,
        form,
        carried=carried,
        asked=asked,
        from_check=from_check,
        must_name=_must_name_elder(application, db()),
    )


def _must_name_elder(application: Application, session: Session) -> bool:
    """A family with another child in this portal need not say who the elder is: the roll knows it by its guardians."""
    return all(each.child_id == application.child_id for each in applications.list_own(session, by=actor()))


@pages.get("/applications/<uuid:application_id>/grounds")
@desk("parents", allows_helper=True)
def grounds_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = GroundsForm()
    if not form.was_restored:
        claimed = claims.of(db(), application_id)
        form.fill_from(claimed)
        told = {} if any(ground in claims.ASKED for ground in claimed) else check_answers.carried(Part.GROUNDS)
        form.fill_from_check(told)
        form.fill_elder(elder_siblings.of(db(), application_id))
        form.version.data = str(application.version)
        return _view(form, application, from_check=bool(told))
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/grounds")
@desk("parents", allows_helper=True)
@keeps_key
def save_grounds(application_id: uuid.UUID) -> ResponseReturnValue:
    if (done := _save_at_once(application_id, _posted())) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    form = _posted()
    with refusals_in(form):
        shown = required_documents.useful_grounds(db(), application)
        claimed = form.values(shown, db())
        if claimed is None:
            return _view(form, application)
        elder = form.elder(needed=_must_name_elder(application, db())) if Ground.ELDER_SIBLING in claimed else None
        claims.set_claims(
            db(),
            application_id,
            claimed,
            among=shown,
            elder=elder,
            version=form.seen_version(),
            by=actor(),
            now=clock(),
        )
        check_answers.drop(Part.GROUNDS)
        return redirect_after_save("grounds", application)
    return _view(form, application)


def _posted() -> GroundsForm:
    form = GroundsForm()
    form.validate_on_submit()
    # the service checks a missing number or day, and only if the ground is ticked
    form.multi_child_detail.errors, form.elder_born.errors = [], []
    return form


def _save_at_once(application_id: uuid.UUID, form: GroundsForm) -> ResponseReturnValue | None:
    """The grounds of a plain draft in one statement; None for the service to decide."""

    def change(read: Session, application: Application) -> Planned | None:
        version = form.seen_version()
        shown = required_documents.useful_grounds(read, application)
        claimed = form.values(shown, read)
        if claimed is None or version is None:
            return None
        elder = form.elder(needed=_must_name_elder(application, read)) if Ground.ELDER_SIBLING in claimed else None
        made = saved_grounds.change(
            read, application, claimed, elder, among=shown, version=version, by=actor(), now=clock()
        )
        return None if made is None else Planned(made)

    done = save_at_once("grounds", application_id, change)
    if done is not None:
        check_answers.drop(Part.GROUNDS)
    return done


@pages.get("/kindergarten-names")
@desk("parents", allows_helper=True)
def kindergarten_names() -> ResponseReturnValue:
    """Kindergarten names that match the entered text, for the field's suggestions."""
    found = finder.by_words(db(), request.args.get("q", "")[:40], most=8)
    return {"names": [each.name for each in found]}
