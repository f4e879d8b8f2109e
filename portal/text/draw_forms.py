"""The declared form of a draw in words, and the faults of a form or an entered value."""

from typing import Any

from flask import Flask
from flask_babel import gettext as _

from allocation.draw_form import FormFault, NumberGroup, NumberOrder, PartForm
from portal.text.policy_rules import listed
from portal.text.words import word


def group_words(group: NumberGroup) -> str:
    """`6 个 1–33 的数、不重复、按从小到大`."""
    parts = [_("%(n)s 个 %(least)s–%(most)s 的数", n=group.count, least=group.least, most=group.most)]
    if group.count > 1:
        parts.append(_("不重复") if group.distinct else _("可以重复"))
        parts.append(_("按从小到大") if group.order == NumberOrder.SORTED else _("按抽出的顺序"))
    return listed(parts)


def part_words(part: PartForm) -> str:
    """The form of a part in one line."""
    if not part.groups:
        return _("%(n)s 位十六进制数字（0–9、a–f）", n=part.digits)
    return _("；再加 ").join(group_words(group) for group in part.groups)


def fault_words(fault: FormFault) -> str:
    details: dict[str, Any] = dict(fault.details)
    return word("form_fault", fault.code, **details)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(group_words=group_words, part_words=part_words)
