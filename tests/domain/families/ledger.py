"""What is true about every child of a play, read straight from the rows, and what one act may change of it.

The model does not ask a service function: it knows what was true before an act, what the act says, and who did it.
Whatever else differs afterwards is a fault.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text

from enrollment.applications.application_rows import Application, ApplicationVersion
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.people.person_rows import Child

Key = tuple[str, uuid.UUID]
Standing = dict[Key, Any]

HANDED_IN = ("submitted", "in_review", "returned", "confirmed")
UNDER_REVIEW = ("submitted", "in_review", "confirmed")
"""Handed in and not sent back: the latest receipt is what the authority has."""

LIVE_OFFERS = ("offered", "confirmed", "confirmed_waiting", "arrived")

NOBODY_DECIDED = frozenset(
    [
        "on_hold",
        "hold_ended",
        "dispute_opened",
        "dispute_ended",
        "answer_reminder",
        "bond_missing",
        "bond_waiting",
        "guardian_left",
        "case_settled",
        "phone_change_waiting",
        "phone_changed",
        "phone_change_stopped",
        "phone_change_taken",
        "phone_change_lapsed",
        "correction_requested",
        "correction_signed",
        "correction_applied",
        "correction_applied_new_notice",
        "correction_refused",
        "correction_withdrawn",
        "guardian_removed",
        "invited",
        "removal_asked",
    ]
)
"""Kinds of message that name nobody: a date, an office's letter, or a phone whose holder must not learn more."""

ENDS_BY_ITSELF = {"decision_void": {"system"}}
"""What no person ends: a waiting decision whose proposer was removed as a guardian, when somebody acts next."""

FIELDS_TOLD = ("list", "stage", "bond", "hold", "child", "place", "guardians", "phone", "decision")


def any_value(_before: Any, _after: Any) -> bool:
    return True


def exactly(value: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after == value


def becomes(*values: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after in values


@dataclass
class Act:
    """One act: who makes it, what it may change and how, and what it must have changed when it is done.

    `who` are the accounts or offices that messages may name.  `possible` is False for an act that has to be refused.
    """

    name: str
    by: Actor | None
    may: dict[Key, Callable[[Any, Any], bool]] = field(default_factory=dict)
    must: dict[Key, Any] = field(default_factory=dict)
    who: frozenset[Any] = frozenset()
    possible: bool = True
    why: str = ""


@dataclass(frozen=True)
class Message:
    kind: str
    account_id: uuid.UUID
    child_id: uuid.UUID | None
    about: frozenset[str]
    who: str | None


def standing(session) -> Standing:
    """Everything that no act may change in passing, as it is stored now."""
    session.flush()
    known: Standing = {}
    bonds: dict[Any, set[uuid.UUID]] = {}
    rows = session.execute(text("SELECT id, child_id, stage, unit, on_hold FROM application ORDER BY child_code")).all()
    for row in rows:
        known["stage", row.id], known["hold", row.id], known["of", row.id] = row.stage, row.on_hold, row.child_id
        known["list", row.id], known["decision", row.id], known["place", row.id] = (), None, (None, None, None)
        bonds.setdefault(row.unit, set()).add(row.id)
    for row in rows:
        known["bond", row.id] = frozenset(bonds[row.unit] - {row.id}) if row.unit else frozenset()
    lists = text(
        "SELECT application_id, array_agg(round.number || ' ' || kindergarten.code || '/' || programme.level "
        "ORDER BY round.number, rank) AS wished FROM wish JOIN round ON round.id = round_id "
        "JOIN programme ON programme.id = programme_id JOIN kindergarten ON kindergarten.id = kindergarten_id "
        "GROUP BY application_id"
    )
    for row in session.execute(lists):
        known["list", row.application_id] = tuple(row.wished)
    offers = text(
        "SELECT application_id, programme_id, state, answer_by FROM offer ORDER BY made_at, ended_at NULLS LAST"
    )
    for row in session.execute(offers):
        held = row.programme_id if row.state in LIVE_OFFERS else None
        if held or not known["place", row.application_id][0]:
            known["place", row.application_id] = (held, row.state, row.answer_by)
    waiting = text(
        "SELECT application_id, kind, proposed_by, act_id, takes_effect_at FROM joint_decision WHERE state = 'waiting'"
    )
    for row in session.execute(waiting):
        known["decision", row.application_id] = (row.kind, row.proposed_by, row.act_id, row.takes_effect_at)
    for child in session.execute(select(Child.id, Child.name, Child.born, Child.sex, Child.id_kind, Child.id_number)):
        known["child", child.id] = tuple(child[1:])
        known["guardians", child.id] = frozenset()
    cares = text(
        "SELECT child_id, array_agg(account_id) AS accounts FROM guardianship JOIN guardian ON guardian.id = guardian_id "
        "WHERE accepted_at IS NOT NULL GROUP BY child_id"
    )
    for row in session.execute(cares):
        known["guardians", row.child_id] = frozenset(row.accounts)
    for account in session.execute(select(Account.id, Account.phone).where(Account.login.is_(None))):
        known["phone", account.id] = account.phone
    return known


def messages(session) -> dict[uuid.UUID, Message]:
    found = select(Notice.id, Notice.kind, Notice.account_id, Notice.child_id, Notice.application_id, Notice.params)
    return {
        row.id: Message(
            row.kind,
            row.account_id,
            row.child_id,
            frozenset({str(row.application_id), *row.params.get("together", ())}),
            row.params.get("who"),
        )
        for row in session.execute(found)
    }


def last_audited(session) -> int:
    return session.scalar(text("SELECT coalesce(max(number), 0) FROM audit_entry")) or 0


def difference(before: Standing, after: Standing) -> dict[Key, tuple[Any, Any]]:
    keys = before.keys() | after.keys()
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def check_changes(act: Act, before: Standing, after: Standing) -> None:
    """Nothing changed but what the act says, and what it says is what is stored."""
    for key, (was, is_now) in difference(before, after).items():
        allowed = act.may.get(key)
        assert allowed is not None, f"{act.name} changed {key} from {was} to {is_now}, and does not say so"
        assert allowed(was, is_now), f"{act.name} changed {key} from {was} to {is_now}"
    for key, value in act.must.items():
        assert after[key] == value, f"{act.name} says {value} for {key}, but {after[key]} is stored"


def concerned(before: Standing, after: Standing, key: Key) -> list[tuple[uuid.UUID | None, frozenset[uuid.UUID]]]:
    """The applications whose change `key` is, each with the accounts of those who have to hear of it."""
    name, subject = key
    if name == "phone":
        children = {child for (kind, child), who in before.items() if kind == "guardians" and subject in who}
        ids = [a for (kind, a), child in before.items() if kind == "of" and child in children]
        ids = [each for each in ids if before["stage", each] not in ("refused", "withdrawn")]
    elif name in ("child", "guardians"):
        ids = [a for (kind, a), child in after.items() if kind == "of" and child == subject]
    else:
        ids = [subject]
    told = []
    for each in ids:
        child = after["of", each]
        told.append((each, before.get(("guardians", child), frozenset()) & after["guardians", child]))
    return told


def needs_a_message(key: Key, was: Any, is_now: Any, before: Standing, after: Standing) -> bool:
    """Whether families have to hear of a change.  A draft is on its way; who reviews is no news."""
    name, subject = key
    if name not in FIELDS_TOLD:
        return False
    if name == "stage":
        return {was, is_now} != {"submitted", "in_review"} and was is not None
    if name == "place":
        return was[:2] != is_now[:2]
    if name == "decision":
        return (was and was[2]) != (is_now and is_now[2])
    if name == "list":
        return {before.get(("stage", subject)), after["stage", subject]} & set(HANDED_IN) != set() and (
            after["stage", subject] != "returned"
        )
    if name == "child":
        return any(
            after["stage", a] in UNDER_REVIEW for (kind, a), child in after.items() if kind == "of" and child == subject
        )
    return was is not None


def check_messages(session, act: Act, before: Standing, after: Standing, fresh: Collection[Message]) -> None:
    """Everybody concerned by a change has a message about it, nobody else has one, and each names who decided."""
    for message in fresh:
        if message.child_id is None:
            continue
        care = before.get(("guardians", message.child_id), frozenset()) | after["guardians", message.child_id]
        assert message.account_id in care, f"{act.name}: {message.kind} went to a stranger"
        if message.kind not in NOBODY_DECIDED:
            names = names_for(session, act.who, message) | ENDS_BY_ITSELF.get(message.kind, set())
            assert message.who in names, f"{act.name}: {message.kind} names {message.who}, not one of {names}"
    for key, (was, is_now) in difference(before, after).items():
        if not needs_a_message(key, was, is_now, before, after):
            continue
        for application_id, accounts in concerned(before, after, key):
            for account in accounts:
                told = {m.kind for m in fresh if m.account_id == account and str(application_id) in m.about}
                assert told, f"{act.name} changed {key} from {was} to {is_now}, and {account} heard nothing"


def names_for(session, who: Iterable[Any], message: Message) -> set[str]:
    """The codes by which this reader may read of these people: `you`, a relation to the child, or an office."""
    names = set()
    for each in who:
        if isinstance(each, str):
            names.add(each)
        elif each == message.account_id:
            names |= {"you", "helper_you"}
        else:
            relations = session.scalars(
                text(
                    "SELECT relation FROM guardianship JOIN guardian ON guardian.id = guardian_id "
                    "WHERE account_id = :account AND accepted_at IS NOT NULL AND (child_id = :child OR child_id IN "
                    "(SELECT child_id FROM application WHERE CAST(id AS text) = ANY(:about)))"
                ),
                {"account": each, "child": message.child_id, "about": list(message.about)},
            ).all()
            names |= {f"{how}{relation}" for relation in relations for how in ("", "helper_")} or {"other", "family"}
    return names


def check_audit(session, act: Act, before: Standing, after: Standing, since: int) -> None:
    """The audit trail of a change names a person who may have made it."""
    changed = difference(before, after)
    if not changed or act.by is None:
        return
    written = select(AuditEntry.account_id).where(AuditEntry.number > since)
    accounts = set(session.scalars(written))
    assert act.by.acting_account_id in accounts, f"{act.name} changed {set(changed)} without a line of the audit trail"


def check_receipts(session, after: Standing) -> None:
    """What the authority has is what the latest receipt says: the wishes in order, the child's name, the bond."""
    newest: dict[uuid.UUID, Mapping[str, Any]] = {}
    for row in session.scalars(select(ApplicationVersion).order_by(ApplicationVersion.number)):
        newest[row.application_id] = json.loads(row.answers)
    codes = {row.id: row.child_code for row in session.execute(select(Application.id, Application.child_code))}
    for (name, subject), stage in after.items():
        if name != "stage" or stage not in UNDER_REVIEW:
            continue
        said = newest[subject]
        assert said["child"]["name"] == after["child", after["of", subject]][0], "a receipt with another name"
        listed = tuple(f"{number} {each}" for number in sorted(said["wishes"]) for each in said["wishes"][number])
        assert listed == after["list", subject], "a receipt with another list"
        bound = sorted(codes[each] for each in {subject, *after["bond", subject]})
        # an office that ends a bond writes no receipt of the family
        assert len(bound) == 1 or sorted(said["bound_with"]) == bound, "a receipt with other bound children"


def check_facts(session) -> None:
    """Nothing is stored that the hourly check of the product calls impossible."""
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    assert list(invariants.find_violations(session)) == []


def check_ways_on(session, after: Standing, now: dt.datetime) -> None:
    """No live application stands where nobody has a next act and no date is to come."""
    open_cases = set(
        session.scalars(text("SELECT application_id FROM case_file WHERE settled_at IS NULL AND due_at IS NOT NULL"))
    )
    desks = {
        row.id: row.review_kindergarten_id
        for row in session.execute(select(Application.id, Application.review_kindergarten_id))
    }
    for (name, subject), value in after.items():
        if name == "hold" and value:
            assert subject in open_cases, "on hold, and no officer has a case"
        if name == "stage" and value in ("submitted", "in_review"):
            assert desks[subject] is not None, "handed in, and no kindergarten reviews it"
        if name == "decision" and value is not None:
            assert value[3] is not None, "a decision waits for ever"
        if name == "place" and value[1] == "offered":
            assert value[2] is not None, "an offer without a date"
