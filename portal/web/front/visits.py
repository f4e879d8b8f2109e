"""The cookie of a visit: whoever was let in by the waiting line carries it, and so does whoever waits.

`in.…` lets a browser pass the line until it has been idle for `IDLE`; each answer after half of this time renews it.
`wait.…` holds the number of a place in the line.  Both are signed.  The proxy tells them apart by the beginning.
"""

import re
import secrets

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

IDLE = 600
"""Seconds without a request after which a visit is over."""

KEPT = 7200
"""Seconds for which a browser keeps the cookie.  Within them a form that was typed slowly is still taken."""

IN, WAIT = "in.", "wait."
NAMES = ("visit", "__Host-visit")
"""The cookie of a portal without https, and with it."""

PASSES = r"(?:^|[;,]\s*)(?:__Host-)?visit=in\."
"""A Cookie header that the proxy shows to no waiting line.  The portal looks at the signature of what fits this.

A comma stands between two Cookie headers of one request, as the page processes read them.
"""


class Visits:
    """Makes and reads the cookies.  `secret` is the key of the portal, `secure` says that it is reached by https."""

    def __init__(self, secret: str, *, secure: bool):
        self.signer = TimestampSigner(secret, salt="visit")
        self.secure = secure
        self.name = NAMES[secure]

    def entrance(self) -> str:
        """The header that lets a browser in."""
        return self._header(IN + self.signer.sign(secrets.token_urlsafe(6)).decode())

    def place(self, number: int) -> str:
        """The header that holds a place in the line."""
        return self._header(WAIT + self.signer.sign(str(number)).decode())

    def ends(self) -> list[str]:
        """The headers that take the cookie away, under its other name too: no proxy lets it pass any more."""
        return [self._header("", 0, name) for name in NAMES]

    def _header(self, value: str, age: int = KEPT, name: str = "") -> str:
        secure = "; Secure" if self.secure else ""
        return f"{name or self.name}={value}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def found(self, cookies: str) -> str | None:
        """The value of the cookie in a Cookie header."""
        return next(iter(self._values(cookies)), None)

    def _values(self, cookies: str) -> list[str]:
        parts = (part.strip().partition("=") for part in re.split("[;,]", cookies))
        return [value for name, _, value in parts if name == self.name and value]

    def passes(self, cookies: str) -> bool:
        """Whether a proxy lets this Cookie header pass the line."""
        return re.search(PASSES, cookies) is not None

    def age_of_entrance(self, cookies: str) -> float | None:
        """`age` of the newest entrance in a Cookie header; None where it has none, or forged ones alone."""
        ages = (self.age(value) for value in self._values(cookies))
        return min((age for age in ages if age is not None), default=None)

    def age(self, value: str) -> float | None:
        """Seconds since this entrance was made or renewed; infinite when it is not kept any more, None when it is forged."""
        if not value.startswith(IN):
            return None
        try:
            made = self.signer.unsign(value.removeprefix(IN), max_age=KEPT, return_timestamp=True)[1]
        except SignatureExpired:
            return float("inf")
        except BadSignature:
            return None
        return self.signer.get_timestamp() - made.timestamp()

    def number(self, value: str) -> int | None:
        """The number of this place in the line; None if it is forged or too old."""
        if not value.startswith(WAIT):
            return None
        try:
            return int(self.signer.unsign(value.removeprefix(WAIT), max_age=KEPT))
        except (BadSignature, ValueError):
            return None
