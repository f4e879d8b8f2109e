"""What was handed in, as lines on paper: so that a guardian signs what it can read.  In Chinese, as the letter is."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.vault import masked
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import CARE_KINDS, Fact
from portal.text.words import word

AREAS = ("hukou_area", "home_area", "work_area", "residence_permit_area")
LEFT_OUT = ("home_longitude", "home_latitude", "hukou_kind")
AT = (Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT)

Line = tuple[str, str]


def lines_of(session: Session, answers: Mapping[str, Any]) -> list[Line]:
    """(question, answer) of a version, in the order of the form; numbers of papers and phones are masked."""
    child = answers["child"]
    lines = [
        (_word("answer_detail", "sex"), _word("sex", child["sex"])),
        (_word("answer_detail", "born"), child["born"]),
        ("孩子的证件号码", masked(child["id_number"], keep_start=4)),
    ]
    for guardian in answers["guardians"]:
        said = (guardian["name"], masked(guardian["id_number"], keep_start=4), masked(guardian["phone"], keep_start=3))
        lines.append((f"监护人（{_word('relation', guardian['relation'])}）", "，".join(part for part in said if part)))
    lines += _household(session, answers["household"])
    lines += [(_word("ground", ground), _detail(session, said)) for ground, said in answers["claims"].items()]
    if elder := answers.get("elder_sibling"):
        number = masked(elder["id_number"], keep_start=4) if "id_number" in elder else ""
        said = (elder["name"], elder.get("born", ""), number)
        lines.append((_word("answer", "elder_sibling"), "，".join(part for part in said if part)))
    lines += [(_word("document", paper), f"{len(there)} 页") for paper, there in answers["evidence"].items()]
    lines.append(
        (_word("answer", "bound_with"), f"{len(answers['bound_with'])} 个孩子" if answers["bound_with"] else "否")
    )
    return [*lines, (_word("answer", "agrees_to_central"), "是" if answers["agrees_to_central"] else "否")]


def _household(session: Session, household: Mapping[str, Any]) -> list[Line]:
    lines = []
    if household.get("hukou_kind"):
        lines.append(("孩子的户籍", _word("hukou_choice", household["hukou_kind"])))
    for name, value in household.items():
        if name not in LEFT_OUT:
            lines.append((_word("answer_detail", name), _said(session, name, value)))
    return lines


def _said(session: Session, name: str, value: Any) -> str:
    if name in AREAS:
        area = session.get(Area, value)
        return area.name if area else str(value)
    return {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _detail(session: Session, said: Mapping[str, Any]) -> str:
    for name, value in said.items():
        if name in AT:
            return session.scalar(select(Kindergarten.name).where(Kindergarten.code == value)) or str(value)
        if name == Fact.POLICY_CARE and value in CARE_KINDS:
            return _word("care_kind", value)
        if name == Fact.CHILDREN_IN_FAMILY:
            return f"{value} 个孩子"
    return "已申报"


def _word(group: str, code: str) -> str:
    return word(group, code, in_language="zh")
