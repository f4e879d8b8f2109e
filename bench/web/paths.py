"""The measured paths: for each a list of requests as browsers send them, and the answer that they must get.

A form carries the session's token, a key of its own and the version of the page.  A path that changes rows is prepared
anew before each round, and each of its requests is sent once.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy.orm import Session

from bench.web.families import Browser, Family, browsers
from bench.web.ground import Ground, now
from bench.web.load import Request, get, post
from enrollment.ground import sign_in, vault
from enrollment.ground.sign_in import Asker
from enrollment.ground.vault import unseal

WORDS = "%E7%AC%AC%E4%B8%80"
"""第一, as an address says it."""


@dataclass(frozen=True)
class Path:
    """`requests` makes the requests of one round; `status` is what each of them must get; `beside` names the rival whose
    rate is the measure, and `goal` the share of it to reach."""

    name: str
    requests: Callable[[], Iterator[Request]]
    status: int
    beside: str
    goal: float | None = None

    @property
    def is_page(self) -> bool:
        """Whether it only reads."""
        return self.status == 200


def submissions(families: list[Family], *, is_masked: bool = True) -> Iterator[Request]:
    for family in families:
        fields = (("version", "1"), ("agrees_to_central", "y"), ("true", "y"))
        body = family.browser.form(*fields, is_masked=is_masked)
        yield post(f"/parents/applications/{family.application}/check", body, family.browser.cookie)


def household_saves(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """A draft's page of the household, filled in as it was shown."""
    with psycopg.connect(ground.url) as connection:
        rows = connection.execute(
            "SELECT application_id, version, hukou_kind, hukou_area, home_area, home_street, home_community, home_estate,"
            " home_longitude, home_latitude, home_owned, work_area, residence_permit_area, home_outside FROM household"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for family in families:
        version, kind, hukou, home, street, community, estate, longitude, latitude, owned, work, permit, outside = (
            found[family.application]
        )
        longitude, latitude = (
            _opened(longitude, "home_longitude", family.application),
            _opened(latitude, "home_latitude", family.application),
        )
        typed = {
            "version": version, "hukou_kind": kind, "hukou_area": hukou, "hukou_street": None, "hukou_since": None,
            "home_area": "outside" if outside else home, "home_street": street, "home_community": community,
            "home_estate": estate, "home_address": "模拟数据路 1 号", "home_longitude": longitude,
            "home_latitude": latitude, "home_owned": {True: "yes", False: "no", None: None}[owned], "work_area": work,
            "residence_permit_area": permit,
        }  # fmt: skip
        fields = [(name, "" if value is None else str(value)) for name, value in typed.items()]
        body = family.browser.form(*fields)
        yield post(f"/parents/applications/{family.application}/household", body, family.browser.cookie)


def grounds_saves(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """A draft's page of the grounds with one of them ticked."""
    with psycopg.connect(ground.url) as connection:
        found = dict(connection.execute("SELECT id, version FROM application").fetchall())
    for family in families:
        fields = [("version", str(found[family.application])), ("multi_child", "y"), ("multi_child_detail", "2")]
        body = family.browser.form(*fields)
        yield post(f"/parents/applications/{family.application}/grounds", body, family.browser.cookie)


def child_saves(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """A draft's page of the child as it was shown: the number stays empty, which keeps it."""
    with psycopg.connect(ground.url) as connection:
        rows = connection.execute(
            "SELECT a.id, c.id, c.version, c.name, c.id_kind, c.born, c.sex, s.relation FROM application a"
            " JOIN child c ON c.id = a.child_id JOIN guardian g ON g.account_id = a.entered_by"
            " JOIN guardianship s ON s.child_id = c.id AND s.guardian_id = g.id"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for family in families:
        child, version, name, kind, born, sex, relation = found[family.application]
        fields = {
            "version": str(version), "name": unseal(name, "child.name", child), "relation": relation, "id_kind": kind,
            "id_number": "", "born": unseal(born, "child.born", child), "sex": sex,
        }  # fmt: skip
        body = family.browser.form(*fields.items())
        yield post(f"/parents/applications/{family.application}/child", body, family.browser.cookie)


def _opened(value: bytes | None, column: str, application: uuid.UUID) -> str | None:
    return None if value is None else unseal(value, f"household.{column}", application)


def wish_saves(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """A draft's wishes with the last one taken to the top."""
    with psycopg.connect(ground.url) as connection:
        rows = connection.execute(
            "SELECT a.id, a.version, array_agg(w.programme_id ORDER BY w.rank) FROM application a"
            " JOIN wish w ON w.application_id = a.id GROUP BY a.id"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for family in families:
        if family.application not in found:
            continue
        version, wished = found[family.application]
        turned = [wished[-1], *wished[:-1]]
        fields = [("version", str(version)), ("seen", f"{family.application.hex[:8]}-{version}"), ("act", "next")]
        body = family.browser.form(*fields, *(("wish", str(each)) for each in turned))
        yield post(f"/parents/applications/{family.application}/wishes", body, family.browser.cookie)


def pages(families: list[Family], address: str) -> Iterator[Request]:
    """The same page of every family, again and again."""
    for family in itertools.cycle(families):
        yield get(address.format(id=family.application), family.browser.cookie)


def result_pages(ground: Ground, families: list[Family], since: str) -> Iterator[Request]:
    """The page of the result so long (an interval of SQL) after the hour: within an hour it is the prepared one."""
    with psycopg.connect(ground.url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE run SET published_at = now() - %s::interval WHERE state = 'published'", [since])
    yield from pages(families, "/parents/applications/{id}/result")


def public_pages(*addresses: str) -> Iterator[Request]:
    for address in itertools.cycle(addresses):
        yield get(address)


def words_of_one() -> Iterator[Request]:
    """A search that nobody has made before: its page is not kept yet."""
    for number in itertools.count():
        yield get(f"/kindergartens?q={WORDS}&unlike={uuid.uuid4().hex[:12]}{number}")


def confirmations(ground: Ground, families: list[Family]) -> Iterator[Request]:
    with psycopg.connect(ground.url) as connection:
        rows = connection.execute("SELECT application_id, id, state FROM offer WHERE state = 'offered'").fetchall()
    offers = {application: f"{offer}:{state}:" for application, offer, state in rows}
    for family in families:
        if family.application in offers:
            body = family.browser.form(("seen", offers[family.application]))
            yield post(f"/parents/applications/{family.application}/result/confirm", body, family.browser.cookie)


_phones = itertools.count(17_000_000_000)


def code_requests(ground: Ground, number: int) -> Iterator[Request]:
    """New browsers ask for a code, each for a phone of its own."""
    for browser in browsers(ground, [(None, {})] * number):
        yield post("/sign-in", browser.form(("phone", str(next(_phones))), ("next", ""), key=False), browser.cookie)


def codes_entered(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """Known families, whose number was proven this week, enter the code that they were sent; few of them, because each is
    prepared by the service."""
    families = families[:400]
    prepared: list[tuple[Browser, str]] = []
    with psycopg.connect(ground.url) as connection:
        connection.execute("DELETE FROM one_time_code")
        connection.execute(
            "UPDATE account SET phone_proven_at = now() WHERE id = ANY(%s)", [[each.account for each in families]]
        )
        sealed = dict(connection.execute("SELECT id, phone FROM account WHERE phone IS NOT NULL").fetchall())
    phones = [vault.unseal(sealed[family.account], "account.phone", family.account) for family in families]
    ids = [uuid.uuid4().hex for _family in families]
    contents = [
        {"phone": _sealed_phone(phone), "code_sent": True, "browser": browser, "next": None}
        for phone, browser in zip(phones, ids, strict=True)
    ]
    made = browsers(ground, [(None, content) for content in contents])
    with Session(ground.engine) as session, session.begin():
        for phone, browser_id, browser in zip(phones, ids, made, strict=True):
            asker = Asker(browser=browser_id, address=browser_id)
            code = sign_in.send_code(session, phone, now=now(), asker=asker)
            prepared.append((browser, code or ""))
    for browser, code in prepared:
        yield post("/sign-in/code", browser.form(("code", code), key=False), browser.cookie)


def _sealed_phone(phone: str) -> str:
    import base64

    return base64.b64encode(vault.seal_unbound(phone, "web_session.phone")).decode()


def of_registration(ground: Ground, families: list[Family], readers: list[Family]) -> list[Path]:
    """The paths while registration is open.  `families` are drafts, `readers` have handed in."""
    city = next(iter(_kindergartens(ground)), "")
    return [
        Path("submit", lambda: submissions(families), 303, "own rows", 0.25),
        Path("save household", lambda: household_saves(ground, families), 303, "own rows", 0.25),
        Path("save grounds", lambda: grounds_saves(ground, families), 303, "own rows", 0.25),
        Path("save child", lambda: child_saves(ground, families), 303, "own rows", 0.25),
        Path("save wishes", lambda: wish_saves(ground, families), 303, "own rows", 0.25),
        Path("code asked", lambda: code_requests(ground, 2000), 303, "hello"),
        Path("code entered", lambda: codes_entered(ground, families), 303, "hello"),
        Path("status", lambda: pages(readers, "/parents/applications/{id}"), 200, "hello", 0.12),
        Path("task list", lambda: pages(readers, "/parents/applications/{id}/tasks"), 200, "hello", 0.12),
        Path("home signed in", lambda: pages(readers, "/parents"), 200, "hello", 0.12),
        Path("home", lambda: public_pages("/"), 200, "hello", 0.25),
        Path("finder", lambda: public_pages("/kindergartens"), 200, "hello", 0.25),
        Path("finder with words", lambda: public_pages(f"/kindergartens?q={WORDS}"), 200, "hello", 0.25),
        Path("finder, words of one", lambda: words_of_one(), 200, "hello", 0.25),
        Path("finder, every name", lambda: public_pages("/kindergartens?q=you+er+yuan"), 200, "hello"),
        Path("finder, pins", lambda: public_pages("/kindergartens/pins"), 200, "hello"),
        Path("kindergarten", lambda: public_pages(f"/kindergartens/{city}"), 200, "hello", 0.25),
        Path("coverage", lambda: public_pages("/coverage"), 200, "hello", 0.25),
    ]


def of_results(ground: Ground, families: list[Family]) -> list[Path]:
    """The paths after the publication of a result."""
    return [
        Path("result page", lambda: result_pages(ground, families, "1 minute"), 200, "hello", 0.12),
        Path("result page later", lambda: result_pages(ground, families, "1 day"), 200, "hello", 0.12),
        Path("confirm", lambda: confirmations(ground, families), 303, "own rows", 0.25),
    ]


def _kindergartens(ground: Ground) -> Iterator[str]:
    with psycopg.connect(ground.url) as connection:
        for (code,) in connection.execute("SELECT code FROM kindergarten ORDER BY code LIMIT 1"):
            yield code
