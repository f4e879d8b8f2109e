"""TRU09: while the database is away a visitor reads a calm page, keeps what was typed, and the portal comes back by itself."""

import contextlib

import psycopg
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from structlog.testing import capture_logs

from enrollment.ground.db import open_engine
from portal.app import create_app
from portal.config import Config
from portal.web import away
from tests.support.keys import KEYS


@pytest.fixture(scope="module")
def portal_of_the_file(addresses, worker_number):
    """A portal on a database of its own, which can be renamed away under it, and brought back."""
    name = f"away_{worker_number}"
    url = addresses.create(name)
    config = Config(
        database_url=url, redis_url=addresses.queue(1 + worker_number % 15),
        secret_key="for tests only, and nowhere else", keys=KEYS,
        demo=True, public_url="http://localhost", testing=False,
    )  # fmt: skip
    engine = open_engine(url)
    app = create_app(config, engine)
    app.away = lambda: _rename(addresses, name, f"{name}_away")
    app.back = lambda: _rename(addresses, f"{name}_away", name)
    yield app
    engine.dispose()
    addresses.drop(name)


@pytest.fixture
def portal(portal_of_the_file, redis_url):
    """This portal with its database, which is there again after the test."""
    yield portal_of_the_file
    with contextlib.suppress(psycopg.Error):
        portal_of_the_file.back()


def csrf_token(visitor, path: str) -> str:
    return BeautifulSoup(visitor.get(path).text, "html.parser").select_one("[name=csrf_token]")["value"]


def _rename(addresses, old: str, new: str) -> None:
    with addresses.administer() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [old])
        connection.execute(
            psycopg.sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(psycopg.sql.Identifier, [old, new]))
        )


@pytest.mark.parametrize("path", ["/", "/kindergartens", "/sign-in", "/parents/home", "/staff/queue", "/nothing-here"])
def test_tru09_every_page_is_calm_and_comes_back(portal, path):
    visitor = portal.test_client()
    before = visitor.get(path).status_code
    assert visitor.get("/sign-in").status_code == 200, "now the visitor has a cookie"
    portal.away()
    answer = visitor.get(path)
    assert answer.status_code == 503
    assert 4 <= int(answer.headers["Retry-After"]) < 8
    assert answer.headers["Refresh"] == answer.headers["Retry-After"], "the page comes back by itself"
    assert answer.headers["Cache-Control"] == "no-store"
    page = BeautifulSoup(answer.text, "html.parser")
    assert "请稍等几分钟" in page.h1.text and "ready in a few minutes" in page.text
    assert page.select_one("main a")["href"] == path
    portal.back()
    assert visitor.get(path).status_code == before


def test_tru09_what_was_typed_is_sent_again_from_the_page(portal):
    visitor = portal.test_client()
    typed = {"phone": "13800000001", "note": '<b>两行\n"引号"</b>', "csrf_token": csrf_token(visitor, "/sign-in")}
    portal.away()
    page = BeautifulSoup(visitor.post("/sign-in?next=%2Fparents", data=typed).text, "html.parser")
    form = page.form
    assert (form["method"], form["action"]) == ("post", "/sign-in?next=%2Fparents")
    again = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
    assert again == typed
    portal.back()
    assert visitor.post(form["action"], data=again).status_code < 400


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("//evil.example/sign-in", "/"), ("/\\evil.example", "/%5Cevil.example"), ("/园/<b>", "/%E5%9B%AD/%3Cb%3E")],
)
def test_tru09_the_page_leads_to_this_portal_alone(portal, path, leads_to):
    visitor = portal.test_client()
    portal.away()
    environ = {"PATH_INFO": path.encode().decode("latin-1"), "REQUEST_METHOD": "GET"}
    page = BeautifulSoup(visitor.get("/", environ_overrides=environ).text, "html.parser")
    assert page.select_one("main a")["href"] == leads_to


def test_tru09_a_password_and_a_code_do_not_stand_in_the_page(portal):
    visitor = portal.test_client()
    token = csrf_token(visitor, "/sign-in/staff")
    portal.away()
    answer = visitor.post("/sign-in/staff", data={"login": "clerk1", "password": "hushhush", "csrf_token": token})
    assert answer.status_code == 503
    assert "hushhush" not in answer.text and "没有保存" in answer.text


def test_tru09_a_form_whose_address_takes_no_get_leads_back_to_its_page(portal):
    visitor = portal.test_client()
    token = csrf_token(visitor, "/sign-in/staff")
    portal.away()
    place = "/staff/desk/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002"
    answer = visitor.post(
        f"{place}/access-code",
        data={"code": "123456", "csrf_token": token},
        headers={"Referer": f"http://localhost{place}?from=list"},
    )
    assert BeautifulSoup(answer.text, "html.parser").select_one("main a")["href"] == f"{place}?from=list"


def test_tru09_health_says_which_part_and_one_line_is_logged_for_many_visitors(portal, monkeypatch):
    # the outage of another test was logged within the interval
    monkeypatch.setattr(portal.wsgi_app, "_next_line", 0.0)
    visitor = portal.test_client()
    visitor.get("/sign-in")
    portal.away()
    with capture_logs() as lines:
        health = visitor.get("/healthz")
        assert (health.status_code, health.json["parts"]["database"]) == (503, False)
        for _ in range(20):
            assert visitor.get("/").status_code == 503
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["away"]


def test_tru09_a_fault_of_a_statement_is_no_outage(portal):
    with open_engine(str(portal.extensions["services"].config.database_url)).connect() as connection:
        for statement, expected in (
            ("SELECT nothing_here", ProgrammingError),
            ("SELECT pg_sleep(1)", OperationalError),
        ):
            connection.execute(text("SET statement_timeout = 10"))
            with pytest.raises(expected) as raised:
                connection.execute(text(statement))
            assert not away.is_away(raised.value)
            connection.rollback()
