"""Who is signed in.  Flask-Login keeps the account's id in the server-side session; the account is read for each request."""

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
from portal.web.unit_of_work import db


@dataclass
class SignedIn(UserMixin):
    """What pages know of the person: the actor that verbs are given, the name and the desk."""

    actor: Actor

    def get_id(self) -> str:
        return str(self.actor.account_id)

    @property
    def name(self) -> str:
        return self.actor.name

    @property
    def desk(self) -> str | None:
        return self.actor.desk


def _load(account_id: str) -> SignedIn | None:
    account = db().scalar(select(Account).where(Account.id == uuid.UUID(account_id)))
    return SignedIn(actor_of(account)) if account is not None and account.disabled_at is None else None


def admit(account: Account) -> None:
    """Sign the person in under a fresh session key, so that an older cookie opens nothing."""
    kept = session.hidden("kept")  # type: ignore[attr-defined]
    session.clear()
    if kept and json.loads(kept)["owner"] == str(account.id):
        session.hide("kept", kept)  # type: ignore[attr-defined]
    session.renew = True  # type: ignore[attr-defined]
    login_user(SignedIn(actor_of(account)))
    _agree_on_language(account)
    audit.record(db(), "sign_in", "account", account.id, by=actor_of(account), now=real_now())


def _agree_on_language(account: Account) -> None:
    """What the browser chose with the switch counts for the account; where it chose nothing, the account's counts."""
    asked = languages.asked()
    if asked is not None:
        choose_language(db(), asked, by=actor_of(account))
    elif account.language in languages.LOCALES:
        languages.keep(account.language)


def _keep_choice(response: Response) -> Response:
    """The switch, used while signed in, also sets the language of messages."""
    asked = request.args.get("lang")
    if asked in languages.LOCALES and response.status_code < 400 and current_user.is_authenticated:
        choose_language(db(), asked, by=current_user.actor)
    return response


def dismiss() -> None:
    """Sign the person out: the old key opens nothing, even if a request under way writes its session back."""
    logout_user()
    session.clear()
    session.renew = True  # type: ignore[attr-defined]


def init(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # the session is a row of ours; addresses of phones change all the time
    manager.user_loader(_load)
    app.after_request(_keep_choice)
