"""The language of the reader."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, force_locale, get_locale

from portal.text.catalogues import TRANSLATIONS, compile_stale
from portal.text.plurals import CountedDomain

COOKIE = "lang"
LOCALES = {"zh": "zh_Hans_CN", "en": "en"}


def asked() -> str | None:
    """The language that this browser chose with the switch, now or earlier."""
    choice = request.args.get("lang") or request.cookies.get(COOKIE)
    return choice if choice in LOCALES else None


def chosen() -> str:
    """`?lang=` wins and is remembered in a cookie; Chinese is the default."""
    if "lang" not in g:
        g.lang = asked() or "zh"
    return g.lang


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """A context in which everything is said in this language, also outside a request."""
    before = g.get("spoken")
    with force_locale(LOCALES[language]):
        g.spoken = language
        try:
            yield
        finally:
            g.spoken = before


def spoken() -> str:
    """The language in which something is said now: `zh` or `en`."""
    try:
        here = g._get_current_object()  # asked fifty times a page: each use of the proxy costs
    except RuntimeError:  # no application: a command that is not about anybody
        return "zh"
    known = here.get("spoken")
    if known is None:
        known = here.spoken = chosen() if has_request_context() else _of_locale()
    return known


def _of_locale() -> str:
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def keep(language: str) -> None:
    """Have this browser go on in a language that it did not choose itself: that of the account which signs in."""
    g.kept_language = language


def _remember(response: Response) -> Response:
    language = g.get("kept_language") or request.args.get("lang")
    if language in LOCALES:
        https = current_app.extensions["services"].config.https
        response.set_cookie(COOKIE, language, max_age=31_536_000, secure=https, httponly=True, samesite="Lax")
    return response


def init(app: Flask) -> None:
    compile_stale()
    catalogues = sorted({source.stem for source in TRANSLATIONS.glob("*/LC_MESSAGES/*.po")}) or ["messages"]
    domain = ";".join(catalogues)
    babel = Babel(
        app,
        default_domain=domain,
        default_translation_directories=";".join([str(TRANSLATIONS)] * len(catalogues)),
        default_timezone="Asia/Shanghai",
        default_locale=LOCALES["zh"],
        locale_selector=lambda: LOCALES[chosen()],
    )
    babel.domain_instance = CountedDomain(domain, spoken)
    app.after_request(_remember)
