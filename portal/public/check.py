"""The eligibility check without an account: six questions give the grounds, the documents and the tier per kindergarten.

It is for a year in which families can register; where two years run at once, the family chooses.  One screen asks one
question; the answers before it are hidden fields.

The answers are in the query string, so the page can be bookmarked or sent to another person.  They are not stored, and no
question asks for personal data such as a name, a birth date or a house number.  A family that goes on to register can take
them along: they fill its pages, unsaved.
"""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired

from enrollment.eligibility import eligibility_check
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import HUKOU_KINDS, Household
from enrollment.places.areas import LEVELS
from enrollment.season import openings
from enrollment.season.ages import born_between
from enrollment.season.calendar import Season
from enrollment.season.facts import CARE_KINDS, Ground
from portal.public import pages
from portal.text.area_names import area_names
from portal.text.formats import day, refusal
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.admission_year import asked_year, year_links
from portal.web.forms import PageForm
from portal.web.guards import public
from portal.web.page_data import check_answers
from portal.web.page_data.check_answers import Part
from portal.web.page_data.kindergarten_names import code_of
from portal.web.unit_of_work import clock, db

AT_A_KINDERGARTEN = (Ground.ELDER_SIBLING, Ground.SIBLING_RIGHT, Ground.STAFF_CHILD)
SCREENS = (
    ("level",),
    ("hukou_kind", "hukou_area"),
    ("home_area", "home_estate", "home_owned"),
    ("residence_permit_area", "work_area"),
    ("elder_sibling", "sibling_right", "multi_child"),
    ("policy_care", "staff_child", "special_need"),
)
"""The fields of each screen."""

OF_HOUSEHOLD = ("hukou_kind", "hukou_area", *SCREENS[2], *SCREENS[3])
OF_GROUNDS = (*SCREENS[4], *SCREENS[5])
MOST_SHOWN = 6
OUTSIDE = "outside"
LONGEST_ANSWER = 100


class CheckForm(FlaskForm):
    """A GET form: its values are in the query string, and it needs no CSRF token.  A ground's field has its name."""

    class Meta:
        csrf = False

    level = RadioField(_l("孩子哪天出生"), [InputRequired(_l("请选择孩子的出生日期在哪一段。"))], validate_choice=False)
    hukou_kind = RadioField(_l("孩子的户籍"), [InputRequired(_l("请选择孩子的户籍。"))], validate_choice=False)
    hukou_area = SelectField(_l("户籍所在区域"), validate_choice=False)
    home_area = SelectField(_l("现在住在"), validate_choice=False)
    home_estate = StringField(_l("小区（可不填）"))
    home_owned = RadioField(_l("住房是父母或孩子名下的吗"), validate_choice=False)
    residence_permit_area = SelectField(_l("居住证由哪个区签发（没有就不选）"), validate_choice=False)
    work_area = SelectField(_l("父母一方在哪个区工作（可不填）"), validate_choice=False)
    elder_sibling = StringField(_l("哥哥或姐姐九月还在读的幼儿园"))
    sibling_right = StringField(_l("往年为两个孩子办过绑定入园的幼儿园"))
    staff_child = StringField(_l("父母一方工作的幼儿园"))
    policy_care = SelectField(_l("政策照顾"), validate_choice=False)
    multi_child = IntegerField(_l("家里一共几个孩子"))
    special_need = BooleanField(_l("孩子持有残疾人证或医学诊断证明"))

    def set_choices(self, year: int) -> None:
        nobody, named = ("", _("请选择")), list(area_names(db()).items())
        self.level.choices = [(level, _born(level, year)) for level in LEVELS]
        self.hukou_kind.choices = [(kind, word("hukou_choice", kind)) for kind in HUKOU_KINDS]
        self.home_owned.choices = [("yes", _("是，自有住房")), ("no", _("不是，租住或借住"))]
        self.policy_care.choices = [("", _("没有")), *((kind, word("care_kind", kind)) for kind in CARE_KINDS)]
        for field in (self.hukou_area, self.home_area, self.residence_permit_area, self.work_area):
            field.choices = [nobody, *named]
        self.home_area.choices.append((OUTSIDE, word("answer_detail", "home_outside")))

    def is_valid(self) -> bool:
        self.validate()
        self.multi_child.errors = (
            [_("请填一个整数。")] if request.args.get("multi_child") and self.multi_child.errors else []
        )
        here, kinds = area_names(db()), (self.level, self.hukou_kind)
        for field in kinds:
            if field.data and field.data not in dict(field.choices):
                field.errors = [_("请从列表里选。")]
        if self.hukou_kind.data in ("local", "collective") and self.hukou_area.data not in here:
            self.hukou_area.errors = [_("成都户籍的，请选择户籍所在区域。")]
        if self.home_area.data not in here and self.home_area.data != OUTSIDE:
            self.home_area.errors = [_("请选择现在住在哪个区域。")]
        return not self.errors

    def household(self) -> Household:
        """The answers as a household that is not saved."""
        areas = area_names(db())
        outside = self.home_area.data == OUTSIDE
        registered = self.hukou_kind.data in ("local", "collective")
        return Household(
            hukou_kind=self.hukou_kind.data,
            hukou_area=self.hukou_area.data if registered else None,
            home_area=None if outside else self.home_area.data,
            home_outside=True if outside else None,
            home_estate=None if outside else (self.home_estate.data or "").strip()[:60] or None,
            home_owned=None if outside else self.home_owned.data == "yes",
            work_area=self.work_area.data if self.work_area.data in areas else None,
            residence_permit_area=self.residence_permit_area.data if self.residence_permit_area.data in areas else None,
        )

    def details(self) -> dict:
        """The claimed grounds with their details.  Refuses a name that fits several kindergartens."""
        found = {ground: code_of(self[ground.value].data or "", field=ground.value) for ground in AT_A_KINDERGARTEN}
        found |= {
            Ground.POLICY_CARE: self.policy_care.data or None,
            Ground.SPECIAL_NEED: self.special_need.data or None,
            Ground.MULTI_CHILD: self.multi_child.data if (self.multi_child.data or 0) > 1 else None,
        }
        return {ground: detail for ground, detail in found.items() if detail}


def _born(level: str, year: int) -> str:
    first, last = born_between(level, year)
    return _(
        "%(first)s 至 %(last)s（%(level)s）",
        first=day(first, year=True),
        last=day(last, year=True),
        level=word("level", level),
    )


@pages.get("/check")
@public
def check() -> ResponseReturnValue:
    years = openings.years_to_register(db(), now=clock())
    season = next((each for each in years if each.year == asked_year()), None) or openings.year_to_register(
        db(), now=clock()
    )
    if season is None:
        return render_template("public/check.html", season=None)
    asked, answered = _number("ask"), _number("at")
    if asked or answered or "home_area" not in request.args:
        return _screen(season, asked, answered, years)
    return _whole_page(season, years)


def _number(name: str) -> int:
    """The number of a screen in the address; 0 without one."""
    return min(number_or(request.args.get(name), 0), len(SCREENS))


def _screen(season: Season, asked: int, answered: int, years: list[Season]) -> ResponseReturnValue:
    """The screen that is asked for; else the one after the answered one, or that one again where an answer is missing.  After
    the last one, and after a change, the result."""
    form = CheckForm(request.args if asked or answered else None)
    form.set_choices(season.year)
    number = asked or answered or 1
    if answered and not asked:
        form.is_valid()
        if not any(form[name].errors for name in SCREENS[answered - 1]):
            if answered == len(SCREENS) or "change" in request.args:
                return redirect(
                    url_for("public.check", **_answers(), year=season.year if len(years) > 1 else None), 303
                )
            number = answered + 1
    for name, field in form._fields.items():
        if name not in SCREENS[number - 1] or number != answered:
            field.errors = []
    return render_template(
        "public/check_question.html",
        season=season,
        years=year_links([each.year for each in years], season.year, leave_out=["level"]),
        form=form,
        number=number,
        change="change" in request.args,
        shown=SCREENS[number - 1],
        kept=[(name, value) for name, value in _answers().items() if name not in SCREENS[number - 1]],
        back=url_for("public.check", **_answers(), ask=number - 1) if number > 1 else "/",
        last=len(SCREENS),
    )


def _answers() -> dict[str, Any]:
    """The answers of the address, of every question that was asked: an empty one says that it was."""
    known = [name for screen in SCREENS for name in screen]
    return {name: request.args[name] for name in known if name in request.args}


def _whole_page(season: Season, years: list[Season]) -> ResponseReturnValue:
    form = CheckForm(request.args)
    form.set_choices(season.year)
    return render_template(
        "public/check.html",
        season=season,
        answers=_answers(),
        # the class levels of another year are other children: the level is asked again
        years=year_links([each.year for each in years], season.year, leave_out=["level"]),
        form=form,
        found=_check_result(form, season) if form.is_valid() else None,
        area_names=area_names(db()),
        most=MOST_SHOWN,
        open_now=any(each is season for each, _round in openings.open_rounds(db(), now=clock())),
    )


def _check_result(form: CheckForm, season: Season) -> eligibility_check.Foreseen | None:
    try:
        return eligibility_check.foresee(db(), season.year, form.level.data, form.household(), form.details())
    except Refused as refused:
        form[refused.field].errors = [refusal(refused)]
        return None


@pages.post("/check")
@public
def take_along() -> ResponseReturnValue:
    """To the registration, with the answers as an unsaved proposal for its pages."""
    form = PageForm()
    if form.validate_on_submit():
        posted = {name: value for name, value in request.form.items() if value and len(value) <= LONGEST_ANSWER}
        check_answers.carry(
            {
                Part.HOUSEHOLD: {name: posted[name] for name in OF_HOUSEHOLD if name in posted},
                Part.GROUNDS: {name: posted[name] for name in OF_GROUNDS if name in posted},
            }
        )
    return redirect("/parents", 303)
