"""The household page: hukou, home and workplace."""

import uuid
from decimal import Decimal, InvalidOperation

from flask import flash, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import DateField, HiddenField, RadioField, SelectField, StringField

from enrollment.applications import applications
from enrollment.applications.applications import Application
from enrollment.eligibility import households
from enrollment.eligibility.households import HUKOU_KINDS
from enrollment.eligibility.statements import saved_household
from enrollment.places import service_areas
from enrollment.season.facts import Ground
from portal.parents import pages
from portal.parents.form_pages import (
    Planned,
    Required,
    VersionedForm,
    application_of,
    form_page,
    redirect_after_save,
    save_at_once,
)
from portal.text.area_names import area_names
from portal.text.words import word
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.idempotency import keeps_key, replay_answer
from portal.web.page_data import check_answers
from portal.web.page_data.check_answers import Part
from portal.web.unit_of_work import actor, clock, db

LISTED = ("street", "community", "estate")
MOST_NAMES = 600
LOST_OUTSIDE = (Ground.SERVICE_AREA, Ground.HOME_OWNER, Ground.ESTATE_OWNER)
"""The grounds that rest on a home in the city."""
OUTSIDE = "outside"
"""The choice of a home that lies outside the city; it is no area."""

WITHIN = {"home_longitude": 180, "home_latitude": 90}


class HouseholdForm(VersionedForm):
    page = "household"
    hukou_kind = RadioField(_l("孩子的户籍"), [Required("hukou_kind_missing")], validate_choice=False)
    hukou_area = SelectField(_l("户籍所在区域"), validate_choice=False)
    hukou_street = StringField(_l("户籍所在街道（镇）"))
    hukou_since = DateField(_l("落户日期（知道就填）"))
    home_area = SelectField(_l("孩子现在住在"), [Required("home_area_missing")], validate_choice=False)
    home_street = StringField(_l("街道（镇）"))
    home_community = StringField(_l("社区（村）"))
    home_estate = StringField(_l("小区"))
    home_address = StringField(_l("详细地址"))
    home_longitude = HiddenField()
    home_latitude = HiddenField()
    home_owned = RadioField(_l("住房是父母或孩子名下的吗"), validate_choice=False)
    work_area = SelectField(_l("父母一方在哪个区工作（可不填）"), validate_choice=False)
    residence_permit_area = SelectField(_l("居住证由哪个区签发（没有就不选）"), validate_choice=False)

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        household = households.household_of(db(), application.id) if application is not None else None
        return {"version": str(household.version) if household is not None else ""}

    def set_choices(self) -> None:
        named = list(area_names(db()).items())
        self.hukou_kind.choices = [(kind, word("hukou_choice", kind)) for kind in HUKOU_KINDS]
        self.home_owned.choices = [("yes", _("是，自有住房")), ("no", _("不是，租住或借住"))]
        for field in (self.hukou_area, self.home_area, self.work_area, self.residence_permit_area):
            field.choices = [("", _("请选择")), *named]
        self.home_area.choices.append((OUTSIDE, word("answer_detail", "home_outside")))

    def is_valid(self) -> bool:
        registered_here = self.hukou_kind.data in ("local", "collective")
        self.validate_on_submit({"hukou_area": [Required("hukou_area_missing")]} if registered_here else None)
        if self.hukou_since.errors:
            typed = (self.hukou_since.raw_data or [""])[0].strip()
            self.hukou_since.errors = [_("请写成 2019-05-01 这样的日期。")] if typed else []
        return not self.errors

    def household_version(self) -> int:
        """The version of the household that the page was rendered with; 0 before the first save."""
        seen = self.seen_version() if self.version.data else 0
        return -1 if seen is None else seen

    def values(self) -> dict:
        plain = {
            name: self[name].data or None
            for name in ("hukou_kind", "hukou_area", "hukou_street", "hukou_since", "home_area", "work_area")
        }
        plain |= {name: self[name].data or None for name in ("home_street", "home_community", "home_estate")}
        plain |= {name: self[name].data or None for name in ("home_address", "residence_permit_area")}
        point = {name: _degrees(self[name].data, WITHIN[name]) for name in WITHIN}
        if None in point.values():
            point = dict.fromkeys(WITHIN)
        if plain["home_area"] == OUTSIDE:
            plain |= {"home_area": None, "home_outside": True}
        return plain | point | {"home_owned": {"yes": True, "no": False}.get(self.home_owned.data or "")}

    def fill_from(self, household: households.Household, *, version: str) -> None:
        for name in households.ANSWERS - {"home_outside"}:
            value = getattr(household, name)
            self[name].data = str(value) if isinstance(value, Decimal) else value
        if household.home_outside:
            self.home_area.data = OUTSIDE
        self.home_owned.data = "" if household.home_owned is None else "yes" if household.home_owned else "no"
        self.version.data = version

    def fill_from_check(self, told: dict[str, str]) -> None:
        """Fill in what the family answered before it signed in."""
        for name, value in told.items():
            self[name].data = value
        if self.hukou_kind.data not in ("local", "collective"):
            self.hukou_area.data = ""


def _degrees(text: str | None, most: int) -> Decimal | None:
    """A coordinate sent by the browser; None if it is invalid."""
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value.quantize(Decimal("0.000001")) if value.is_finite() and abs(value) <= most else None


def _siblings_answers(application: Application) -> tuple[str, households.Household] | None:
    """The name and household of a sibling, to prefill the form."""
    for sibling in applications.of_family(db(), application, by=actor()):
        household = households.household_of(db(), sibling.id)
        if household is not None:
            return sibling.child.name, household
    return None


def _view(
    form: HouseholdForm, application: Application, *, taken_from: str = "", from_check: bool = False
) -> ResponseReturnValue:
    form.set_choices()
    outside = form.home_area.data == OUTSIDE
    area = form.home_area.data if not outside else None
    names = {kind: service_areas.list_names(db(), kind, area)[:MOST_NAMES] if area else [] for kind in LISTED}
    return form_page(
        "household",
        "household",
        application,
        form,
        names=names,
        taken_from=taken_from,
        from_check=from_check,
        outside=outside,
        lost=LOST_OUTSIDE,
    )


@pages.get("/applications/<uuid:application_id>/household")
@desk("parents", allows_helper=True)
def household_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = HouseholdForm()
    if form.was_restored:
        return _view(form, application)
    household = households.household_of(db(), application_id)
    if household is not None:
        form.fill_from(household, version=str(household.version))
    elif not form.home_area.data and (answers := _siblings_answers(application)):
        form.fill_from(answers[1], version="")
        return _view(form, application, taken_from=answers[0])
    elif not form.home_area.data and (told := check_answers.carried(Part.HOUSEHOLD)):
        form.fill_from_check(told)
        return _view(form, application, from_check=True)
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/household")
@desk("parents", allows_helper=True)
@keeps_key
def save_household(application_id: uuid.UUID) -> ResponseReturnValue:
    form = HouseholdForm()
    valid = form.is_valid()
    if valid and (done := _save_at_once(application_id, form)) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    if valid:
        with refusals_in(form):
            former = households.place_of(db(), application_id)
            households.save(
                db(), application_id, version=form.household_version(), by=actor(), now=clock(), **form.values()
            )
            check_answers.drop(Part.HOUSEHOLD)
            if told := _siblings_left_behind(households.still_at(db(), application, former, by=actor())):
                flash(told, "warn")
            return redirect_after_save("household", application)
    return _view(form, application)


def _save_at_once(application_id: uuid.UUID, form: HouseholdForm) -> ResponseReturnValue | None:
    """The household of a plain draft in one statement; None for the service to decide."""

    def change(read: Session, application: Application) -> Planned | None:
        former, version = households.place_of(read, application_id), form.household_version()
        made = saved_household.change(read, application, form.values(), version=version, by=actor(), now=clock())
        if made is None:
            return None
        told = _siblings_left_behind(households.still_at(read, application, former, by=actor()))
        return Planned(made, ((told, "warn"),) if told else ())

    done = save_at_once("household", application_id, change)
    if done is not None:
        check_answers.drop(Part.HOUSEHOLD)
    return done


def _siblings_left_behind(left_behind: list[Application]) -> str:
    """The message that names these children; "" for none."""
    names = [each.child.name for each in left_behind]
    if not names:
        return ""
    return _("%(names)s的申请里还是原来的户籍和住址。全家都搬了的，请也去改。", names=_("、").join(names))


@pages.get("/places")
@desk("parents", allows_helper=True)
def place_names() -> ResponseReturnValue:
    """The streets, communities and estates of an area, for the fields' suggestions."""
    area = request.args.get("area", "")[:6]
    return jsonify({kind: service_areas.list_names(db(), kind, area)[:MOST_NAMES] if area else [] for kind in LISTED})
