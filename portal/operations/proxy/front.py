"""What stands in front of the page processes, whatever program does it."""

from dataclasses import dataclass, field
from pathlib import Path

from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from portal.gateways import receipts
from portal.web.front import address_rate, paths, visits
from portal.web.front.oversized_requests import LARGEST_FORM, MOST_THROWN_AWAY
from portal.web.front.static_files import FOR_EVER, STATIC, digests
from portal.web.headers import CONTENT_POLICY

LARGEST_ORDINARY = 100_000
"""Bytes of a request to a route that takes no file, and of any request without a session.  More is refused before it is read.
The largest such form is an announcement in two languages, at most 75,000."""

LARGEST = MOST_AT_ONCE.largest + MOST_THROWN_AWAY
"""Bytes of a request with files.  The portal refuses less, with a page that keeps the answers beside the file."""

UPLOADS_AT_ONCE = 100
"""Requests of one address to routes of uploads: what a session is worth the proxy does not know, so a made-up one may send as much as
a real one.  A carrier's address has about 20 in the busiest hour."""

IN_HAND_PER_WORKER = 40
"""Requests in a page process or before it.  Whoever comes when all are taken gets the waiting page at once, in the middle of a visit
too: so many that the line, which lets in fewer the longer they wait, has done so before."""

COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "text/csv",
    "text/calendar",
    "application/json",
    "application/ld+json",
    "application/csvm+json",
    "application/manifest+json",
    "application/atom+xml",
    "image/svg+xml",
)
"""The types of content that the proxy compresses: all that the portal sends and that are not compressed by themselves."""


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
        uploads = {
            at_desk: tuple(path for path in paths.UPLOADS if paths.is_of_desk(path) == at_desk)
            for at_desk in (False, True)
        }
        return {
            "front": self,
            "without_line": self.sockets.without_line,
            "in_hand": IN_HAND_PER_WORKER * self.workers,
            "largest": LARGEST,
            "largest_form": LARGEST_FORM,
            "largest_ordinary": LARGEST_ORDINARY,
            "uploads_at_once": UPLOADS_AT_ONCE,
            "compressed": COMPRESSED,
            "largest_receipts": receipts.LARGEST_BODY,
            "rate": address_rate.RATE,
            "burst": address_rate.BURST,
            "too_often": address_rate.HEADER,
            "desk_paths": paths.beginning(paths.DESK_PATHS),
            "desk_pages": paths.page_of(paths.DESK_PATHS),
            "shared_paths": paths.beginning(paths.SHARED_PATHS),
            "no_line": paths.beginning(paths.DESK_PATHS + paths.SHARED_PATHS),
            "large_form_paths": paths.exactly(paths.LARGE_FORMS),
            "large_paths_of": {
                "families": [(paths.exactly(uploads[False]), LARGEST)],
                "desks": [(paths.exactly(uploads[True]), LARGEST), (paths.exactly(paths.LARGE_FORMS), LARGEST_FORM)],
            },
            "large_paths": paths.exactly(paths.UPLOADS + paths.LARGE_FORMS),
            "passes": visits.PASSES,
            "for_ever": FOR_EVER,
            "content_policy": CONTENT_POLICY,
        }
