"""Families with a disability, a firefighter, a point on the map: entered, proved, reviewed and corrected through the pages.
A dump of every table then holds none of it, in no encoding."""

import base64
import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.ground import sign_in as doors
from enrollment.season.facts import Fact
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2022, 11, 23)
LONGITUDE, LATITUDE = "104.081437", "30.657219"
SECRETS = (
    "firefighter", "policy_care", "special_need", "disability",
    BORN.isoformat(), f"{BORN:%Y%m%d}", f"{BORN:%d.%m.%Y}", f"{BORN:%Y年%-m月%-d日}",
    LONGITUDE, LATITUDE, "104.081", "30.657",
    "听力残疾证", "消防救援支队",
)  # fmt: skip
"""The codes, the day, the point to a hundred metres, and what the clerk wrote."""
PUBLIC = {"policy", "pool", "round_policy"}
"""Tables of the public rules, which name the grounds that they reward."""


@pytest.fixture
def garden(town):
    garden = town.kindergarten("锦官园", places=2)
    town.open_registration()
    return garden


@pytest.fixture
def at_home(client, town, garden):
    """A parent's browser at the beginning of its form."""
    account = doors.account_of_phone(town.session, "13712345678", now=town.now)
    sign_in(client, account)
    sent(fill_in(client, "/parents/consent", consent="y"))
    mine = {"name": "李建国", "id_kind": "resident", "id_number": id_number(dt.date(1990, 5, 4), "m")}
    sent(fill_in(client, "/parents/guardian", **mine))
    child = {"name": "李沐晨", "relation": "father", "id_kind": "resident", "id_number": id_number(BORN)}
    sent(fill_in(client, "/parents/children/new", **child))
    return client


def sent(answer):
    assert answer.status_code == 303, BeautifulSoup(answer.text, "lxml").select_one(".govuk-error-summary")


def the_application(session) -> Application:
    session.expire_all()
    return session.scalars(select(Application)).one()


def hand_in(client, application, garden) -> None:
    start = f"/parents/applications/{application.id}"
    home = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104", "home_street": "三圣街道"}
    sent(fill_in(client, f"{start}/household", **home, home_longitude=LONGITUDE, home_latitude=LATITUDE))
    claims = {"policy_care": "y", "policy_care_detail": "firefighter", "special_need": "y"}
    sent(fill_in(client, f"{start}/grounds", **claims))
    photo = io.BytesIO()
    Image.new("RGB", (300, 200), "beige").save(photo, "JPEG")
    paper = {"document": "disability_certificate", "pages": (io.BytesIO(photo.getvalue()), "photo.jpg")}
    sent(fill_in(client, f"{start}/evidence", **paper))
    finder = BeautifulSoup(client.get(f"{start}/wishes/add", query_string={"q": garden.name}).text, "lxml")
    wish = {field["name"]: field["value"] for field in finder.select(".finds form input")}
    sent(client.post(f"{start}/wishes/add", data=wish))
    sent(fill_in(client, f"{start}/check", true="y", agrees_to_central="y"))


def test_tru10_a_dump_of_every_table_tells_no_canary(
    town, garden, at_home, another_client, frozen_clock, portal_session
):
    application = the_application(portal_session)
    hand_in(at_home, application, garden)
    town.registration_is_over()
    frozen_clock.set(town.now)
    portal_session.commit()
    clerk = sign_in(another_client(), town.clerk_of(garden).account_id)
    sent(fill_in(clerk, "/staff/queue", "/staff/queue/next"))
    path = f"/staff/applications/{application.id}"
    shown = clerk.get(path).text
    assert "消防" in shown and "2022年11月23日" in shown, "whoever reviews reads it"
    asks = {"item-special_need": "y", "note-special_need": "听力残疾证看不清"}
    sent(fill_in(clerk, f"{path}/send-back", **asks))
    sent(fill_in(at_home, f"/parents/applications/{application.id}/check", true="y", agrees_to_central="y"))
    sent(fill_in(clerk, "/staff/queue", "/staff/queue/next"))
    said = {"policy_care": "declined", "reason-policy_care": "不是消防救援支队的证明"}
    sent(
        fill_in(
            clerk,
            path,
            f"{path}/facts",
            act="save",
            special_need="claimed",
            born="claimed",
            home_place="claimed",
            **said,
        )
    )
    portal_session.expire_all()
    found = {row.fact: row for row in portal_session.scalars(select(VerifiedFact))}
    assert found[Fact.HOME_PLACE].value["point"] == [float(LONGITUDE), float(LATITUDE)]
    assert found[Fact.SPECIAL_NEED].value is True
    assert found[Fact.POLICY_CARE].outcome == "declined"
    portal_session.commit()
    tables = dump(portal_session)
    assert len(tables) > 80 and b"510104" in tables["household"], "the dump is whole"
    told = [
        (name, secret)
        for name, content in tables.items()
        if name not in PUBLIC
        for secret in SECRETS
        if any(written in content for written in encodings(secret))
    ]
    assert told == []


def dump(session) -> dict[str, bytes]:
    """Each table as `COPY` writes it, which is what `pg_dump` writes."""
    connection = session.connection().connection.driver_connection
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    tables = {}
    for (name,) in names:
        with connection.cursor() as cursor, cursor.copy(f'COPY "{name}" TO STDOUT') as copy:
            tables[name] = b"".join(bytes(part) for part in copy)
    return tables


def encodings(secret: str) -> set[bytes]:
    """The text itself, as a string of JSON, in hexadecimal and in base64 at each of the three offsets."""
    plain = secret.encode()
    inside = {base64.b64encode(b"x" * offset + plain)[4 if offset else 0 : -4] for offset in range(3)}
    escaped = {secret.encode("unicode_escape"), secret.encode("unicode_escape").replace(b"\\", b"\\\\")}
    return {plain, plain.hex().encode(), *escaped, *(each for each in inside if len(each) > 7)}
