"""Invalid input to every route gets an error page, never an internal error."""

import re
from pathlib import Path

import pytest

from portal.web.guards import guard_of
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

PORTAL = Path(__file__).parents[2] / "portal"
POISONS = ("a\x00b", "9" * 40, "-1", "%s';--<img src=x>{{7*7}}\u202e\ufffd", "")
"""No text of PostgreSQL, no number of ours, no page, a pinch of every language that something speaks, and nothing."""
ROLES = ("parents", "staff", "officials", "helpers")


def names_that_are_read() -> set[str]:
    """Every parameter name that a view reads from the query string or a form."""
    source = "\n".join(path.read_text("utf-8") for path in sorted(PORTAL.rglob("*.py")))
    found = set(re.findall(r"(?:args|form|values)\.(?:get|getlist)\(\s*\"([\w-]+)\"", source))
    found |= set(re.findall(r"^    (\w+) = \w*(?:Field|Time|Checkboxes)\(", source, re.MULTILINE))
    return found - {"lang", "csrf_token"}


@prepared
def insiders(town):
    """A person of every desk, and their objects by the names of the route parameters."""
    garden = town.kindergarten("锦官园", places=2)
    ana = town.child("安娜", wishes=[garden])
    town.drawn(ana)
    offer = town.offer_for(ana)
    people = {
        "parents": ana.entered_by,
        "staff": town.head_of(garden).account_id,
        "officials": town.city_pair()[0].account_id,
        "helpers": town.helper().account_id,
    }
    own = {
        "application_id": str(ana.id),
        "round_id": str(town.the_round.id),
        "kindergarten_id": str(garden.id),
        "offer_id": str(offer.id),
        "run_id": str(offer.run_id),
        "area": "510104",
        "code": garden.code,
        "level": "lower",
        "form": "csv",
        "kind": "roll",
        "answer": "confirm",
        "step": "registration",
        "year": "2026",
        "number": "1",
        "version": "1",
    }
    return people, own


def addresses_of(app, desk: str | None, own: dict[str, str]):
    """(address, methods) of each route of a desk, filled with its own objects where they are known."""
    for rule in app.url_map.iter_rules():
        if guard_of(app, rule.endpoint).desk != desk or rule.endpoint.endswith(("static", "note", "everybody")):
            continue
        path = rule.rule
        for name, converter in rule._converters.items():
            kind = type(converter).__name__
            value = own.get(name) or ("7" * 8 + "-7777-4777-8777-" + "7" * 12 if kind == "UUIDConverter" else "7")
            path = re.sub(rf"<(?:\w+:)?{name}>", value, path)
        yield path, rule.methods - {"HEAD", "OPTIONS"}


def broken_answers(client, paths, turn: int) -> list[tuple]:
    names, found = sorted(names_that_are_read()), []
    said = {name: POISONS[(place + turn) % len(POISONS)] for place, name in enumerate(names)}
    for path, methods in paths:
        for method in sorted(methods):
            if path.endswith("/healthz") or "/sign-out" in path:
                continue
            sent = {"query_string": said} if method == "GET" else {"data": said}
            answer = client.open(path, method=method, inspect=False, **sent)
            if answer.status_code >= 500:
                found.append((method, path, answer.status_code))
    return found


@pytest.mark.long
@pytest.mark.parametrize("turn", [0, 2])
def test_no_invalid_field_causes_an_internal_error(app, client, insiders, monkeypatch, turn):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    monkeypatch.setitem(app.config, "TESTING", False)
    people, own = insiders
    broken = []
    for desk in (*ROLES, None):
        if desk:
            sign_in(client, people[desk])
        else:
            client.delete_cookie("session", domain="localhost")
        broken += broken_answers(client, list(addresses_of(app, desk, own)), turn)
    assert broken == []


@pytest.mark.long
@pytest.mark.parametrize("value", ["²", "9" * 12])
def test_what_only_looks_like_a_number_causes_no_internal_error(app, client, insiders, monkeypatch, value):
    """`"²".isdigit()` is true; a number of twelve digits is larger than a column."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    monkeypatch.setitem(app.config, "TESTING", False)
    people, own = insiders
    said, broken = dict.fromkeys(names_that_are_read(), value), []
    for desk in (*ROLES, None):
        if desk:
            sign_in(client, people[desk])
        else:
            client.delete_cookie("session", domain="localhost")
        for path, methods in addresses_of(app, desk, own):
            for method in sorted(methods):
                sent = {"query_string": said} if method == "GET" else {"data": said}
                if "/sign-out" not in path and not path.endswith("/healthz"):
                    answer = client.open(path, method=method, inspect=False, **sent)
                    broken += [(method, path, answer.status_code)] if answer.status_code >= 500 else []
    assert broken == []


@pytest.mark.parametrize("value", ["%00", "9" * 40, "..%2f..%2fetc%2fpasswd%ff'%20OR%201=1--"])
def test_no_invalid_address_causes_an_internal_error(app, client, insiders, monkeypatch, value):
    monkeypatch.setitem(app.config, "TESTING", False)
    people, own = insiders
    broken = []
    for desk in (*ROLES, None):
        if desk:
            sign_in(client, people[desk])
        else:
            client.delete_cookie("session", domain="localhost")
        for rule in app.url_map.iter_rules():
            if guard_of(app, rule.endpoint).desk != desk or "GET" not in rule.methods or not rule._converters:
                continue
            for poisoned in rule._converters:
                path = rule.rule
                for name in rule._converters:
                    path = re.sub(rf"<(?:\w+:)?{name}>", value if name == poisoned else own.get(name, "7"), path)
                answer = client.get(path, inspect=False)
                if answer.status_code >= 500:
                    broken.append((path, answer.status_code))
    assert broken == []


def test_a_request_of_a_hundred_megabytes_or_ten_thousand_fields_is_refused(client, town, monkeypatch, app):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    sign_in(client, town.family("甲").account)
    large = client.post(
        "/parents/guardian", data=b"name=" + b"a" * 70_000_000, content_type="application/x-www-form-urlencoded"
    )
    assert large.status_code == 413
    parts = {f"field{n}": "x" for n in range(3000)}
    many = client.post("/parents/guardian", data=parts, content_type="multipart/form-data")
    assert many.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_change_nothing(client, method):
    assert client.open("/sign-in", method=method, inspect=False).status_code == 405
