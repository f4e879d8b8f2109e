"""The form of a correction request: the fields follow from what is corrected.  Families, clerks and officials fill it in."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.validators import Length

from enrollment.applications.application_rows import Application
from enrollment.corrections import decisions, home_moves
from enrollment.corrections.requests import LONGEST_STATEMENT
from enrollment.eligibility.households import LONGEST_TEXT
from enrollment.people.household_rows import HUKOU_KINDS, household_of
from enrollment.people.person_rows import GUARDIAN_ID_KINDS, ID_KINDS
from enrollment.places.areas import all_areas
from enrollment.places.kindergartens import Kindergarten
from enrollment.review.correction_rows import WITH_A_FACT, CorrectionKind
from enrollment.review.fact_values import AREAS, KINDERGARTENS
from enrollment.season.facts import CARE_KINDS, Fact
from portal.text.area_names import area_name
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import PageForm, parse_uuid
from portal.web.unit_of_work import db
from portal.web.upload_fields import PHOTO_OR_PDF, UploadsField

FACTS = tuple(fact for fact in Fact if fact != Fact.BORN)
"""The facts of a household and its grounds; the birth date is a part of the child's identity."""

TRUE_FACTS = (Fact.HOME_OWNED, Fact.SPECIAL_NEED)
"""Facts that hold or do not, so that no value is entered."""

TOGETHER = "together"

OUTSIDE = "outside"
"""The choice of a home that lies outside the city; it is no area."""

OWNED = {"yes": True, "no": False}

PARTS_OF_A_PLACE = {"street": _l("街道"), "community": _l("社区"), "estate": _l("小区")}


class DecisionForm(PageForm):
    version = HiddenField()
    reason = TextAreaField(_l("理由（家长会看到）"), [Length(max=decisions.LONGEST_ANSWER)])

    def seen_version(self) -> int:
        """The version that the page was rendered with; -1 for an invalid value, which counts as an old version."""
        return number_or(self.version.data, -1)


def known_kind(text: str | None) -> CorrectionKind | None:
    return CorrectionKind(text) if text in set(CorrectionKind) else None


def known_fact(kind: CorrectionKind, text: str | None) -> Fact | None:
    """The fact that a request of this kind may name."""
    return Fact(text) if kind in WITH_A_FACT and text in set(FACTS) else None


def form_for(
    kind: CorrectionKind,
    fact: Fact | None,
    application: Application | None = None,
    siblings: Sequence[Application] = (),
) -> PageForm:
    """A form with the fields of this kind, the statement and the papers.

    A move of home begins with what is registered for the `application`, so that only what is new is entered; it asks which of
    the `siblings` move too, all of them until somebody unticks one.
    """

    class CorrectionForm(PageForm):
        pass

    for name, field in _value_fields(kind, fact).items():
        setattr(CorrectionForm, name, field)
    if siblings:
        setattr(CorrectionForm, TOGETHER, _together(siblings))
    statement = TextAreaField(_l("哪里不对，依据是什么"), [Length(max=LONGEST_STATEMENT)])
    setattr(CorrectionForm, "statement", statement)  # noqa: B010 (the fields are made one by one)
    setattr(CorrectionForm, "pages", UploadsField(_l("证明材料的照片或 PDF"), kinds=PHOTO_OR_PDF))  # noqa: B010
    if kind == CorrectionKind.MOVE and application is not None:
        return CorrectionForm(data=_home_as_typed(application) | {TOGETHER: [str(each.id) for each in siblings]})
    return CorrectionForm()


def _together(siblings: Sequence[Application]) -> SelectMultipleField:
    return SelectMultipleField(
        _l("一起搬的孩子"),
        choices=[(str(each.id), each.child.name) for each in siblings],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        validate_choice=False,
    )


def together_in(form: PageForm) -> list[uuid.UUID]:
    """The siblings that are ticked."""
    ticked = form[TOGETHER].data or [] if TOGETHER in form else []
    return [parsed for each in ticked if (parsed := parse_uuid(each)) is not None]


def _home_as_typed(application: Application) -> dict[str, Any]:
    household = household_of(db(), application.id)
    said = home_moves.of_household(household)
    if said.pop("home_outside"):
        said["home_area"] = OUTSIDE
    return said | {"home_owned": next((code for code, holds in OWNED.items() if holds is said["home_owned"]), "")}


def is_valid(form: PageForm) -> bool:
    """Validate; a date that cannot be read is told in the reader's language, a missing one by the service."""
    form.validate_on_submit()
    for name in ("born", home_moves.MOVED_ON):
        day = form._fields.get(name)
        if day is not None and day.errors:
            typed = (day.raw_data or [""])[0].strip()
            day.errors = [_("请写成 2023-03-12 这样的日期。") if typed else word("error", f"{name}_missing")]
    return not form.errors


def is_complete(form: PageForm) -> bool:
    """Whether a family's request has its reason and its paper: what is missing is said at once, not one after the other."""
    missing = {"statement": "say_why"} if not (form["statement"].data or "").strip() else {}
    if not any(getattr(file, "filename", None) for file in form["pages"].data or []):
        missing["pages"] = "correction_needs_a_paper"
    for name, code in missing.items():
        form[name].errors = [*form[name].errors, word("error", code)]
    return not missing


def typed_values(form: PageForm, kind: CorrectionKind, fact: Fact | None) -> dict[str, Any]:
    """The corrected values as a request takes them."""
    if fact is not None:
        return {fact.value: _typed_fact(form, fact)}
    typed = {name: form[name].data for name in _value_fields(kind, None)}
    return _typed_home(typed) if kind == CorrectionKind.MOVE else typed


def _typed_home(typed: dict[str, Any]) -> dict[str, Any]:
    home = {name: value or None for name, value in typed.items()}
    home["home_outside"] = home["home_area"] == OUTSIDE or None
    if home["home_outside"]:
        home["home_area"] = None
    return home | {"home_owned": OWNED.get(typed["home_owned"] or "")}


def papers_in(form: PageForm) -> list[bytes]:
    return [file.read() for file in form["pages"].data or [] if getattr(file, "filename", None)]


def _value_fields(kind: CorrectionKind, fact: Fact | None) -> dict[str, Any]:
    name = StringField(_l("正确的姓名"))
    new_name = StringField(_l("姓名也改了的（例如收养），填新的姓名；没有改就不填"))
    kinds = GUARDIAN_ID_KINDS if kind == CorrectionKind.OTHER_IDENTITY else ID_KINDS
    id_kind = SelectField(_l("正确的证件类型"), choices=_choices("id_kind", kinds), validate_choice=False)
    id_number = StringField(_l("正确的证件号码"))
    sex = RadioField(_l("正确的性别"), choices=_choices("sex", ("f", "m")), validate_choice=False)
    fields: dict[CorrectionKind, dict[str, Any]] = {
        CorrectionKind.NAME: {"name": name},
        CorrectionKind.BIRTH_DATE: {"born": DateField(_l("正确的出生日期"))},
        CorrectionKind.DOCUMENT: {"id_kind": id_kind, "id_number": id_number, "name": new_name},
        CorrectionKind.SEX: {"sex": sex},
        CorrectionKind.OTHER_IDENTITY: {"name": name, "id_kind": id_kind, "id_number": id_number},
        CorrectionKind.DUPLICATE: {"other": StringField(_l("保留的那一份申请的登记编号"))},
    }
    if kind == CorrectionKind.MOVE:
        return _fields_of_a_move()
    return _fact_fields(fact) if fact is not None else fields.get(kind, {})


def _fields_of_a_move() -> dict[str, Any]:
    """In the order of a letter; what has not changed stays as it is filled in."""
    areas = [("", _l("请选择")), *((area.code, area_name(area)) for area in all_areas(db()))]
    outside = (OUTSIDE, LazyString(word, "answer_detail", "home_outside"))
    owned = [("yes", _l("是，自有住房")), ("no", _l("不是，租住或借住"))]
    text = [Length(max=LONGEST_TEXT)]
    return {
        home_moves.MOVED_ON: DateField(_l("哪一天搬到新住址的")),
        "home_area": SelectField(_l("新住址在"), choices=[*areas, outside], validate_choice=False),
        "home_street": StringField(_l("街道（镇）"), text),
        "home_community": StringField(_l("社区（村）"), text),
        "home_estate": StringField(_l("小区"), text),
        "home_address": StringField(_l("详细地址"), text),
        "home_owned": RadioField(_l("住房是父母或孩子名下的吗"), choices=owned, validate_choice=False),
        "residence_permit_area": SelectField(
            _l("居住证由哪个区签发（没有就不选）"), choices=areas, validate_choice=False
        ),
        "hukou_kind": RadioField(
            _l("孩子的户籍"), choices=_choices("hukou_choice", HUKOU_KINDS), validate_choice=False
        ),
        "hukou_area": SelectField(_l("户籍所在区域"), choices=areas, validate_choice=False),
        "hukou_street": StringField(_l("户籍所在街道（镇）"), text),
    }


def _fact_fields(fact: Fact) -> dict[str, Any]:
    value = {} if fact in TRUE_FACTS else _fact_value_fields(fact)
    return {**value, "gone": BooleanField(_l("这一项其实没有，或已不成立"))}


def _fact_value_fields(fact: Fact) -> dict[str, Any]:
    if fact == Fact.HOME_PLACE:
        return {part: StringField(text, [Length(max=80)]) for part, text in PARTS_OF_A_PLACE.items()}
    offered = _offered(fact)
    label = _l("正确的幼儿园名称") if fact in KINDERGARTENS else _l("正确的内容")
    if offered:
        choices = [("", _l("请选择")), *offered]
        return {fact.value: SelectField(label, choices=choices, validate_choice=False)}
    return {fact.value: StringField(label, [Length(max=80)])}


def _offered(fact: Fact) -> list[tuple[str, Any]]:
    if fact in AREAS:
        return [(area.code, area_name(area)) for area in all_areas(db())]
    if fact == Fact.HUKOU_KIND:
        return _choices("hukou_kind", HUKOU_KINDS)
    return _choices("care_kind", CARE_KINDS) if fact == Fact.POLICY_CARE else []


def _choices(group: str, codes: tuple[str, ...]) -> list[tuple[str, LazyString]]:
    return [(code, LazyString(word, group, code)) for code in codes]


def _typed_fact(form: PageForm, fact: Fact) -> Any:
    """None says that the fact does not hold; an empty value is refused by the service."""
    if form["gone"].data:
        return None
    if fact in TRUE_FACTS:
        return True
    if fact == Fact.HOME_PLACE:
        parts = {part: (form[part].data or "").strip() for part in PARTS_OF_A_PLACE}
        return {part: text for part, text in parts.items() if text}
    text = (form[fact.value].data or "").strip()
    if fact in KINDERGARTENS:
        return _code_of_kindergarten(text)
    return number_or(text, text) if fact == Fact.CHILDREN_IN_FAMILY else text


def _code_of_kindergarten(text: str) -> str:
    """The code of the one kindergarten with this name or code; another text stays, and the service refuses it."""
    codes = select(Kindergarten.code).where(or_(Kindergarten.name == text, Kindergarten.code == text)).limit(2)
    found = db().scalars(codes).all()
    return found[0] if len(found) == 1 else text
