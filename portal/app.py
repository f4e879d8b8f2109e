"""The application factory.  It raises an error when a setting or a guard is missing."""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from flask import Flask, g
from jinja2 import StrictUndefined, Undefined
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

import portal.commands
import portal.helpers
import portal.officials
import portal.parents
import portal.public
import portal.staff
from enrollment.ground.db import open_engine
from enrollment.ground.reading.catalogue import Catalogue
from enrollment.ground.vault import unlock
from portal.config import Config
from portal.text import draw_forms, formats, languages, page_environment, template_code
from portal.text.grade_names import grade_name
from portal.text.page_environment import PageEnvironment
from portal.text.round_names import round_name
from portal.text.words import HOTLINE, contact, word
from portal.web import (
    acting_for,
    admission_year,
    authentication,
    away,
    csrf,
    devices,
    drafts,
    errors,
    guards,
    headers,
    idempotency,
    logs,
    rate_limits,
    sessions,
    unit_of_work,
    upload_fields,
)
from portal.web.front import lane, static_files, switches
from portal.web.metrics import requests
from portal.web.page_data import family_pages, kept_pages, page_reads
from portal.web.shared_views.finder import kept_cards
from portal.web.unit_of_work import Services, services

DESKS = (portal.public, portal.parents, portal.helpers, portal.staff, portal.officials)


class Route(Rule):
    """A rule of werkzeug that compiles the builders of its address when the first address is built.

    Werkzeug compiles two for each of six hundred rules at every start of a process, which builds the addresses of few.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = functools.cache(functools.partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build


class Portal(Flask):
    """Flask without its question, at each of thirty hooks of a request, whether a function is a coroutine: none is."""

    url_rule_class = Route

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: Config, engine: Engine | None = None) -> Flask:
    """Build the Flask app.  `engine` replaces the one of `config.database_url`.  Raises UnguardedRoute."""
    app = Portal("portal", root_path=portal.__path__[0], template_folder="../templates")
    unlock(config.keys)
    app.extensions["services"] = Services(
        config, engine or open_engine(config.database_url, pool_size=5, max_overflow=5)
    )
    app.extensions["catalogue"] = Catalogue(always_look=config.testing)
    app.config.update(
        SECRET_KEY=config.secret_key,
        TESTING=config.testing,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        TRUSTED_HOSTS=config.hosts,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_environment = PageEnvironment
    app.jinja_env.undefined = _undefined(config)
    app.jinja_env.bytecode_cache = template_code.kept_in(config.template_cache)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=config.proxies)  # type: ignore[method-assign]
    for part in (
        logs,
        requests,
        unit_of_work,
        sessions,
        headers,
        upload_fields,
        authentication,
        page_reads,
        kept_pages,
        kept_cards,
        family_pages,
        languages,
        page_environment,
        csrf,
        idempotency,
        drafts,
        devices,
        rate_limits,
        formats,
        draw_forms,
        errors,
        static_files,
        switches,
        lane,
    ):
        part.init(app)
    away.init(app)
    _add_template_globals(app)
    _register_pages_and_commands(app, demo=config.demo)
    guards.refuse_unguarded(app)
    return app


def _undefined(config: Config) -> type[Undefined]:
    """The type of an undefined template variable: an error in tests and in the demo, an empty text in production.

    In production a family still gets the rest of the page.
    """
    return StrictUndefined if config.testing or config.demo else Undefined


def _add_template_globals(app: Flask) -> None:
    @app.context_processor
    def template_context() -> dict[str, Any]:
        return {
            "demo": services().config.demo,
            "lang": languages.chosen(),
            "account": authentication.signed_in(),
            "now": unit_of_work.clock() if "internal_error" not in g else None,
            "acting": g.get("acting"),
        }

    app.extensions[HOTLINE] = admission_year.hotline
    app.jinja_env.filters["round_name"] = round_name
    app.jinja_env.globals.update(
        grade_name=grade_name, word=word, hotline=admission_year.hotline, contact=contact, acting_token=acting_for.token
    )


def _register_pages_and_commands(app: Flask, *, demo: bool) -> None:
    """Import every module of the desks, which registers their views, and of the commands."""
    for desk in DESKS:
        for module in pkgutil.walk_packages(desk.__path__, f"{desk.__name__}."):
            importlib.import_module(module.name)
        app.register_blueprint(desk.pages)
    for module in pkgutil.iter_modules(portal.commands.__path__):
        found = importlib.import_module(f"portal.commands.{module.name}")
        for command in getattr(found, "commands", None) or (found.cli,):
            app.cli.add_command(command)
