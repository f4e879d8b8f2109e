"""Signing in and filling in forms with the test client."""

import datetime as dt
import re
import secrets
import uuid

import lxml.html
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account
from enrollment.ground.sign_in import WebSession
from portal.web.clock import real_now
from portal.web.sessions import digest_of

A_YEAR = dt.timedelta(days=365)
GROUPED_CODE = re.compile(r"\d{4} \d{4}|[A-Z0-9]{4}(?:-[A-Z0-9]{4}){2}")


def sign_in(client: FlaskClient, account: Account | uuid.UUID, **kept: str) -> FlaskClient:
    """Give this browser a session of the account, as if it had just signed in.  Returns the client.

    `kept` stands in the session too: `acting` is the mandate under which a helper acts.  The second factor counts for as long
    as the test runs; `second_factor_at` is when it was given.
    """
    account_id = account if isinstance(account, uuid.UUID) else account.id
    key = secrets.token_urlsafe(32)
    session: Session = client.rows_of_the_test
    moment = real_now()
    row = {"_user_id": str(account_id), "_fresh": True, "second_factor_at": (moment + A_YEAR).isoformat(), **kept}
    session.add(
        WebSession(
            digest=digest_of(key),
            account_id=account_id,
            data=row,
            created_at=moment,
            seen_at=moment,
            expires_at=moment + dt.timedelta(hours=1),
        )
    )
    session.commit()
    client.set_cookie("session", key, domain="localhost")
    return client


def hidden_fields(html: str, action: str | None = None) -> dict[str, str]:
    """The hidden fields of the first POST form of a page in `<main>`, or of the one with this action, its own or a button's."""
    # the parser behind BeautifulSoup, without its objects: this is done for every form that a test sends
    for form in lxml.html.fromstring(html).xpath("//main//form"):
        acts = (form.get("action"), *form.xpath(".//button/@formaction"))
        if form.get("method", "get").lower() == "post" and (action is None or action in acts):
            return {field.attrib["name"]: field.get("value", "") for field in form.xpath(".//input[@type='hidden']")}
    raise AssertionError(f"no form {action or ''} on the page")


def choices_of(client: FlaskClient, path: str, name: str) -> list[str]:
    """The values of the checkboxes of this name on a page."""
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [box["value"] for box in page.select(f'input[type="checkbox"][name="{name}"]')]


def fill_in(client: FlaskClient, path: str, action: str | None = None, **fields):
    """Open the page, fill in its form and send it; the answer is not followed."""
    page = client.get(path)
    assert page.status_code == 200, (path, page.status_code, page.headers.get("Location"))
    hidden = hidden_fields(page.text, action)
    files = any(hasattr(value, "read") or isinstance(value, tuple) for value in fields.values())
    return client.post(action or path, data={**hidden, **fields}, content_type="multipart/form-data" if files else None)


def shown_code(html: str) -> str:
    """The code in groups of four that a page shows once: the one element in `<main>` whose whole text it is.

    An id or a form token of the page may hold such groups by chance, so the page's source is not searched.
    """
    texts = {text.strip() for text in lxml.html.fromstring(html).xpath("//main//text()")}
    [code] = [text for text in texts if GROUPED_CODE.fullmatch(text)]
    return code
