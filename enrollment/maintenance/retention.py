"""Retention: one rule for each retention period of the data register.

A step of a rule deletes one batch in the caller's transaction and returns the number of rows by table; the audit trail
stores only these numbers.  `data_register.toml` names the rule of each table by its text.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.delivery import unreachable_numbers
from enrollment.family_messages import sending
from enrollment.ground import audit, maintenance_permits, retention
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.ground.retention import Moment
from enrollment.maintenance import draw_retention as of_the_draw
from enrollment.maintenance import family_retention as of_families
from enrollment.maintenance import operation_figures
from enrollment.maintenance import places_retention as of_places
from enrollment.open_days import visits
from enrollment.reports import data_packages
from enrollment.reports.tables import exports
from enrollment.results import letter_batches, letters
from enrollment.staff_accounts import changes

BATCH = 500

YEAR_AFTER = "one year after the season; an admitted child's record goes over to the roll"

DeletionStep = Callable[[Session, Moment, int], Counter[str]]


@dataclass(frozen=True)
class Rule:
    """`words` are texts of the data register; `code` names the rule in the audit trail; each of `steps` deletes a batch."""

    code: str
    words: tuple[str, ...]
    steps: tuple[DeletionStep, ...]


def _delete_families(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete whole families of a season that ended a year ago: results, then applications, then people."""
    found = of_families.next_family_batch(session, moment, limit)
    if found is None:
        return Counter()
    year, ids = found
    maintenance_permits.grant_permit(session, "season", year=year)
    gone = of_the_draw.delete_results_of_applications(session, year, ids)
    return gone + of_families.delete_applications(session, ids)


RULES = (
    Rule("session", ("twelve hours",), (retention.delete_sessions,)),
    Rule("one_day", ("one day", "one day after sending"), (retention.delete_one_time_codes, retention.delete_text_messages, data_packages.delete_old, letter_batches.delete_old)),
    Rule("import_file", ("one day; what it changed, ten years",), (of_places.delete_import_files,)),
    Rule("thirty_days", ("thirty days", "thirty days, at the latest with the application; a letter of the desk one day; one with a sign-in code ten minutes", "thirty days after the open day", "always; a preview thirty days"), (retention.delete_idempotent_responses, of_families.delete_invitations, letters.delete_old, exports.delete_old, changes.delete_old, visits.delete_old, sending.delete_previews)),
    Rule("unreachable_number", ("until the number receives a message, at most a year",), (unreachable_numbers.delete_old,)),
    Rule("job", ("thirty days after the end",), (retention.delete_jobs,)),
    Rule("entitlement", ("until it expires",), (of_families.delete_entitlements,)),
    Rule(
        "season",
        (YEAR_AFTER, "one year after the season", "with the application; a year where it is about none", "with the child", "until the hour, at the latest with the application", "until the next run, at the latest with the application", "until it is counted again, at the latest with the application"),
        (
            _delete_families, of_families.delete_guardians_without_children, of_families.delete_mandates, retention.delete_general_notices,
            of_the_draw.delete_unmatched_taps,
        ),
    ),
    Rule("estimate", ("until the list is frozen",), (of_the_draw.delete_estimates,)),
    Rule("movement", ("until the waiting line ends, at the latest with the application",), (of_the_draw.delete_movement,)),
    Rule("case", ("three years after the end",), (of_families.delete_cases,)),
    Rule("account", ("two years after the last season", "with the account"), (of_families.empty_accounts,)),
    Rule(
        "decade",
        ("ten years",),
        (
            of_the_draw.delete_results, of_places.delete_ledger_entries, of_places.delete_plan_proposals, of_places.delete_approval_papers, retention.delete_signatures,
            retention.delete_oldest_audit_entries,
        ),
    ),
)  # fmt: skip

NOT_DELETED = (
    "always", "with the demo", "as the national rules say", "as long as its class", "a minute", "until they are counted again",
)  # fmt: skip
"""Texts of the data register for tables without a rule: public rows, rows of the demo, the roll and the days of its classes,
and counts that the count replaces (`coverage/rollup`)."""


def refuse_doubtful_clock(session: Session, now: dt.datetime) -> None:
    """Refuses `clock_has_jumped` for a day after a time in which nothing happened at all.

    A clock that jumps ahead by a year would have the records of a year deleted in its first night, and nothing brings them back.
    """
    if operation_figures.read(session, now=now).days_are_missing:
        raise Refused("clock_has_jumped")


def batches(rule: Rule) -> tuple[DeletionStep, ...]:
    """The steps of a rule.  Call each until it deletes nothing, every time in a new transaction."""
    return tuple(_with_audit(rule, step) for step in rule.steps)


def _with_audit(rule: Rule, step: DeletionStep) -> DeletionStep:
    def one_batch(session: Session, moment: Moment, limit: int = BATCH) -> Counter[str]:
        gone = step(session, moment, limit)
        if gone:
            audit.record(session, "forget", "retention", rule.code, by=SYSTEM, now=moment.now, rows=dict(gone))
            session.flush()
        return gone

    return one_batch


def apply_all(session: Session, moment: Moment) -> dict[str, Counter[str]]:
    """Apply all rules in one transaction; a dry run counts this way and then rolls back."""
    deleted: dict[str, Counter[str]] = {}
    for rule in RULES:
        deleted[rule.code] = Counter()
        for batch in batches(rule):
            while gone := batch(session, moment, BATCH):
                deleted[rule.code] += gone
    return deleted


def overdue_season(session: Session, now: dt.datetime) -> int | None:
    """A season whose families were due for deletion two nights ago and still exist; None if there is none."""
    two_nights_ago = now - dt.timedelta(days=2)
    return of_families.oldest_overdue_season(session, Moment(two_nights_ago, two_nights_ago))
