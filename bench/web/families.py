"""Signed-in families of the measured city: their sessions, the tokens of their forms, and drafts to hand in."""

import itertools
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import psycopg
from itsdangerous import URLSafeTimedSerializer
from psycopg.types.json import Json
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.web.ground import SECRET, Ground, now
from enrollment.applications.returned_items import ReturnedItem, ReturnPhrase
from enrollment.season.facts import Fact
from portal.web.csrf import masked
from portal.web.sessions import digest_of

ANY, DRAFT, HANDED_IN, RETURNED, OFFERED = "any", "draft", "handed in", "returned", "offered"
"""The states from which paths start; `ANY` is left as it is."""

AS_DRAFTS = """
    UPDATE application SET stage = 'draft', version = 1, registration_code = NULL, submitted_at = NULL, opened_at = NULL,
        returned_at = NULL, review_kindergarten_id = NULL, agrees_to_central = false WHERE id = ANY(%(ids)s)
"""
BY_THE_FAMILY = """
    entered_for IS NULL AND EXISTS (SELECT FROM wish WHERE wish.application_id = application.id)
    AND EXISTS (SELECT FROM guardianship JOIN guardian ON guardian.id = guardianship.guardian_id
        WHERE guardianship.child_id = application.child_id AND guardianship.accepted_at IS NOT NULL
          AND guardian.account_id = application.entered_by AND guardian.id_number IS NOT NULL)
    AND EXISTS (SELECT FROM consent WHERE consent.account_id = application.entered_by AND kind = 'child_data'
          AND withdrawn_at IS NULL)
    AND EXISTS (SELECT FROM account JOIN role_grant ON role_grant.account_id = account.id
        WHERE account.id = application.entered_by AND disabled_at IS NULL AND role = 'guardian')
    AND EXISTS (SELECT FROM household WHERE household.application_id = application.id)
    AND NOT on_hold
"""
FORGET = [
    "DELETE FROM application_version WHERE application_id = ANY(%(ids)s)",
    "DELETE FROM move_made WHERE application_id = ANY(%(ids)s)",
    "DELETE FROM notice WHERE application_id = ANY(%(ids)s)",
    "DELETE FROM returned_item WHERE application_id = ANY(%(ids)s)",
    "DELETE FROM job WHERE kind = 'ask_registers' AND args->>'application' = ANY(%(ids)s::text[])",
    "DELETE FROM done_once",
    "DELETE FROM audit_entry WHERE link IS NULL",
]
KEPT = {
    "application": "id",
    "application_version": "application_id",
    "move_made": "application_id",
    "wish": "application_id",
}
"""Tables whose rows of handed-in applications are kept beside them, with the column that names the application."""

AS_HANDED_IN = [
    "UPDATE application SET stage = was.stage, version = was.version, registration_code = was.registration_code,"
    " submitted_at = was.submitted_at, review_kindergarten_id = was.review_kindergarten_id,"
    " agrees_to_central = was.agrees_to_central FROM bench_application was WHERE was.id = application.id",
    "DELETE FROM wish WHERE application_id = ANY(%(ids)s)",
    *(
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM bench_{table}"
        for table in KEPT
        if table != "application"
    ),
]
AS_RETURNED = [
    "UPDATE application SET stage = 'returned', version = version + 2, opened_at = now() - interval '2 hours',"
    " returned_at = now() - interval '1 hour' WHERE id = ANY(%(ids)s)",
    "INSERT INTO move_made (application_id, move, before, after, account_id, at)"
    " SELECT id, 'take', 'submitted', 'in_review', %(clerk)s, now() - interval '2 hours' FROM bench_application"
    " UNION ALL SELECT id, 'send_back', 'in_review', 'returned', %(clerk)s, now() - interval '1 hour' FROM bench_application",
    "INSERT INTO returned_item SELECT * FROM bench_returned_item",
]
CLERK = "SELECT account_id FROM role_grant WHERE role = 'clerk' ORDER BY account_id LIMIT 1"


@dataclass(frozen=True)
class Browser:
    """A session: the cookie's value and a valid token of its forms, signed as Flask-WTF does."""

    cookie: str
    csrf: str

    def form(self, *fields: tuple[str, str], key: bool = True, is_masked: bool = True) -> str:
        """The body of a form with its hidden fields; the twins take the token without the portal's mask."""
        hidden = [("csrf_token", masked(self.csrf) if is_masked else self.csrf)]
        if key:
            hidden.append(("idempotency_key", uuid.uuid4().hex))
        return urlencode([*hidden, *fields])


@dataclass(frozen=True)
class Family:
    application: uuid.UUID
    account: uuid.UUID
    browser: Browser


_tokens = itertools.count()


def browsers(ground: Ground, sessions: list[tuple[uuid.UUID | None, dict]]) -> list[Browser]:
    """Sessions as the portal writes them, for these accounts with this content."""
    signer, moment, made, rows = URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token"), now(), [], []
    for account, content in sessions:
        key, token = secrets.token_urlsafe(32), secrets.token_hex(20)
        data = {"csrf_token": token, **content}
        if account is not None:
            data |= {"_user_id": str(account), "_fresh": True}
        rows.append((digest_of(key), account, Json(data), moment, moment, moment + timedelta(hours=12)))
        made.append(Browser(key, str(signer.dumps(token))))
    with psycopg.connect(ground.url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO web_session (digest, account_id, data, created_at, seen_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            rows,
        )
    return made


def signed_in(ground: Ground, where: str = "stage = 'submitted' AND unit IS NULL") -> list[Family]:
    """A browser for each family of these applications (SQL, a constant)."""
    with psycopg.connect(ground.url) as connection:
        found = connection.execute(
            f"SELECT id, entered_by FROM application WHERE {where} AND {BY_THE_FAMILY} ORDER BY id"
        ).fetchall()
    made = browsers(ground, [(account, {}) for _application, account in found])
    return [Family(application, account, browser) for (application, account), browser in zip(found, made, strict=True)]


def as_drafts(ground: Ground, families: list[Family]) -> None:
    """Put the applications back to drafts that were never handed in; nothing of earlier rounds stays."""
    _put_back(ground, families, (AS_DRAFTS, *FORGET))


def remember_handed_in(ground: Ground, families: list[Family]) -> None:
    """Keep the rows of applications that are handed in, for `as_handed_in` and `as_returned`."""
    ids = [family.application for family in families]
    with psycopg.connect(ground.url) as connection:
        for table, column in KEPT.items():
            connection.execute(f"CREATE TABLE bench_{table} AS SELECT * FROM {table} WHERE {column} = ANY(%s)", [ids])
    with Session(ground.engine) as session, session.begin():
        clerk = session.scalar(text(CLERK))
        asked = {
            "item": Fact.HOME_PLACE,
            "phrase": ReturnPhrase.CHECK_ENTRY,
            "note": "",
        }  # a note is sealed for its row
        asked |= {"asked_at": now() - timedelta(hours=1), "asked_by": clerk}
        session.add_all(ReturnedItem(application_id=each, **asked) for each in ids)
        session.flush()
        session.execute(
            text("CREATE TABLE bench_returned_item AS SELECT * FROM returned_item WHERE asked_by = :by"), {"by": clerk}
        )
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM returned_item WHERE asked_by = :by"), {"by": clerk})


def as_handed_in(ground: Ground, families: list[Family]) -> None:
    """Put the applications back to what `remember_handed_in` has kept."""
    _put_back(ground, families, (AS_DRAFTS, *FORGET, *AS_HANDED_IN))


def as_returned(ground: Ground, families: list[Family]) -> None:
    """The same, and sent back by a clerk who asks about the address."""
    _put_back(ground, families, (AS_DRAFTS, *FORGET, *AS_HANDED_IN, *AS_RETURNED))


def _put_back(ground: Ground, families: list[Family], statements: Sequence[str]) -> None:
    with psycopg.connect(ground.url) as connection:
        clerk = connection.execute(CLERK).fetchone()
        named = {"ids": [family.application for family in families], "clerk": clerk[0] if clerk else None}
        # receipts and history are only added to, also for the owner of the tables
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement, named if "%(" in statement else None)
    with psycopg.connect(ground.url, autocommit=True) as connection:
        connection.execute(
            "VACUUM (ANALYZE) application, application_version, move_made, wish, returned_item, notice, done_once, audit_entry"
        )
        connection.execute("CHECKPOINT")


def remember_offers(ground: Ground):
    """A function that puts every offer back to what it is now."""
    with psycopg.connect(ground.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_offer AS SELECT * FROM offer")

    def put_back() -> None:
        with psycopg.connect(ground.url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("DELETE FROM offer_move WHERE move IN ('confirm', 'confirm_and_wait')")
            connection.execute(
                "UPDATE offer SET state = b.state FROM bench_offer b WHERE b.id = offer.id AND offer.state <> b.state"
            )
            for statement in ("DELETE FROM done_once", "DELETE FROM audit_entry WHERE link IS NULL"):
                connection.execute(statement)

    return put_back
