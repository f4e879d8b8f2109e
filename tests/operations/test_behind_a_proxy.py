"""The portal trusts exactly as many proxies as are configured."""

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
    """The visitor's address, scheme and host as a view sees them with this number of proxies."""

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


def test_forwarded_headers_are_ignored_without_a_configured_proxy(seen):
    assert seen(0) == ("127.0.0.1", "http", "localhost")


def test_one_proxy_sets_address_scheme_and_host(seen):
    assert seen(1) == ("198.51.100.7", "https", "rx.example.cn")


def test_headers_sent_by_the_visitor_are_ignored(seen):
    assert seen(1)[0] != "203.0.113.9"
    assert seen(2)[0] == "203.0.113.9"
