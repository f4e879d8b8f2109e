"""The waiting line at the door: places, pages, numbers that outlast Valkey, and forms that come back."""

import asyncio
import json
import socket
import threading

import pytest
import redis

from portal.line import numbers as line_numbers
from portal.line.http_server import Answer, Request, serve
from portal.line.line import Line
from portal.line.load import PATIENCE, Load, ask
from portal.line.numbers import Numbers
from portal.line.pages import Pages
from portal.line.process import CHECK, Door
from portal.web.away import NEVER_RETURNED
from portal.web.front.visits import Visits
from tests.support.coroutines import run_in_a_thread

STEP = 0.2
VISITS = Visits("for tests only, and nowhere else", secure=False)


@pytest.fixture
def pages(app):
    """Made as the command does it: Flask holds one context of the app around the whole life of a command."""
    with app.app_context():
        return Pages(app)


class NoNumbers(Numbers):
    """Valkey is away from the beginning."""

    def __init__(self):
        super().__init__("unix:///nowhere/valkey.sock")


@pytest.fixture
def door(pages):
    return Door(Line(Load(4), tokens=0.0), NoNumbers(), pages, VISITS)


def tell(door: Door, target: str = "/sign-in", method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return run_in_a_thread(door.handle(Request(method, target, named, body)))


def header(answer: Answer, name: str) -> str | None:
    return dict(answer.headers).get(name)


def cookie(answer: Answer) -> str:
    return (header(answer, "Set-Cookie") or "").partition(";")[0]


def test_tru03_a_place_is_kept_and_let_in_at_its_turn(door):
    assert header(tell(door, CHECK), "X-Line") == "wait"
    assert header(tell(door, f"{CHECK}?q=pidu"), "X-Line") == "wait", (
        "the proxy keeps the query of the visitor's address"
    )
    page = tell(door)
    kept = cookie(page)
    assert page.status == 503
    assert int(header(page, "Refresh")) >= 2
    assert "1</b>" in page.body.decode()
    again = tell(door, cookie=kept)
    assert header(again, "Set-Cookie") is None, "the same place"
    assert door.line.last == 1
    assert "2</b>" in tell(door).body.decode()
    door.line.moved(2, 1, 1, STEP)
    entrance = tell(door, CHECK, cookie=kept)
    assert cookie(entrance).startswith("visit=in.")
    assert header(tell(door, CHECK), "X-Line") == "wait"


def test_tru03_a_place_that_is_handed_around_lets_no_crowd_pass_the_line(door):
    """Three times, because an answer may be lost on the way; whoever comes with it afterwards takes a place of their own."""
    kept = cookie(tell(door))
    tell(door)
    door.line.moved(2, 1, 1, STEP)
    entrances = [cookie(tell(door, CHECK, cookie=kept)) for _ in range(20)]
    assert sum(each.startswith("visit=in.") for each in entrances) == 3
    assert header(tell(door, CHECK, cookie=kept), "X-Line") == "wait"
    assert "3</b>" in tell(door, cookie=kept).body.decode(), "behind everybody who waits"


def test_tru03_a_forged_place_is_a_new_one(door):
    for forged in ("visit=wait.1.abc.def", "visit=wait.", "visit=in.x", VISITS.place(999).partition(";")[0]):
        assert header(tell(door, CHECK, cookie=forged), "X-Line") == "wait"
        assert cookie(tell(door, cookie=forged)).startswith("visit=wait.")


def test_tru03_a_form_that_could_not_be_taken_comes_back_whole(door):
    body = b"phone=138&name=%E5%AE%89%E5%A8%9C&x=%22%3E%3Cscript%3E"
    kind = "application/x-www-form-urlencoded"
    page = tell(door, "/sign-in", "POST", body, content_type=kind)
    text = page.body.decode()
    assert 'name="name" value="安娜"' in text
    assert "<script>" not in text.replace("<script type", "")
    assert 'action="/sign-in"' in text
    assert header(page, "Refresh") is None, "a refresh would lose the form"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", '/"><b>', "http://evil.example/"])
def test_tru03_the_page_leads_to_this_site_alone(door, target):
    text = tell(door, target).body.decode()
    link = text.partition('class="btn plain" href="')[2].partition('"')[0]
    assert link.startswith("/")
    assert not link.startswith(("//", "/\\"))
    assert "<b>" not in link


def test_tru03_the_page_is_in_the_language_and_size_of_the_reader(door):
    english = tell(door, cookie="lang=en; text=large").body.decode()
    assert '<html lang="en" class="large">' in english
    assert "Your number" in english
    assert "您的号码" in tell(door).body.decode()
    assert "Your number" in tell(door, "/?lang=en").body.decode()
    assert "@@" not in english


def test_tru03_who_is_in_but_meets_full_processes_does_not_queue_again(door):
    entrance = VISITS.entrance().partition(";")[0]
    page = tell(door, "/parents", cookie=entrance, x_front_reason="full")
    assert header(page, "Set-Cookie") is None
    assert door.line.last == 0
    assert int(header(page, "Refresh")) > 0


def test_tru03_silent_processes_are_told_as_a_pause(door):
    door.line.load.delays.extend([PATIENCE] * 5)
    assert "系统正在更新" in tell(door, x_front_reason="full").body.decode()


@pytest.mark.parametrize("path", ["/staff", "/officials/2026/imports", "/sign-out"])
def test_tru03_a_desk_whose_processes_do_not_answer_takes_no_number(door, path):
    page = tell(door, path, x_front_reason="pause")
    assert "系统正在更新" in page.body.decode()
    assert header(page, "Set-Cookie") is None
    assert int(header(page, "Refresh")) > 0
    kind = "application/x-www-form-urlencoded"
    form = tell(door, path, "POST", b"reason=because", content_type=kind, x_front_reason="pause")
    assert 'name="reason" value="because"' in form.body.decode()
    without_body = tell(door, path, x_front_reason="pause", x_original_method="POST")
    assert header(without_body, "Refresh") is None, "a form that Caddy has read is not asked for again with GET"
    assert door.line.last == 0


@pytest.mark.parametrize("name", sorted(NEVER_RETURNED))
@pytest.mark.parametrize("reason", ["pause", "full", ""])
def test_tru03_no_password_and_no_code_stands_in_a_page_of_the_line(door, name, reason):
    body = f"login=clerk1&{name}=hush-hush-7&csrf_token=t".encode()
    kind = "application/x-www-form-urlencoded"
    text = tell(door, "/sign-in/staff", "POST", body, content_type=kind, x_front_reason=reason).body.decode()
    assert "hush-hush-7" not in text
    assert 'value="clerk1"' not in text, "a form is given back whole or not at all"
    assert "返回" in text


def test_tru03_a_form_whose_address_takes_no_get_leads_back_to_its_page(door):
    page = "/staff/desk/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002"
    text = tell(door, f"{page}/access-code", "POST", x_front_reason="pause", referer=f"https://portal.example{page}")
    assert f'href="{page}"' in text.body.decode()


def test_tru03_a_form_of_who_is_next_says_so(door):
    text = tell(door, "/sign-in", "POST", b"phone=13800000000", content_type="application/x-www-form-urlencoded")
    assert "下一个就是您" in text.body.decode() and "0 个家庭" not in text.body.decode()


def test_tru03_numbers_go_on_when_valkey_is_away_and_after_a_flush(redis_url, monkeypatch):
    monkeypatch.setattr(line_numbers, "AGAIN", 0.0)

    async def story() -> None:
        here, there = Numbers(redis_url), Numbers(redis_url)
        assert [await here.next(0), await there.next(0), await here.next(1)] == [1, 2, 3]
        assert await there.advance(3, 0, 2) == (3, 2)
        assert await here.advance(3, 0, 5) == (3, 3)
        await here.client.flushdb()
        assert await here.next(3) == 4
        assert await there.advance(3, 3, 0) == (4, 3)
        away = NoNumbers()
        assert await away.next(4) is None
        assert await away.advance(5, 3, 9) == (5, 5)
        for each in (here, there, away):
            await each.close()

    run_in_a_thread(story())


@pytest.mark.parametrize("others", [0, 7])
def test_tru03_visitors_who_come_while_valkey_hangs_get_a_number_each(pages, others):
    """All of them ask with the same last number, and learn in the same moment that there is no answer."""

    class Hanging(NoNumbers):
        def __init__(self):
            super().__init__()
            self.client.eval = self.hang

        async def hang(self, *_):
            await asyncio.sleep(0.05)
            raise redis.exceptions.TimeoutError

    async def story() -> list[str]:
        door = Door(Line(Load(4), tokens=0.0), Hanging(), pages, VISITS)
        asked = [asyncio.create_task(door.handle(Request("GET", "/", {}))) for _ in range(20)]
        await asyncio.sleep(0.01)
        door.line.last += others  # numbers of other hosts, learnt meanwhile
        return [cookie(await each) for each in asked]

    found = [VISITS.number(each.partition("=")[2]) for each in run_in_a_thread(story())]
    assert sorted(found) == list(range(others + 1, others + 21))


def test_tru03_the_delay_is_measured_in_the_queue_of_the_visitors(tmp_path):
    """A page process tells how busy it was; a silent or missing one counts as full."""
    load, path = Load(1), tmp_path / "families.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    said = iter([{"process": 7, "busy": 1.0, "requests": 10}, {"process": 7, "busy": 1.001, "requests": 12}])

    def answer() -> None:
        for body in said:
            connection = listener.accept()[0]
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(body).encode())
            connection.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    run_in_a_thread(ask(path, load))
    run_in_a_thread(ask(path, load))
    thread.join()
    assert load.requests == 2
    assert 0 < load.busy <= 1
    assert load.delay_at(0) < PATIENCE
    listener.close()
    path.unlink()
    for _ in range(3):
        run_in_a_thread(ask(path, load))
    assert load.delay_at(0) == PATIENCE
    load.open_questions.add(1.0)
    assert load.delay_at(9.0) == 8.0


def test_tru03_the_line_reads_requests_one_after_another_and_survives_nonsense(tmp_path):
    async def story() -> list[bytes]:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "line.sock"))

        async def handle(request: Request) -> Answer:
            return Answer(body=f"{request.method} {request.target} {len(request.body)}".encode())

        server = await serve(listener, handle)
        found = []
        for sent in (
            b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"POST /c HTTP/1.1\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n" + b"x" * 300_000,
        ):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "line.sock"))
            writer.write(sent)
            found.append(await reader.read())
            writer.close()
        server.close()
        return found

    first, nonsense, large = run_in_a_thread(story())
    assert b"POST /a 3" in first
    assert b"GET /b 0" in first
    assert nonsense == b""
    assert large.endswith(b"POST /c 0")
