"""Retention: one rule for each sentence of the register of data, and every rule deletes.

A rule takes one batch in the caller's transaction and says how many rows of which table are gone; the trail gets these
counts and nothing else.  `data_register.toml` says for each table which rule holds, in the same words.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.ground import audit, maintenance_permits, retention
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.retention import Moment
from enrollment.maintenance import draw_retention as of_the_draw
from enrollment.maintenance import family_retention as of_families
from enrollment.maintenance import places_retention as of_places

BATCH = 500

YEAR_AFTER = "one year after the season; an admitted child's record goes over to the roll"

DeletionStep = Callable[[Session, Moment, int], Counter[str]]


@dataclass(frozen=True)
class Rule:
    """`words` are those of the register; `code` names the rule in the trail; `verbs` each delete a batch."""

    code: str
    words: tuple[str, ...]
    steps: tuple[DeletionStep, ...]


def _delete_families(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Whole families of a season that is over for a year: results first, then applications, then people."""
    found = of_families.next_family_batch(session, moment, limit)
    if found is None:
        return Counter()
    year, ids = found
    maintenance_permits.grant_permit(session, "season", now=moment.now, year=year)
    gone = of_the_draw.delete_results_of_applications(session, year, ids)
    return gone + of_families.delete_applications(session, ids)


RULES = (
    Rule("session", ("twelve hours",), (retention.delete_sessions,)),
    Rule("one_day", ("one day", "one day after sending"), (retention.delete_one_time_codes, retention.delete_text_messages)),
    Rule("import_file", ("one day; what it changed, ten years",), (of_places.delete_import_files,)),
    Rule("thirty_days", ("thirty days",), (retention.delete_idempotent_responses, of_families.delete_invitations)),
    Rule("job", ("thirty days after the end",), (retention.delete_jobs,)),
    Rule("entitlement", ("until it expires",), (of_families.delete_entitlements,)),
    Rule(
        "season",
        (YEAR_AFTER, "one year after the season", "with the application; a year where it is about none", "with the child"),
        (
            _delete_families, of_families.delete_guardians_without_children, of_families.delete_mandates, retention.delete_general_notices,
        ),
    ),
    Rule("estimate", ("until the list is frozen",), (of_the_draw.delete_estimates,)),
    Rule("case", ("three years after the end",), (of_families.delete_cases,)),
    Rule("account", ("two years after the last season", "with the account"), (of_families.empty_accounts,)),
    Rule(
        "decade",
        ("ten years",),
        (
            of_the_draw.delete_results, of_places.delete_ledger_entries, of_places.delete_plan_proposals, retention.delete_signatures,
            retention.delete_oldest_audit_entries,
        ),
    ),
)  # fmt: skip

NOT_DELETED = ("always", "with the demo", "as the national rules say")
"""What the register says of tables that no rule touches: public rows, the demo's own, and the roll."""


def batches(rule: Rule) -> tuple[DeletionStep, ...]:
    """Each of these is called until it deletes nothing, in a transaction of its own each time."""
    return tuple(_audited(rule, step) for step in rule.steps)


def _audited(rule: Rule, step: DeletionStep) -> DeletionStep:
    def one_batch(session: Session, moment: Moment, limit: int = BATCH) -> Counter[str]:
        gone = step(session, moment, limit)
        if gone:
            audit.record(session, "forget", "retention", rule.code, by=SYSTEM, now=moment.now, rows=dict(gone))
            session.flush()
        return gone

    return one_batch


def apply_all(session: Session, moment: Moment) -> dict[str, Counter[str]]:
    """Every rule to its end in this one transaction: how a dry run counts before it rolls back."""
    told: dict[str, Counter[str]] = {}
    for rule in RULES:
        told[rule.code] = Counter()
        for batch in batches(rule):
            while gone := batch(session, moment, BATCH):
                told[rule.code] += gone
    return told


def overdue_season(session: Session, now: dt.datetime) -> int | None:
    """A season whose families should have gone two nights ago and have not; None when the nights do their work."""
    two_nights_ago = now - dt.timedelta(days=2)
    return of_families.oldest_overdue_season(session, Moment(two_nights_ago, two_nights_ago))
