"""What a page process does before the app: its report, visits that are over, visitors that have left."""

import socket

import pytest
from itsdangerous import TimestampSigner

from portal.operations.proxy.configuration import configuration
from portal.operations.proxy.front import Front, Sockets
from portal.web.front import lane, visits
from portal.web.front.visits import IDLE, KEPT, Visits

SECRET = "for tests only, and nowhere else"
VISITS = Visits(SECRET, secure=False)


@pytest.fixture
def ask():
    """A function that asks the middleware in front of an app which says what it was asked."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["REQUEST_METHOD"].encode()]

    lanes = {secure: lane.Lane(app, Visits(SECRET, secure=secure)) for secure in (False, True)}

    def ask(path="/parents", method="GET", secure=False, **environ):
        said, middle = {}, lanes[secure]

        def start(status, headers, *_):
            said.update(status=status, headers=headers)

        environ |= {"PATH_INFO": path, "REQUEST_METHOD": method, "RAW_URI": path}
        said["body"] = b"".join(middle(environ, start))
        return said

    return ask


def aged(seconds: int, monkeypatch, made=None) -> str:
    """The cookie of an entrance, or another one, that was made so long ago."""
    with monkeypatch.context() as past:
        now = TimestampSigner(SECRET).get_timestamp()
        past.setattr(TimestampSigner, "get_timestamp", lambda _: now - seconds)
        return (made or VISITS.entrance)().partition(";")[0]


def headers_of(said, name):
    return [value for key, value in said["headers"] if key == name]


def test_tru03_an_entrance_that_is_handed_around_lets_no_crowd_stay(ask, monkeypatch):
    """The crowd asks the line, with a form too; whoever has an entrance of their own goes on."""
    shared, own = aged(10, monkeypatch), aged(10, monkeypatch)
    said = [ask(HTTP_COOKIE=shared)["status"][:3] for _ in range(200)]
    assert said[:120] == ["200"] * 120
    assert said.count("307") >= 70
    told = ask(method="POST", HTTP_COOKIE=f"{shared}; a=1")
    assert told["status"].startswith("307")
    assert [each.partition(";")[0] for each in headers_of(told, "Set-Cookie")] == ["visit=", "__Host-visit="]
    assert ask(HTTP_COOKIE=own)["body"] == b"GET"


def test_tru03_a_renewed_entrance_is_still_the_one_that_was_handed_around(ask, monkeypatch):
    shared = aged(IDLE // 2 + 5, monkeypatch)
    renewed = [headers_of(ask(HTTP_COOKIE=shared), "Set-Cookie")[0].partition(";")[0] for _ in range(60)]
    assert {VISITS.entrance_in(each)[1] for each in renewed} == {VISITS.entrance_in(shared)[1]}
    said = [ask(HTTP_COOKIE=each)["status"][:3] for each in renewed * 2]
    assert "307" in said


@pytest.mark.parametrize("ahead", [1, 30, 58])
def test_tru03_a_host_whose_clock_is_behind_keeps_visits_and_places(ask, monkeypatch, ahead):
    fresh = aged(-ahead, monkeypatch)
    assert ask(HTTP_COOKIE=fresh)["body"] == b"GET"
    assert VISITS.age(fresh.partition("=")[2]) == 0
    place = aged(-ahead, monkeypatch, lambda: VISITS.place(7))
    assert VISITS.number(place.partition("=")[2]) == 7


def test_tru03_what_was_signed_far_ahead_or_long_ago_is_neither_visit_nor_place(ask, monkeypatch):
    for seconds in (-90, KEPT + 60):
        assert ask(HTTP_COOKIE=aged(seconds, monkeypatch))["status"].startswith("307")
        assert VISITS.number(aged(seconds, monkeypatch, lambda: VISITS.place(7)).partition("=")[2]) is None


@pytest.mark.parametrize("secure", [False, True])
def test_tru03_a_browser_takes_the_end_of_a_visit_under_either_name(ask, secure):
    """Without Secure it refuses whatever begins with `__Host-` and comes back with the cookie, a redirect for ever."""
    told = ask(secure=secure, HTTP_COOKIE="__Host-visit=in.of-this-host-with-https")
    ended = headers_of(told, "Set-Cookie")
    assert ended[1].startswith("__Host-visit=;")
    assert ended[1].endswith("; Secure")
    assert "Path=/;" in ended[1]
    assert ended[0].endswith("; Secure") == secure


def test_tru03_a_visit_goes_on_and_is_renewed(ask, monkeypatch):
    assert headers_of(ask(HTTP_COOKIE=aged(10, monkeypatch)), "Set-Cookie") == []
    renewed = ask(HTTP_COOKIE=aged(IDLE // 2 + 5, monkeypatch))
    assert renewed["body"] == b"GET"
    assert headers_of(renewed, "Set-Cookie")[0].startswith("visit=in.")


def test_tru03_a_visit_that_is_over_asks_the_line_but_its_form_is_taken(ask, monkeypatch):
    over = aged(IDLE + 60, monkeypatch)
    told = ask("/parents?x=1", HTTP_COOKIE=over)
    assert told["status"].startswith("307")
    assert headers_of(told, "Location") == ["/parents?x=1"]
    assert [each.partition(";")[0] for each in headers_of(told, "Set-Cookie")] == ["visit=", "__Host-visit="]
    assert all("Max-Age=0" in each for each in headers_of(told, "Set-Cookie"))
    assert ask(method="POST", HTTP_COOKIE=over)["body"] == b"POST"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/\\/evil.example"])
def test_tru03_a_forged_visit_asks_the_line_and_leads_nowhere_else(ask, path):
    for method in ("GET", "POST"):
        told = ask(path, method, HTTP_COOKIE="a=1; visit=in.forged")
        assert told["status"].startswith("307")
        assert headers_of(told, "Location")[0].replace("%5C", "") in ("/evil.example", "//evil.example".lstrip("/"))


PASSING = (
    "visit=in.",
    "__Host-visit=in.",
    "a=1; visit=in.forged",
    "a=1;\tvisit=in.forged",
    "visit=wait.x; visit=in.forged",
    "visit=in.forged; visit=wait.x",
    "visit=; __Host-visit=in.x",
    "__Host-visit=wait.x;visit=in.",
    "a=1,visit=in.forged",
    "a=1;, __Host-visit=in.x",
)
"""Cookie headers that a proxy lets pass the line; those with a comma were two headers before gunicorn."""


@pytest.mark.parametrize("cookies", PASSING)
@pytest.mark.parametrize("secure", [False, True])
def test_tru03_nothing_passes_the_line_without_a_signature(ask, cookies, secure):
    for method in ("GET", "POST"):
        told = ask(method=method, secure=secure, HTTP_COOKIE=cookies)
        assert told["status"].startswith("307"), method
        ended = [each.partition(";")[0] for each in headers_of(told, "Set-Cookie")]
        assert ended == ["visit=", "__Host-visit="], (
            "whatever let it pass is gone, so the next request comes to the line"
        )


@pytest.mark.parametrize(
    "cookies", ["", "avisit=in.x", "visit=wait.in.x", "session=visit=in.x", "visit=inn", "Visit=in.x"]
)
def test_tru03_what_no_proxy_lets_pass_has_been_at_the_line(ask, cookies):
    assert ask(HTTP_COOKIE=cookies)["body"] == b"GET"


@pytest.mark.parametrize("stray", ["visit=wait.x", "visit=in.forged", "__Host-visit=in.x"])
def test_tru03_a_stray_cookie_beside_an_entrance_does_no_harm(ask, monkeypatch, stray):
    entrance = aged(10, monkeypatch)
    assert ask(HTTP_COOKIE=f"{stray}; {entrance}")["body"] == b"GET"
    assert ask(HTTP_COOKIE=f"{entrance}; {stray}")["body"] == b"GET"


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_tru03_a_proxy_lets_pass_exactly_what_the_portal_verifies(tmp_path, kind):
    written = configuration(kind, Front("127.0.0.1:1", Sockets(tmp_path), tmp_path, 1))
    assert [line.strip() for line in written.splitlines() if "visit" in line and "=in" in line] == [
        f'"~{visits.PASSES}" 1;' if kind == "nginx" else f"@not_let_in not header_regexp Cookie {visits.PASSES}"
    ]


def test_tru03_a_form_that_is_older_than_two_hours_asks_the_line_with_its_fields(ask, monkeypatch):
    told = ask("/parents/x?y=1", "POST", HTTP_COOKIE=aged(KEPT + 60, monkeypatch))
    assert told["status"].startswith("307"), "the browser sends the fields again"
    assert headers_of(told, "Location") == ["/parents/x?y=1"]
    assert ask(method="POST", HTTP_COOKIE=aged(KEPT - 60, monkeypatch))["body"] == b"POST"


def test_tru03_a_visit_that_is_not_kept_any_more_is_over(ask, monkeypatch):
    assert VISITS.age(aged(KEPT + 1, monkeypatch).partition("=")[2]) == float("inf")
    assert VISITS.age("in.x") is None
    assert Visits(SECRET, secure=True).entrance().startswith("__Host-visit=in.")
    assert visits.IDLE < KEPT


def test_tru03_visitors_without_a_visit_and_with_a_place_are_served(ask):
    """Without a proxy in front nobody needs a visit."""
    assert ask()["body"] == b"GET"
    assert ask(HTTP_COOKIE=VISITS.place(3).partition(";")[0])["body"] == b"GET"


def test_tru03_who_has_left_is_not_computed(ask):
    process, proxy = socket.socketpair()
    with process:
        assert ask(**{"gunicorn.socket": process})["body"] == b"GET"
        proxy.sendall(b"what is still unread")
        proxy.close()
        assert ask(**{"gunicorn.socket": process})["body"] == b""
        # what somebody has sent is still done
        assert ask(method="POST", **{"gunicorn.socket": process})["body"] == b"POST"


def test_tru03_the_report_is_for_the_line_alone(ask):
    ask()
    assert b'"requests": 1' in ask(lane.PROBE)["body"]
    assert ask(lane.PROBE, HTTP_X_FORWARDED_FOR="127.0.0.1")["body"] == b"GET"
