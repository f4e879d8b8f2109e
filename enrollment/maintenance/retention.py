"""Retention: one rule for each sentence of the register of data, and every rule deletes.

A rule takes one batch in the caller's transaction and says how many rows of which table are gone; the trail gets these
counts and nothing else.  `data_register.toml` says for each table which rule holds, in the same words.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.ground import audit, retention, upkeep
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.retention import Moment
from enrollment.maintenance import draw_retention as of_the_draw
from enrollment.maintenance import family_retention as of_families
from enrollment.maintenance import places_retention as of_places
from enrollment.reports import data_packages

BATCH = 500

YEAR_AFTER = "one year after the season; an admitted child's record goes over to the roll"

Verb = Callable[[Session, Moment, int], Counter[str]]


@dataclass(frozen=True)
class Rule:
    """`words` are those of the register; `code` names the rule in the trail; `verbs` each delete a batch."""

    code: str
    words: tuple[str, ...]
    verbs: tuple[Verb, ...]


def _families(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Whole families of a season that is over for a year: results first, then applications, then people."""
    found = of_families.next_families(session, moment, limit)
    if found is None:
        return Counter()
    year, ids = found
    upkeep.open_door(session, "season", now=moment.now, year=year)
    gone = of_the_draw.of_applications(session, year, ids)
    return gone + of_families.applications(session, ids)


RULES = (
    Rule("session", ("twelve hours",), (retention.sessions,)),
    Rule("one_day", ("one day", "one day after sending"), (retention.codes, retention.texts, data_packages.forget)),
    Rule("import_file", ("one day; what it changed, ten years",), (of_places.import_files,)),
    Rule("thirty_days", ("thirty days",), (retention.answers_given_once, of_families.invitations)),
    Rule("job", ("thirty days after the end",), (retention.jobs,)),
    Rule("entitlement", ("until it expires",), (of_families.entitlements,)),
    Rule(
        "season",
        (YEAR_AFTER, "one year after the season", "with the application; a year where it is about none", "with the child"),
        (
            _families, of_families.guardians_without_a_child, of_families.mandates, retention.notices_about_nobody,
        ),
    ),
    Rule("estimate", ("until the list is frozen",), (of_the_draw.estimates,)),
    Rule("case", ("three years after the end",), (of_families.cases,)),
    Rule("account", ("two years after the last season", "with the account"), (of_families.accounts,)),
    Rule(
        "decade",
        ("ten years",),
        (
            of_the_draw.results, of_places.ledger_entries, of_places.plan_proposals, retention.signatures,
            retention.end_of_the_audit_chain,
        ),
    ),
)  # fmt: skip

KEPT = ("always", "with the demo", "as the national rules say")
"""What the register says of tables that no rule touches: public rows, the demo's own, and the roll."""


def batches(rule: Rule) -> tuple[Verb, ...]:
    """Each of these is called until it deletes nothing, in a transaction of its own each time."""
    return tuple(_audited(rule, verb) for verb in rule.verbs)


def _audited(rule: Rule, verb: Verb) -> Verb:
    def one_batch(session: Session, moment: Moment, limit: int = BATCH) -> Counter[str]:
        gone = verb(session, moment, limit)
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


def late(session: Session, now: dt.datetime) -> int | None:
    """A season whose families should have gone two nights ago and have not; None when the nights do their work."""
    two_nights_ago = now - dt.timedelta(days=2)
    return of_families.season_with_families(session, Moment(two_nights_ago, two_nights_ago))
