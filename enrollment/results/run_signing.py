"""Who signs a run has read each difference to its dry runs, to the run before it, to last year and to the trial of the rules."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw import requests, runs
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.results import run_comparison
from enrollment.results.run_comparison import Comparison, LastRules, LastRulesPart, Line, RulesTried
from enrollment.season import rounds

DIGEST = "digest"
"""Read like a difference: the digest is that of the screen in the hall."""

LAST_RULES = "last_rules"

Difference = Line | RulesTried | LastRules | LastRulesPart


def key_of(difference: Difference) -> str:
    """The name under which a difference is read."""
    if isinstance(difference, LastRules):
        return LAST_RULES
    if isinstance(difference, LastRulesPart):
        return f"{LAST_RULES}/{difference.part}"
    if isinstance(difference, RulesTried):
        return f"rules/{difference.area}"
    return f"{difference.group}/{difference.code}/{difference.measure}"


def differences(compared: Comparison | None) -> Iterator[tuple[str, Difference]]:
    """What is marked, in the order of the page, each with its key."""
    if compared is not None:
        found: list[Difference] = [*compared.marked, *(one for one in compared.rules if one.is_marked)]
        if compared.last_rules is not None and compared.last_rules.is_marked:
            found.append(compared.last_rules)
            if len(compared.last_rules.parts) > 1:
                found += [part for part in compared.last_rules.parts if part.is_marked]
        for each in found:
            yield key_of(each), each


def sign(
    session: Session,
    run_id: uuid.UUID,
    *,
    read: Collection[str],
    announced: str,
    by: Actor,
    now: dt.datetime,
    note: str = "",
) -> int:
    """Sign as `requests.sign`, after the signer has read every difference.  What was read is on record.

    `announced` is the hour of the result that the signer's page showed, as `hours.as_text` writes it.  Refuses
    `hour_changed_meanwhile` if another one is announced by now, `differences_unread`, `difference_without_note` if nobody has
    written why the figures differ, and what `requests.sign` refuses.
    """
    run = runs.one(session, run_id)
    if announced != hours.as_text(hours.hour_of(session, rounds.get_round(session, run.round_id))):
        raise Refused("hour_changed_meanwhile")
    compared = run_comparison.of_run(session, run) if run.summary else None
    asked = [*(key for key, _difference in differences(compared)), DIGEST]
    if not set(asked) <= set(read):
        raise Refused("differences_unread", "read", number=len(set(asked) - set(read)))
    if compared is not None and compared.marked and not (note.strip() or runs.notes(session, run)):
        raise Refused("difference_without_note", "note")
    people = requests.sign(session, run_id, by=by, now=now, note=note)
    audit.record(session, "read_differences", "run", run_id, by=by, now=now, digest=run.digest, read=asked)
    return people


@dataclass(frozen=True)
class ReadDifference:
    """A difference that signers ticked: its key, and who ticked it when."""

    key: str
    by: tuple[tuple[str, dt.datetime], ...]


def read_differences(session: Session, run: Run) -> tuple[ReadDifference, ...]:
    """What the signers of the run ticked before they signed, in the order of the page, as the audit trail has it."""
    entries = session.execute(
        select(Account.name, AuditEntry.at, AuditEntry.details)
        .join(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject == "run", AuditEntry.subject_id == str(run.id), AuditEntry.act == "read_differences")
        .order_by(AuditEntry.at, AuditEntry.number)
    )
    found: dict[str, list[tuple[str, dt.datetime]]] = {}
    for name, at, details in entries:
        if details["digest"] == run.digest:
            for key in details["read"]:
                found.setdefault(key, []).append((name, at))
    return tuple(ReadDifference(key, tuple(people)) for key, people in found.items())
