"""Which entries of the audit trail an official reads, and all entries about one child.

City officials and auditors read the whole trail.  An area official reads what concerns the applications and the
kindergartens of its areas: not the acts for the whole city, and nothing about the children of another area.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Uuid, and_, case, cast, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.audit import AuditEntry
from enrollment.ground.random_codes import typed_registration_code
from enrollment.offers.arrivals import current_entries
from enrollment.offers.offers import Offer
from enrollment.people.household_rows import Household
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.reports.tables.export_rows import ReportExport
from enrollment.review.case_rows import Case
from enrollment.review.correction_rows import CorrectionRequest
from enrollment.season.policy_rows import Policy

READS_ALL = (Role.CITY_OFFICIAL, Role.AUDITOR)

_OF_AN_APPLICATION = {
    "application": Application.id,
    "child": Application.child_id,
    "offer": Offer.id,
    "case_file": Case.id,
    "correction_request": CorrectionRequest.id,
}
"""The subjects that concern the child of an application, and the column with their id."""

_OF_A_KINDERGARTEN = {
    "kindergarten": Kindergarten.id,
    "review_queue": Kindergarten.id,
    "roll_children": Kindergarten.id,
    "roll_classes": Kindergarten.id,
    "programme": Programme.id,
    "roll_class": RollClass.id,
    "roll_child": RollChild.id,
    "report_export": ReportExport.id,
}

_ID = case(
    (
        AuditEntry.subject_id.regexp_match("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
        cast(AuditEntry.subject_id, Uuid),
    )
)
"""The id of the subject; NULL where it is a year or the digest of a file."""


def within(by: Actor) -> ColumnElement[bool]:
    """The SQL condition on AuditEntry for what this person may read."""
    if by.is_any(*READS_ALL):
        return true()
    if not by.is_any(Role.AREA_OFFICIAL) or not by.areas:
        return false()
    subject = AuditEntry.subject
    policy = exists().where(Policy.id == _ID, Policy.area_code.in_(by.areas))
    return or_(
        *(and_(subject == name, _application_here(name, by)) for name in _OF_AN_APPLICATION),
        *(and_(subject == name, _kindergarten_here(name, by)) for name in _OF_A_KINDERGARTEN),
        and_(subject == "policy", policy),
    )


def _application_here(subject: str, by: Actor) -> ColumnElement[bool]:
    """The area of an application is that of the reviewing kindergarten or, without one, of the home."""
    area = func.coalesce(Kindergarten.area_code, Household.home_area)
    found = (
        select(Application.id)
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .where(area.in_(by.areas), _OF_AN_APPLICATION[subject] == _ID)
    )
    for table in (Offer, Case, CorrectionRequest):
        if _OF_AN_APPLICATION[subject] is table.id:
            found = found.join(table, table.application_id == Application.id)
    return found.correlate(AuditEntry).exists()


def _kindergarten_here(subject: str, by: Actor) -> ColumnElement[bool]:
    found = select(Kindergarten.id).where(Kindergarten.area_code.in_(by.areas), _OF_A_KINDERGARTEN[subject] == _ID)
    if subject == "programme":
        found = found.join(Programme, Programme.kindergarten_id == Kindergarten.id)
    elif subject in ("roll_class", "roll_child"):
        found = found.join(RollClass, RollClass.kindergarten_id == Kindergarten.id)
    if subject == "roll_child":
        found = found.join(RollChild, RollChild.class_id == RollClass.id)
    elif subject == "report_export":
        found = found.join(ReportExport, ReportExport.kindergarten_id == Kindergarten.id)
    return found.correlate(AuditEntry).exists()


def subjects_about(session: Session, registration_code: str) -> list[tuple[str, str]]:
    """(subject, id) of everything about the child of an application, the application first; empty for an unknown code.

    With its entries on a roll, and the files with names that were made since of the kindergartens that have or review it: its
    row may stand in them.
    """
    found = session.execute(
        select(
            Application.id, Application.child_id, Application.review_kindergarten_id, Application.submitted_at
        ).where(Application.registration_code == typed_registration_code(registration_code))
    ).one_or_none()
    if found is None:
        return []
    ids: list[tuple[str, uuid.UUID]] = [("application", found.id), ("child", found.child_id)]
    for subject, table in (("offer", Offer), ("case_file", Case), ("correction_request", CorrectionRequest)):
        of_it: Sequence[uuid.UUID] = session.scalars(select(table.id).where(table.application_id == found.id)).all()
        ids += [(subject, each) for each in of_it]
    ids += [("roll_child", each) for each in current_entries.entry_ids(session, found.id)]
    offered_at = (
        select(Programme.kindergarten_id)
        .join(Offer, Offer.programme_id == Programme.id)
        .where(Offer.application_id == found.id)
    )
    if found.submitted_at is not None:
        files = select(ReportExport.id).where(
            ReportExport.asked_at >= found.submitted_at,
            or_(
                ReportExport.kindergarten_id == found.review_kindergarten_id,
                ReportExport.kindergarten_id.in_(offered_at),
            ),
        )
        ids += [("report_export", each) for each in session.scalars(files.order_by(ReportExport.asked_at))]
    return [(subject, str(each)) for subject, each in ids]
