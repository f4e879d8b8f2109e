"""What was handed in, as lines on paper: so that a guardian signs what it can read."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import CARE_KINDS, Fact
from portal.text.formats import day
from portal.text.words import language, word

AREAS = ("hukou_area", "home_area", "work_area", "residence_permit_area")
DAYS = ("hukou_since",)
LEFT_OUT = ("home_longitude", "home_latitude", "hukou_kind")
AT = (Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT)

AnswerRow = tuple[str, str]


def answer_rows(session: Session, answers: Mapping[str, Any]) -> list[AnswerRow]:
    """(question, answer) of a version, in the order of the form; numbers of papers and phones are masked."""
    child = answers["child"]
    lines = [
        (word("answer_detail", "sex"), word("sex", child["sex"])),
        (word("answer_detail", "born"), day(dt.date.fromisoformat(child["born"]), year=True)),
        (_("孩子的证件号码"), mask(child["id_number"], keep_start=4)),
    ]
    for guardian in answers["guardians"]:
        said = (guardian["name"], mask(guardian["id_number"], keep_start=4), mask_phone(guardian["phone"]))
        lines.append(
            (
                _("监护人（%(relation)s）", relation=word("relation", guardian["relation"])),
                _("，").join(part for part in said if part),
            )
        )
    lines += _household(session, answers["household"])
    lines += [(word("ground", ground), _detail(session, said)) for ground, said in answers["claims"].items()]
    if elder := answers.get("elder_sibling"):
        number = mask(elder["id_number"], keep_start=4) if "id_number" in elder else ""
        said = (elder["name"], elder.get("born", ""), number)
        lines.append((word("answer", "elder_sibling"), _("，").join(part for part in said if part)))
    lines += [(word("document", paper), _("%(n)s 页", n=len(there))) for paper, there in answers["evidence"].items()]
    lines.append(
        (
            word("answer", "bound_with"),
            _("%(n)s 个孩子", n=len(answers["bound_with"])) if answers["bound_with"] else _("否"),
        )
    )
    if "registers" in answers:
        agreed = _("、").join(word("register", register) for register in answers["registers"])
        lines.append((word("answer", "registers"), agreed or _("都没有同意")))
    return [*lines, (word("answer", "agrees_to_central"), _("是") if answers["agrees_to_central"] else _("否"))]


def _household(session: Session, household: Mapping[str, Any]) -> list[AnswerRow]:
    lines = []
    if household.get("hukou_kind"):
        lines.append((_("孩子的户籍"), word("hukou_choice", household["hukou_kind"])))
    for name, value in household.items():
        if name not in LEFT_OUT:
            lines.append((word("answer_detail", name), _value_words(session, name, value)))
    return lines


def _value_words(session: Session, name: str, value: Any) -> str:
    if name in AREAS:
        area = session.get(Area, value)
        return (area.name_en if language() == "en" else area.name) if area else str(value)
    if name in DAYS:
        return day(dt.date.fromisoformat(value), year=True)
    return {True: _("是"), False: _("否")}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _detail(session: Session, details: Mapping[str, Any]) -> str:
    for name, value in details.items():
        if name in AT:
            return session.scalar(select(Kindergarten.name).where(Kindergarten.code == value)) or str(value)
        if name == Fact.POLICY_CARE and value in CARE_KINDS:
            return word("care_kind", value)
        if name == Fact.CHILDREN_IN_FAMILY:
            return _("%(n)s 个孩子", n=value)
    return _("已申报")
