"""Reports about the review: what was returned to families, and refusals with the two people who decided."""

import uuid

from sqlalchemy import distinct, func, or_, select
from sqlalchemy.orm import aliased, load_only

from enrollment.applications.application_rows import Application
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import today
from enrollment.ground.outbox import Notice
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Width
from enrollment.review.case_rows import Case, CaseKind

REMINDERS = ("returned_reminder", "returned_over")
OF_AN_APPLICATION = (Column("code"), Column("child", names=True))


def _returns(question: Question) -> list[Row]:
    # each guardian gets one, and all of them at the same moment
    reminders = (
        select(func.count(distinct(Notice.created_at)))
        .where(
            Notice.application_id == ReturnedItem.application_id, Notice.kind.in_(REMINDERS),
            Notice.created_at >= ReturnedItem.asked_at, Notice.withheld_at.is_(None),
            or_(ReturnedItem.answered_at.is_(None), Notice.created_at <= ReturnedItem.answered_at),
        )
        .correlate(ReturnedItem)
        .scalar_subquery()
    )  # fmt: skip
    found = (
        select(ReturnedItem, Application.registration_code, Child.name, reminders)
        .join(Application, Application.id == ReturnedItem.application_id)
        .join(Child, Child.id == Application.child_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Application.year == question.year, question.here())
        .order_by(ReturnedItem.answered_at.is_not(None), ReturnedItem.asked_at, ReturnedItem.id)
    )
    return [
        (
            code, name, item.item, item.phrase, item.note or None, item.asked_at, item.answer_by, item.answered_at,
            (today(item.answered_at or question.now) - today(item.asked_at)).days, reminded,
        )
        for item, code, name, reminded in question.session.execute(found)
    ]  # fmt: skip


RETURNS = Report(
    "returns",
    (
        *OF_AN_APPLICATION, Column("item", Kind.CODE, "fact document returned_item"), Column("phrase", Kind.CODE, "return_phrase"),
        Column("note", names=True), Column("asked_at", Kind.MOMENT), Column("answer_by", Kind.MOMENT),
        Column("answered_at", Kind.MOMENT), Column("days", Kind.NUMBER), Column("reminders", Kind.NUMBER),
    ),
    _returns,
    widest=Width.AREA,
)  # fmt: skip


def _refusals(question: Question) -> list[Row]:
    """An appeal is the family's newest one after the refusal."""
    cases = _cases(question)
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
    rows = []
    for one, code, name, proposed_by, decided_by in question.session.execute(found):
        kinds = cases.get(one.application_id, ())
        appeals = [each for each in kinds if each.kind == CaseKind.APPEAL and each.opened_at >= one.proposed_at]
        support = any(each.kind == CaseKind.DISABILITY for each in kinds)
        rows.append(
            (
                code, name, one.rule, one.clause, one.fact, proposed_by, one.proposed_at, decided_by, one.decided_at,
                _outcome(one), appeals[-1].opened_at if appeals else None,
                (appeals[-1].outcome or "open") if appeals else None, "yes" if support else "no",
            )
        )  # fmt: skip
    return rows


def _cases(question: Question) -> dict[uuid.UUID, list[Case]]:
    """The appeals and the Article 17 cases of refused applications, the oldest first."""
    refused = select(RefusalProposal.application_id)
    found = (
        select(Case)
        .join(Application, Application.id == Case.application_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Application.year == question.year, question.here(), Case.application_id.in_(refused))
        .where(Case.kind.in_((CaseKind.APPEAL, CaseKind.DISABILITY)))
        .options(load_only(Case.application_id, Case.kind, Case.opened_at, Case.outcome))
        .order_by(Case.opened_at, Case.id)
    )
    cases: dict[uuid.UUID, list[Case]] = {}
    for case in question.session.scalars(found):
        if case.application_id is not None:
            cases.setdefault(case.application_id, []).append(case)
    return cases


def _outcome(proposal: RefusalProposal) -> str:
    if proposal.is_lapsed:
        return "lapsed"
    if proposal.upheld is None:
        return "open"
    return "upheld" if proposal.upheld else "not_upheld"


REFUSALS = Report(
    "refusals",
    (
        *OF_AN_APPLICATION, Column("rule", Kind.CODE, "refusal_rule"), Column("clause"),
        Column("rests_on", Kind.CODE, "fact document report_refusal_fact", sensitive=True), Column("maker"), Column("asked_at", Kind.MOMENT),
        Column("checker"), Column("answered_at", Kind.MOMENT), Column("outcome", Kind.CODE, "report_outcome"),
        Column("appeal", Kind.MOMENT), Column("appeal_outcome", Kind.CODE, "case_outcome report_appeal"),
        Column("support_case", Kind.CODE, "report_yes_no", sensitive=True),
    ),
    _refusals,
    widest=Width.AREA,
)  # fmt: skip
