"""Every route with every role: access follows the guard of the route; a route without a guard stops the start."""

import functools
import re
import uuid

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter

from enrollment.ground.accounts import DESK_OF_ROLE, ROLES, Account, RoleGrant
from portal.web.guards import DESKS, UnguardedRoute, guard_of, refuse_unguarded
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

NEEDS_NO_VISIT = {"static"}
THE_APPLICATION = re.compile(r"/applications/[0-9a-f-]{36}")


def some_value(converter) -> str:
    if isinstance(converter, AnyConverter):
        return sorted(converter.items)[0]
    return {"UUIDConverter": str(uuid.uuid4()), "IntegerConverter": "987654"}.get(
        type(converter).__name__, "no-such-thing"
    )


@functools.cache
def addresses(app) -> dict[tuple[str, str], str]:
    """An address of each route of the desks, whose objects nobody has: each role asks for the same ones."""
    return {(rule.rule, rule.endpoint): built(app, rule) for rule in rules_of_the_desks(app)}


def address(app, rule) -> str:
    return addresses(app)[rule.rule, rule.endpoint]


def built(app, rule) -> str:
    values = {name: some_value(converter) for name, converter in rule._converters.items()}
    if rule.rule.startswith("/officials/2026"):
        values["year"] = 2026
    with app.test_request_context():
        return app.url_map.bind("localhost").build(
            rule.endpoint, values, method=next(iter(rule.methods - {"HEAD", "OPTIONS"}))
        )


@prepared
def people(town, portal_session):
    """One account of every role, with its own kindergarten or area."""
    kindergarten = town.kindergarten("门卫幼儿园", places=1)
    people = {}
    for role in ROLES:
        scope = {"kindergarten_id": kindergarten.id} if role in ("clerk", "head") else {}
        if role == "area_official":
            scope = {"area_code": kindergarten.area_code}
        account = Account(
            login=role, name=role, password_hash="x", created_at=town.now, grants=[RoleGrant(role=role, **scope)]
        )
        portal_session.add(account)
        people[role] = account
    portal_session.commit()
    return people


def test_every_route_has_a_guard(whole_app):
    assert [rule.rule for rule in whole_app.url_map.iter_rules() if guard_of(whole_app, rule.endpoint) is None] == []


def test_create_app_refuses_an_unguarded_route():
    app = Flask("open")
    app.view_functions["static"].guard = object()
    app.add_url_rule("/children", "children", lambda: "all of them")
    with pytest.raises(UnguardedRoute, match="/children"):
        refuse_unguarded(app)


def rules_of_the_desks(app):
    return [rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint).desk]


def test_routes_of_desks_need_a_session(app, client):
    for rule in rules_of_the_desks(app):
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            response = client.open(address(app, rule), method=method)
            assert response.status_code == 303, (rule.rule, method, response.status_code)
            assert response.headers["Location"].startswith("/sign-in"), rule.rule


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_only_the_routes_of_its_desk(app, client, people, role, monkeypatch):
    """Missing and foreign objects are not found."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    sign_in(client, people[role])
    for rule in rules_of_the_desks(app):
        guard = guard_of(app, rule.endpoint)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            response = client.open(address(app, rule), method=method, inspect=False)
            if guard.allows_helper and role == "helper":
                assert response.headers.get("Location") == "/helpers", (rule.rule, method, "acts for nobody")
                continue
            if guard.admits(frozenset({role})):
                assert response.status_code != 403, (rule.rule, method, role)
                assert response.status_code < 500 or response.status_code == 503, (
                    rule.rule,
                    method,
                    role,
                    response.status_code,
                )
            else:
                assert response.status_code == 403, (rule.rule, method, role, response.status_code)
            if rule.arguments and guard.admits(frozenset({role})) and method == "POST":
                assert response.status_code in (303, 400, 404, 409, 413, 200), (rule.rule, response.status_code)


HELPED = {
    "home", "application_page", "tasks", "consent_page", "guardian_page", "save_guardian", "new_child", "enter_child",
    "child_page", "save_child", "household_page", "save_household", "place_names", "grounds_page", "save_grounds",
    "open_day_page", "book_open_day", "own_visits", "cancel_visit",
    "kindergarten_names", "evidence_page", "add_evidence", "take_evidence", "remove_evidence", "restore_evidence",
    "evidence_file", "evidence_view", "evidence_picture", "turn_evidence", "replace_evidence", "call_evidence_readable", "together_page", "save_together", "wishes_page", "save_wishes", "find_wish", "wish_kindergarten", "wish_pins", "add_wish",
    "check_page", "submit", "receipt_page", "receipt_pdf", "corrections_page", "new_correction", "request_correction",
    "correction_page", "withdraw_correction", "correction_paper", "documents_page", "save_documents",
    "earlier_entry",
}  # fmt: skip
"""Routes that a helper uses for a family: the form, its receipt, and corrections after the deadline.  All other routes of families refuse helpers."""


def test_a_helper_with_a_mandate_reaches_exactly_the_routes_of_the_form(app, client, town, monkeypatch):
    """Applications of other families, and those that the helper did not enter, are not found."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    garden = town.kindergarten("锦官园", places=5)
    li = town.family("李", phone="13811112222")
    foreign = [town.child("李大", family=li, wishes=[garden]), town.child("王小", wishes=[garden])]
    yang = town.helper()
    mandate = town.mandate_by_code(yang, li.phone)
    own = town.helper_enters(town.acting(yang, mandate), "李小", wishes=[garden])
    sign_in(client, yang.account_id, acting=str(mandate.id))
    helped = set()
    for rule in rules_of_the_desks(app):
        guard, name = guard_of(app, rule.endpoint), rule.endpoint.partition(".")[2]
        if guard.desk == "helpers":
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if not guard.allows_helper:
                assert client.open(address(app, rule), method=method, inspect=False).status_code == 403, rule.rule
                continue
            helped.add(name)
            if "application_id" not in rule.arguments:
                continue
            for application in (own, *foreign):
                asked = THE_APPLICATION.sub(f"/applications/{application.id}", address(app, rule)).replace(
                    "987654", "1"
                )
                answer = client.open(asked, method=method, inspect=False, data={"acting": str(mandate.id)})
                if application in foreign:
                    assert answer.status_code == 404, (method, asked, answer.status_code)
                elif method == "GET" and rule.arguments <= {"application_id", "number"}:
                    # a letter is drawn by the worker: 202 until then
                    assert answer.status_code in (200, 202), (asked, answer.status_code)
    assert helped == HELPED


def test_every_role_has_a_desk_with_at_least_one_route(whole_app):
    for role in ROLES:
        assert any(
            guard_of(whole_app, rule.endpoint).admits(frozenset({role})) for rule in rules_of_the_desks(whole_app)
        ), role
        assert DESK_OF_ROLE[role] in DESKS
