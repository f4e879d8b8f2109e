"""Reports about the review: what was returned to families, and refusals with the two people who decided."""

from sqlalchemy import select
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import today
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width

OF_AN_APPLICATION = (Column("code"), Column("child", names=True))


def _returns(question: Question) -> list[Row]:
    found = (
        select(ReturnedItem, Application.registration_code, Child.name)
        .join(Application, Application.id == ReturnedItem.application_id)
        .join(Child, Child.id == Application.child_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Application.year == question.year, question.here())
        .order_by(ReturnedItem.answered_at.is_not(None), ReturnedItem.asked_at, ReturnedItem.id)
    )
    return [
        (
            code, name, item.item, item.phrase, item.note or None, item.asked_at, item.answer_by, item.answered_at,
            (today(item.answered_at or question.now) - today(item.asked_at)).days,
        )
        for item, code, name in question.session.execute(found)
    ]  # fmt: skip


RETURNS = Report(
    "returns",
    (
        *OF_AN_APPLICATION, Column("item", Kind.CODE, "fact document returned_item"), Column("phrase", Kind.CODE, "return_phrase"),
        Column("note", names=True), Column("asked_at", Kind.MOMENT), Column("answer_by", Kind.MOMENT),
        Column("answered_at", Kind.MOMENT),
        Column("days", Kind.NUMBER),
    ),
    _returns,
    widest=Width.AREA,
)  # fmt: skip


def _refusals(question: Question) -> list[Row]:
    maker, checker = aliased(Account), aliased(Account)
    found = (
        select(RefusalProposal, Application.registration_code, Child.name, maker.name, checker.name)
        .join(Application, Application.id == RefusalProposal.application_id)
        .join(Child, Child.id == Application.child_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .join(maker, maker.id == RefusalProposal.proposed_by)
        .outerjoin(checker, checker.id == RefusalProposal.decided_by)
        .where(Application.year == question.year, question.here())
        .order_by(RefusalProposal.proposed_at, RefusalProposal.id)
    )
    return [
        (code, name, one.rule, proposed_by, one.proposed_at, decided_by, one.decided_at, _outcome(one.upheld))
        for one, code, name, proposed_by, decided_by in question.session.execute(found)
    ]


def _outcome(upheld: bool | None) -> str:
    if upheld is None:
        return "open"
    return "upheld" if upheld else "not_upheld"


REFUSALS = Report(
    "refusals",
    (
        *OF_AN_APPLICATION, Column("rule", Kind.CODE, "refusal_rule"), Column("maker"), Column("asked_at", Kind.MOMENT),
        Column("checker"), Column("answered_at", Kind.MOMENT), Column("outcome", Kind.CODE, "report_outcome"),
    ),
    _refusals,
    widest=Width.AREA,
)  # fmt: skip
