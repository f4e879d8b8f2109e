"""Double click, stale tab, expired session: nothing is done twice and no entered value is lost."""

import threading

import pytest
from bs4 import BeautifulSoup
from flask import flash, redirect
from sqlalchemy import event, func, select, text
from wtforms import StringField

from enrollment.ground import audit
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused, Stale
from enrollment.people.person_rows import Guardian
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

DONE = "The note is there."


def _fail(_session):
    """As a deferred trigger does."""
    raise ValueError


class NoteForm(PageForm):
    note = StringField("Note")


@pytest.fixture(scope="session", autouse=True)
def a_small_page(whole_app):
    """A page of the parents' desk for these tests alone, registered before the app serves its first request."""
    from flask import render_template_string

    page = """{% extends "layout.html" %}{% from "parts/form_tokens.html" import form_tokens with context %}{% from "parts/field.html" import field %}
    {% set heading = "Note" %}{% block main %}<h1>Note</h1><form method="post" novalidate>{{ form_tokens() }}{{ field(form.note) }}<button type="submit">Save</button></form>{% endblock %}"""

    def show():
        return render_template_string(page, form=NoteForm())

    def save():
        form = NoteForm()
        if form.validate_on_submit():
            with refusals_in(form):
                flash(DONE)
                if form.note.data == "stale":
                    raise Stale()
                if form.note.data == "refused":
                    raise Refused("reason_needed")
                if form.note.data == "broken":
                    raise ValueError
                if form.note.data == "not committed":
                    event.listen(db(), "before_commit", _fail)
                audit.record(db(), "note", "note", form.note.data, by=actor(), now=clock())
                return redirect("/parents-note?saved", 303)
        return render_template_string(page, form=form)

    whole_app._got_first_request = False
    whole_app.add_url_rule("/parents-note", "parents.note", desk("parents")(show), methods=["GET"])
    whole_app.add_url_rule("/parents-note", "parents.save_note", desk("parents")(save), methods=["POST"])


@prepared
def parent(client, town):
    sign_in(client, town.family("李").account)
    return client


def notes(session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.act == "note"))


def test_a_double_click_has_one_effect(parent, portal_session):
    page = parent.get("/parents-note")
    body = hidden_fields(page.text) | {"note": "once"}
    first, second = parent.post("/parents-note", data=body), parent.post("/parents-note", data=body)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert notes(portal_session) == 1


def test_two_clicks_at_once_have_one_effect(app, parent, portal_session):
    body = hidden_fields(parent.get("/parents-note").text) | {"note": "at once"}
    cookie = parent.get_cookie("session").value
    answers = []

    def click():
        browser = app.test_client()
        browser.set_cookie("session", cookie, domain="localhost")
        answers.append(browser.post("/parents-note", data=body).status_code)

    threads = [threading.Thread(target=click) for _click in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    portal_session.rollback()
    assert answers == [303] * 4
    assert notes(portal_session) == 1


def test_the_same_key_with_another_body_is_a_conflict(parent, portal_session):
    body = hidden_fields(parent.get("/parents-note").text)
    assert parent.post("/parents-note", data=body | {"note": "one"}).status_code == 303
    assert parent.post("/parents-note", data=body | {"note": "another"}).status_code == 409
    assert notes(portal_session) == 1


def test_a_stale_tab_is_told_and_shows_what_was_typed(parent, portal_session):
    answer = fill_in(parent, "/parents-note", note="stale")
    assert answer.status_code == 409
    assert "内容已经在别处改动" in answer.text
    assert "stale" in answer.text
    assert notes(portal_session) == 0


@pytest.mark.parametrize(
    ("note", "status"), [("refused", 200), ("stale", 409), ("broken", 500), ("not committed", 500)]
)
def test_nothing_is_said_to_be_done_that_was_not(app, parent, portal_session, monkeypatch, note, status):
    body = hidden_fields(parent.get("/parents-note").text)
    monkeypatch.setitem(app.config, "TESTING", False)
    answer = parent.post("/parents-note", data=body | {"note": note}, inspect=False)
    assert answer.status_code == status
    assert DONE not in answer.text and DONE not in parent.get("/parents-note").text
    assert notes(portal_session) == 0
    monkeypatch.setitem(app.config, "TESTING", True)
    parent.post("/parents-note", data=hidden_fields(parent.get("/parents-note").text) | {"note": "written"})
    assert DONE in parent.get("/parents-note").text


def test_entered_values_survive_an_expired_session(client, portal_session, town):
    family = town.family("王")
    parent = sign_in(client, family.account)
    body = hidden_fields(parent.get("/parents-note").text) | {"note": "已经写了很久的话"}
    portal_session.execute(text("UPDATE web_session SET expires_at = created_at"))
    led = parent.post("/parents-note", data=body)
    assert led.status_code == 303
    assert led.headers["Location"] == "/sign-in?next=/parents-note"
    page = parent.get(led.headers["Location"])
    assert "刚才填写的内容还在" in page.text
    kept = parent.get_cookie("session").value
    from tests.portal.web.test_signing_in import newest_code

    fill_in(parent, led.headers["Location"], action="/sign-in", phone=family.phone, next="/parents-note")
    onward = fill_in(parent, "/sign-in/code", code=newest_code(portal_session))
    assert onward.headers["Location"] == "/parents-note"
    assert parent.get_cookie("session").value != kept
    assert "已经写了很久的话" in parent.get("/parents-note").text
    assert "已经写了很久的话" not in parent.get("/parents-note").text, "it is given back once"


def test_a_button_alone_that_was_pressed_too_late_is_to_be_pressed_again(client, portal_session, town):
    family = town.family("王")
    parent = sign_in(client, family.account)
    body = hidden_fields(parent.get("/parents-note").text)
    portal_session.execute(text("UPDATE web_session SET expires_at = created_at"))
    page = parent.get(parent.post("/parents-note", data=body).headers["Location"])
    sign_in_page = page.request.full_path
    from tests.portal.web.test_signing_in import newest_code

    fill_in(parent, sign_in_page, action="/sign-in", phone=family.phone, next="/parents-note")
    fill_in(parent, "/sign-in/code", code=newest_code(portal_session))
    shown = parent.get("/parents-note").text
    assert "刚才的按钮还没有生效" in shown
    assert "填写的内容还在" not in shown, "nothing was typed"


def test_another_language_or_larger_text_brings_along_what_was_typed_and_saves_nothing(parent, town, portal_session):
    """The switches of a page with a form are buttons of this form, so that it works without scripts."""
    family = town.family("赵")
    sign_in(parent, family.account)
    town.consent(family)
    town.session.commit()
    shown = BeautifulSoup(parent.get("/parents/guardian?from=check").text, "lxml")
    assert not shown.select(".bar nav a[hreflang]"), "the links would leave the form behind"
    first, *buttons = shown.select(".bar [form=page-form]")
    assert "formaction" not in first.attrs, "Enter presses the first button of a form"
    body = hidden_fields(str(shown)) | {"name": "还没写完", "id_number": "5101"}
    english, larger = (button["formaction"] for button in buttons)
    for action in (english, larger, english):
        answer = parent.post(action, data=body)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/parents/guardian?from=check")
        again = BeautifulSoup(parent.get(answer.headers["Location"]).text, "lxml")
        assert [again.select_one(f"[name={name}]")["value"] for name in ("name", "id_number")] == ["还没写完", "5101"]
    assert again.html["lang"] == "en"
    assert "large" in again.html["class"]
    assert (
        portal_session.scalars(select(Guardian).where(Guardian.account_id == family.account.id)).one().name
        != "还没写完"
    )
    elsewhere = english.replace("%2Fparents%2Fguardian", "%2F%2Fevil.example")
    assert parent.post(elsewhere, data=body).headers["Location"] == "/"


def test_a_form_from_before_signing_in_anew_is_shown_again(parent, portal_session, town):
    """Another tab signed in meanwhile: the token no longer fits."""
    body = hidden_fields(parent.get("/parents-note").text) | {"note": "旧标签页", "csrf_token": "old"}
    answer = parent.post("/parents-note", data=body)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/parents-note"
    assert "旧标签页" in parent.get("/parents-note").text
    assert notes(portal_session) == 0
