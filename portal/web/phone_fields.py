"""A phone number and a one-time code as people type them."""

import re
import unicodedata

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Regexp


def digits(text: str | None) -> str:
    """The digits as ASCII, without spaces, dashes, brackets and a leading +86."""
    typed = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text or ""))
    return typed.removeprefix("+86")


def phone_field(label: LazyString) -> StringField:
    return StringField(
        label,
        filters=[digits],
        validators=[
            InputRequired(_l("请填写手机号。")),
            Regexp(r"^1[3-9]\d{9}$", message=_l("手机号是 11 位数字，以 1 开头。请检查。")),
        ],
    )


def code_field(label: LazyString) -> StringField:
    return StringField(
        label,
        filters=[digits],
        validators=[
            InputRequired(_l("请填写短信里的 6 位验证码。")),
            Regexp(r"^\d{6}$", message=_l("验证码是 6 位数字。")),
        ],
    )


def masked_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-4:]
