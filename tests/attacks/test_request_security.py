"""Forged requests, open redirects, host headers, security headers, caches and rate limits."""

import dataclasses
import time

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from werkzeug.routing import AnyConverter

from enrollment.ground import sign_in as doors
from enrollment.ground.accounts import RoleGrant
from portal.operations import doctor
from portal.web import rate_limits
from portal.web.guards import guard_of
from portal.web.rate_limits import limiter
from portal.web.safe_redirect import local_path
from tests.portal.web.test_signing_in import newest_code
from tests.support.signing_in import fill_in, hidden_fields, sign_in

OUTSIDE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    "\t//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "https:/evil.example",
    "/%0d%0aSet-Cookie:x=1/\r\nSet-Cookie: planted=1",
)


def posting_rules(app):
    return [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]


def address(app, rule) -> str:
    some = {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntegerConverter": "3"}
    values = {
        name: next(iter(each.items)) if isinstance(each, AnyConverter) else some.get(type(each).__name__, "x")
        for name, each in rule._converters.items()
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")


def test_no_form_is_accepted_without_a_csrf_token(app, client, town, portal_session):
    """Every POST route, for a person whom its guard admits."""
    garden = town.kindergarten("锦官园", places=1)
    people = {
        "parents": town.family("甲").account.id,
        "staff": town.head_of(garden).account_id,
        "officials": town.city_official().account_id,
        "helpers": town.helper().account_id,
        None: town.family("乙").account.id,
    }
    sign_out = [rule for rule in posting_rules(app) if rule.rule == "/sign-out"]
    for rule in [rule for rule in posting_rules(app) if rule not in sign_out] + sign_out:
        if rule.endpoint.endswith("save_note"):
            continue
        sign_in(client, people[guard_of(app, rule.endpoint).desk])
        for token in ({}, {"csrf_token": "guessed"}):
            answer = client.post(address(app, rule), data=token, inspect=False)
            assert answer.status_code in (303, 403, 404), (rule.rule, answer.status_code)
            with client.session_transaction() as kept:
                told = str(kept.get("_flashes"))
            assert answer.status_code != 303 or "这个页面打开得太久了" in told, (rule.rule, told)


def test_a_csrf_token_of_another_session_is_refused(client, another_client, town):
    attacker, victim = sign_in(another_client(), town.family("甲").account), sign_in(client, town.family("乙").account)
    stolen = hidden_fields(attacker.get("/parents/guardian").text)["csrf_token"]
    answer = victim.post("/parents/guardian", data={"csrf_token": stolen, "name": "改名"})
    assert answer.status_code == 303
    assert "改名" not in victim.get("/parents/data").text


@pytest.mark.parametrize("target", OUTSIDE)
def test_redirects_stay_inside_the_portal(target):
    assert local_path(target) is None


@pytest.mark.parametrize("target", [*OUTSIDE, "/parents\x00", "/parents?x=\ud7ff", "/" + "a" * 9000])
def test_sign_in_ignores_a_foreign_next_address(client, portal_session, target):
    fill_in(client, "/sign-in", phone="13977770002", next=target)
    answer = fill_in(client, "/sign-in/code", code=newest_code(portal_session))
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\"))
    assert "planted" not in str(answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("target", OUTSIDE)
def test_text_size_and_language_links_redirect_inside_the_portal(client, target):
    answer = client.get("/text-size", query_string={"to": target, "size": "large"})
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\"))
    assert len(answer.headers.getlist("Set-Cookie")) == 1


def test_an_untrusted_host_is_refused(production, town):
    browser = production.test_client()
    for host, fine in (("admission.example", True), ("evil.example", False), ("admission.example.evil.example", False)):
        answer = browser.get("/officials", base_url=f"https://{host}")
        assert (answer.status_code in (303, 308)) is fine, (host, answer.status_code, answer.headers.get("Location"))
        assert "evil" not in answer.headers.get("Location", "")


def test_healthz_answers_on_the_local_address(production):
    assert production.test_client().get("/healthz", base_url="http://127.0.0.1:8000").status_code in (200, 503)


def test_whoever_asks_for_the_health_again_and_again_opens_no_connections(production, monkeypatch):
    """Anybody may ask, and it is the processes of the desks that answer."""
    looks, examine = [], doctor.examine
    monkeypatch.setattr(doctor, "examine", lambda *where: looks.append(where) or examine(*where))
    began, browser = time.monotonic(), production.test_client()
    answers = [browser.get("/healthz", base_url="http://127.0.0.1:8000") for _ in range(40)]
    assert len({answer.status_code for answer in answers}) == 1
    assert len(looks) <= time.monotonic() - began + 2


def test_a_forwarded_host_or_address_means_nothing_without_a_proxy(production):
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "http"}
    answer = production.test_client().get("/officials", base_url="https://admission.example", headers=forwarded)
    assert "evil" not in str(answer.headers)


def test_production_cookies_are_secure(production, portal_session, town):
    browser = production.test_client()
    page = browser.get("/sign-in?lang=en", base_url="https://admission.example")
    cookies = page.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-session="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}
    assert "Domain" not in session
    cookies += browser.get("/text-size?size=large", base_url="https://admission.example").headers.getlist("Set-Cookie")
    for cookie in cookies:
        assert "Secure" in cookie, cookie
        assert "HttpOnly" in cookie, cookie
    assert "max-age" in page.headers["Strict-Transport-Security"]


def test_demo_routes_are_not_found_in_production(production):
    browser = production.test_client()
    for path in ("/demo/inbox", "/demo/clock"):
        assert browser.get(path, base_url="https://admission.example").status_code == 404
    page = browser.get("/sign-in/staff", base_url="https://admission.example").text
    assert "模拟" not in page


def test_every_response_has_security_headers(app, client, town):
    sign_in(client, town.family("甲").account)
    for path in (
        "/",
        "/no-such-page",
        "/parents",
        "/coverage.csv",
        "/healthz",
        "/static/css/house.css",
        "/parents/places?area=510104",
    ):
        answer = client.get(path, inspect=False)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "default-src 'none'" in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["X-Frame-Options"] == "DENY", path


def test_no_personal_page_is_kept_by_a_cache(client, town):
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child("安娜", wishes=[garden])
    sign_in(client, ana.entered_by)
    paths = [
        "",
        "/child",
        "/household",
        "/grounds",
        "/evidence",
        "/wishes",
        "/check",
        "/receipts/1",
        "/withdraw",
        "/result",
    ]
    for path in [f"/parents/applications/{ana.id}{tail}" for tail in paths] + [
        "/parents",
        "/parents/data",
        "/parents/messages",
    ]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "no-store", path


def test_the_page_that_shows_a_phone_before_signing_in_is_not_kept(client, portal_session):
    fill_in(client, "/sign-in", phone="13977770003")
    assert client.get("/sign-in/code").headers["Cache-Control"] == "no-store"


def test_a_publicly_cached_response_sets_no_cookie(client, whole_app, town, portal_session):
    """A shared cache may store the response with its headers and send them to another reader."""
    from sqlalchemy import text

    sign_in(client, town.city_official().account_id)
    portal_session.execute(text("UPDATE web_session SET seen_at = seen_at - interval '10 minutes'"))
    portal_session.commit()
    rule = "/a-file-for-everybody"
    if rule not in {each.rule for each in whole_app.url_map.iter_rules()}:
        from portal.web.guards import public

        whole_app._got_first_request = False
        view = public(lambda: ("x", 200, {"Cache-Control": "public, max-age=3600", "Content-Type": "text/plain"}))
        whole_app.add_url_rule(rule, "public.a_file_for_everybody", view)
    assert "Set-Cookie" not in client.get(rule).headers


@pytest.fixture
def limited(production, redis_url):
    """The rate limits of production, with an empty store."""
    was = limiter.enabled, limiter.initialized
    limiter.enabled = limiter.initialized = True
    limiter.reset()
    yield production.test_client()
    limiter.enabled, limiter.initialized = was


@pytest.fixture
def unforged(monkeypatch, production):
    monkeypatch.setitem(production.config, "WTF_CSRF_ENABLED", False)


def knocks(browser, path: str, times: int, **data) -> list[int]:
    return [browser.post(path, data=data, base_url="https://admission.example").status_code for _ in range(times)]


def asks_from(browser, address: str, phone: str) -> int:
    place = {"base_url": "https://admission.example", "environ_base": {"REMOTE_ADDR": address}}
    return browser.post("/sign-in", data={"phone": phone}, **place).status_code


def test_codes_are_limited_by_browser(limited, unforged):
    said = [asks_from(limited, f"10.0.1.{n}", f"139{n:08d}") for n in range(32)]
    assert said == [303] * 20 + [429] * 12


@pytest.fixture
def few_of_an_address(production, monkeypatch):
    """Six codes of an address in an hour, and twelve attempts."""
    real = production.extensions["services"]
    few = dataclasses.replace(real, config=dataclasses.replace(real.config, codes_per_address=6))
    monkeypatch.setitem(production.extensions, "services", few)


def test_codes_are_limited_by_address(limited, unforged, production, few_of_an_address):
    """Each from a browser of its own, which has no cookie of a browser that was refused."""
    said = [asks_from(production.test_client(), "10.0.2.1", f"139{n:08d}") for n in range(9)]
    assert said == [303] * 6 + [429] * 3
    assert asks_from(production.test_client(), "10.0.2.2", "13900000009") == 303


def test_fam27_an_address_is_limited_far_higher_than_a_browser(limited, unforged, production):
    """Families of a carrier, or of a community station, share one address."""
    for browser in [limited, production.test_client(), production.test_client()]:
        said = [asks_from(browser, "10.0.6.1", f"136{n:08d}") for n in range(21)]
        assert said == [303] * 20 + [429]
    assert asks_from(production.test_client(), "10.0.6.1", "13600000099") == 303


def test_whoever_is_refused_uses_up_nothing_of_what_everybody_shares(limited, unforged, production, monkeypatch):
    """Limits with the smallest unit are counted first, so that of everybody counts only what all others have let pass."""
    monkeypatch.setattr(rate_limits, "CODES_OF_EVERYBODY", "30 per minute")
    said = [asks_from(limited, "10.0.3.1", f"139{n:08d}") for n in range(60)]
    assert said == [303] * 20 + [429] * 40
    assert {asks_from(limited, "10.0.3.1", "1") for _ in range(10)} == {429}
    others = [asks_from(production.test_client(), f"10.0.4.{n}", f"138{n:08d}") for n in range(12)]
    assert others == [303] * 10 + [429] * 2, "what was sent is counted for everybody"


def test_a_form_with_a_wrong_number_uses_up_nothing_of_what_everybody_shares(
    limited, unforged, production, monkeypatch
):
    monkeypatch.setattr(rate_limits, "CODES_OF_EVERYBODY", "3 per minute")
    assert [asks_from(limited, "10.0.3.2", "12") for _ in range(6)] == [200] * 6
    assert asks_from(production.test_client(), "10.0.4.99", "13900000001") == 303


@pytest.mark.parametrize("path", ["/sign-in/staff", "/sign-in/staff/setup"])
def test_an_address_that_is_refused_does_not_use_up_the_attempts_of_logins(
    limited, unforged, production, few_of_an_address, monkeypatch, path
):
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("nobody's")
    monkeypatch.setattr(doors, "_dummy_hash", lambda: quick)

    def tries(address: str, login: str) -> int:
        place = {"base_url": "https://admission.example", "environ_base": {"REMOTE_ADDR": address}}
        entered = {"login": login, "password": "guess", "code": "guess"}
        return production.test_client().post(path, data=entered, **place).status_code

    assert [tries("10.0.5.1", "chief" if n < 9 else "clerk") for n in range(60)] == [200] * 12 + [429] * 48
    assert [tries("10.0.5.2", "clerk") for _ in range(8)] == [200] * 7 + [429]


def test_guesses_at_a_password_are_limited_by_login_however_it_is_written(limited, unforged, app, monkeypatch):
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("nobody's")
    monkeypatch.setattr(doors, "_dummy_hash", lambda: quick)
    spellings = ["chief", "CHIEF", " chief", "ｃｈｉｅｆ", "c h i e f"]
    said = [
        limited.post(
            "/sign-in/staff",
            data={"login": spellings[n % 5], "password": "guess"},
            base_url="https://admission.example",
            environ_base={"REMOTE_ADDR": f"10.0.0.{n}"},
        ).status_code
        for n in range(11)
    ]
    assert said[:10] == [200] * 10
    assert said[10] == 429


def test_the_addresses_of_one_ipv6_line_count_as_one(production, unforged, portal_session):
    """A line has 2^64 of them, and a stranger without cookies is counted by the address alone."""

    def ask(address: str) -> None:
        production.test_client().post(
            "/sign-in",
            data={"phone": "13900007777"},
            base_url="https://admission.example",
            environ_base={"REMOTE_ADDR": address},
        )

    def sent() -> int:
        return portal_session.execute(text("SELECT count(*) FROM one_time_code")).scalar_one()

    for number in range(doors.CODES_AN_HOUR + 2):
        ask(f"2001:db8:1:2:{number:x}::{number:x}")
    assert sent() == doors.CODES_AN_HOUR
    ask("2001:db8:1:3::1")
    ask("::ffff:10.0.0.1")
    ask("10.0.0.1")
    assert sent() == doors.CODES_AN_HOUR + 3


def test_tru08_a_stranger_does_not_lock_a_clerk_out_of_the_clerks_own_computer(
    limited, unforged, production, portal_session, town, monkeypatch
):
    monkeypatch.setattr(doors, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    clerk = doors.create_staff_account(
        portal_session, "desk.li", "李老师", "a long enough password", [RoleGrant(role="city_official")], now=town.now
    )
    portal_session.commit()
    own, site = production.test_client(), {"base_url": "https://admission.example"}

    def enters(browser) -> list[int]:
        password = browser.post(
            "/sign-in/staff", data={"login": "Desk.Li", "password": "a long enough password"}, **site
        )
        # each step of the authenticator is valid once
        portal_session.execute(text("UPDATE account SET second_factor_used = NULL WHERE login = 'desk.li'"))
        portal_session.commit()
        factor = {"code": pyotp.TOTP(clerk.second_factor).now()}
        return [password.status_code, browser.post("/sign-in/staff/code", data=factor, **site).status_code]

    assert enters(own) == [303, 303]
    own.post("/sign-out", **site)
    guesses = [limited.post("/sign-in/staff", data={"login": "desk.li", "password": "x"}, **site) for _ in range(12)]
    assert {each.status_code for each in guesses} == {200, 429}
    assert enters(own) == [303, 303]
    assert enters(production.test_client())[0] == 429, "another computer waits a minute"
    own.post("/sign-out", **site)
    mine = [own.post("/sign-in/staff", data={"login": "desk.li", "password": "x"}, **site) for _ in range(12)]
    assert mine[-1].status_code == 429, "at the own computer too, guesses are counted"


def test_the_store_of_the_limits_holds_no_phone_and_no_code(limited, unforged, app, redis_url):
    import redis

    knocks(limited, "/sign-in", 3, phone="13977770004")
    with redis.Redis.from_url(redis_url) as store:
        everything = [key.decode() for key in store.keys("*")] + [str(store.get(key)) for key in store.keys("LIMITS*")]
    assert everything, "the limits are counted in the shared store"
    assert "13977770004" not in str(everything)


def test_rate_limits_work_without_their_store(limited, unforged, app, monkeypatch):
    def away(*_args, **_more):
        raise ConnectionError("the store is away")

    monkeypatch.setattr(limiter.limiter.storage, "incr", away)
    said = [
        limited.post("/sign-in", data={"phone": f"137{n:08d}"}, base_url="https://admission.example").status_code
        for n in range(40)
    ]
    assert said[0] == 303, "nobody is locked out"
    assert said[-1] == 429, "and a flood is still held"
