"""The submitted answers as rows of a Chinese letter, so that a guardian can read what it signs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import CARE_KINDS, Fact
from portal.text.words import word

AREAS = ("hukou_area", "home_area", "work_area", "residence_permit_area")
LEFT_OUT = ("home_longitude", "home_latitude", "hukou_kind")
AT = (Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT)

AnswerRow = tuple[str, str]


def answer_rows(session: Session, answers: Mapping[str, Any]) -> list[AnswerRow]:
    """(question, answer) of a version, in the order of the form; numbers of papers and phones are masked."""
    child = answers["child"]
    lines = [
        (_word("answer_detail", "sex"), _word("sex", child["sex"])),
        (_word("answer_detail", "born"), child["born"]),
        ("孩子的证件号码", mask(child["id_number"], keep_start=4)),
    ]
    for guardian in answers["guardians"]:
        parts = (guardian["name"], mask(guardian["id_number"], keep_start=4), mask_phone(guardian["phone"]))
        lines.append(
            (f"监护人（{_word('relation', guardian['relation'])}）", "，".join(part for part in parts if part))
        )
    lines += _household(session, answers["household"])
    lines += [(_word("ground", ground), _detail(session, details)) for ground, details in answers["claims"].items()]
    lines += [(_word("document", paper), f"{len(there)} 页") for paper, there in answers["evidence"].items()]
    lines.append(
        (_word("answer", "bound_with"), f"{len(answers['bound_with'])} 个孩子" if answers["bound_with"] else "否")
    )
    return [*lines, (_word("answer", "agrees_to_central"), "是" if answers["agrees_to_central"] else "否")]


def _household(session: Session, household: Mapping[str, Any]) -> list[AnswerRow]:
    lines = []
    if household.get("hukou_kind"):
        lines.append(("孩子的户籍", _word("hukou_choice", household["hukou_kind"])))
    for name, value in household.items():
        if name not in LEFT_OUT:
            lines.append((_word("answer_detail", name), _value_words(session, name, value)))
    return lines


def _value_words(session: Session, name: str, value: Any) -> str:
    if name in AREAS:
        area = session.get(Area, value)
        return area.name if area else str(value)
    return {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _detail(session: Session, details: Mapping[str, Any]) -> str:
    for name, value in details.items():
        if name in AT:
            return session.scalar(select(Kindergarten.name).where(Kindergarten.code == value)) or str(value)
        if name == Fact.POLICY_CARE and value in CARE_KINDS:
            return _word("care_kind", value)
        if name == Fact.CHILDREN_IN_FAMILY:
            return f"{value} 个孩子"
    return "已申报"


def _word(group: str, code: str) -> str:
    return word(group, code, in_language="zh")
