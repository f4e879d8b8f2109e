"""A test provider 测试统一身份认证: a real OpenID Connect provider over HTTP, for the demo and tests.

Authorization code with PKCE, discovery, signed ID tokens and rotating keys by Authlib's server.  Its people are invented;
instead of a password its page shows a button for each.  It can be slow, wrong, refusing or down, and can put claims into its
tokens that a provider must not.

    python -m portal.gateways.stand_ins.single_sign_on --port 8091 --client portal --redirect http://127.0.0.1:8000/sign-in/sso/back

The secret of the client is read from `OIDC_CLIENT_SECRET`.
"""

import argparse
import hmac
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode, UserInfo
from flask import Flask, Response, render_template_string, request
from flask.typing import ResponseReturnValue
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

NAME = "测试统一身份认证"
SCOPES = ("openid", "profile", "phone")
CODE_LIFETIME = 60.0

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{ name }}</title><link rel="stylesheet" href="/look.css"></head><body><main>
<p class="note">模拟数据 · Simulated data</p><h1>{{ name }}</h1>
{% if people %}<p>选一个人登录。Choose who signs in.</p>
<form method="post">{% for subject, person in people.items() %}
<button name="person" value="{{ subject }}">{{ person.name }}{% if person.phone %} · {{ person.phone }}{% endif %}</button>{% endfor %}
<button name="person" value="" class="plain">取消 Cancel</button></form>
{% else %}<p>这个请求不能用。This request cannot be used: {{ fault }}</p>{% endif %}
</main></body></html>"""

LOOK = """body{margin:0;font:1.05rem/1.6 system-ui,sans-serif;background:#f3f4f6;color:#1f2937}
main{max-width:26rem;margin:2rem auto;padding:1.5rem;background:#fff;border-radius:12px}
button{display:block;width:100%;min-height:48px;margin:.6rem 0;font:inherit;border:0;border-radius:8px;background:#1d4ed8;color:#fff}
button.plain{background:#fff;color:#1f2937;border:1px solid #6b7280}.note{background:#fef3c7;padding:.2rem .6rem}"""


class Mood(StrEnum):
    """What the provider does now: with its token endpoint, but for `DOWN`, in which it answers nothing well at all."""

    WELL = "well"
    SLOW = "slow"
    WRONG = "wrong"
    REFUSING = "refusing"
    DOWN = "down"


@dataclass(frozen=True)
class Person:
    name: str
    phone: str | None = None
    phone_verified: bool = True


PEOPLE: Mapping[str, Person] = {
    "demo-0001": Person("李建国", "+8613900000001"),
    "demo-0002": Person("王芳", "+8613900000002"),
    "demo-0003": Person("张新", "+8613900000031"),
    "demo-0004": Person("没有手机号的人"),
}
"""Simulated people; the first two have the phones of the demo's families."""


@dataclass
class Client(ClientMixin):
    client_id: str
    client_secret: str
    redirect_uri: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in scope.split() if each in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.client_secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic" or endpoint != "token"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):
    code: str
    subject: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    made_at: float

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class TestProvider:
    """`claims` replace those of the next ID tokens, `algorithm` and `signing` how they are signed; `people` can be changed."""

    __test__ = False

    redirect_uri: str
    client_id: str = "portal"
    client_secret: str = "secret-of-the-test-provider"  # noqa: S105
    port: int = 0
    people: dict[str, Person] = field(default_factory=lambda: dict(PEOPLE))
    mood: Mood = Mood.WELL
    delay: float = 0.0
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signing: Any = None
    issuer_stated: str | None = None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.keys = KeySet([])
        self.rotate_keys()
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self.port, _app(self), threaded=True, request_handler=Quiet
        )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name=NAME)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "TestProvider":
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate_keys(self) -> None:
        """Sign with a new key from now on, and publish that one alone."""
        self.keys = KeySet([RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)])

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer_stated or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
        }


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass  # addresses contain codes


class CodeGrant(AuthorizationCodeGrant):
    """The codes of `provider`: each is used once, and soon."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    @property
    def provider(self) -> TestProvider:
        found: TestProvider = self.server.provider
        return found

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        data = request.payload.data
        self.provider.codes[code] = Code(
            code,
            request.user,
            request.payload.redirect_uri,
            request.scope,
            data.get("nonce"),
            data.get("code_challenge"),
            data.get("code_challenge_method"),
            time.monotonic(),
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = self.provider.codes.get(code)
        return found if found is not None and time.monotonic() - found.made_at < CODE_LIFETIME else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        self.provider.codes.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.subject


class Tokens(OpenIDCode):
    def __init__(self, provider: TestProvider):
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return any(each.nonce == nonce for each in self.provider.codes.values())

    def resolve_client_private_key(self, client: Client) -> Any:
        return self.provider.signing or self.provider.keys.keys[0]

    def get_client_algorithm(self, client: Client) -> str:
        return self.provider.algorithm

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.client_id], "exp": int(time.time()) + 300}

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": self.provider.algorithm, "kid": self.provider.keys.keys[0].kid}

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        person = self.provider.people[user]
        told = UserInfo(sub=user, name=person.name)
        if person.phone:
            told |= {"phone_number": person.phone, "phone_number_verified": person.phone_verified}
        return UserInfo(told | self.provider.claims)


def _app(provider: TestProvider) -> Flask:
    app = Flask("test provider", static_folder=None)
    client = Client(provider.client_id, provider.client_secret, provider.redirect_uri)
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == client.client_id else None,
        save_token=lambda token, request: None,
    )
    server.provider = provider
    server.register_grant(CodeGrant, [CodeChallenge(required=True), Tokens(provider)])

    @app.before_request
    def be_moody() -> ResponseReturnValue | None:
        provider.asked.append(request.path)
        if provider.mood == Mood.DOWN:
            return "", 503
        if provider.mood == Mood.SLOW:
            time.sleep(provider.delay)
        if provider.mood == Mood.WRONG and request.path != "/authorize":
            return "<!doctype html><title>Sign in to the network</title>", 200
        return None

    @app.get("/.well-known/openid-configuration")
    def discovery() -> ResponseReturnValue:
        return provider.metadata()

    @app.get("/keys")
    def keys() -> ResponseReturnValue:
        return dict(provider.keys.as_dict(private=False))

    @app.get("/authorize")
    def choose() -> ResponseReturnValue:
        try:
            server.get_consent_grant(request, end_user=None)
        except OAuth2Error as fault:
            return render_template_string(PAGE, name=NAME, people=None, fault=fault.error), 400
        return render_template_string(PAGE, name=NAME, people=provider.people)

    @app.post("/authorize")
    def decide() -> ResponseReturnValue:
        chosen = request.form.get("person", "")
        user = chosen if chosen in provider.people and provider.mood != Mood.REFUSING else None
        grant = server.get_consent_grant(request, end_user=user)
        answer: ResponseReturnValue = server.create_authorization_response(request, grant_user=user, grant=grant)
        return answer

    @app.post("/token")
    def token() -> ResponseReturnValue:
        answer: ResponseReturnValue = server.create_token_response(request)
        return answer

    @app.get("/look.css")
    def look() -> ResponseReturnValue:
        return Response(LOOK, mimetype="text/css")

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--client", default="portal")
    parser.add_argument("--redirect", required=True, help="the address of the portal (…/sign-in/sso/back)")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    secret = os.environ["OIDC_CLIENT_SECRET"]
    with TestProvider(options.redirect, options.client, secret, options.port) as provider:
        if options.delay:
            provider.mood, provider.delay = Mood.SLOW, options.delay
        print(provider.issuer, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
