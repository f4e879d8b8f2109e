"""Rate limits of one-time codes and sign-in.  Limits for each phone and asker are in the database (`ground/sign_in.py`).

A browser is limited first.  An address is limited far higher, because thousands of phones share one address of a mobile
carrier, and a community station or a school serves a whole quarter from one.
"""

from flask import Flask, Response
from flask_limiter import Limiter

from enrollment.ground.vault import normalise
from portal.web import devices
from portal.web.unit_of_work import services

limiter = Limiter(
    devices.network_address, strategy="fixed-window", in_memory_fallback_enabled=True, swallow_errors=True
)

CODES_OF_A_BROWSER = "20 per hour"
"""More than a family with several phones needs."""

CODES_OF_EVERYBODY = "30000 per minute"
"""For the gateway: twice as many as a city asks for in its busiest minute (278 a second)."""

EVERYBODY = "everybody"


def browser_key() -> str:
    return f"browser:{devices.browser_id()}"


def codes_of_an_address() -> str:
    return f"{services().config.codes_per_address} per hour"


def attempts_of_an_address() -> str:
    """Twice as many attempts as codes: a code is mistyped now and then."""
    return f"{2 * services().config.codes_per_address} per hour"


def attempts_of_an_address_first() -> str:
    """The same, in minutes: of several limits, that with the smallest unit is counted first, and then the one next to the view.

    So an address that is refused does not use up the attempts of the logins which it goes on to name.
    """
    return f"{2 * services().config.codes_per_address} per 60 minutes"


def codes_of_everybody() -> str:
    return CODES_OF_EVERYBODY


def was_taken(answer: Response) -> bool:
    """For a limit that all share: whoever another limit refuses, or who is asked to correct the number, does not count."""
    return answer.status_code == 303


def login_key(login: str) -> str:
    """The key of attempts to sign in with this login, however it is spelled.

    A browser that has signed in with it before is counted alone: nobody locks a clerk out of the clerk's own computer.
    """
    login = normalise(login).lower()[:80]
    return f"login:{login}:{devices.browser_id()}" if devices.knows_login(login) else f"login:{login}"


def init(app: Flask) -> None:
    config = app.extensions["services"].config
    app.config.update(
        RATELIMIT_STORAGE_URI=config.redis_url.replace("unix://", "redis+unix://", 1)
        if config.redis_url.startswith("unix://")
        else config.redis_url,
        RATELIMIT_ENABLED=not config.testing,
        RATELIMIT_HEADERS_ENABLED=False,
    )
    limiter.init_app(app)
    if limiter.enabled:  # no limit holds for all routes: a view with one asks for it itself
        app.before_request_funcs[None].remove(limiter._check_request_limit)
