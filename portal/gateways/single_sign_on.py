"""The client of the city's single sign-on: OpenID Connect, authorization code with PKCE.

Nothing that a provider answers is believed without a check: the document of discovery has to name the configured issuer, the
ID token has to be signed by a key of the provider with an asymmetric algorithm, for this portal, for this attempt (nonce),
and not be expired.  Keys are read again when a token names an unknown one, at most once in `KEYS_REST` seconds.

A provider that is slow or down must not hold the portal's processes: every answer has a deadline, redirects are not
followed, answers are bounded, and after three failures in a row nobody waits for a minute.
"""

import functools
import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from portal.config import SingleSignOn
from portal.gateways.deadline import build_opener, open_within
from portal.gateways.registers import Breaker

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Signatures by a private key.  A symmetric one would be made with the client's secret, `none` by anybody."""

SCOPE = "openid profile phone"
PATIENCE = 4.0
"""Seconds for one answer, from the connection to its last byte."""

METADATA_LIFETIME = 3600.0
KEYS_REST = 30.0
LEEWAY = 60
"""Seconds by which the clocks of the two sides may differ."""

LARGEST_ANSWER = 256 * 1024
LONGEST_SUBJECT = 255


class Trouble(StrEnum):
    """Why a sign-in came to nothing: the provider gave no answer (in time), one that cannot be believed, or it refused."""

    DOWN = "down"
    WRONG = "wrong"
    REFUSED = "refused"


class SignOnFault(Exception):
    """`trouble` for the page; the text is for the log and holds no personal data and no secret."""

    def __init__(self, trouble: Trouble, text: str):
        super().__init__(text)
        self.trouble = trouble


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in, kept in the web session: what the provider's answer is compared with."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def as_plain(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Identity:
    """Who the provider says has signed in.  `phone` is one that it verified, else None; `name` is for the eye alone."""

    issuer: str
    subject: str
    name: str
    phone: str | None


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


OPENER = build_opener(NoRedirects)


@dataclass
class Provider:
    """The provider of `settings`; `redirect_uri` is the address of this portal to which it sends the browser back."""

    settings: SingleSignOn
    redirect_uri: str
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    breaker: Breaker = field(default_factory=Breaker)
    _metadata: dict[str, Any] | None = None
    _metadata_at: float = 0.0
    _keys: KeySet | None = None
    _keys_at: float = 0.0

    def address(self, attempt: Attempt, *, ask_again: bool = False, language: str = "zh-CN") -> str:
        """Where the browser is sent to sign in.  With `ask_again` the provider asks who it is even if it knows.

        Raises SignOnFault.
        """
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        if ask_again:
            asked["prompt"] = "login"
        endpoint = self.metadata()["authorization_endpoint"]
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    def identity(self, code: str, attempt: Attempt) -> Identity:
        """Exchange the code for an ID token and check it.  Raises SignOnFault."""
        metadata = self.metadata()
        token = self._exchange(metadata, code, attempt)
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise SignOnFault(Trouble.WRONG, "the answer has no ID token")
        return _identity_of(self._claims(metadata, id_token, attempt, token.get("access_token")))

    def metadata(self) -> dict[str, Any]:
        """The provider's document of discovery.  Raises SignOnFault."""
        if self._metadata is None or self.clock() - self._metadata_at > METADATA_LIFETIME:
            found = self._ask(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            _check_metadata(found, self.settings.issuer)
            self._metadata, self._metadata_at = found, self.clock()
        return self._metadata

    def _exchange(self, metadata: Mapping[str, Any], code: str, attempt: Attempt) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        client, secret = self.settings.client_id, self.settings.client_secret
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {}
        if "client_secret_basic" in methods:
            both = f"{quote_plus(client)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        else:
            form |= {"client_id": client, "client_secret": secret}
        return self._ask(metadata["token_endpoint"], urlencode(form).encode(), headers)

    def _claims(
        self, metadata: Mapping[str, Any], id_token: str, attempt: Attempt, access_token: Any
    ) -> Mapping[str, Any]:
        try:
            signed = self._verified(metadata, id_token)
            options = {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
            }
            params = {"nonce": attempt.nonce, "client_id": self.settings.client_id, "access_token": access_token}
            claims = CodeIDToken(signed.claims, signed.header, options, params)
            claims.validate(now=int(time.time()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as fault:
            raise SignOnFault(Trouble.WRONG, f"the ID token is refused: {type(fault).__name__}") from fault
        return claims

    def _verified(self, metadata: Mapping[str, Any], id_token: str) -> jwt.Token:
        """The token with a signature of the provider.  A key that is not known may be a new one."""
        try:
            return jwt.decode(id_token, self._key_set(metadata), algorithms=list(ALGORITHMS))
        except InvalidKeyIdError:
            if self.clock() - self._keys_at < KEYS_REST:
                raise
            return jwt.decode(id_token, self._key_set(metadata, anew=True), algorithms=list(ALGORITHMS))

    def _key_set(self, metadata: Mapping[str, Any], *, anew: bool = False) -> KeySet:
        if self._keys is None or anew or self.clock() - self._keys_at > METADATA_LIFETIME:
            self._keys = KeySet.import_key_set(self._ask(metadata["jwks_uri"]))  # type: ignore[arg-type]
            self._keys_at = self.clock()
        return self._keys

    def _ask(self, url: str, form: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at an address of the provider.  Raises SignOnFault."""
        if self.breaker.open:
            raise SignOnFault(Trouble.DOWN, "not asked: it did not answer lately")
        try:
            found = self._read(url, form, headers or {})
        except SignOnFault as fault:
            self.breaker.note(well=fault.trouble == Trouble.REFUSED)
            raise
        self.breaker.note(well=True)
        return found

    def _read(self, url: str, form: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(url, form, {"Accept": "application/json", **headers})  # noqa: S310  checked
        try:
            status, content = self._answer(request)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as fault:
            raise SignOnFault(Trouble.DOWN, f"no answer: {type(fault).__name__}") from fault
        if status >= 300:
            raise _refused(status, content)
        if len(content) > LARGEST_ANSWER:
            raise SignOnFault(Trouble.WRONG, "the answer is too long")
        try:
            found = json.loads(content)
        except ValueError as fault:
            raise SignOnFault(Trouble.WRONG, "the answer is no JSON") from fault
        if not isinstance(found, dict):
            raise SignOnFault(Trouble.WRONG, "the answer is no JSON object")
        return found

    def _answer(self, request: urllib.request.Request) -> tuple[int, bytes]:
        """The status and one byte more than the longest answer at most."""
        try:
            with open_within(self.patience, request, opener=OPENER) as answer:
                return answer.status, answer.read(LARGEST_ANSWER + 1)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read(LARGEST_ANSWER)


def _refused(status: int, content: bytes) -> SignOnFault:
    """A code that is used or old is refused; any other status says that one of the two sides does not work."""
    try:
        code = json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        code = None
    if code == "invalid_grant":
        return SignOnFault(Trouble.REFUSED, "the code is refused")
    if 400 <= status < 500:
        return SignOnFault(Trouble.WRONG, f"status {status}")
    return SignOnFault(Trouble.DOWN, f"status {status}")


def _check_metadata(found: Mapping[str, Any], issuer: str) -> None:
    """Refuse a document of another issuer, or with an endpoint that is not as safe as the issuer's address."""
    if found.get("issuer") != issuer:
        raise SignOnFault(Trouble.WRONG, "the discovery document names another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = found.get(name)
        if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(issuer).scheme:
            raise SignOnFault(Trouble.WRONG, f"the discovery document has no fit {name}")
    if "S256" not in found.get("code_challenge_methods_supported", ["S256"]):
        raise SignOnFault(Trouble.WRONG, "the provider does not support PKCE with S256")


def _identity_of(claims: Mapping[str, Any]) -> Identity:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise SignOnFault(Trouble.WRONG, "the subject is no text of 1 to 255 signs")
    phone, name = claims.get("phone_number"), claims.get("name")
    verified = claims.get("phone_number_verified") is True and isinstance(phone, str)
    return Identity(claims["iss"], subject, name[:60] if isinstance(name, str) else "", phone if verified else None)


@functools.cache
def provider(settings: SingleSignOn, redirect_uri: str) -> Provider:
    """The client of this process: its breaker, keys and document of discovery live as long as the process."""
    return Provider(settings, redirect_uri)
