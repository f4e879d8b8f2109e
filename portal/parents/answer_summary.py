"""The family's answers as readable rows, for the check page and for the list of changes in a receipt."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, elder_siblings, sibling_binding, units, wishes
from enrollment.applications.applications import Application
from enrollment.applications.receipts import Receipt
from enrollment.eligibility import claims, evidence, households, required_documents
from enrollment.ground.accounts import Actor
from enrollment.ground.phones import mask_phone
from enrollment.ground.vault import mask
from enrollment.people import guardians
from enrollment.places import finder
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import Fact
from enrollment.season.rounds import Round, rounds_of_year
from portal.text.area_names import area_name_of
from portal.text.facts import changed_words
from portal.text.formats import day
from portal.text.words import word

__all__ = ["Section", "area_name", "changed_words", "sections", "together", "wish_names"]

KINDERGARTENS = (Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT)
TEXTS = ("hukou_street", "home_street", "home_community", "home_estate", "home_address")
AREAS = ("hukou_area", "home_area", "work_area", "residence_permit_area")


@dataclass(frozen=True)
class Section:
    """One page of the form; `href` links to it, `rows` are (question, answer)."""

    page: str
    href: str
    rows: list[tuple[str, str]]


def sections(session: Session, application: Application, *, by: Actor, round_: Round | None) -> list[Section]:
    """All pages of the form in order."""
    filled = {
        "guardian": _guardian(session, by),
        "child": _child(application),
        "household": _household(session, application),
        "grounds": _grounds(session, application),
        "evidence": _evidence(session, application),
        "together": together(session, application, by=by),
        "wishes": _wishes(session, application, round_),
    }
    return [
        Section(page, _href(page, application), rows) for page, rows in filled.items() if rows or page != "together"
    ]


def rows_of(
    session: Session, page: str, application: Application | None, *, by: Actor, round_: Round | None
) -> list[tuple[str, str]]:
    """What is saved now on one page of the form, as (question, answer)."""
    if page == "guardian":
        return _guardian(session, by)
    found = sections(session, application, by=by, round_=round_) if application is not None else []
    return next((section.rows for section in found if section.page == page), [])


def wish_names(session: Session, answers: dict[str, Any]) -> list[str]:
    """The kindergarten names of a receipt's wishes in the newest round, in order of rank."""
    rounds = answers.get("wishes") or {}
    if not rounds:
        return []
    codes = [each.partition("/")[0] for each in rounds[max(rounds, key=int)]]
    names = dict(
        session.execute(select(Kindergarten.code, Kindergarten.name).where(Kindergarten.code.in_(codes))).all()
    )
    return [names.get(code, code) for code in codes]


def round_of_wishes(
    session: Session, application: Application, receipt: Receipt, answers: dict[str, Any]
) -> str | None:
    """The kind of the round whose wishes a receipt lists, where another one was open when it was written; else None."""
    rounds = answers.get("wishes") or {}
    known = {each.number: each for each in rounds_of_year(session, application.year)} if rounds else {}
    listed = known.get(max(map(int, rounds), default=0))
    if listed is None or listed.opens_at <= receipt.submitted_at < listed.closes_at:
        return None
    return listed.kind


def register_words(answers: dict[str, Any]) -> str | None:
    """The registers that a version agrees to ask, or that there is none; None for a version that does not say it."""
    if "registers" not in answers:
        return None
    return _("、").join(word("register", register) for register in answers["registers"]) or _("都没有同意")


def central_words(answers: dict[str, Any]) -> str | None:
    """The choice about central placement in a version; None for a version that does not say it."""
    agrees = answers.get("agrees_to_central")
    return None if agrees is None else _("是") if agrees else _("否")


def bound_names(session: Session, application: Application, answers: dict[str, Any], *, by: Actor) -> list[str]:
    """The children that a receipt names as bound to this one, each with its registration code if it has one.

    A child that only the other guardian cares for is named by its code alone.
    """
    codes = set(answers.get("bound_with") or ()) - {application.child_code}
    if not codes:
        return []
    found = session.scalars(select(Application).where(Application.child_code.in_(codes)).order_by(Application.id)).all()
    mine = {each.id for each in units.in_care(session, found, by=by)}
    names = []
    for other in found:
        name = other.child.name if other.id in mine else _("另一位监护人照管的孩子")
        code = other.registration_code
        names.append(_("%(name)s（登记编号 %(code)s）", name=name, code=code) if code else name)
    return names


def area_name(session: Session, code: str | None) -> str:
    return area_name_of(session, code) or ""


def _href(page: str, application: Application) -> str:
    query: dict[str, Any] = {"from": "check"}
    if page == "guardian":
        return url_for("parents.guardian_page")
    return url_for(f"parents.{page}_page", application_id=application.id, **query)


def _guardian(session: Session, by: Actor) -> list[tuple[str, str]]:
    guardian = guardians.guardian_of(session, by=by)
    if guardian is None:
        return []
    return [
        (_("姓名"), guardian.name),
        (_("证件号码"), mask(guardian.id_number, keep_start=4)),
        (_("手机号"), mask_phone(guardian.phone) or "—"),
    ]


def _child(application: Application) -> list[tuple[str, str]]:
    child = application.child
    return [
        (_("姓名"), child.name),
        (_("证件号码"), mask(child.id_number, keep_start=4)),
        (_("出生日期"), day(child.born, year=True)),
        (_("年级"), word("level", application.level)),
    ]


def _household(session: Session, application: Application) -> list[tuple[str, str]]:
    household = households.household_of(session, application.id)
    if household is None:
        return []
    rows = [(_("孩子的户籍"), word("hukou_choice", household.hukou_kind) if household.hukou_kind else "")]
    for name in ("hukou_area", "hukou_street", "home_area", *TEXTS[1:], "work_area", "residence_permit_area"):
        value = getattr(household, name)
        if value:
            rows.append((word("answer_detail", name), area_name(session, value) if name in AREAS else value))
    if household.home_outside:
        rows.append((word("answer_detail", "home_area"), word("answer_detail", "home_outside")))
    if household.home_owned is not None:
        rows.append((word("answer_detail", "home_owned"), _("是") if household.home_owned else _("否")))
    return rows


def _grounds(session: Session, application: Application) -> list[tuple[str, str]]:
    rows = []
    for ground, details in claims.of(session, application.id).items():
        rows.append((word("ground", ground), _detail(session, details) or _("已申报")))
    if elder := elder_siblings.of(session, application.id):
        number = mask(elder.id_number, keep_start=4) if elder.id_number else ""
        born = day(dt.date.fromisoformat(elder.born), year=True) if elder.born else ""
        rows.append((word("answer", "elder_sibling"), " ".join(part for part in (elder.name, number, born) if part)))
    return rows or [(word("page", "grounds"), _("没有申报"))]


def _detail(session: Session, details: dict[str, Any]) -> str:
    for name, value in details.items():
        if name in KINDERGARTENS:
            found = finder.kindergarten_of_code(session, str(value))
            return found.name if found else str(value)
        if name == Fact.POLICY_CARE:
            return word("care_kind", value)
        if name == Fact.CHILDREN_IN_FAMILY:
            return _("%(n)s 个孩子", n=value)
    return ""


def _evidence(session: Session, application: Application) -> list[tuple[str, str]]:
    there = evidence.pages_of(session, application.id)
    rows = []
    for paper in required_documents.needed(session, application):
        sheets = there.get(paper.document.value, ())
        pages, blurred = len(sheets), sum(1 for sheet in sheets if sheet.blurred)
        nothing = _("先由部门核对") if paper.may_wait else _("还没有上传")
        here = _("%(n)s 页", n=pages)
        if blurred:
            here = _("%(n)s 页，其中 %(blurred)s 页看起来不够清楚", n=pages, blurred=blurred)
        rows.append((word("document", paper.document), here if pages else nothing))
    return rows or [(word("page", "evidence"), _("不需要"))]


def together(session: Session, application: Application, *, by: Actor) -> list[tuple[str, str]]:
    """The rows of the siblings page; empty if there is nothing to choose.

    Children that are only in the other guardian's care are not named.
    """
    siblings = sibling_binding.may_bind(session, application, by=by)
    unit = {each.id for each in units.of(session, application)}
    bound = [each.child.name for each in siblings if each.id in unit]
    rows = []
    if bound:
        rows.append((_("派位方式"), _("与%(names)s捆绑，一起录取", names=_("、").join(bound))))
    elif siblings:
        rows.append((_("派位方式"), _("分开，各有各的派位号")))
    family = applications.of_family(session, application, by=by)
    elder = next((one for one in family if one.id == application.elder_id), None)
    return rows + ([(_("今年也在申请的哥哥姐姐"), elder.child.name)] if elder else [])


def _wishes(session: Session, application: Application, round_: Round | None) -> list[tuple[str, str]]:
    listed = wishes.of(session, application.id, round_.id) if round_ else []
    return [(_("第 %(n)s 志愿", n=wish.rank), wish.programme.kindergarten.name) for wish in listed]
