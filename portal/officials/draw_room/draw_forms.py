"""Forms of the draw room."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.draw.snapshot import LONGEST_REASON
from portal.officials.forms import OfficialForm


class FreezeForm(OfficialForm):
    beacon_name = StringField(
        _l("公开随机数用哪一个（事先指定）"),
        [InputRequired(_l("请先指定一个谁都控制不了的公开随机数。")), Length(max=120)],
    )
    reason = StringField(_l("为什么更正名单（和新的存证一起公布）"), [Length(max=LONGEST_REASON)])
    after = HiddenField(filters=[lambda text: int(text) if str(text).isdigit() else None])
    """The number of the last snapshot that the page showed, so that an outdated page does not freeze again."""


class WaiverForm(OfficialForm):
    reason = StringField(_l("为什么带着没有结论的提示冻结（公开）"), [Length(max=500)])


class SeedForm(OfficialForm):
    """The seed's parts, exactly as published: every character counts."""

    beacon = StringField(_l("公开随机数"), [Length(max=500)])
    ceremony = StringField(_l("现场抽出的数字"), [Length(max=500)])
    why_no_beacon = StringField(_l("没有公开随机数的原因"), [Length(max=300)])
    read = HiddenField()
    """Set by the page that repeats the numbers for confirmation, so that publishing needs two steps."""


class SetAsideForm(OfficialForm):
    reason = StringField(_l("搁置原因"), [Length(max=300)])
