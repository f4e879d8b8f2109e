"""A phone number and a one-time code as people type them."""

import re
import unicodedata

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, StringField
from wtforms.validators import InputRequired, Optional, Regexp, ValidationError

from enrollment.ground.errors import Refused
from enrollment.ground.phones import parse_phone
from portal.text.formats import refusal
from portal.web.unit_of_work import services


def digits(text: str | None) -> str:
    """The digits as ASCII, without spaces, dashes and brackets."""
    return re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text or ""))


def phone_number(_form: Form, field: Field) -> None:
    """Replace what was typed by its E.164 form."""
    try:
        field.data = parse_phone(field.data)
    except Refused as refused:
        raise ValidationError(refusal(refused)) from refused


def within_reach(_form: Form, field: Field) -> None:
    """Refuse a number to which the gateway cannot send, and say where the family can go instead."""
    try:
        reached = services().config.can_text(parse_phone(field.data))
    except Refused:
        return  # `phone_number` has said so
    if not reached:
        raise ValidationError(
            _(
                "这个号码的地区现在收不到我们的短信。请到志愿幼儿园或社区服务点的窗口办理，可以不用手机；您填写的内容没有丢失。"
            )
        )


def phone_field(label: LazyString, *, optional: bool = False, receives_code: bool = True) -> StringField:
    """A phone number; `receives_code` when a code is sent to it at once."""
    first = Optional() if optional else InputRequired(_l("请填写手机号。"))
    reach = [within_reach] if receives_code else []
    return StringField(label, validators=[first, phone_number, *reach])


def code_field(label: LazyString) -> StringField:
    return StringField(
        label,
        filters=[digits],
        validators=[
            InputRequired(_l("请填写短信里的 6 位验证码。")),
            Regexp(r"^\d{6}$", message=_l("验证码是 6 位数字。")),
        ],
    )
