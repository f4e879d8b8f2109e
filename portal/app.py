"""The portal is put together here, and refuses to start when something is missing."""

import importlib
import pkgutil

from flask import Flask, g
from flask_login import current_user
from jinja2 import StrictUndefined, Undefined
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

import portal.commands
import portal.helpers
import portal.officials
import portal.parents
import portal.public
import portal.staff
from enrollment.ground.db import open_engine
from enrollment.ground.vault import unlock
from portal.config import Config
from portal.text import formats, languages
from portal.text.words import word
from portal.web import (
    authentication,
    csrf,
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
from portal.web.unit_of_work import House, house

DESKS = (portal.public, portal.parents, portal.helpers, portal.staff, portal.officials)


def create_app(config: Config, engine: Engine | None = None) -> Flask:
    """The portal.  Raises UnguardedRoute when a route has no guard; tests give an engine of their own."""
    app = Flask("portal", template_folder="../templates")
    unlock(config.keys)
    app.extensions["house"] = House(config, engine or open_engine(config.database_url, pool_size=5, max_overflow=5))
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
    app.jinja_env.undefined = _undefined(config)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.session_interface = sessions.SessionTable()
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=config.proxies)  # type: ignore[method-assign]
    for part in (
        logs,
        unit_of_work,
        headers,
        upload_fields,
        authentication,
        languages,
        csrf,
        idempotency,
        drafts,
        rate_limits,
        formats,
        errors,
    ):
        part.init(app)
    _teach_templates(app)
    _open_doors(app, demo=config.demo)
    guards.refuse_unguarded(app)
    return app


def _undefined(config: Config) -> type[Undefined]:
    """What a name of a template is that nobody passed: a fault in tests and in the demo, an empty text in a real city.

    A family of a real city still gets the rest of its page.
    """
    return StrictUndefined if config.testing or config.demo else Undefined


def _teach_templates(app: Flask) -> None:
    @app.context_processor
    def what_every_page_knows():
        return {
            "demo": house().config.demo,
            "lang": languages.chosen(),
            "account": current_user if current_user.is_authenticated else None,
            "now": unit_of_work.clock() if "broken" not in g else None,
            "acting": g.get("acting"),
        }

    app.jinja_env.globals.update(word=word)


def _open_doors(app: Flask, *, demo: bool) -> None:
    """Import every module of the desks, so that its views stand on the blueprint, and of the commands."""
    guards.public(app.view_functions["static"])
    for desk in DESKS:
        for module in pkgutil.iter_modules(desk.__path__):
            importlib.import_module(f"{desk.__name__}.{module.name}")
        app.register_blueprint(desk.pages)
    for module in pkgutil.iter_modules(portal.commands.__path__):
        found = importlib.import_module(f"portal.commands.{module.name}")
        for command in getattr(found, "commands", None) or (found.cli,):
            app.cli.add_command(command)
