"""What stands in front of the page processes, whatever program does it."""

from dataclasses import dataclass, field
from pathlib import Path

from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from portal.gateways import receipts
from portal.web.front import address_rate, visits
from portal.web.front.oversized_requests import MOST_THROWN_AWAY
from portal.web.front.static_files import FOR_EVER, STATIC, digests
from portal.web.headers import CONTENT_POLICY

LARGEST_OF_STRANGERS = 100_000
"""Bytes of a request without a session: a phone number, a code, a password.  More is refused before it is read."""

LARGEST = MOST_AT_ONCE.largest + MOST_THROWN_AWAY
"""Bytes of any request.  The portal refuses less, with a page that keeps the answers beside the file."""

IN_HAND_PER_WORKER = 24
"""Requests in a page process or before it.  Whoever comes when all are taken gets the waiting page at once."""

DESK_PATHS = ("staff", "officials", "helpers", "sign-in/staff", "healthz", "metrics", "demo", "gateway")
"""The first parts of addresses that are served by the processes of the desks, so that the desks work while families wait."""


@dataclass(frozen=True)
class Sockets:
    """Unix sockets in one folder: page processes of families and of desks, and the waiting line."""

    folder: Path

    @property
    def families(self) -> Path:
        return self.folder / "families.sock"

    @property
    def desks(self) -> Path:
        return self.folder / "desks.sock"

    @property
    def line(self) -> Path:
        return self.folder / "line.sock"

    @property
    def without_line(self) -> Path:
        """Where Caddy itself answers in the place of a line that does not: everybody is let in."""
        return self.folder / "without-line.sock"

    @property
    def pages(self) -> Path:
        """The folder in which the line writes the pages that the proxy sends by itself."""
        return self.folder / "pages"


@dataclass(frozen=True)
class Front:
    """`listen` is an address such as `127.0.0.1:8000`; `listener` the descriptor of the socket that is open there already.

    `proxies` is the number of proxies before this one, whose X-Forwarded headers are believed.  `folder` is for temporary
    and process files, `user` the system user of nginx when it is started by root.
    """

    listen: str
    sockets: Sockets
    folder: Path
    workers: int
    proxies: int = 0
    listener: int | None = None
    user: str | None = None
    open_files: int = 4096
    certificate: Path | None = None
    static: Path = STATIC
    folders: dict[str, str] = field(default_factory=digests)

    @property
    def pages(self) -> Path:
        return self.sockets.pages

    def values(self) -> dict[str, object]:
        """The names in the templates of the configurations."""
        return {
            "front": self,
            "without_line": self.sockets.without_line,
            "in_hand": IN_HAND_PER_WORKER * self.workers,
            "largest": LARGEST,
            "largest_of_strangers": LARGEST_OF_STRANGERS,
            "largest_receipts": receipts.LARGEST_BODY,
            "rate": address_rate.RATE,
            "burst": address_rate.BURST,
            "too_often": address_rate.HEADER,
            "desk_paths": DESK_PATHS,
            "passes": visits.PASSES,
            "for_ever": FOR_EVER,
            "content_policy": CONTENT_POLICY,
        }
