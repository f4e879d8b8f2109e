"""Two requests pass the same check at the same time: the later one reads a refusal, not an error page."""

import contextlib
import uuid

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.ground.identity import index_of
from enrollment.places.roll import RollChild
from enrollment.places.roll_rows import RollClass
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

NUMBER = "510104202112012011"


@prepared
def roll_class(town, client):
    garden = town.kindergarten("锦官新城幼儿园", code="5151040001")
    found = town.session.get_one(RollClass, town.child_on_roll(garden, "安娜娜").class_id)
    town.child_on_roll(town.kindergarten("另一所园", code="5151040002"), "别人")
    clerk = town.clerk_of(garden)
    town.session.commit()
    sign_in(client, clerk.account_id)
    return found


@contextlib.contextmanager
def before_the_first(beginning: str, engine, act):
    """Call `act` once, before the first statement with this beginning: the service has checked its rules, and not written."""
    done = []

    def listen(_connection, _cursor, statement, *_rest) -> None:
        if statement.startswith(beginning) and not done:
            done.append(statement)
            act()

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert done, f"no statement begins with {beginning}"


@pytest.mark.parametrize(("lang", "words"), [("zh", "这个证件号已在某所幼儿园的名册上"), ("en", "on a roll already")])
def test_a_race_is_told_beside_the_field_in_the_readers_language(
    town, roll_class, client, portal_engine, app_engine, lang, words
):
    """Another kindergarten enters the same number after this one has looked for it and before it inserts its row."""

    def another_request() -> None:
        with Session(portal_engine) as session, session.begin():
            child = session.query(RollChild).filter(RollChild.class_id != roll_class.id).one()
            child.id_number, child.id_index = NUMBER, index_of(NUMBER)

    client.get(f"/staff/roll?lang={lang}")
    path = f"/staff/roll/classes/{roll_class.id}"
    with before_the_first("INSERT INTO roll_child ", app_engine, another_request):
        answer = fill_in(client, path, path, name="本本", id_number=NUMBER, born="2021-12-01", entered_on="2026-03-01")
    assert answer.status_code == 200
    assert words in answer.text
    assert 'id="id_number-error"' in answer.text
    town.session.expire_all()
    assert town.session.query(RollChild).filter_by(id_index=index_of(NUMBER)).count() == 1


def test_a_violation_outside_a_form_is_a_page_with_the_refusal(town, client, portal_engine, app_engine):
    """A guardian begins an application in two tabs: the later one meets the index on one live application a year."""
    garden = town.kindergarten("锦官园", places=2)
    ana = town.child("安娜", wishes=[garden])
    town.withdraw(ana)
    town.session.commit()
    sign_in(client, town.parent_of(ana).account_id)
    hidden = hidden_fields(client.get(f"/parents/applications/{ana.id}").text)

    def another_tab() -> None:
        with Session(portal_engine) as session, session.begin():
            columns = session.get_one(Application, ana.id).__table__.columns.keys()
            row = {name: getattr(ana, name) for name in columns}
            fresh = {
                "id": uuid.uuid4(),
                "stage": "draft",
                "child_code": "other",
                "registration_code": None,
                "unit": None,
            }
            session.add(Application(**row | fresh))

    with before_the_first("UPDATE application ", app_engine, another_tab):
        answer = client.post(f"/parents/applications/{ana.id}/again", data=hidden)
    assert answer.status_code == 409
    assert "刚在别处改动过" in answer.text
    assert answer.headers["Content-Security-Policy"]
