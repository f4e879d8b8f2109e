"""The cookie of a visit: whoever was let in by the waiting line carries it, and so does whoever waits.

`in.…` lets a browser pass the line until it has been idle for `IDLE`; each answer after half of this time renews it.
`wait.…` holds the number of a place in the line.  Both are signed.  The proxy tells them apart by the beginning.
"""

import re
import secrets

from itsdangerous import BadSignature, TimestampSigner

from portal.text.numbers import number_or

IDLE = 600
"""Seconds without a request after which a visit is over."""

KEPT = 7200
"""Seconds for which a browser keeps the cookie.  Within them a form that was typed slowly is still taken."""

CLOCKS_APART = 60
"""Seconds by which the clock of the host that signed a cookie may be ahead of the one that reads it."""

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

    def entrance(self, token: str | None = None) -> str:
        """The header that lets a browser in.  A visit that is renewed keeps its token, by which its requests are counted."""
        return self._header(IN + self.signer.sign(token or secrets.token_urlsafe(6)).decode())

    def place(self, number: int) -> str:
        """The header that holds a place in the line."""
        return self._header(WAIT + self.signer.sign(str(number)).decode())

    def ends(self) -> list[str]:
        """The headers that take the cookie away, under its other name too: no proxy lets it pass any more."""
        return [self._header("", 0, name) for name in NAMES]

    def _header(self, value: str, age: int = KEPT, name: str = "") -> str:
        """A browser takes no `__Host-` cookie without Secure, and keeps the one that was to be taken away: a redirect for ever."""
        name = name or self.name
        secure = "; Secure" if self.secure or name.startswith("__Host-") else ""
        return f"{name}={value}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def found(self, cookies: str) -> str | None:
        """The value of the cookie in a Cookie header."""
        return next(iter(self._values(cookies)), None)

    def _values(self, cookies: str) -> list[str]:
        parts = (part.strip().partition("=") for part in re.split("[;,]", cookies))
        return [value for name, _, value in parts if name == self.name and value]

    def passes(self, cookies: str) -> bool:
        """Whether a proxy lets this Cookie header pass the line."""
        return re.search(PASSES, cookies) is not None

    def entrance_in(self, cookies: str) -> tuple[float, str] | None:
        """The `age` and the token of the newest entrance in a Cookie header; None where it has none, or forged ones alone."""
        found = (self._entrance(value) for value in self._values(cookies))
        return min((each for each in found if each is not None), default=None)

    def age(self, value: str) -> float | None:
        """Seconds since this entrance was made or renewed; infinite when it is not kept any more, None when it is forged."""
        found = self._entrance(value)
        return found[0] if found is not None else None

    def _entrance(self, value: str) -> tuple[float, str] | None:
        return self._signed(value.removeprefix(IN)) if value.startswith(IN) else None

    def number(self, value: str) -> int | None:
        """The number of this place in the line; None if it is forged or too old."""
        found = self._signed(value.removeprefix(WAIT)) if value.startswith(WAIT) else None
        return number_or(found[1], None) if found is not None and found[0] <= KEPT else None

    def _signed(self, signed: str) -> tuple[float, str] | None:
        """The age, infinite when it is not kept any more, and the text that was signed; None when it is forged.

        The signer itself refuses whatever is younger than nothing, as it is for a host whose clock is a second behind.
        """
        try:
            text, made = self.signer.unsign(signed, return_timestamp=True)
        except BadSignature:
            return None
        age = self.signer.get_timestamp() - made.timestamp()
        return max(0.0, age) if -CLOCKS_APART <= age <= KEPT else float("inf"), text.decode("latin-1")
