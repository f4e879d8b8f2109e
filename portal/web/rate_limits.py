"""Rate limits of one-time codes and sign-in, per IP address and in total.  Limits per phone are in the database."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, strategy="fixed-window", in_memory_fallback_enabled=True, swallow_errors=True)


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
