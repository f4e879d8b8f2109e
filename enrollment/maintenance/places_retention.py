"""Retention of places: ledger entries, proposals and approvals after ten years, unconfirmed import files after a day."""

from collections import Counter

from sqlalchemy import exists
from sqlalchemy.orm import Session

from enrollment.ground.retention import DAY, Moment, delete_append_only_rows, delete_rows
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.imports.uploaded_files import ImportFile
from enrollment.places.ledger_rows import LedgerEntry, PlanProposal
from enrollment.places.plans.class_loss import ClassLoss
from enrollment.places.roll_change_rows import RollCount


def delete_ledger_entries(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_append_only_rows(session, LedgerEntry, LedgerEntry.at < moment.years_ago(10), moment, limit)


def delete_plan_proposals(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, PlanProposal, PlanProposal.made_at < moment.years_ago(10), limit=limit)


def delete_approval_papers(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Approvals that no row names any more; those of the roll and of lost classes stay as long as these do."""
    naming = (LedgerEntry, PlanProposal, RollCount, ClassLoss)
    named = [~exists().where(table.paper_id == ApprovalPaper.id) for table in naming]
    return delete_rows(session, ApprovalPaper, ApprovalPaper.added_at < moment.years_ago(10), *named, limit=limit)


def delete_import_files(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete unconfirmed files after a day; the record of an import, with its counts, after ten years."""
    waiting = delete_rows(
        session, ImportFile, ImportFile.done_at.is_(None), ImportFile.made_at < moment.now - DAY, limit=limit
    )
    return waiting + delete_rows(session, ImportFile, ImportFile.made_at < moment.years_ago(10), limit=limit)
