"""Lines of the ledger and proposals that are older than ten years, and files that nobody said the word for."""

from collections import Counter

from sqlalchemy.orm import Session

from enrollment.ground.retention import DAY, Moment, of_ten_years, rows
from enrollment.places.imports.uploaded_files import ImportFile
from enrollment.places.ledger_rows import LedgerEntry, PlanProposal


def ledger_entries(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return of_ten_years(session, LedgerEntry, LedgerEntry.at < moment.years_ago(10), moment, limit)


def plan_proposals(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, PlanProposal, PlanProposal.made_at < moment.years_ago(10), limit=limit)


def import_files(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """The file goes after a day; the line that says what was imported, with its counts, stays for ten years."""
    waiting = rows(
        session, ImportFile, ImportFile.done_at.is_(None), ImportFile.made_at < moment.now - DAY, limit=limit
    )
    return waiting + rows(session, ImportFile, ImportFile.made_at < moment.years_ago(10), limit=limit)
