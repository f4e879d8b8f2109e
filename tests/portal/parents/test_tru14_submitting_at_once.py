"""The submission through its page: few statements, the same answer for the same form, and one effect of many clicks."""

import threading
import uuid

from sqlalchemy import func, select, text

from enrollment.applications import receipts
from enrollment.applications.application_rows import Application, ApplicationVersion
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.statements import first_submission
from enrollment.applications.statements.prepared_write import ConnectionLost, PreparedWrite
from enrollment.ground.outbox import Notice
from enrollment.ground.reading.prepared_read import PreparedRead
from tests.portal.parents.desk import filled
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.statements import counted

MOST = 3
"""Statements of a hot write: the session, the read, and the write, which saves the session with its message too."""

PROCESS = PreparedRead("SELECT to_json(pg_backend_pid())")


@prepared
def gardens(town):
    return [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园")]


@prepared
def ana(client, town, gardens):
    found = town.child("安娜", wishes=gardens, submit=False)
    sign_in(client, town.parent_of(found).account_id)
    return found


def path_of(application) -> str:
    return f"/parents/applications/{application.id}/check"


def form_of(client, application) -> dict:
    return filled(client.get(path_of(application))) | {"true": ["y"], "agrees_to_central": ["y"]}


def rows(session, table, application) -> int:
    return session.scalar(select(func.count()).select_from(table).where(table.application_id == application.id))


def test_TRU14_a_submission_takes_three_statements(client, town, ana):
    form, path = form_of(client, ana), path_of(ana)
    with counted(town.session) as statements:
        answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/parents/applications/{ana.id}/receipts/1")
    assert len(statements) <= MOST, statements
    assert "申请已提交" in client.get(answer.headers["Location"]).text


def test_TRU14_the_same_form_again_gets_the_same_answer_and_another_form_none(client, town, ana):
    form = form_of(client, ana)
    first, second = client.post(path_of(ana), data=form), client.post(path_of(ana), data=form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert client.post(path_of(ana), data=form | {"agrees_to_central": []}).status_code == 409
    assert rows(town.session, ApplicationVersion, ana) == rows(town.session, MoveMade, ana) == 1


def test_TRU14_a_stale_page_and_an_unticked_box_are_told(client, town, gardens, ana):
    form = form_of(client, ana)
    assert client.post(path_of(ana), data=form | {"true": []}).status_code == 200
    town.wish(ana, gardens[1])
    town.session.commit()
    assert client.post(path_of(ana), data=form).status_code == 409
    assert rows(town.session, ApplicationVersion, ana) == 0


def test_TRU14_a_form_without_a_key_is_handed_in_too(client, town, ana):
    form = form_of(client, ana)
    del form["idempotency_key"]
    assert client.post(path_of(ana), data=form).status_code == 303
    assert rows(town.session, ApplicationVersion, ana) == 1


def test_TRU14_clicks_at_once_make_one_receipt(app, client, town, ana):
    forms = [form_of(client, ana) | {"idempotency_key": [key]} for key in ("a", "a", "b", "c", "c", "d")]
    cookie, answers, path = client.get_cookie("session").value, [], path_of(ana)
    together = threading.Barrier(len(forms))

    def click(form):
        browser = app.test_client()
        browser.set_cookie("session", cookie, domain="localhost")
        together.wait()
        answers.append(browser.post(path, data=form))

    threads = [threading.Thread(target=click, args=[form]) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["Location"] for answer in answers} == {f"/parents/applications/{ana.id}/receipts/1"}
    assert rows(town.session, ApplicationVersion, ana) == 1
    assert rows(town.session, MoveMade, ana) == 1
    assert rows(town.session, Notice, ana) == 1


def test_TRU14_an_answer_that_is_lost_after_the_act_is_found_by_its_key(client, town, ana, monkeypatch):
    """The connection breaks between the commit and its answer: nobody knows, and it is sent once more."""
    form, real = form_of(client, ana), PreparedWrite.commit

    def lost(statement, engine, values):
        assert real(statement, engine, values) is not None
        raise ConnectionLost

    monkeypatch.setattr(PreparedWrite, "commit", lost)
    answer = client.post(path_of(ana), data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/parents/applications/{ana.id}/receipts/1")
    assert [rows(town.session, table, ana) for table in (ApplicationVersion, MoveMade, Notice)] == [1, 1, 1]


def test_TRU14_a_connection_that_is_lost_before_the_act_costs_nothing(app, client, town, ana, monkeypatch):
    form, read = form_of(client, ana), first_submission.read

    def read_and_lose(session, application_id, *, by):
        found = read(session, application_id, by=by)
        town.session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": PROCESS.one(session, {})})
        return found

    monkeypatch.setattr(first_submission, "read", read_and_lose)
    answer = client.post(path_of(ana), data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/parents/applications/{ana.id}/receipts/1")
    assert [rows(town.session, table, ana) for table in (ApplicationVersion, MoveMade, Notice)] == [1, 1, 1]


def test_TRU14_a_registration_code_that_is_taken_is_drawn_again(client, town, gardens, ana, monkeypatch):
    other = town.child("本本", wishes=gardens)
    codes = iter([other.registration_code])
    fresh = first_submission.random_codes.registration_code
    monkeypatch.setattr(first_submission.random_codes, "registration_code", lambda: next(codes, None) or fresh())
    assert client.post(path_of(ana), data=form_of(client, ana)).status_code == 303
    town.session.expire_all()
    stored = town.session.get_one(Application, ana.id)
    assert stored.registration_code not in (None, other.registration_code)
    assert receipts.latest(town.session, stored).number == 1


def test_TRU14_a_form_of_another_family_is_not_found(client, town, ana):
    form = form_of(client, ana)
    sign_in(client, town.family("王").account)
    assert client.post(path_of(ana), data=form).status_code in (303, 404)
    assert client.post(f"/parents/applications/{uuid.uuid4()}/check", data=form).status_code in (303, 404)
    assert rows(town.session, ApplicationVersion, ana) == 0
