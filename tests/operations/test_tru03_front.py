"""The proxy in front: slow clients cost the others nothing, and nobody tells the portal another address than its own.

Every test runs with Caddy, and with nginx where the machine has it.
"""

import contextlib
import functools
import gzip
import http.client
import re
import select
import threading
import time
from collections import Counter

import pytest

from portal.operations.proxy import front as front_module
from portal.operations.proxy.configuration import configuration
from portal.operations.proxy.front import IN_HAND_PER_WORKER, LARGEST_ORDINARY, Front, Sockets
from portal.operations.proxy.process import find_proxy
from portal.operations.start_faults import Fault
from portal.web.front import static_files
from portal.web.front.address_rate import BURST, HEADER, RATE
from tests.operations.http2 import make_certificate, post_without_length
from tests.operations.proxied import KINDS, proxied
from tests.operations.serving import eventually

SLOW = 500
SESSION = "session=known-to-nobody"
SCRIPT = "kept.js"


@pytest.fixture(scope="module", params=KINDS)
def front(request, tmp_path_factory):
    with proxied(tmp_path_factory.mktemp("front"), request.param) as proxy:
        yield proxy


def test_tru03_r11_500_half_sent_requests_leave_the_others_as_they_were(front):
    """Half of them stop in the headers, half in the body; with one more for each, nobody's request has reached a process."""
    with contextlib.ExitStack() as stack:
        for number in range(SLOW):
            slow = stack.enter_context(front.connect())
            beginning = f"POST /slow HTTP/1.1\r\nHost: portal\r\nCookie: {SESSION}; visit=in.x\r\n"
            slow.sendall(beginning.encode())
            if number % 2:
                slow.sendall(b"Content-Length: 1000\r\n\r\nhalf")
        for number in range(40):
            answer, told = front.ask(f"/fast/{number}", Cookie="visit=in.x")
            assert answer.status == 200
            assert told["lane"] == "families"
        assert "/slow" not in front.families.seen


def test_tru03_the_address_is_the_one_that_the_proxy_sees(front):
    spoofed = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}
    for path in ("/", "/staff"):
        headers = front.ask(path, **spoofed)[1]["headers"]
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["x-forwarded-host"] == headers["host"] == f"127.0.0.1:{front.port}"


def test_tru03_a_visitor_cannot_play_the_proxy(front):
    told = front.ask("/", Cookie="visit=in.x", X_Line="wait", X_Front_Reason="full", SCRIPT_NAME="/evil")[1]
    assert told["lane"] == "families"
    assert not {"x-line", "script_name"} & told["headers"].keys()
    assert front.ask("/_line/check")[0].status == 404


def test_tru03_proxies_before_this_one_are_counted_from_the_right(tmp_path):
    with proxied(tmp_path, "nginx", proxies=2) as proxy:
        seen = proxy.ask("/", X_Forwarded_For="203.0.113.9, 198.51.100.7, 10.0.0.1")[1]["headers"]
        assert seen["x-forwarded-for"] == "198.51.100.7"


STYLE = f"/static/{static_files.digests()['css']}/css/brand.css"


def flood(front, address: str, number: int, path: str = STYLE) -> Counter[str]:
    """So many requests of one address over one connection, as fast as they are taken: how many of each status."""
    one = f"HEAD {path} HTTP/1.1\r\nHost: portal\r\nX-Forwarded-For: {address}\r\n\r\n".encode()
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with front.connect() as connection:
        threading.Thread(target=connection.sendall, args=(one * (number - 1) + last,), daemon=True).start()
        said = b"".join(iter(functools.partial(connection.recv, 1 << 20), b""))
    return Counter(status.decode() for status in re.findall(rb"HTTP/1\.1 (\d+)", said))


def test_tru03_an_address_has_its_own_rate_and_takes_nothing_from_the_others(tmp_path):
    """The zone of nginx, with the addresses as another proxy tells them: a whole carrier passes, a flood does not."""
    with proxied(tmp_path, "nginx", proxies=1) as proxy:
        began = time.monotonic()
        said = flood(proxy, "203.0.113.9", BURST + 1200)
        most = BURST + 1 + RATE * (time.monotonic() - began + 1)
        assert set(said) == {"200", "429"} and said.total() == BURST + 1200
        assert BURST <= said["200"] <= most
        for spoofed in ("203.0.113.9", "203.0.113.77, 203.0.113.9"):  # only what the last proxy says counts
            proxy.desks.seen.clear()
            said = flood(proxy, spoofed, 1200, "/staff")
            assert said["429"] > 0
            assert len(proxy.desks.seen) == said["200"], "a refused request costs no process"
        assert proxy.ask("/staff", X_Forwarded_For="203.0.113.10")[0].status == 200


def test_tru03_behind_caddy_the_page_processes_count_and_caddy_shows_its_page(tmp_path):
    with proxied(tmp_path, "caddy") as proxy:
        proxy.families.answers = (429, {HEADER: "1"})
        answer, _told = proxy.ask("/", "POST", b"a=1", Cookie="visit=in.x")
        assert answer.status == 429
        assert answer.getheader("Cache-Control") == "no-store"
        assert answer.getheader(HEADER) is None
        assert proxy.last == "often page, zh"


@pytest.mark.parametrize(
    ("one", "other", "neighbour"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:3::1"),
        ("2001:db8:7::a:b:c", "2001:db8:7::1", "2001:db8:8::a:b:c"),
        ("2001:db8::5:6:7:8:9", "2001:db8::5:0:0:1:2", "2001:db8::6:6:7:8:9"),
    ],
)
def test_tru03_an_ipv6_line_is_one_address_however_its_second_half_is_written(tmp_path, one, other, neighbour):
    with proxied(tmp_path, "nginx", proxies=1) as proxy:
        said = [flood(proxy, address, BURST // 2 + 600) for address in (one, other)]
        assert said[0]["429"] == 0 < said[1]["429"]
        assert proxy.ask("/staff", X_Forwarded_For=neighbour)[0].status == 200


EVIDENCE = "/parents/applications/1f0c/evidence"


@pytest.mark.parametrize(
    ("path", "cookie"),
    [("/sign-in", ""), ("/staff/anything", ""), ("/sign-out", ""), (EVIDENCE, ""), ("/staff/roll/imports", ""),
     ("/sign-in", SESSION), ("/staff/anything", SESSION), ("/sign-out", SESSION), (f"{EVIDENCE}/x", SESSION)],
)  # fmt: skip
def test_tru13_a_large_body_of_a_stranger_or_to_a_route_without_files_is_refused_unread(front, path, cookie):
    """Not more than half a megabyte of the 60 is sent: the answer comes for what the request says of itself.

    A made-up session opens the routes of uploads alone.
    """
    with front.connect() as stranger:
        head = f"POST {path} HTTP/1.1\r\nHost: portal\r\nContent-Length: {60 * 2**20}\r\nCookie: {cookie}; visit=in.x\r\n\r\n"
        stranger.sendall(head.encode())
        # nginx needs none of it; Go reads 256 KB before it answers
        stranger.sendall(b"x" * 2**19)
        answer = http.client.HTTPResponse(stranger)
        answer.begin()
        assert answer.status == 413
        assert "large page, zh" in answer.read().decode()
    assert path not in front.families.seen + front.desks.seen


@pytest.mark.parametrize(("path", "cookie"), [("/sign-in", ""), ("/staff/anything", SESSION), (EVIDENCE, "")])
def test_tru13_a_body_of_unknown_size_ends_where_it_is_too_large(front, path, cookie):
    front.families.seen.clear(), front.desks.seen.clear()
    with front.connect() as stranger:
        head = f"POST {path} HTTP/1.1\r\nHost: portal\r\nTransfer-Encoding: chunked\r\nCookie: {cookie}; visit=in.x\r\n\r\n"
        stranger.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                stranger.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            stranger.sendall(b"0\r\n\r\n")
        answer = http.client.HTTPResponse(stranger)
        answer.begin()
        assert answer.status == 413
    assert path not in front.families.seen + front.desks.seen, "no process has had all of it"


@pytest.mark.parametrize("path", ["/sign-in", EVIDENCE, "/staff/anything"])
def test_tru13_over_http2_a_body_without_its_length_is_no_way_in(tmp_path, path):
    """nginx with a certificate speaks HTTP/2, where a body needs neither Content-Length nor Transfer-Encoding."""
    with proxied(tmp_path, "nginx", certificate=make_certificate(tmp_path)) as proxy:
        status, sent = post_without_length(proxy.port, path, 2**20)
        assert (status, path in proxy.families.seen + proxy.desks.seen) == (413, False)
        assert sent < 3 * LARGEST_ORDINARY
        status, sent = post_without_length(proxy.port, "/staff/x", 90_000)
        assert (status, sent) == (200, 90_000)


@pytest.mark.parametrize(
    ("path", "lane"),
    [(EVIDENCE, "families"), ("/staff/roll/imports", "desks"), ("/officials/2026/imports", "desks")],
)
def test_tru13_a_large_body_with_a_session_arrives_whole_where_files_are_taken(front, path, lane):
    told = front.ask(path, "POST", b"x" * 5_000_000, Cookie=f"{SESSION}; visit=in.x")[1]
    assert (told["lane"], told["size"]) == (lane, 5_000_000)


def test_tru13_a_large_form_without_files_arrives_where_one_is_known_and_no_larger_one(front):
    path, cookies = "/officials/2026/policies/510104/new", SESSION
    assert front.ask(path, "POST", b"x" * 900_000, Cookie=cookies)[1]["size"] == 900_000
    with front.connect() as client:
        head = f"POST {path} HTTP/1.1\r\nHost: portal\r\nContent-Length: {5 * 2**20}\r\nCookie: {cookies}\r\n\r\n"
        client.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            client.sendall(b"x" * 5 * 2**20)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 413


def test_tru13_an_address_has_few_uploads_at_once(tmp_path, monkeypatch):
    """A made-up session may send as much as a real one, so their number is bounded; other pages are not."""
    monkeypatch.setattr(front_module, "UPLOADS_AT_ONCE", 3)
    with proxied(tmp_path, "nginx") as proxy, contextlib.ExitStack() as stack:
        sending = []
        for path in (EVIDENCE, "/staff/roll/imports", EVIDENCE, "/staff/roll/imports"):
            half = stack.enter_context(proxy.connect())
            head = f"POST {path} HTTP/1.1\r\nHost: p\r\nContent-Length: 5000000\r\nCookie: {SESSION}; visit=in.x\r\n\r\nhalf"
            half.sendall(head.encode())
            sending.append(half)
        refused = select.select(sending, [], [], 30)[0]
        assert [each.recv(12) for each in refused] == [b"HTTP/1.1 429"], "the other three may go on"
        answer, _ = proxy.ask(EVIDENCE, "POST", b"a=1", Cookie=f"{SESSION}; visit=in.x")
        assert (answer.status, proxy.last) == (429, "often page, zh")
        assert proxy.ask("/parents", Cookie=f"{SESSION}; visit=in.x")[0].status == 200
        assert proxy.ask("/staff", "POST", b"a=1", Cookie=SESSION)[0].status == 200


def test_tru14_text_is_compressed_and_the_connection_stays_open(front):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=30)) as connection:
        for _ in range(2):
            headers = {"Accept-Encoding": "gzip", "X-Long": "text " * 20, "Cookie": "visit=in.x"}
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.getheader("Content-Encoding") == "gzip"
            assert len(content) < len(gzip.decompress(content)) / 3
            assert not answer.will_close


def test_tru14_static_files_come_from_the_proxy_and_are_kept_for_ever(front):
    digest = static_files.digests()["css"]
    answer, _ = front.ask(f"/static/{digest}/css/brand.css", Accept_Encoding="gzip")
    assert answer.status == 200
    assert answer.getheader("Cache-Control") == static_files.FOR_EVER
    assert answer.getheader("Content-Encoding") == "gzip"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Content-Type").startswith("text/css")
    assert not any("/css/" in path for path in front.families.seen)
    # a file that is kept for ever has no use for what asks about changes, and a style none for a policy of documents
    assert sum(len(f"{name}: {value}") + 2 for name, value in answer.getheaders()) < 400
    assert not {"etag", "last-modified", "content-security-policy"} & {name.lower() for name, _ in answer.getheaders()}
    script, _ = front.ask(f"/static/{static_files.digests()['js']}/js/{SCRIPT}")
    assert "default-src 'none'" in script.getheader("Content-Security-Policy"), "a worker of a page is bound by it"
    # the digest of another version is answered by the portal
    assert front.ask("/static/000000000000/css/brand.css", Cookie="visit=in.x")[1]["lane"] == "families"


@pytest.mark.parametrize(
    ("path", "lane"),
    [("/", "families"), ("/staffroom", "families"), ("/staff", "desks"), ("/officials/x?y=1", "desks"),
     ("/sign-in", "families"), ("/sign-in/staff/code", "desks"), ("/healthz", "desks"), ("/gateway/receipts", "desks")],
)  # fmt: skip
def test_tru03_families_and_desks_have_processes_of_their_own(front, path, lane):
    assert front.ask(path)[1]["lane"] == lane


def test_tru03_whoever_is_let_in_gets_the_cookie_and_whoever_waits_gets_the_page_with_the_form(front):
    answer, told = front.ask("/sign-in", "POST", b"phone=1")
    assert answer.getheader("Set-Cookie") == "visit=in.test; Path=/"
    assert (told["lane"], told["size"]) == ("families", 7)
    answer, told = front.ask("/places?q=%E9%94%A6%E6%B1%9F&page=2")
    assert answer.getheader("Set-Cookie") == "visit=in.test; Path=/"
    assert (told["lane"], told["path"]) == ("families", "/places?q=%E9%94%A6%E6%B1%9F&page=2")
    verdict, front.line.verdict = front.line.verdict, {"X-Line": "wait"}
    try:
        answer, told = front.ask("/sign-in", "POST", b"phone=1")
        assert (told["lane"], told["method"], told["size"]) == ("line", "POST", 7)
        assert answer.getheader("Set-Cookie") is None
        assert front.ask("/sign-in", "POST", b"phone=1", Cookie="visit=in.x")[1]["lane"] == "families"
        assert front.ask("/staff")[1]["lane"] == "desks"
    finally:
        front.line.verdict = verdict


@pytest.mark.parametrize("kind", KINDS)
def test_tru03_who_comes_when_all_processes_are_taken_gets_the_line_at_once(tmp_path, kind):
    with proxied(tmp_path, kind, workers=1) as proxy, contextlib.ExitStack() as stack:
        for number in range(IN_HAND_PER_WORKER):
            waiting = stack.enter_context(proxy.connect())
            waiting.sendall(f"GET /held/{number} HTTP/1.1\r\nHost: p\r\nCookie: visit=in.x\r\n\r\n".encode())
        eventually(lambda: len(proxy.families.seen) == IN_HAND_PER_WORKER)
        told = proxy.ask("/more", "POST", b"phone=1", Cookie="visit=in.x")[1]
        assert (told["lane"], told["headers"]["x-front-reason"]) == ("line", "full")
        # nginx still has the form; Caddy has read it for the full processes, and tells that it was one
        assert told["size"] == 7 or told["headers"]["x-original-method"] == "POST"
        assert proxy.ask("/staff")[1]["lane"] == "desks"
        proxy.families.held.set()
        eventually(lambda: proxy.ask("/again", Cookie="visit=in.x")[1]["lane"] == "families")


@pytest.mark.parametrize(
    "path", ["/sign-out", "/text-size?size=large", "/kept-form?to=/", "/offline-worker.js", "/map/outlines"]
)
def test_tru03_what_all_pages_ask_alike_never_asks_the_line(front, path):
    """In the rush a clerk on a shared computer signs out, and whoever waits can change the text size."""
    verdict, front.line.verdict = front.line.verdict, {"X-Line": "wait"}
    try:
        for method in ("GET", "POST"):
            for page, lane in (("/staff/queue?page=2", "desks"), ("/officials", "desks"), ("/sign-in/staff", "desks"),
                               ("/parents", "families"), ("/staffroom", "families"), ("/?next=/staff", "families")):  # fmt: skip
                told = front.ask(path, method, b"a=1", Referer=f"http://127.0.0.1:{front.port}{page}")[1]
                assert (told["lane"], told["method"], told["path"]) == (lane, method, path)
            assert front.ask(path, method, b"a=1")[1]["lane"] == "families"
        assert front.ask("/", Referer=f"http://127.0.0.1:{front.port}/staff")[1]["lane"] == "line"
    finally:
        front.line.verdict = verdict


@pytest.mark.parametrize("kind", KINDS)
def test_tru03_a_desk_whose_processes_do_not_answer_gets_a_pause_and_no_number(tmp_path, kind):
    with proxied(tmp_path, kind) as proxy:
        proxy.desks.end()
        proxy.families.end()
        desk = f"http://127.0.0.1:{proxy.port}/staff"
        for path, referer, reason in (
            ("/staff/queue", desk, "pause"),
            ("/officials/2026/imports", desk, "pause"),
            ("/sign-out", desk, "pause"),
            ("/gateway/receipts", "", "pause"),
            ("/sign-out", "", "pause"),
            ("/", "", "full"),
            ("/staffroom", "", "full"),
        ):
            told = proxy.ask(path, "POST", b"a=1", Cookie=f"{SESSION}; visit=in.x", Referer=referer)[1]
            assert (told["lane"], told["path"], told["headers"]["x-front-reason"]) == ("line", path, reason)
            assert told["size"] == 3 or told["headers"]["x-original-method"] == "POST"
        assert "/_line/check" not in proxy.line.seen
        proxy.line.end()
        answer = proxy.ask("/staff")[0]
        assert (answer.status, proxy.last) == (503, "pause page, zh")


@pytest.mark.parametrize("kind", KINDS)
def test_tru03_without_a_line_everybody_comes_in(tmp_path, kind):
    """Its process is gone, or it is silent while another one starts: the supervisor keeps its socket open."""
    with proxied(tmp_path, kind) as proxy:
        proxy.line.check_held = True
        assert proxy.ask("/", "POST", b"phone=1")[1] | {"headers": {}, "text": ""} == {
            "lane": "families", "method": "POST", "path": "/", "size": 7, "headers": {}, "text": "",
        }  # fmt: skip
        proxy.line.end()
        assert proxy.ask("/")[1]["lane"] == "families"
        proxy.families.end()
        answer = proxy.ask("/")[0]
        assert answer.status == 503, "neither the line nor the pages answer: the proxy tells the pause by itself"
        assert answer.getheader("Cache-Control") == "no-store"


def test_proxy_of_an_unknown_kind_and_paths_that_would_change_the_configuration_are_refused(tmp_path):
    with pytest.raises(Fault, match="set it to nginx or caddy"):
        find_proxy({"PROXY": "apache"})
    with pytest.raises(ValueError, match="characters"):
        configuration("nginx", Front("127.0.0.1:1", Sockets(tmp_path), tmp_path / "a b;", 1))
