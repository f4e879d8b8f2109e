"""The paths that the proxy treats in a way of their own: who answers them, and how large a request to them may be.

The proxy starts without the portal, so the paths stand here as text; `tests/operations/test_tru13_front_paths.py` compares
those of uploads with the routes.
"""

import re

DESK_PATHS = ("staff", "officials", "helpers", "sign-in/staff", "healthz", "metrics", "demo", "gateway")
"""The first parts of addresses that are served by the processes of the desks, so that the desks work while families wait."""

SHARED_PATHS = ("sign-out", "text-size", "kept-form", "offline-worker.js", "drafts/state", "map")
"""The first parts of addresses that the pages of families and of desks ask alike.  Nobody waits in the line for them; those that
a desk's page asks (its Referer says so) are served by the processes of the desks."""

UPLOADS = (
    "/parents/applications/*/corrections/new",
    "/parents/applications/*/evidence",
    "/parents/applications/*/evidence/*/replace",
    "/parents/applications/*/evidence/photos",
    "/parents/applications/*/guardians/add",
    "/parents/applications/*/guardians/remove",
    "/helpers/new/paper",
    "/staff/applications/*/corrections/new",
    "/staff/places/*",
    "/staff/places/*/class-loss",
    "/staff/reports/roll_file/differences",
    "/staff/roll/classes/*/count",
    "/staff/roll/imports",
    "/officials/*/applications/*/corrections/new",
    "/officials/*/imports",
)
"""The routes that take files; `*` is one part of a path."""

LARGE_FORMS = (
    "/staff/roll/imports/*/take-in",
    "/officials/*/imports/*/take-in",
    "/officials/*/policies/*/new",
)
"""The routes whose form alone may be larger than an ordinary one: thousands of conflicts of a list, a file of rules."""


def beginning(paths: tuple[str, ...]) -> str:
    """A regular expression of the paths that begin with one of these parts."""
    return f"^/(?:{'|'.join(map(re.escape, paths))})(?:/|$)"


def is_of_desk(path: str) -> bool:
    """Whether the processes of the desks serve it."""
    return re.search(beginning(DESK_PATHS), path) is not None


def exactly(paths: tuple[str, ...]) -> str:
    """A regular expression of these paths."""
    return f"^(?:{'|'.join('[^/]+'.join(map(re.escape, path.split('*'))) for path in paths)})$"


def page_of(paths: tuple[str, ...]) -> str:
    """A regular expression of the addresses of pages below one of these parts, as a Referer holds them."""
    return f"^https?://[^/]+/(?:{'|'.join(map(re.escape, paths))})(?:[/?#]|$)"
