"""Each constraint in the map is violated on a real table, and stands for the refusal that the map gives it."""

import datetime as dt

import pytest
from sqlalchemy import (
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
from enrollment.applications.returned_items import RefusalProposal
from enrollment.draw.duplicate_waivers import DuplicateWaiver
from enrollment.ground.constraint_errors import CONSTRAINT_ERRORS, constraint_name, refusal_of
from enrollment.ground.db import Base
from enrollment.people import duplicates, invitations
from enrollment.places import ledger

CHECKS = {
    "ck_duplicate_hint__second_person": (
        "UPDATE duplicate_hint SET verdict = 'same', first_by = (SELECT id FROM account LIMIT 1),"
        " decided_by = (SELECT id FROM account LIMIT 1), decided_at = found_at"
    ),
    "ck_refusal_proposal__second_person": (
        "UPDATE refusal_proposal SET decided_by = proposed_by, decided_at = proposed_at, upheld = true"
    ),
    "ck_verified_fact__declined_has_a_reason": (
        "UPDATE verified_fact SET outcome = 'declined', value = NULL, reason = NULL"
    ),
    "ck_programme__never_more_than_places": "UPDATE programme SET taken = places + overhang + 1",
    "ck_programme__no_negative_numbers": "UPDATE programme SET withheld = -1",
    "ck_roll_class__not_negative": "UPDATE roll_class SET counted = -1 WHERE kept_as = 'count'",
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
    where = index.dialect_options["postgresql"]["where"] if index is not None else "true"
    return f"""INSERT INTO "{table.name}" OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(r, jsonb_build_object({values}))).*
        FROM "{table.name}" r WHERE {where} LIMIT 1"""


@pytest.fixture
def season_with_everything(town):
    """A published round, and a row in each table that the map names."""
    garden = town.kindergarten("锦官园", places=2)
    town.pool(garden, "staff", 1, ["staff_child"])
    town.child_on_roll(garden, "在园", id_number="510104202112012011")
    town.roll(garden, "lower", 25)
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
    numbers = {"planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0}
    ledger.propose_level(
        session, garden.id, "middle", 2026, by=clerk, now=town.now + dt.timedelta(minutes=1), reason="多一班", **numbers
    )
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
