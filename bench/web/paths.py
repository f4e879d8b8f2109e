"""The measured paths: for each a list of requests as browsers send them, and the answer that they must get.

A form carries the session's token, a key of its own and the version of the page.  A path that changes rows is prepared
anew before each round, and each of its requests is sent once.
"""

import functools
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy.orm import Session

from bench.web.families import ANY, DRAFT, HANDED_IN, OFFERED, RETURNED, Browser, Family, browsers
from bench.web.ground import Ground, now
from bench.web.load import Request, get, post
from enrollment.ground import sign_in, vault
from enrollment.ground.sign_in import Asker
from enrollment.ground.vault import unseal

KNOWN_AS_HANDED_IN = ("handed_in", "1")
"""What the wishes and the check page say of an application that was handed in before."""

FORM = "/parents/applications/{id}"
WORDS = "%E7%AC%AC%E4%B8%80"
"""第一, as an address says it."""


@dataclass(frozen=True)
class Goal:
    """The part of a rival's rate to reach, and a higher one to aim at."""

    ratio: float
    stretch: float | None = None

    def half(self) -> "Goal":
        return Goal(self.ratio / 2)


SUBMISSION = Goal(0.25, 0.30)
OTHER_WRITE = SUBMISSION.half()
"""A saved page, and an edited or returned application that is handed in again: within twice a submission."""
CONFIRMATION = Goal(0.25)
FAMILY_PAGE, PUBLIC_PAGE = Goal(0.12, 0.25), Goal(0.25)
OF_TWINS = {"django": Goal(1.5, 2.0)}
MOST_OF_A_PAGE, MOST_OF_A_WRITE = 3, 4
"""Statements, with those of the session, the audit entry and the messages."""


@dataclass(frozen=True)
class Path:
    """`requests` makes the requests of one round; `status` is what each of them must get; `beside` names the rival whose
    rate is the measure, and `goal` the share of it to reach; `start` is the state of the applications before each round."""

    name: str
    requests: Callable[[], Iterator[Request]]
    status: int
    beside: str
    goal: Goal | None = None
    start: str = ANY

    @property
    def is_page(self) -> bool:
        """Whether it only reads."""
        return self.status == 200

    @property
    def most_statements(self) -> int:
        return MOST_OF_A_PAGE if self.is_page else MOST_OF_A_WRITE


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


def wish_saves(ground: Ground, families: list[Family], fewest: int = 1) -> Iterator[Request]:
    """The wishes of applications that have so many, with the last one taken to the top."""
    with psycopg.connect(ground.url) as connection:
        rows = connection.execute(
            "SELECT a.id, a.version, a.stage, array_agg(w.programme_id ORDER BY w.rank) FROM application a"
            " JOIN wish w ON w.application_id = a.id GROUP BY a.id"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for family in families:
        version, stage, wished = found.get(family.application, (0, "", []))
        if len(wished) < fewest:
            continue
        turned = [wished[-1], *wished[:-1]]
        fields = [("version", str(version)), ("seen", f"{family.application.hex[:8]}-{version}"), ("act", "next")]
        hint = () if stage == "draft" else (KNOWN_AS_HANDED_IN,)
        body = family.browser.form(*fields, *hint, *(("wish", str(each)) for each in turned))
        yield post(f"/parents/applications/{family.application}/wishes", body, family.browser.cookie)


def submissions_of_returned(ground: Ground, families: list[Family]) -> Iterator[Request]:
    """The check page of applications that a clerk has sent back, handed in again."""
    with psycopg.connect(ground.url) as connection:
        found = dict(connection.execute("SELECT id, version FROM application").fetchall())
    for family in families:
        fields = (
            ("version", str(found[family.application])),
            KNOWN_AS_HANDED_IN,
            ("agrees_to_central", "y"),
            ("true", "y"),
        )
        body = family.browser.form(*fields)
        yield post(f"/parents/applications/{family.application}/check", body, family.browser.cookie)


def pages(families: list[Family], address: str) -> Iterator[Request]:
    """The same page of every family, again and again."""
    for family in itertools.cycle(families):
        yield get(address.format(id=family.application), family.browser.cookie)


def first_looks(families: list[Family], address: str) -> Iterator[Request]:
    """The same pages, each as if it had not been looked at within the minute."""
    for number, family in enumerate(itertools.cycle(families)):
        yield get(
            f"{address.format(id=family.application)}?look={number}-{uuid.uuid4().hex[:8]}", family.browser.cookie
        )


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
    for number in itertools.count(int(now().timestamp())):
        yield get(f"/kindergartens?q={written_unlike(number)}")


def written_unlike(number: int) -> str:
    """`WORDS`, for each number with other signs that a search does not look at."""
    return WORDS + f"{number:b}".replace("0", ".").replace("1", "-")


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
    """The paths while registration is open.  `families` are put into the state that a path starts from, `readers` have
    handed in."""
    city = next(iter(_kindergartens(ground)), "")

    def write(
        name: str, requests: Callable[[], Iterator[Request]], goal: Goal = OTHER_WRITE, start: str = DRAFT
    ) -> Path:
        return Path(name, requests, 303, "own rows", goal, start)

    def page(name: str, requests: Callable[[], Iterator[Request]], goal: Goal | None = PUBLIC_PAGE) -> Path:
        return Path(name, requests, 200, "hello", goal)

    return [
        write("submit", lambda: submissions(families), SUBMISSION),
        # before the saves: what a receipt compares is then as it was handed in
        write("edit wishes", lambda: wish_saves(ground, families, fewest=2), start=HANDED_IN),
        write("submit again", lambda: submissions_of_returned(ground, families), start=RETURNED),
        write("save household", lambda: household_saves(ground, families)),
        write("save grounds", lambda: grounds_saves(ground, families)),
        write("save child", lambda: child_saves(ground, families)),
        write("save wishes", lambda: wish_saves(ground, families)),
        Path("code asked", lambda: code_requests(ground, 2000), 303, "hello"),
        Path("code entered", lambda: codes_entered(ground, families), 303, "hello"),
        *of_family(readers),
        Path("check", lambda: first_looks(families, f"{FORM}/check"), 200, "hello", FAMILY_PAGE, DRAFT),
        page("home", lambda: public_pages("/")),
        page("finder", lambda: public_pages("/kindergartens")),
        page("finder with words", lambda: public_pages(f"/kindergartens?q={WORDS}")),
        page("finder, words of one", lambda: words_of_one()),
        page("finder, every name", lambda: public_pages("/kindergartens?q=you+er+yuan"), None),
        page("finder, pins", lambda: public_pages("/kindergartens/pins"), None),
        page("kindergarten", lambda: public_pages(f"/kindergartens/{city}")),
        page("coverage", lambda: public_pages("/coverage")),
    ]


def of_family(readers: list[Family]) -> Iterator[Path]:
    """Three pages of families that have handed in: seen for the first time, and again within the minute (ADR 84)."""
    addresses = {"status": FORM, "task list": f"{FORM}/tasks", "home signed in": "/parents"}
    for name, address in addresses.items():
        yield Path(name, functools.partial(first_looks, readers, address), 200, "hello", FAMILY_PAGE)
        yield Path(f"{name} again", functools.partial(pages, readers, address), 200, "hello", FAMILY_PAGE)


def of_results(ground: Ground, families: list[Family]) -> list[Path]:
    """The paths after the publication of a result."""
    return [
        Path("result page", lambda: result_pages(ground, families, "1 minute"), 200, "hello", FAMILY_PAGE),
        Path("result page later", lambda: result_pages(ground, families, "1 day"), 200, "hello", FAMILY_PAGE),
        Path("confirm", lambda: confirmations(ground, families), 303, "own rows", CONFIRMATION, OFFERED),
    ]


def _kindergartens(ground: Ground) -> Iterator[str]:
    with psycopg.connect(ground.url) as connection:
        for (code,) in connection.execute("SELECT code FROM kindergarten ORDER BY code LIMIT 1"):
            yield code
