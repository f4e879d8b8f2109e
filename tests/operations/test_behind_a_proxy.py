"""Behind a proxy the portal believes exactly as many proxies as it was told of."""

import dataclasses

import pytest
from flask import request

from portal.app import create_app
from portal.web.guards import public

TOLD = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "rx.example.cn",
}


@pytest.fixture
def seen(whole_app, portal_engine):
    """What a page sees of its visitor, when so many proxies stand in front."""

    def seen(proxies: int) -> tuple[str | None, str, str]:
        config = dataclasses.replace(whole_app.extensions["services"].config, proxies=proxies)
        app = create_app(config, portal_engine)
        kept = []

        @public
        def look():
            kept.append((request.remote_addr, request.scheme, request.host))
            return ""

        app.view_functions["public.healthz"] = look
        app.test_client().get("/healthz", headers=TOLD, environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
        return kept[0]

    return seen


def test_nobody_is_believed_unasked(seen):
    assert seen(0) == ("127.0.0.1", "http", "localhost")


def test_one_proxy_tells_the_visitor_the_scheme_and_the_host(seen):
    assert seen(1) == ("198.51.100.7", "https", "rx.example.cn")


def test_what_a_visitor_claims_for_himself_is_not_believed(seen):
    assert seen(1)[0] != "203.0.113.9"
    assert seen(2)[0] == "203.0.113.9"
