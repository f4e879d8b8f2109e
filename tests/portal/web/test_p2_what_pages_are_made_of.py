"""P2: what pages compute by a shorter way is what the long way gives (ADR 59)."""

import datetime as dt
import hmac
import itertools
import uuid

import pytest
from flask import g, session, url_for
from flask_wtf.csrf import validate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import BuildError

from enrollment.applications import register_answers
from enrollment.applications.claim_rows import CLAIMS
from enrollment.applications.register_answers import Answer
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.db import open_engine
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.people import consents
from enrollment.people.consents import Register
from enrollment.results import family_state
from portal.text.page_environment import address_of
from portal.text.words import word
from portal.web import csrf, drafts
from portal.web.front.switches import switch_addresses
from tests.support.signing_in import sign_in

VALUES = {"id": uuid.UUID(int=7), "content": b"\x00%", "none": None}
ALL = PreparedRead("SELECT json_build_array(%(id)s::uuid, %(content)s::bytea, %(none)s::uuid, %(id)s::uuid, '%%')")
SETTING = PreparedRead("SELECT to_json(current_setting('portal.of_this_test', true))")
PROCESS = PreparedRead("SELECT to_json(pg_backend_pid())")


def test_p2_a_prepared_read_gives_the_same_within_a_transaction_and_without_one(portal_engine):
    with Session(portal_engine) as reader:
        alone = [ALL.one(reader, VALUES), ALL.one(reader, VALUES)]
        assert not reader.in_transaction()
        reader.execute(text("SELECT set_config('portal.of_this_test', 'written', true)"))
        assert SETTING.one(reader, {}) == "written"  # it sees what its transaction wrote
        assert [ALL.one(reader, VALUES)] * 2 == alone
        reader.rollback()
        assert not SETTING.one_or_none(reader, {})
    assert alone[0] == [str(VALUES["id"]), "\\x0025", None, str(VALUES["id"]), "%"]


def test_p2_a_prepared_read_over_a_lost_connection_is_sent_again(portal_engine):
    with portal_engine.connect() as other, Session(portal_engine) as reader:
        before = PROCESS.one(reader, {})
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
        assert PROCESS.one(reader, {}) != before


def test_p2_a_connection_that_forgot_its_statements_at_a_rollback_is_kept(portal_engine, caplog):
    """psycopg prepares what it has sent five times, and then sends DEALLOCATE ALL after a rollback."""
    engine = open_engine(portal_engine.url.render_as_string(hide_password=False), pool_size=1, max_overflow=0)
    reads = [PROCESS, *(PreparedRead(f"SELECT to_json(pg_backend_pid() + {number})") for number in (0, 0, 0))]
    processes = set()
    for number, first in enumerate((0, 1, 2, 3, 0)):  # those that were forgotten and those that were not, in turns
        with Session(engine) as reader:
            for read in (*reads[first:], *reads[:first]):
                if number % 2:
                    for _ in range(7):
                        reader.execute(text("SELECT 'of this test'"))
                    reader.rollback()
                processes.add(read.one(reader, {}))
                processes.add(reads[first].one(reader, {}))
    engine.dispose()
    assert len(processes) == 1
    assert not caplog.records


def test_p2_every_address_is_that_of_flask(app):
    """Of every route with one part or none, asked twice, for an id, a code and what no code is, with a query and without."""
    queries = ({}, {"to": "/a?b=1&c=春 d#x", "n": 2, "q": "~!*'();:@$,/"}, {"_anchor": "x"}, {"none": None})
    asked = 0
    with app.test_request_context("/"):
        for rule in app.url_map.iter_rules():
            if len(rule.arguments) > 1 or rule.endpoint == "static":
                continue
            for value in (uuid.UUID(int=5), "a-B_9", "a b/ü", 12) if rule.arguments else (None,):
                for query in queries:
                    values = dict.fromkeys(rule.arguments, value) | query
                    assert _of(address_of, rule.endpoint, values) == _of(url_for, rule.endpoint, values)
                    assert _of(address_of, rule.endpoint, values) == _of(url_for, rule.endpoint, values)
                    asked += 1
    assert asked > 500


def test_p2_every_address_with_several_parts_is_that_of_flask(app):
    """Asked twice, for two ids: all parts are given, or one is left out; with a query of texts, and with one of something else."""
    queries = (
        {},
        {"to": "/a?b=1&c=春 d#x", "q": "~!*'();:@$,/"},
        {"n": 2},
        {"_anchor": "x"},
        {"twin": uuid.UUID(int=9)},
    )
    asked = 0
    with app.test_request_context("/"):
        for rule in app.url_map.iter_rules():
            if len(rule.arguments) < 2 or rule.endpoint == "static":
                continue
            for name, code, number in itertools.product(sorted(rule.arguments), ("a-B_9", "wait", "a b/ü"), (5, 6)):
                for query in queries:
                    values = dict.fromkeys(rule.arguments, code) | {name: uuid.UUID(int=number)} | query
                    assert _of(address_of, rule.endpoint, values) == _of(url_for, rule.endpoint, values)
                    asked += 1
                for left_out in rule.arguments:
                    values = {each: code for each in rule.arguments if each != left_out} | {name: uuid.UUID(int=number)}
                    assert _of(address_of, rule.endpoint, values) == _of(url_for, rule.endpoint, values)
    assert asked > 500


def _of(address, endpoint, values):
    try:
        return address(endpoint, **values)
    except (
        ValueError,
        BuildError,
    ) as error:  # werkzeug's, for a value that the part does not take, or for a part that is missing
        return type(error)


@pytest.mark.parametrize(("n", "many"), [("1", False), (1, False), ("21", True), ("1,001", True)])
def test_an_english_count_of_one_is_in_the_singular_and_values_stay(app, n, many):
    say = app.jinja_env.translated
    with app.test_request_context("/?lang=en"):
        assert say("%(n)s 所", n=n) == (f"{n} kindergartens" if many else "1 kindergarten")
        child = "children" if many else "child"
        assert say("%(name)s（%(n)s 人）", name="1 children", n=n) == f"1 children ({n} {child})"
    with app.test_request_context("/?lang=zh"):
        assert say("%(n)s 所", n=n) == f"{n} 所"
    said = word("import_note", "licence_unknown", in_language="en", n=n)
    assert f"{n} {'kindergartens' if many else 'kindergarten'}" in said


@pytest.mark.parametrize("query", ["", "?q=%E6%98%A5+%26x&n=1&lang=en"])
def test_p2_the_switches_lead_back_to_the_same_page(app, query):
    with app.test_request_context(f"/{query}", environ_overrides={"PATH_INFO": "//evil.example/help"}):
        to = switch_addresses("zh")
    kept = query.removesuffix("&lang=en")
    assert to.language == f"/evil.example/help{kept + '&' if kept else '?'}lang=en"
    assert to.size.startswith("/text-size?size=large&to=%2Fevil.example%2Fhelp")
    assert to.kept_language.startswith("/kept-form?lang=en&to=%2Fevil.example%2Fhelp")


def test_p2_a_form_token_is_that_of_flask_wtf_and_of_one_session(app):
    signed = []
    for token in ("a" * 40, "b" * 40):
        with app.test_request_context():
            session[csrf.FIELD] = token
            masks = {csrf.masked_token(), csrf.masked(g.csrf_token)}
            assert len(masks) == 2
            assert {csrf._unmasked(each) for each in masks} == {g.csrf_token}
            validate_csrf(g.csrf_token)
            assert URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").loads(g.csrf_token) == token
            signed.append(g.csrf_token)
    assert signed[0] != signed[1]
    with pytest.raises(BadSignature):
        csrf._signer(f"not {app.secret_key}").loads(signed[0])


def test_p2_the_name_under_which_a_browser_keeps_drafts_never_changes(app, client, town):
    family = town.family("李")
    sign_in(client, family.account)
    secret = str(app.config["SECRET_KEY"]).encode()
    owner, half = (
        hmac.digest(secret, f"{purpose}|{family.account.id}".encode(), "sha256").hex()
        for purpose in ("draft", "draft secret")
    )
    assert f'content="{owner[:24]}" data-secret="{half}"' in client.get("/parents").text
    assert drafts._keyed(secret.decode()).hexdigest() == hmac.digest(secret, b"", "sha256").hex()


GIVEN = """
{%- macro box(text) -%}[{{ text }}{% if caller is defined %}{{ caller(text) }}{% endif %}]{%- endmacro -%}
{{ box(bad) }}{% for each in (bad,) %}{{ box(each) }}{{ loop.index }}{% endfor %}{% call(x) box(bad) %}{{ x }}{% endcall %}
{{- given.items is callable }}{{ given.keys_ }}{{ given["items"] }}{{ plain(bad, **{"class": 1}) }}
{%- block part %}{% for each in (bad,) %}{{ box(text=each) }}{% endfor %}{% endblock %}"""


def test_p2_a_call_by_name_escapes_as_jinja_does(app):
    values = {"bad": "<&", "given": {"items": "<", "keys_": ">"}, "plain": lambda *given, **more: f"{given[0]}{more}"}
    with app.test_request_context():
        page = app.jinja_env.from_string(GIVEN.replace("box(text=each)", "each")).render(values)
        with pytest.raises(Exception, match="is undefined"):
            app.jinja_env.from_string("{{ unknown_name() }}").render()
    bad = "&lt;&amp;"
    assert page == f"[{bad}][{bad}]1[{bad}{bad}]True&gt;&lt;{bad}{{&#39;class&#39;: 1}}{bad}"


def test_p2_columns_without_objects_are_those_of_the_objects(town, portal_session):
    child = town.child("安娜", wishes=[town.kindergarten("锦江区机关第一幼儿园", places=3)])
    account = portal_session.get_one(Account, child.entered_by)
    later = town.now + dt.timedelta(minutes=1)
    consents.give(
        portal_session,
        consents.KIND_OF[Register.HOUSEHOLD],
        text_version="1",
        text_digest="0" * 64,
        by=actor_of(account),
        now=later,
    )
    said_by_registers = (("hukou_area", "matches"), ("hukou_kind", "differs"))
    answers = [Answer(child.id, fact, Register.HOUSEHOLD, answer) for fact, answer in said_by_registers]
    register_answers.note(portal_session, answers, now=later)
    found = consents.registers_of(portal_session, account.id), register_answers.answers_of(portal_session, child.id)
    family_state.read_ahead(portal_session, account)
    for _ in ("before objects are made", "after"):
        assert consents.agreed_registers(portal_session, account.id) == set(found[0])
        said = {fact: (answer, disputed) for fact, answer, disputed in register_answers._told(portal_session, child.id)}
        assert said == {fact: (each.answer, each.disputed_at) for fact, each in found[1].items()}
        consents.registers_of(portal_session, account.id)
        register_answers.answers_of(portal_session, child.id)
    assert len(found[0]) > 0
    assert len(found[1]) == len(said_by_registers)
    with pytest.raises(LookupError):
        CLAIMS.shape.decoders_of(("details",))


def test_p2_the_consents_of_who_entered_it_are_not_those_of_the_family(town, portal_session):
    child = town.child("安娜", wishes=[town.kindergarten("锦江区机关第一幼儿园", places=3)])
    mother, helper = child.entered_by, town.helper().account_id
    child.entered_by, child.entered_for = helper, mother
    town.session.flush()
    later = town.now + dt.timedelta(minutes=1)
    by = actor_of(portal_session.get_one(Account, helper))
    kind = consents.KIND_OF[Register.PROPERTY]
    consents.give(portal_session, kind, text_version="1", text_digest="0" * 64, by=by, now=later)
    for account in (mother, helper):
        before = consents.agreed_registers(portal_session, account)
        assert (Register.PROPERTY in before) is (account == helper)
    family_state.read_ahead(portal_session, portal_session.get_one(Account, mother))
    for _ in ("before objects are made", "after"):
        assert Register.PROPERTY not in consents.agreed_registers(portal_session, mother)
        consents.registers_of(portal_session, mother)
