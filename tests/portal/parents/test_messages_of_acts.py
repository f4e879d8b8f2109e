"""A page tells that something is done only if it is: after a fault, after a lock, and when the same form comes twice at once."""

import datetime as dt

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from enrollment.applications.application_rows import Application
from enrollment.applications.statements import keyed_write
from enrollment.applications.statements.prepared_write import ConnectionLost, PreparedWrite
from enrollment.ground.sign_in import WebSession
from portal.web.sessions import TOUCH_INTERVAL
from tests.portal.parents.desk import filled, hidden, page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

SAVED = "已保存。"


@prepared
def ana(client, town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    found = town.child("安娜", wishes=[garden], submit=False)
    sign_in(client, town.parent_of(found).account_id)
    return found


def path_of(application, name: str) -> str:
    return f"/parents/applications/{application.id}/{name}"


def version_of(town, application) -> int:
    return town.session.scalar(select(Application.version).where(Application.id == application.id))


def busy(*_args, **_more):
    raise OperationalError("UPDATE …", None, psycopg.errors.LockNotAvailable())


def test_a_value_that_cannot_be_stored_is_not_said_to_be_saved(app, client, town, ana, monkeypatch):
    monkeypatch.setitem(app.config, "TESTING", False)
    path, before = path_of(ana, "household"), version_of(town, ana)
    answer = client.post(path, data=filled(client.get(path)) | {"home_street": "a\0"}, inspect=False)
    assert answer.status_code == 400
    assert SAVED not in answer.text and SAVED not in client.get(path).text
    assert version_of(town, ana) == before


def test_a_lock_that_is_held_too_long_gives_a_calm_page_with_what_was_typed(client, town, ana, monkeypatch):
    path = path_of(ana, "household")
    form, before = filled(client.get(path)) | {"home_street": ["合江亭街道"]}, version_of(town, ana)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(PreparedWrite, "commit", busy)
        meanwhile.setattr(keyed_write, "_in_transaction", busy)
        answer = client.post(path, data=form, inspect=False)
    assert answer.status_code == 503 and 4 <= int(answer.headers["Retry-After"]) < 8
    told = page(answer)
    assert "请稍等片刻" in told.h1.text and "什么都没有改" in told.text and SAVED not in told.text
    assert version_of(town, ana) == before
    again = hidden(answer)
    assert again["home_street"] == "合江亭街道"
    sent = client.post(told.form["action"], data=again)
    assert sent.status_code == 303
    assert client.get(sent.headers["Location"]).text.count(SAVED) == 1
    assert version_of(town, ana) == before + 1


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_transaction_that_was_ended_for_another_can_be_tried_again_too(app, client, ana, monkeypatch, code):
    def ended(*_args, **_more):
        raise OperationalError("UPDATE …", None, psycopg.errors.lookup(code)())

    path = path_of(ana, "household")
    form = filled(client.get(path))
    monkeypatch.setattr(PreparedWrite, "commit", ended)
    monkeypatch.setattr(keyed_write, "_in_transaction", ended)
    assert client.post(path, data=form, inspect=False).status_code == 503


@pytest.mark.parametrize("away_for", [dt.timedelta(), TOUCH_INTERVAL * 2], ids=["just now", "long ago"])
def test_the_message_of_the_click_that_won_stays(client, town, ana, monkeypatch, away_for):
    """The other click has read the session before, and finds the key used."""
    path, real, calls = path_of(ana, "household"), PreparedWrite.commit, []
    form = filled(client.get(path))
    town.session.execute(update(WebSession).values(seen_at=WebSession.seen_at - away_for))
    town.session.commit()

    def commit(statement, engine, values):
        calls.append(statement)
        assert real(statement, engine, values) is not None  # the first click, while the second looks

    def lost(session, statement, values):
        return commit(keyed_write.prepared(statement), session.get_bind(), values)

    monkeypatch.setattr(keyed_write, "_row", lost)
    answer = client.post(path, data=form)
    assert answer.status_code == 303 and len(calls) == 1
    assert client.get(answer.headers["Location"]).text.count(SAVED) == 1
    assert SAVED not in client.get(path).text


def test_the_message_of_an_act_whose_answer_was_lost_is_shown(client, ana, monkeypatch):
    path, real = path_of(ana, "household"), PreparedWrite.commit
    form = filled(client.get(path))

    def lost(statement, engine, values):
        assert real(statement, engine, values) is not None
        raise ConnectionLost

    monkeypatch.setattr(PreparedWrite, "commit", lost)
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    assert client.get(answer.headers["Location"]).text.count(SAVED) == 1


def test_only_a_withdrawn_application_is_said_to_be_a_draft_again(client, town, ana):
    town.submit(ana)
    town.withdraw(ana)
    town.session.commit()
    form = filled(client.get(f"/parents/applications/{ana.id}"), "form[action$='/again']")
    told = []
    for key in ("one", "two"):
        answer = client.post(path_of(ana, "again"), data=form | {"idempotency_key": [key]})
        assert answer.status_code == 303
        told.append("申请恢复为草稿" in client.get(answer.headers["Location"]).text)
    assert told == [True, False]


def test_a_stale_check_page_with_another_choice_is_told_which_one_counts(client, town, ana):
    path = path_of(ana, "check")
    form = filled(client.get(path)) | {"true": ["y"]}
    assert client.post(path, data=form).status_code == 303
    other = form | {"idempotency_key": ["of the other guardian"], "agrees_to_central": ["y"]}
    answer = client.post(path, data=other)
    assert answer.status_code == 200 and "提交时没有同意统筹安排，以那次为准" in page(answer).main.get_text()
    same = client.post(path, data=form | {"idempotency_key": ["with the same choice"]})
    assert same.headers["Location"] == path_of(ana, "receipts/1")
    assert "这是您的回执" in client.get(same.headers["Location"]).text


@pytest.mark.parametrize("agrees", [True, False])
def test_a_receipt_names_the_choice_about_central_placement(client, town, ana, agrees):
    path = path_of(ana, "check")
    chosen = {"agrees_to_central": ["y"]} if agrees else {}
    answer = client.post(path, data=filled(client.get(path)) | {"true": ["y"]} | chosen)
    said = page(client.get(answer.headers["Location"])).main
    heading = next(each for each in said.select("h2") if each.get_text() == "是否同意统筹安排")
    assert heading.find_next("p").get_text() == ("是" if agrees else "否")
