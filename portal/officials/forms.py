"""Forms of the season's pages.  Times are entered and shown as they are in Chengdu."""

import datetime as dt
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.ground.city_time import CHENGDU
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.errors import Refused
from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.areas import LEVELS, NATURES
from enrollment.season.calendar import STEPS, Span
from enrollment.season.holidays import DayKind
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import KINDS_WITH_WISHES, PAIR_RULES
from portal.officials.scope import area_names
from portal.text.formats import refusal
from portal.text.policy_rules import listed
from portal.web.forms import CivilDate, CivilTime, PageForm, coded_choices
from portal.web.upload_fields import UploadField

NEEDED = _l("请填写")
LARGEST_POLICY = LIMITS["rules"].largest


class OfficialForm(PageForm):
    """A form of officials; refusals show area names instead of codes."""

    def refuse(self, refused: Refused) -> None:
        super().refuse(Refused(refused.code, refused.field, **_named(refused.details)))

    def words_of(self, refused: Refused) -> str:
        """The words of a refusal that a page shows in advance."""
        return refusal(Refused(refused.code, **_named(refused.details)))


def _named(details: dict) -> dict:
    areas = details.get("areas")
    if not isinstance(areas, list):
        return details
    names = area_names()
    return details | {"areas": listed(names.get(str(code), str(code)) for code in areas)}


class ChengduTime(CivilTime):
    """A date and time in Chengdu; `.moment` is timezone-aware."""

    def __init__(self, label: LazyString, **kwargs: Any):
        super().__init__(label, [InputRequired(NEEDED)], **kwargs)

    def process_data(self, value: dt.datetime | None) -> None:
        super().process_data(value.astimezone(CHENGDU).replace(tzinfo=None) if value else None)

    @property
    def moment(self) -> dt.datetime:
        return self.data.replace(tzinfo=CHENGDU)


class Checkboxes(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SeasonForm(OfficialForm):
    """The year, and the begin and end of each step."""

    year = IntegerField(_l("招生年度（秋季入园的年份）"), [InputRequired(NEEDED), NumberRange(2020, 2100)])
    hotline = StringField(_l("咨询热线"), [Length(max=40)])
    accept_warnings = BooleanField(_l("我已看过上面的提醒，仍然这样安排"))

    def spans(self) -> dict[str, Span]:
        return {step: (self[f"{step}_begins"].moment, self[f"{step}_ends"].moment) for step in STEPS}


for _step in STEPS:
    setattr(SeasonForm, f"{_step}_begins", ChengduTime(_l("开始")))
    setattr(SeasonForm, f"{_step}_ends", ChengduTime(_l("结束")))


class DayForm(OfficialForm):
    """One day of the year: off, worked, or as usual."""

    day = CivilDate(_l("日期"))
    kind = RadioField(_l("这一天"), choices=coded_choices("day_kind", DayKind), default=DayKind.REST)
    name = StringField(_l("节日名称（可不填）"), [Length(max=20)])

    def is_valid(self) -> bool:
        """The service says that a date is missing; a wrong format is an error of the form."""
        self.validate_on_submit()
        typed = (self.day.raw_data or [""])[0].strip() if self.day.errors else ""
        self.day.errors = list(self.day.process_errors) if typed else []
        return not self.errors


class RoundForm(OfficialForm):
    name = StringField(_l("批次名称"), [InputRequired(NEEDED), Length(max=40)])
    kind = RadioField(_l("类型"), choices=coded_choices("round_kind", KINDS_WITH_WISHES), default=RoundKind.MAIN)
    max_wishes = IntegerField(_l("每个孩子最多几个志愿"), [InputRequired(NEEDED), NumberRange(1, 20)], default=5)
    pair_rule = RadioField(
        _l("捆绑双胞胎遇到学位不够时"), choices=coded_choices("pair_rule", PAIR_RULES), default="overhang"
    )
    levels = Checkboxes(_l("年级段"), choices=coded_choices("level", LEVELS), default=[Level.LOWER])
    natures = Checkboxes(
        _l("办园性质"), choices=coded_choices("nature", NATURES), default=[Nature.PUBLIC, Nature.INCLUSIVE]
    )
    areas = Checkboxes(_l("招生区域（不选就是全市）"))
    opens_at = ChengduTime(_l("登记开始"))
    closes_at = ChengduTime(_l("登记截止"))
    confirm_by = ChengduTime(_l("确认入园的最后时间"))

    def validate_levels(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(_l("请至少选一项"))

    def validate_natures(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(_l("请至少选一项"))

    def plan(self) -> dict:
        """The arguments of `rounds.plan`."""
        moments = {name: self[name].moment for name in ("opens_at", "closes_at", "confirm_by")}
        names = ("name", "kind", "max_wishes", "pair_rule", "levels", "natures", "areas")
        return moments | {name: self[name].data for name in names}


class ActForm(OfficialForm):
    """A form without fields except the hidden ones."""


class PolicyForm(OfficialForm):
    text = TextAreaField(_l("规则文件"), [Length(max=LARGEST_POLICY)])
    file = UploadField(_l("或者上传文件（.toml）"), kinds=("rules",))

    def validate_file(self, field: Field) -> None:
        """An uploaded file replaces the content of the text field."""
        if not field.data or field.errors:
            return
        try:
            text = field.data.read().decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            raise ValidationError(_l("这不是 UTF-8 文本文件，请选 .toml 规则文件")) from fault
        self.text.data = text

    def content(self) -> str:
        """The text with `\\n` line ends and without control characters."""
        text = (self.text.data or "").replace("\r\n", "\n")
        self.text.data = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
        return self.text.data
