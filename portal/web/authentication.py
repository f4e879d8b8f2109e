"""The signed-in user.  Flask-Login keeps the account's id in the server-side session; each request reads the account."""

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
    account = db().scalar(select(Account).where(Account.id == uuid.UUID(account_id)))
    if account is not None and session.get(PHONE_MARK, "") not in ("", _phone_mark(account)):
        return None
    return CurrentUser(actor_of(account)) if account is not None and account.disabled_at is None else None


def _phone_mark(account: Account) -> str:
    """Which phone the account had at the sign-in.  A sign-in that races with a phone change does not survive it."""
    return account.phone_index.hex()[:16] if account.phone_index else "none"


def log_in(account: Account) -> None:
    """Sign the person in under a new session key, so that an older cookie is invalid."""
    saved_form = current_session().get_sealed("saved_form")
    session.clear()
    if saved_form and json.loads(saved_form)["owner"] == str(account.id):
        current_session().set_sealed("saved_form", saved_form)
    current_session().renew = True
    session[PHONE_MARK] = _phone_mark(account)
    login_user(CurrentUser(actor_of(account)))
    _agree_on_language(account)
    audit.record(db(), "sign_in", "account", account.id, by=actor_of(account), now=real_now())


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
