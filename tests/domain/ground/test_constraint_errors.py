"""Each constraint in the map is violated on a real table, and stands for the refusal that the map gives it."""

import datetime as dt

import pytest
from sqlalchemy import (
    CheckConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.exc import IntegrityError

import enrollment.tables  # noqa: F401  every table is in the metadata
from allocation.coverage import Percent
from enrollment.applications import register_answers
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.register_answers import Answer
from enrollment.applications.returned_items import RefusalProposal
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope
from enrollment.draw.duplicate_waivers import DuplicateWaiver
from enrollment.eligibility import evidence
from enrollment.ground.constraint_errors import CONSTRAINT_ERRORS, constraint_name, refusal_of
from enrollment.ground.db import Base
from enrollment.open_days import days, visits
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.people import duplicates, invitations
from enrollment.places import ledger, promotion
from enrollment.places.plans import class_loss
from enrollment.places.roll_changes import counts, transfers
from enrollment.reports.tables import exports
from enrollment.review import support_cases
from enrollment.season.document_kinds import Document
from tests.domain.eligibility.test_evidence import photo
from tests.support.prepared import prepared


def changed_copy(table: str, changes: str, where: str = "true") -> str:
    """Insert a copy of a row with these columns changed, given as arguments of `jsonb_build_object`."""
    return f"""INSERT INTO {table} OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(r, jsonb_build_object({changes}))).* FROM {table} r WHERE {where} LIMIT 1"""


OTHER_FINDING = "'fact', 'sibling_right_at', 'outcome', 'verified', 'value', '1', 'sealed_value', NULL, 'reason', NULL"

CHECKS = {
    "ck_refusal_proposal__support_case": changed_copy(
        "refusal_proposal",
        "'id', gen_random_uuid(), 'upheld', true, 'application_id', (SELECT application_id FROM case_file)",
    ),
    "ck_verified_fact__paper_has_a_page": changed_copy("verified_fact", OTHER_FINDING + ", 'source', 'paper'"),
    "ck_verified_fact__page_proves_it": changed_copy(
        "verified_fact", OTHER_FINDING + ", 'source', 'staff', 'page_id', (SELECT id FROM evidence_page LIMIT 1)"
    ),
    "ck_verified_fact__against_a_register": changed_copy(
        "verified_fact",
        OTHER_FINDING + ", 'fact', 'hukou_street', 'source', 'staff', 'page_id', NULL, 'application_id',"
        " (SELECT application_id FROM register_answer WHERE answer = 'differs')",
    ),
    "ck_verified_fact__second_has_a_reason": changed_copy(
        "verified_fact", OTHER_FINDING + ", 'source', 'staff', 'page_id', NULL, 'needs_second', true"
    ),
    "ck_verified_fact__second_person": (
        "UPDATE verified_fact SET second_by = account_id, second_at = at WHERE account_id IS NOT NULL"
    ),
    "ck_application__second_person": (
        "UPDATE application SET stage = 'confirmed'"
        " WHERE stage = 'draft' AND id IN (SELECT application_id FROM verified_fact WHERE needs_second)"
    ),
    "ck_report_export__second_person": (
        "UPDATE report_export SET decided_by = asked_by, decided_at = asked_at, agreed = true"
    ),
    "uq_roll_class__one_of_a_name": changed_copy("roll_class", "'id', gen_random_uuid(), 'name', ' ' || name"),
    "ex_roll_child__one_roll_a_day": changed_copy(
        "roll_child", "'id', gen_random_uuid(), 'left_on', entered_on + 1", "id_index IS NOT NULL"
    ),
    "ck_roll_count__not_negative": changed_copy("roll_count", "'number', 99, 'state', 'withdrawn', 'children', -1"),
    "ck_roll_count__decided_by_another": (
        "UPDATE roll_count SET state = 'in_force', decided_by = made_by, decided_at = made_at WHERE state = 'open'"
    ),
    "ck_class_loss__second_person": (
        "UPDATE class_loss SET state = 'refused', decided_by = made_by, decided_at = made_at"
    ),
    "ck_duplicate_hint__second_person": (
        "UPDATE duplicate_hint SET verdict = 'same', first_by = (SELECT id FROM account LIMIT 1),"
        " decided_by = (SELECT id FROM account LIMIT 1), decided_at = found_at"
    ),
    "ck_refusal_proposal__second_person": (
        "UPDATE refusal_proposal SET decided_by = proposed_by, decided_at = proposed_at, upheld = true"
    ),
    "ck_target_decision__second_person": "UPDATE target_decision SET signed_by = proposed_by, signed_at = proposed_at",
    "ck_verified_fact__declined_has_a_reason": (
        "UPDATE verified_fact SET outcome = 'declined', value = NULL, reason = NULL"
    ),
    "ck_witness_session__second_person": (
        "INSERT INTO witness_session SELECT (jsonb_populate_record(w, jsonb_build_object('id', gen_random_uuid(),"
        " 'token_digest', '\\x00', 'approved_by', w.requested_by))).* FROM witness_session w LIMIT 1"
    ),
    "ck_programme__never_more_than_places": "UPDATE programme SET taken = places + overhang + 1",
    "ck_programme__no_negative_numbers": "UPDATE programme SET withheld = -1",
    "ck_roll_class__not_negative": changed_copy(
        "roll_class", "'id', gen_random_uuid(), 'name', '别班', 'counted', -1", "kept_as = 'count'"
    ),
    "ck_open_day_slot__never_more_than_places": "UPDATE open_day_slot SET taken = places + 1",
    "ck_open_day_slot__ends_later": "UPDATE open_day_slot SET ends = begins",
    "ck_round__dates_in_order": "UPDATE round SET closes_at = opens_at - interval '1 day'",
    "ck_round__some_wishes": "UPDATE round SET max_wishes = 21",
}
"""A statement that violates each mapped check constraint."""


OUTSIDE: dict[str, dict[str, str]] = {
    "uq_policy__area_code_year_version": {"signed_at": "NULL"},
    "uq_run__round_id_number": {"state": "'waiting'", "published_at": "NULL"},
}
"""Values that keep the second row outside a partial index on fewer columns of the same table."""


def unique_rules(table: Table) -> dict[str, list[str]]:
    """The columns of each primary key, unique constraint and unique index of a table, by name."""
    rules: list = [rule for rule in table.constraints if isinstance(rule, PrimaryKeyConstraint | UniqueConstraint)]
    rules += [index for index in table.indexes if index.unique]
    return {str(rule.name): [column.name for column in rule.columns] for rule in rules}


def fresh_value(column) -> str:
    """An SQL expression for a value that no row of the test has."""
    if isinstance(column.type, LargeBinary):
        return "'\\x' || md5(random()::text)"
    if isinstance(column.type, Uuid):
        return "gen_random_uuid()"
    if column.identity is not None:
        return "2000000000"  # the database counts on from one test to the next
    return "14" if isinstance(column.type, Integer) else "md5(random()::text)"


def copy_of_a_row(name: str) -> str:
    """Insert a second row that equals an existing one in the columns of this rule and in no other unique rule."""
    table = next(each for each in Base.metadata.sorted_tables if name in unique_rules(each))
    rules = unique_rules(table)
    same = rules[name]
    free = [[each for each in columns if each not in same] for other, columns in rules.items() if other != name]
    changed = {columns[0]: fresh_value(table.c[columns[0]]) for columns in free if columns} | OUTSIDE.get(name, {})
    values = ", ".join(f"'{each}', {value}" for each, value in sorted(changed.items()))
    index = next((index for index in table.indexes if index.name == name), None)
    where = index.dialect_options["postgresql"]["where"] if index is not None else None
    return f"""INSERT INTO "{table.name}" OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(r, jsonb_build_object({values}))).*
        FROM "{table.name}" r WHERE {"true" if where is None else where} LIMIT 1"""


@prepared
def season_with_everything(town):
    """A published round, and a row in each table that the map names."""
    garden = town.kindergarten("锦官园", places=2)
    town.pool(garden, "staff", 1, ["staff_child"])
    on_roll = town.child_on_roll(garden, "在园", id_number="510104202112012011")
    counted = town.roll(garden, "lower", 25)
    cen = town.child("岑岑", submit=False)
    evidence.add_pages(town.session, cen.id, Document.HUKOU_BOOKLET, [photo()], by=town.parent_of(cen), now=town.now)
    ana = town.child("安娜", wishes=[garden], grounds={"multi_child": 2})
    ben, parent = town.child("本本"), town.parent_of(ana)
    invitations.invite(town.session, ana.child_id, "13712345678", by=parent, now=town.now)
    town.mandate_by_code(town.helper(), "13812345678")
    town.drawn(ana)
    session, clerk = town.session, town.clerk_of(garden)
    session.add(
        RefusalProposal(
            application_id=ana.id, rule="age", explanation="太小", proposed_by=clerk.account_id, proposed_at=town.now
        )
    )
    town.requests_correction(ana, "name", name="安那")
    duplicates.hint_of(session, ana.child_id, ben.child_id, now=town.now)
    session.add(DuplicateWaiver(round_id=town.the_round.id, digest="0" * 64, pairs=1, reason="急", made_at=town.now))
    target_decisions.propose(
        session, 2026, TargetScope.CITY, Targets(Percent(5_100), None), Source("工作计划", "成教〔2026〕1号", dt.date(2026, 1, 12)),
        in_force_from=dt.date(2026, 1, 1), by=town.city_pair()[0], now=town.now,
    )  # fmt: skip
    numbers = {"planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0}
    ledger.propose_level(
        session, garden.id, "middle", 2026, by=clerk, now=town.now + dt.timedelta(minutes=1), reason="多一班", **numbers
    )
    waiting = {"fact": "children_in_family", "outcome": "verified", "plain_value": 2, "source": "staff"}
    session.add(
        VerifiedFact(
            application_id=cen.id,
            reason="电话核实",
            needs_second=True,
            account_id=clerk.account_id,
            at=town.now,
            **waiting,
        )
    )
    session.flush()
    told = Answer(ana.id, "hukou_street", "household_register", "differs", "书院街")
    register_answers.note(session, [told], now=town.now)
    support_cases.open_for(session, ben, text="需要支持", by=clerk, now=town.now)
    asked = {"by": clerk, "now": town.now}
    exports.ask(session, "class_list", garden.id, 2026, reason="家长会", **asked)
    class_loss.report(
        session,
        garden.id,
        "lower",
        2026,
        classes=1,
        from_day=dt.date(2026, 9, 1),
        reason="漏水",
        solution="another_room",
        **asked,
    )
    counts.enter(session, counted.id, children=60, day=dt.date(2026, 5, 20), reason="并入", **asked)
    elsewhere = town.kindergarten("牡丹园")
    moves_on = {"moves_on": dt.date(2026, 7, 1), "due_on": dt.date(2026, 7, 15)}
    transfers.ask_to_leave(session, on_roll.id, to_code=elsewhere.code, reason="搬家", **moves_on, **asked)
    town.child_on_roll(elsewhere, "在园")
    visit_times = DayPlan(dt.date(2026, 5, 30), "大门", "", [SlotPlan(None, dt.time(9), dt.time(10), 5)])
    open_day = days.publish(session, garden.id, visit_times, **asked)
    visits.book(session, open_day.id, open_day.slots[0].id, ana.child_id, adults=1, needs="", by=parent, now=town.now)
    promotion.promote(session, elsewhere.id, 2025, by=town.head_of(elsewhere), now=town.now + dt.timedelta(days=40))
    session.flush()
    return session


def test_each_mapped_constraint_refuses_what_the_map_says(season_with_everything):
    session, wrong = season_with_everything, {}
    for name, error in CONSTRAINT_ERRORS.items():
        savepoint = session.begin_nested()
        try:
            done = session.execute(text(CHECKS.get(name) or copy_of_a_row(name)))
            wrong[name] = f"{done.rowcount} rows were written"
        except IntegrityError as fault:
            refused = refusal_of(fault)
            if (constraint_name(fault), refused and (refused.code, refused.field)) != (name, (error.code, error.field)):
                wrong[name] = f"{constraint_name(fault)}: {fault.orig}"
        savepoint.rollback()
    assert wrong == {}


def test_a_constraint_without_an_error_code_stays_an_integrity_error(season_with_everything):
    session = season_with_everything
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text("UPDATE account SET password_hash = NULL WHERE login IS NOT NULL"))
    assert constraint_name(caught.value) == "ck_account__login_needs_password"
    assert refusal_of(caught.value) is None


def test_a_refusal_of_a_trigger_names_no_constraint(season_with_everything):
    session = season_with_everything
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text("DELETE FROM ticket"))
    assert constraint_name(caught.value) is None
    assert refusal_of(caught.value) is None


def test_the_check_constraints_have_the_names_of_the_models(session):
    """Otherwise the map would name a constraint that the database reports under another name."""
    rows = session.scalars(text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"))
    rules = [rule for table in Base.metadata.sorted_tables for rule in table.constraints]
    assert set(rows) == {str(rule.name) for rule in rules if isinstance(rule, CheckConstraint)}
