"""Which rows of each table are about one family: one query for each table that the register marks `export = "family"`.

What only prepares a decision (a refusal that nobody has signed, a proposal that was not sent, a run that is not published)
is given when it counts.  Staff stand in it by role and workplace, not by name, and so do other guardians.

Nothing tells one family about another: a document that was joined from another entry of the child is left out, and so are
the correction of another guardian's name or document, a finding that another family's application is the same child's, and
a request to remove the reader under a protection order.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import LargeBinary, Select, and_, false, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from enrollment.applications import applications
from enrollment.applications.application_rows import Application, ApplicationVersion, Wish
from enrollment.applications.child_needs.rows import ChildNeeds
from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.chances.movement_rows import MovementChance
from enrollment.delivery.message_choices import MessageChoice
from enrollment.delivery.wechat import WechatBinding
from enrollment.draw.draws import Ticket
from enrollment.draw.run_rows import Placement, Run, WishReason
from enrollment.draw.unserved.rows import AcceptedPlaces, DeclinedProposal, UnservedChild
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.ground.accounts import Account, Actor, RoleGrant
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import Base
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import table_name
from enrollment.ground.sign_in import WebSession
from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalContact, ArrivalEntry, ArrivalTap
from enrollment.offers.joint_decision_rows import JointDecision
from enrollment.offers.offer_rows import CentralProposal, Offer, OfferMove, ReplacedNotice
from enrollment.open_days.rows import OpenDayVisit
from enrollment.people import guardians
from enrollment.people.consents import Consent
from enrollment.people.desk_rows import AccessCode, AccessCodeUse, DeskContact, IdentityCheck, PhoneChange
from enrollment.people.household_rows import Household
from enrollment.people.invitations import Invitation
from enrollment.people.mandate_rows import Mandate
from enrollment.people.person_rows import Child, ChildDocument, Guardian, Guardianship
from enrollment.people.sign_on_bindings import SignOnBinding
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll_change_rows import RollTransfer
from enrollment.places.roll_rows import RollChild, RollCorrection
from enrollment.review import case_withdrawals
from enrollment.review.case_rows import GuardianRequest
from enrollment.review.cases import Case
from enrollment.review.correction_rows import CorrectionMove, CorrectionPage, CorrectionRequest
from enrollment.season.facts import Fact

VIEWS = ("view", "view_evidence", "read_child_needs")
Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Family:
    """The ids under which rows about one signed-in guardian and its children are found."""

    account: uuid.UUID
    guardian: uuid.UUID | None
    children: list[uuid.UUID] = field(default_factory=list)
    child_indexes: list[bytes] = field(default_factory=list)
    applications: list[uuid.UUID] = field(default_factory=list)
    offers: list[uuid.UUID] = field(default_factory=list)
    mandates: list[uuid.UUID] = field(default_factory=list)
    helpers: list[uuid.UUID] = field(default_factory=list)
    cases: list[uuid.UUID] = field(default_factory=list)
    classes: list[uuid.UUID] = field(default_factory=list)


def family_of(session: Session, *, by: Actor) -> Family:
    guardian = guardians.guardian_of(session, by=by)
    if by.account_id is None:
        raise LookupError("nobody is signed in")
    mine = [each.id for each in applications.list_own(session, by=by)]
    cared = select(Guardianship.child_id).where(
        Guardianship.guardian_id == (guardian.id if guardian else None), Guardianship.accepted_at.is_not(None)
    )
    children = list(session.scalars(select(Child.id).where(Child.id.in_(cared)).order_by(Child.created_at)))
    held = select(ChildDocument.person_index).where(*_own_documents(children))
    indexes = list(session.scalars(held))
    helped = session.execute(select(Mandate.id, Mandate.helper_id).where(Mandate.account_id == by.account_id)).all()
    return Family(
        account=by.account_id,
        guardian=guardian.id if guardian else None,
        children=children,
        child_indexes=indexes,
        applications=mine,
        offers=list(session.scalars(select(Offer.id).where(Offer.application_id.in_(mine)))),
        mandates=[row.id for row in helped],
        helpers=[row.helper_id for row in helped],
        cases=[case.id for case in case_withdrawals.own_cases(session, by=by)],
        classes=list(session.scalars(select(RollChild.class_id).where(RollChild.id_index.in_(indexes)))),
    )


def _own_documents(children: list[uuid.UUID]) -> tuple[ColumnElement[bool], ...]:
    """Without the document of another entry of the same child, whose family was a different one."""
    return ChildDocument.child_id.in_(children), ChildDocument.joined_from.is_(None)


def _of_application(table: Any, *order: Any) -> Callable[[Family], Select]:
    return lambda family: select(table).where(table.application_id.in_(family.applications)).order_by(*order)


def _register_answers(family: Family) -> Select:
    """Without what our roll says of an elder sibling whom the family only named: that is the clerk's alone."""
    named = select(ElderSibling.application_id).where(ElderSibling.application_id == RegisterAnswer.application_id)
    return (
        select(RegisterAnswer)
        .where(
            RegisterAnswer.application_id.in_(family.applications),
            or_(RegisterAnswer.fact != Fact.SIBLING_AT, ~named.exists()),
        )
        .order_by(RegisterAnswer.at)
    )


def _of_account(table: Any, order: Any) -> Callable[[Family], Select]:
    return lambda family: select(table).where(table.account_id == family.account).order_by(order)


def _published(table: Any, *order: Any) -> Callable[[Family], Select]:
    return lambda family: (
        select(table)
        .join(Run, Run.id == table.run_id)
        .where(table.application_id.in_(family.applications), Run.published_at.is_not(None))
        .order_by(Run.published_at, *order)
    )


def _own_corrections(family: Family) -> tuple[ColumnElement[bool], ...]:
    """Without the name and document of another guardian, and without what staff found about another family's application."""
    return (
        CorrectionRequest.application_id.in_(family.applications),
        or_(CorrectionRequest.guardian_id.is_(None), CorrectionRequest.guardian_id == family.guardian),
        or_(
            CorrectionRequest.duplicate_of.is_(None),
            CorrectionRequest.duplicate_of.in_(family.applications),
            CorrectionRequest.requested_by == family.account,
        ),
    )


def _of_correction(table: Any, order: Any) -> Callable[[Family], Select]:
    return lambda family: (
        select(table)
        .join(CorrectionRequest, CorrectionRequest.id == table.request_id)
        .where(*_own_corrections(family))
        .order_by(order)
    )


def _guardian_requests(family: Family) -> Select:
    """Those that the reader made, and those to remove it, except under a protection order."""
    about = and_(GuardianRequest.guardian_id == family.guardian, GuardianRequest.protected.is_(False))
    return (
        select(GuardianRequest)
        .join(Case, Case.id == GuardianRequest.case_id)
        .where(or_(GuardianRequest.case_id.in_(family.cases), about))
        .order_by(Case.opened_at)
    )


def _looked(family: Family) -> Select:
    """Views of the family's records by others, and what was done under its mandates or by itself."""
    about = {
        "application": family.applications,
        "child": family.children,
        "offer": family.offers,
        "mandate": family.mandates,
        "case_file": family.cases,
        "roll_class": family.classes,
    }
    subjects = [
        (AuditEntry.subject == name) & AuditEntry.subject_id.in_([str(one) for one in ids])
        for name, ids in about.items()
        if ids
    ]
    others = AuditEntry.act.in_(VIEWS) & AuditEntry.account_id.is_distinct_from(family.account)
    under = AuditEntry.account_id.in_(family.helpers) & AuditEntry.details["mandate"].astext.in_(
        map(str, family.mandates)
    )
    return (
        select(AuditEntry)
        .where(or_(AuditEntry.account_id == family.account, under, others & or_(false(), *subjects)))
        .order_by(AuditEntry.number)
    )


QUERIES: dict[type[Base], Callable[[Family], Select]] = {
    Account: lambda family: select(Account).where(Account.id == family.account),
    PhoneChange: _of_account(PhoneChange, PhoneChange.asked_at),
    IdentityCheck: _of_account(IdentityCheck, IdentityCheck.checked_at),
    AccessCode: _of_account(AccessCode, AccessCode.issued_at),
    AccessCodeUse: lambda family: (
        select(AccessCodeUse)
        .join(AccessCode, AccessCode.id == AccessCodeUse.access_code_id)
        .where(AccessCode.account_id == family.account)
        .order_by(AccessCodeUse.used_at)
    ),
    MessageChoice: _of_account(MessageChoice, MessageChoice.changed_at),
    WechatBinding: _of_account(WechatBinding, WechatBinding.bound_at),
    SignOnBinding: _of_account(SignOnBinding, SignOnBinding.bound_at),
    Guardian: _of_account(Guardian, Guardian.created_at),
    Guardianship: lambda family: (
        select(Guardianship).where(Guardianship.guardian_id == family.guardian).order_by(Guardianship.since)
    ),
    Invitation: lambda family: (
        select(Invitation).where(Invitation.invited_by == family.guardian).order_by(Invitation.made_at)
    ),
    Consent: _of_account(Consent, Consent.given_at),
    Mandate: _of_account(Mandate, Mandate.given_at),
    Child: lambda family: select(Child).where(Child.id.in_(family.children)).order_by(Child.created_at),
    ChildDocument: lambda family: (
        select(ChildDocument).where(*_own_documents(family.children)).order_by(ChildDocument.added_at)
    ),
    RollChild: lambda family: (
        select(RollChild).where(RollChild.id_index.in_(family.child_indexes)).order_by(RollChild.entered_on)
    ),
    RollCorrection: lambda family: (
        select(RollCorrection)
        .join(RollChild, RollChild.id == RollCorrection.roll_child_id)
        .where(RollChild.id_index.in_(family.child_indexes))
        .order_by(RollCorrection.corrected_on)
    ),
    RollTransfer: lambda family: (
        select(RollTransfer)
        .join(RollChild, RollChild.id == RollTransfer.roll_child_id)
        .where(RollChild.id_index.in_(family.child_indexes))
        .order_by(RollTransfer.asked_at)
    ),
    Entitlement: lambda family: select(Entitlement).where(Entitlement.child_id_index.in_(family.child_indexes)),
    Application: lambda family: (
        select(Application).where(Application.id.in_(family.applications)).order_by(Application.created_at)
    ),
    ApplicationVersion: _of_application(ApplicationVersion, ApplicationVersion.submitted_at),
    Household: _of_application(Household, Household.application_id),
    Claim: _of_application(Claim, Claim.application_id, Claim.ground),
    Wish: _of_application(Wish, Wish.application_id, Wish.round_id, Wish.rank),
    EvidencePage: _of_application(EvidencePage, EvidencePage.uploaded_at),
    RegisterAnswer: _register_answers,
    ElderSibling: _of_application(ElderSibling, ElderSibling.application_id),
    VerifiedFact: _of_application(VerifiedFact, VerifiedFact.at),
    ReturnedItem: _of_application(ReturnedItem, ReturnedItem.asked_at),
    RefusalProposal: lambda family: (  # those that lapsed too: decided by nobody
        select(RefusalProposal)
        .where(RefusalProposal.application_id.in_(family.applications), RefusalProposal.decided_at.is_not(None))
        .order_by(RefusalProposal.decided_at)
    ),
    MoveMade: _of_application(MoveMade, MoveMade.number),
    CorrectionRequest: lambda family: (
        select(CorrectionRequest).where(*_own_corrections(family)).order_by(CorrectionRequest.requested_at)
    ),
    CorrectionPage: _of_correction(CorrectionPage, CorrectionPage.uploaded_at),
    CorrectionMove: _of_correction(CorrectionMove, CorrectionMove.number),
    Ticket: lambda family: select(Ticket).where(Ticket.child_id.in_(family.children)).order_by(Ticket.year),
    Placement: _published(Placement),
    WishReason: _published(WishReason, WishReason.application_id, WishReason.rank),
    MovementChance: _of_application(MovementChance, MovementChance.round_id),
    CentralProposal: lambda family: (
        select(CentralProposal)
        .where(CentralProposal.application_id.in_(family.applications), CentralProposal.offer_id.is_not(None))
        .order_by(CentralProposal.proposed_at)
    ),
    AcceptedPlaces: _of_application(AcceptedPlaces, AcceptedPlaces.said_at),
    UnservedChild: _of_application(UnservedChild, UnservedChild.application_id),
    Offer: _of_application(Offer, Offer.made_at),
    DeclinedProposal: lambda family: select(DeclinedProposal).where(DeclinedProposal.offer_id.in_(family.offers)),
    OfferMove: lambda family: select(OfferMove).where(OfferMove.offer_id.in_(family.offers)).order_by(OfferMove.number),
    ReplacedNotice: lambda family: (
        select(ReplacedNotice).where(ReplacedNotice.offer_id.in_(family.offers)).order_by(ReplacedNotice.replaced_at)
    ),
    JointDecision: _of_application(JointDecision, JointDecision.proposed_at),
    DeskContact: _of_application(DeskContact, DeskContact.reached_at),
    ArrivalCheck: lambda family: select(ArrivalCheck).where(ArrivalCheck.offer_id.in_(family.offers)),
    ArrivalTap: lambda family: (
        select(ArrivalTap).where(ArrivalTap.offer_id.in_(family.offers)).order_by(ArrivalTap.tapped_at)
    ),
    ArrivalEntry: lambda family: select(ArrivalEntry).where(ArrivalEntry.offer_id.in_(family.offers)),
    ArrivalContact: lambda family: (
        select(ArrivalContact).where(ArrivalContact.offer_id.in_(family.offers)).order_by(ArrivalContact.at)
    ),
    ChildNeeds: _of_application(ChildNeeds, ChildNeeds.agreed_at),
    OpenDayVisit: _of_application(OpenDayVisit, OpenDayVisit.booked_at),
    Case: lambda family: select(Case).where(Case.id.in_(family.cases)).order_by(Case.opened_at),
    GuardianRequest: _guardian_requests,
    Notice: lambda family: (
        select(Notice)
        .where(Notice.account_id == family.account, Notice.withheld_at.is_(None))
        .order_by(Notice.created_at)
    ),
    WebSession: _of_account(WebSession, WebSession.created_at),
    AuditEntry: _looked,
}
"""In the order in which a person reads them."""

LEFT_OUT = {
    ("account", "password_hash"): "a secret of signing in",
    ("account", "second_factor"): "a secret of signing in",
    ("web_session", "data"): "what keeps a session safe",
    ("child_document", "joined_from"): "it is empty in what a family gets",
    ("application", "opened_at"): "the history tells when the review began",
    ("application", "decided_at"): "the history tells when it was decided",
    ("application", "grounds"): "it repeats the claims, which are given",
    ("application", "register_state"): "it repeats the answers of the registers, which are given",
    ("verified_fact", "sealed_value"): "it is given as the value",
    ("evidence_page", "content"): "each page is a file beside",
    ("correction_page", "content"): "each page is a file beside",
    ("open_day_visit", "open_day_id"): "the message about the booking tells kindergarten, day and time",
    ("open_day_visit", "slot_id"): "the message about the booking tells kindergarten, day and time",
    ("mandate", "paper"): "each paper is a file beside",
    ("guardian_request", "paper"): "the paper of a request that the reader made is a file beside",
    ("guardian_request", "proposed_by"): "the first of two officials only prepares the decision, which the case tells",
    ("guardian_request", "proposed_at"): "the first of two officials only prepares the decision, which the case tells",
}
"""Columns that stand not in the records, and why."""

PEOPLE = {
    "account_id", "asked_by", "proposed_by", "decided_by", "submitted_by", "ended_by", "entered_by", "entered_for",
    "reviewer_id", "helper_id", "invited_by", "added_by", "checked_by", "requested_by", "confirmed_by", "issued_by",
    "reached_by", "booked_by", "officer_id", "agreed_by", "second_by", "out_by", "in_by", "settled_by",
}  # fmt: skip
"""Columns that name who did something, one person or a list: given as role and workplace."""


KINDERGARTENS = {"kindergarten_id", "review_kindergarten_id", "from_id", "to_id"}


@dataclass(frozen=True)
class Person:
    """`role` is `oneself` for the reader and a code of `ROLES` for others; `workplace` is a name, None without one."""

    role: str
    workplace: str | None = None


@dataclass
class Records:
    """`tables` holds the rows by table; of people and kindergartens the rows have ids, which the other two resolve."""

    tables: dict[str, list[dict[str, Any]]]
    people: dict[uuid.UUID, Person]
    kindergartens: dict[uuid.UUID, str]


def records_of(session: Session, *, by: Actor) -> Records:
    """Every row about the family, with the columns that are not left out."""
    family = family_of(session, by=by)
    tables = {table_name(table): [_values(row) for row in rows_of(session, table, family)] for table in QUERIES}
    rows = [row for found in tables.values() for row in found]
    ids = {one for row in rows for name in PEOPLE & row.keys() for one in people_in(row[name])}
    return Records(tables, _people(session, ids, family), _kindergartens(session, rows))


def people_in(value: uuid.UUID | list[uuid.UUID] | None) -> list[uuid.UUID]:
    """Whom a column of `PEOPLE` names."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def rows_of(session: Session, table: type[Row], family: Family) -> list[Row]:
    """The rows of one table about the family, in order."""
    return list(session.scalars(QUERIES[table](family)))


def columns_of(table: type[Base]) -> list[str]:
    """The columns of a table that are given: all but indexes, digests in bytes, and those that are left out."""
    return [
        column.name
        for column in table.__table__.columns
        if (table_name(table), column.name) not in LEFT_OUT and not isinstance(column.type, LargeBinary)
    ]


def _values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns_of(type(row))}


def _people(session: Session, ids: set[uuid.UUID], family: Family) -> dict[uuid.UUID, Person]:
    found = (
        select(RoleGrant.account_id, RoleGrant.role, Kindergarten.name, Area.name.label("area"))
        .outerjoin(Kindergarten, Kindergarten.id == RoleGrant.kindergarten_id)
        .outerjoin(Area, Area.code == RoleGrant.area_code)
        .where(RoleGrant.account_id.in_(ids))
    )
    people = {row.account_id: Person(row.role, row.name or row.area) for row in session.execute(found)}
    oneself = {family.account, family.guardian} - {None}
    return people | {one: Person("oneself") for one in oneself if one is not None}


def _kindergartens(session: Session, rows: list[dict[str, Any]]) -> dict[uuid.UUID, str]:
    """Names by the id of a programme or of a kindergarten."""
    programmes = {row["programme_id"] for row in rows if row.get("programme_id")}
    places = {row[name] for row in rows for name in KINDERGARTENS & row.keys() if row[name]}
    found = (
        select(Programme.id, Kindergarten.name)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.id.in_(programmes))
    )
    here = select(Kindergarten.id, Kindergarten.name).where(Kindergarten.id.in_(places))
    return {row.id: row.name for query in (found, here) for row in session.execute(query)}
