"""What a helper does on the pages, from the code of the guardian to the receipt."""

import datetime as dt
import re

from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.outbox import TextMessage
from tests.portal.parents.desk import errors, page
from tests.support.signing_in import fill_in, hidden_fields
from tests.support.town_families import id_number

PHONE = "13811112222"
MOTHERS_NUMBER = id_number(dt.date(1988, 3, 3))
BORN = dt.date(2023, 3, 12)
LANGUAGES = ("zh", "en")


def newest_text(session) -> str:
    return session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first().body


def code_in(text: str) -> str:
    return re.search(r"(?<!\d)\d{6}(?!\d)", text).group()


def begin_by_code(client, session, phone=PHONE, **fields):
    asked = fill_in(client, "/helpers/new", phone=phone, agreed="y", **fields)
    assert asked.headers["Location"] == "/helpers/new/code"
    return fill_in(client, "/helpers/new/code", code=code_in(newest_text(session)))


def enter_the_form(client, session, garden) -> str:
    """Everything from the guardian to the submission; returns the address of the receipt."""
    fill_in(client, "/parents/guardian", name="张小三", id_kind="resident", id_number=MOTHERS_NUMBER)
    entered = fill_in(
        client, "/parents/children/new", name="张小宝", relation="mother", id_kind="resident", id_number=id_number(BORN)
    )
    assert entered.status_code == 303, errors(entered)
    application = session.scalars(select(Application)).one()
    start = f"/parents/applications/{application.id}"
    said = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104", "home_street": "三圣街道"}
    assert fill_in(client, f"{start}/household", **said).status_code == 303
    finder = page(client.get(f"{start}/wishes/add"))
    programme = finder.select_one("[name=add]")["value"]
    form = hidden_fields(str(finder), finder.select_one(".finds form").get("action"))
    assert client.post(f"{start}/wishes/add", data={**form, "add": programme}).status_code == 303
    handed_in = fill_in(client, f"{start}/check", true="y", agrees_to_central="y")
    assert handed_in.status_code == 303, errors(handed_in)
    return handed_in.headers["Location"]


def main_of(text: str) -> str:
    return BeautifulSoup(text, "lxml").main.get_text(" ", strip=True)
