"""The signed-in user.  Flask-Login keeps the account's id in the server-side session; each request reads the account."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass

from flask import Flask, Response, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy import select

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, actor_of, choose_language
from portal.text import languages
from portal.web.clock import real_now
from portal.web.sessions import current_session
from portal.web.unit_of_work import db

PHONE_MARK = "phone_mark"
SECOND_FACTOR_AT = "second_factor_at"
FRESH = dt.timedelta(minutes=15)
"""How long a second factor allows dangerous acts."""


@dataclass
class CurrentUser(UserMixin):
    """`flask_login.current_user`: the actor for service calls, the name and the desk."""

    actor: Actor

    def get_id(self) -> str:
        return str(self.actor.account_id)

    @property
    def name(self) -> str:
        return self.actor.name

    @property
    def desk(self) -> str | None:
        return self.actor.desk


def _load(account_id: str) -> CurrentUser | None:
    account = _account(uuid.UUID(account_id))
    if account is not None and session.get(PHONE_MARK, "") not in ("", _phone_mark(account)):
        return None
    return CurrentUser(actor_of(account)) if account is not None and account.disabled_at is None else None


def _account(account_id: uuid.UUID) -> Account | None:
    """The account of the web session, which was read with it; else that of a person who signs in with this request."""
    row = current_session().row
    if row is not None and row.account is not None and row.account.id == account_id:
        return row.account
    return db().scalar(select(Account).where(Account.id == account_id))


def signed_in() -> CurrentUser | None:
    """The signed-in person; None for nobody.  Each use of the proxy `current_user` looks for the person again."""
    user = current_user._get_current_object()
    return user if user.is_authenticated else None


def own_account() -> Account | None:
    """The account of the signed-in person as it was read with the web session; None for nobody."""
    row = current_session().row
    if row is None or row.account is None:
        return None
    person = signed_in()
    return row.account if person is not None and row.account.id == person.actor.account_id else None


def unread_messages() -> int:
    """The unread messages of the signed-in person, counted when the request began; 0 for nobody."""
    row = current_session().row
    return row.unread if row is not None and own_account() is not None else 0


def _phone_mark(account: Account) -> str:
    """Which phone the account had at the sign-in.  A sign-in that races with a phone change does not survive it."""
    return account.phone_index.hex()[:16] if account.phone_index else "none"


def log_in(account: Account) -> None:
    """Sign the person in under a new session key, so that an older cookie is invalid."""
    saved_form = current_session().get_sealed("saved_form")
    taken_along = current_session().get_sealed("check_answers")
    session.clear()
    if taken_along:
        current_session().set_sealed("check_answers", taken_along)
    if saved_form and json.loads(saved_form)["owner"] == str(account.id):
        current_session().set_sealed("saved_form", saved_form)
    current_session().renew = True
    session[PHONE_MARK] = _phone_mark(account)
    login_user(CurrentUser(actor_of(account)))
    _agree_on_language(account)
    audit.record(db(), "sign_in", "account", account.id, by=actor_of(account), now=real_now())


def note_second_factor() -> None:
    """The person has just given a second factor: dangerous acts are allowed for a while, under a new session key."""
    session[SECOND_FACTOR_AT] = real_now().isoformat()
    current_session().renew = True


def has_fresh_second_factor() -> bool:
    noted = session.get(SECOND_FACTOR_AT)
    return noted is not None and real_now() < dt.datetime.fromisoformat(noted) + FRESH


def _agree_on_language(account: Account) -> None:
    """The language chosen in the browser counts for the account; without a choice the account's language counts."""
    asked = languages.asked()
    if asked is not None:
        choose_language(db(), asked, by=actor_of(account))
    elif account.language in languages.LOCALES:
        languages.keep(account.language)


def _keep_choice(response: Response) -> Response:
    """Store the language of the switch for the messages of the signed-in account."""
    asked = request.args.get("lang")
    if asked in languages.LOCALES and response.status_code < 400 and current_user.is_authenticated:
        choose_language(db(), asked, by=current_user.actor)
    return response


def log_out() -> None:
    """Sign the person out.  The old session key stays invalid even if a parallel request saves its session."""
    logout_user()
    session.clear()
    current_session().renew = True


def init(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # sessions are rows of the database; IP addresses of phones change often
    manager.user_loader(_load)
    app.after_request(_keep_choice)
