"""Sign-in of families by the city's single sign-on, beside the one-time codes.

Each attempt has a state, a nonce and a PKCE verifier of its own in the web session and ends with the first answer, so that
two tabs do not disturb each other and an answer cannot be used twice.  A person whom no account is bound to proves an
account once, with a code to its phone; the session key changes before that, so that nobody else can go on with the attempt.
Where the provider does not answer, the page for codes says so.
"""

import json
import logging
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from enrollment.ground.accounts import Account, Role
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.phones import mask_phone, parse_phone
from enrollment.people import sign_on_bindings
from portal.gateways import single_sign_on
from portal.gateways.single_sign_on import Attempt, Identity, Provider, SignOnFault, Trouble
from portal.public import pages
from portal.public.phone_doubts.doubted_phone import question_first
from portal.public.sign_in import (
    ASK_AGAIN,
    CodeForm,
    account_of_code,
    code_values,
    log_in_and_go_on,
    send_code_to,
)
from portal.text.formats import refusal
from portal.text.words import language, word
from portal.web import clock as clocks
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk, public
from portal.web.phone_fields import phone_field
from portal.web.rate_limits import (
    CODES_OF_A_BROWSER,
    attempts_of_an_address,
    browser_key,
    codes_of_an_address,
    limiter,
)
from portal.web.safe_redirect import local_path
from portal.web.sessions import current_session
from portal.web.unit_of_work import account_id, clock, db, services

log = logging.getLogger(__name__)

ATTEMPTS = "sign_on_attempts"
PROVEN = "sign_on_identity"
MOST_ATTEMPTS = 5
"""Tabs of one browser that can be on the way to the provider; the oldest attempt is forgotten."""

LONGEST_ATTEMPT = 15 * 60
"""Seconds from the link to the provider's answer, and from there to the end of the proof."""


class ProofForm(PageForm):
    phone = phone_field(_l("手机号"))


@dataclass(frozen=True)
class Waiting:
    """A person of the provider whom no account is bound to yet; `next` is where the sign-in leads."""

    subject_index: bytes
    name: str
    phone: str | None


def _provider() -> Provider:
    config = services().config
    if config.single_sign_on is None:
        raise NotFound
    return single_sign_on.provider(config.single_sign_on, f"{config.public_url}/sign-in/sso/back")


def _to_the_codes(trouble: str, target: str | None) -> ResponseReturnValue:
    flash(word("sign_on_trouble", trouble), "warn")
    return redirect(url_for("public.sign_in", next=target or None), 303)


@pages.get("/sign-in/sso")
@public
@limiter.limit("60 per hour", key_func=browser_key)
def begin_sign_on() -> ResponseReturnValue:
    """To the provider.  A link and no form: the content policy lets no form of this portal end at another site."""
    target, connects = local_path(request.args.get("next")), "connect" in request.args
    if connects and not (current_user.is_authenticated and current_user.actor.is_any(Role.GUARDIAN)):
        return redirect(url_for("public.sign_in", next=url_for("parents.account")), 303)
    provider, attempt = _provider(), Attempt.new()
    ask_again = connects or session.pop(ASK_AGAIN, False)
    db().commit()  # while the provider answers, no connection to the database is held
    try:
        address = provider.address(attempt, ask_again=ask_again, language="en" if language() == "en" else "zh-CN")
    except SignOnFault as fault:
        log.warning("single sign-on: %s", fault)
        return _to_the_codes(fault.trouble, target)
    kept = {
        **attempt.as_plain(),
        "next": target,
        "at": clocks.real_now().timestamp(),
        "connects": current_user.get_id() if connects else None,
    }
    session[ATTEMPTS] = [*session.get(ATTEMPTS, []), kept][-MOST_ATTEMPTS:]
    return redirect(address, 303)


def _take_attempt(state: str) -> dict | None:
    """The attempt with this state, which is over with it; None for an unknown, used or old one."""
    kept = session.get(ATTEMPTS, [])
    found = next((each for each in kept if each["state"] == state), None)
    session[ATTEMPTS] = [each for each in kept if each is not found]
    fresh = found is not None and clocks.real_now().timestamp() - found["at"] < LONGEST_ATTEMPT
    return found if fresh else None


@pages.get("/sign-in/sso/back")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("60 per hour", key_func=browser_key)
def end_sign_on() -> ResponseReturnValue:
    """From the provider.  Nothing in the address counts unless its state is that of an attempt of this browser."""
    provider = _provider()
    kept = _take_attempt(request.args.get("state", ""))
    if kept is None:
        return redirect(f"/{current_user.desk}", 303) if current_user.is_authenticated else _to_the_codes("over", None)
    if request.args.get("iss", provider.settings.issuer) != provider.settings.issuer:
        return _to_the_codes(Trouble.WRONG, kept["next"])
    if "error" in request.args or not request.args.get("code"):
        return _to_the_codes(Trouble.REFUSED, kept["next"])
    db().commit()  # while the provider answers, no connection to the database is held
    try:
        attempt = Attempt(kept["state"], kept["nonce"], kept["verifier"])
        identity = provider.identity(request.args["code"], attempt)
    except SignOnFault as fault:
        log.warning("single sign-on: %s", fault)
        return _to_the_codes(fault.trouble, kept["next"])
    if kept["connects"] is not None:
        return _ask_to_connect(identity, kept["connects"])
    return _enter(identity, kept["next"])


def _enter(identity: Identity, target: str | None) -> ResponseReturnValue:
    index = sign_on_bindings.index_of(identity.issuer, identity.subject)
    account = sign_on_bindings.open_account(db(), index, now=clock())
    session["next"] = target
    if account is not None:
        return log_in_and_go_on(account)
    _keep(identity, index)
    return redirect(url_for("public.prove_phone"), 303)


def _ask_to_connect(identity: Identity, whose: str) -> ResponseReturnValue:
    if not current_user.is_authenticated or current_user.get_id() != whose:
        return _to_the_codes("over", url_for("parents.account"))
    _keep(identity, sign_on_bindings.index_of(identity.issuer, identity.subject))
    return redirect(url_for("public.connect_sign_on"), 303)


def _keep(identity: Identity, index: bytes) -> None:
    """Remember who came from the provider, under a new session key: whoever knew the old one cannot go on with it."""
    kept = {
        "index": index.hex(),
        "name": identity.name,
        "phone": identity.phone,
        "at": clocks.real_now().timestamp(),
    }
    current_session().set_sealed(PROVEN, json.dumps(kept))
    current_session().renew = True


def _waiting() -> Waiting | None:
    kept = json.loads(current_session().get_sealed(PROVEN) or "null")
    if kept is None or clocks.real_now().timestamp() - kept["at"] > LONGEST_ATTEMPT:
        return None
    return Waiting(bytes.fromhex(kept["index"]), kept["name"], kept["phone"])


def _named(waiting: Waiting) -> dict[str, str]:
    """The person of the provider as the pages show it: enough to see whether it is oneself."""
    sign_on = services().config.single_sign_on
    phone = ""
    if waiting.phone:
        try:
            phone = mask_phone(parse_phone(waiting.phone))
        except Refused:
            phone = ""
    name = waiting.name[:1] + "*" * len(waiting.name[1:])
    return {"sign_on": sign_on.named(language()) if sign_on else "", "person": " ".join(filter(None, (name, phone)))}


def _over() -> ResponseReturnValue:
    session.pop(PROVEN, None)
    return _to_the_codes("over", session.get("next"))


@pages.get("/sign-in/sso/phone")
@public
def prove_phone() -> ResponseReturnValue:
    waiting = _waiting()
    if waiting is None:
        return _over()
    return _proof_page(ProofForm(phone=(waiting.phone or "").removeprefix("+86")), waiting)


def _proof_page(form: ProofForm, waiting: Waiting) -> ResponseReturnValue:
    return render_template("public/sign_on_phone.html", form=form, **_named(waiting))


@pages.post("/sign-in/sso/phone")
@public
@limiter.limit(codes_of_an_address)
@limiter.limit(CODES_OF_A_BROWSER, key_func=browser_key)
def send_proof_code() -> ResponseReturnValue:
    waiting, form = _waiting(), ProofForm()
    if waiting is None:
        return _over()
    if not form.validate_on_submit():
        return _proof_page(form, waiting)
    send_code_to(form.phone.data)
    return redirect(url_for("public.prove_code"), 303)


@pages.get("/sign-in/sso/code")
@public
def prove_code() -> ResponseReturnValue:
    waiting, phone = _waiting(), current_session().get_sealed("phone")
    if waiting is None or phone is None:
        return _over()
    return _proof_code_page(CodeForm(), waiting, phone)


def _proof_code_page(form: CodeForm, waiting: Waiting, phone: str) -> ResponseReturnValue:
    return render_template("public/sign_on_code.html", form=form, **_named(waiting), **code_values(phone))


@pages.post("/sign-in/sso/code")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("60 per hour", key_func=browser_key)
def use_proof_code() -> ResponseReturnValue:
    """The code opens the account of the phone, and binds the person of the provider to it."""
    waiting, phone, form = _waiting(), current_session().get_sealed("phone"), CodeForm()
    if waiting is None or phone is None:
        return _over()
    if not form.validate_on_submit():
        return _proof_code_page(form, waiting, phone)
    account = account_of_code(form, phone)
    if account is None:
        return _proof_code_page(form, waiting, phone)
    question = question_first(account, phone)
    # the answer to a question binds the person
    return enter_proved(account) if question is None else question


def enter_proved(account: Account) -> ResponseReturnValue:
    """Sign in to the account that was just proved, and bind the person who came from the provider in this browser to it.

    Who was bound to another account meanwhile, in another tab, stays bound there, and is told so.
    """
    waiting = _waiting()
    if waiting is None:
        return log_in_and_go_on(account)
    told = word("sign_on_done", "bound"), "message"
    try:
        with db().begin_nested():
            sign_on_bindings.bind(db(), account.id, waiting.subject_index, now=clock())
    except Refused as refused:
        told = refusal(refused), "warn"
    answer = log_in_and_go_on(account)
    flash(*told)
    return answer


@pages.get("/sign-in/sso/connect")
@desk("parents", Role.GUARDIAN)
def connect_sign_on() -> ResponseReturnValue:
    """A signed-in guardian sees whom the account would be opened by, and agrees or not: the link may be somebody else's."""
    waiting = _waiting()
    if waiting is None:
        return redirect(url_for("parents.account"), 303)
    return render_template("public/sign_on_connect.html", form=PageForm(), **_named(waiting))


@pages.post("/sign-in/sso/connect")
@desk("parents", Role.GUARDIAN)
def agree_to_connect() -> ResponseReturnValue:
    waiting, form = _waiting(), PageForm()
    if waiting is None:
        return redirect(url_for("parents.account"), 303)
    if form.validate_on_submit():
        with refusals_in(form):
            sign_on_bindings.bind(db(), account_id(), waiting.subject_index, now=clock())
            session.pop(PROVEN, None)
            flash(word("sign_on_done", "bound"))
            return redirect(url_for("parents.account"), 303)
    return render_template("public/sign_on_connect.html", form=form, **_named(waiting))
