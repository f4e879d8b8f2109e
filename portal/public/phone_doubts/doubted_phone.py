"""After the code of a number that the carrier may have given to another person: is one more question asked? (ADR 58)"""

import datetime as dt
import uuid

from flask import redirect, session, url_for
from flask.typing import ResponseReturnValue

from enrollment.applications.guardian_access import doubted_phones
from enrollment.ground.accounts import Account
from enrollment.ground.phones import phone_index
from portal.web.clock import real_now
from portal.web.devices import asker_for, remember_phone
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db

QUESTION = "doubted_phone"
"""In the session: the account whose code was right, and when."""

LIFETIME = dt.timedelta(minutes=15)


def question_first(account: Account, phone: str) -> ResponseReturnValue | None:
    """The way to the question, where the code that was just used is not enough; None where it is, which is noted."""
    known = asker_for(phone).known
    if not doubted_phones.is_doubted(db(), account, known_browser=known, now=clock()):
        doubted_phones.note_proof(db(), account, now=clock())
        remember_phone(phone)
        return None
    doubted_phones.begin(db(), account, now=clock())
    session[QUESTION] = {"account": str(account.id), "at": real_now().isoformat()}
    current_session().renew = True
    return redirect(url_for("public.document_question"), 303)


def asked_account() -> Account | None:
    """The account for which this browser has to answer; None without a fresh code, or if the number is no longer its."""
    kept, phone = session.get(QUESTION), current_session().get_sealed("phone")
    if kept is None or phone is None or real_now() > dt.datetime.fromisoformat(kept["at"]) + LIFETIME:
        return None
    account = db().get(Account, uuid.UUID(kept["account"]))
    if account is None or account.phone_index != phone_index(phone) or account.disabled_at is not None:
        return None
    return account
