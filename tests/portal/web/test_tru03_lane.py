"""What a page process does before the app: its report, visits that are over, visitors that have left."""

import socket

import pytest
from itsdangerous import TimestampSigner

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

    middle = lane.Lane(app, VISITS)

    def ask(path="/parents", method="GET", **environ):
        said = {}

        def start(status, headers, *_):
            said.update(status=status, headers=headers)

        environ |= {"PATH_INFO": path, "REQUEST_METHOD": method, "RAW_URI": path}
        said["body"] = b"".join(middle(environ, start))
        return said

    return ask


def aged(seconds: int, monkeypatch) -> str:
    """The cookie of an entrance that was made so long ago."""
    with monkeypatch.context() as past:
        now = TimestampSigner(SECRET).get_timestamp()
        past.setattr(TimestampSigner, "get_timestamp", lambda _: now - seconds)
        return VISITS.entrance().partition(";")[0]


def headers_of(said, name):
    return [value for key, value in said["headers"] if key == name]


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
    assert "Max-Age=0" in headers_of(told, "Set-Cookie")[0]
    assert ask(method="POST", HTTP_COOKIE=over)["body"] == b"POST"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/\\/evil.example"])
def test_tru03_a_forged_visit_asks_the_line_and_leads_nowhere_else(ask, path):
    for method in ("GET", "POST"):
        told = ask(path, method, HTTP_COOKIE="a=1; visit=in.forged")
        assert told["status"].startswith("307")
        assert headers_of(told, "Location")[0].replace("%5C", "") in ("/evil.example", "//evil.example".lstrip("/"))


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
