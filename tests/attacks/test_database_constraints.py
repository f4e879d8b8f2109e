"""The database refuses invalid rows, also from SQL that bypasses the services."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

NEW_ID = "gen_random_uuid()"
FORBIDDEN = {
    "a second live application of a child": """
        INSERT INTO application SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(),
        'child_code', 'x', 'registration_code', 'x'))).* FROM application a LIMIT 1""",
    "a second live offer of a child": """
        INSERT INTO offer SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(),
        'notice_code', 'x'))).* FROM offer o LIMIT 1""",
    "more taken than there are places": "UPDATE programme SET taken = places + overhang + 1",
    "fewer taken than none": "UPDATE programme SET taken = -1",
    "a stage that nobody knows": "UPDATE application SET stage = 'admitted'",
    "a review without a clerk": "UPDATE application SET stage = 'in_review', reviewer_id = NULL",
    "a state that no offer has": "UPDATE offer SET state = 'sold'",
    "a ticket that changes": "UPDATE ticket SET number = 1 + number",
    "a ticket that goes": "DELETE FROM ticket",
    "a second ticket with one number": """
        INSERT INTO ticket SELECT gen_random_uuid(), year, number, draw_id FROM ticket LIMIT 1""",
    "a seed that changes": "UPDATE draw SET seed = repeat('0', 64)",
    "a draw that goes": "DELETE FROM draw",
    "a result that changes": "UPDATE placement SET rank = 1, programme_id = NULL",
    "a reason that goes": "DELETE FROM wish_reason",
    "a line that moves": "UPDATE cut_off SET places = places + 1",
    "a second published run": """
        INSERT INTO run SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
        'number', 99))).* FROM run r WHERE state = 'published'""",
    "a published run without a time": "UPDATE run SET published_at = NULL WHERE state = 'published'",
    "a receipt that changes": "UPDATE application_version SET digest = 'x'",
    "a history that changes": "UPDATE move_made SET after = 'confirmed'",
    "a signature given twice": """
        INSERT INTO signature SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
        FROM signature s LIMIT 1""",
    "a signature that goes": "DELETE FROM signature",
    "an audit row that goes": "DELETE FROM audit_entry",
    "an audit row that says something else": "UPDATE audit_entry SET act = 'nothing'",
    "a wish of rank 0": "UPDATE wish SET rank = 0",
    "the same identity number twice": """
        INSERT INTO child SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid()))).*
        FROM child c LIMIT 1""",
    "a clerk without a kindergarten": "UPDATE role_grant SET kindergarten_id = NULL WHERE role = 'clerk'",
    "an area official without an area": f"""
        INSERT INTO role_grant (id, account_id, role) SELECT {NEW_ID}, id, 'area_official' FROM account LIMIT 1""",
    "a role that nobody knows": "UPDATE role_grant SET role = 'root'",
    "a login without a password": "UPDATE account SET password_hash = NULL WHERE login IS NOT NULL",
    "a kindergarten that is its own parent": "UPDATE kindergarten SET parent_id = id",
    "two live consents of one kind": """
        INSERT INTO consent SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),
        'text_version', '2'))).* FROM consent c LIMIT 1""",
    "a job in no state": "UPDATE job SET state = 'somewhere'",
    "two jobs under one key": """
        INSERT INTO job SELECT (jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid()))).*
        FROM job j LIMIT 1""",
    "two messages under one key": """
        INSERT INTO notice SELECT (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid()))).*
        FROM notice n LIMIT 1""",
}


@pytest.fixture
def after_the_draw(town):
    garden = town.kindergarten("锦官园", places=2)
    ana = town.child("安娜", wishes=[garden])
    town.drawn(ana)
    town.session.flush()
    return town.session


def test_the_tables_refuse_what_must_not_be(after_the_draw):
    session, went_through, touched_nothing = after_the_draw, [], []
    for what, statement in FORBIDDEN.items():
        before = session.begin_nested()
        try:
            done = session.execute(text(statement))
            (went_through if done.rowcount else touched_nothing).append(what)
        except (IntegrityError, DBAPIError):
            pass
        before.rollback()
    assert went_through == []
    assert touched_nothing == [], "the town has no such row, so nothing was tried"
