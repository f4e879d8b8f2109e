"""Addresses of static files carry a digest of their folder, so that browsers and proxies may keep them for ever.

`/static/3f2a1b9c04de/css/brand.css`: the digest stands before the path, so that a script still finds its neighbours by a
relative import.  Each top folder has a digest of its own: a changed style sheet does not make anybody fetch the vendored
libraries again.
"""

import functools
import hashlib
import re
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app
from werkzeug.utils import safe_join

from portal.web.guards import public

STATIC = Path(__file__).parents[2] / "static"
FOR_EVER = "public, max-age=31536000, immutable"
DIGEST = re.compile(r"(?P<digest>[0-9a-f]{12})/(?P<path>.+)")


@functools.cache
def digests(static: Path = STATIC) -> dict[str, str]:
    """The digest of each top folder: 12 hexadecimal digits over the names and contents of its files."""
    return {folder.name: _digest(folder) for folder in sorted(static.iterdir()) if folder.is_dir()}


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _with_digest(endpoint: str, values: dict[str, Any]) -> None:
    """`url_for("static", filename=…)` gets the digest of the file's folder."""
    if endpoint == "static":
        filename = str(values["filename"])
        digest = digests().get(filename.partition("/")[0])
        values["filename"] = f"{digest}/{filename}" if digest else filename


def _send(filename: str) -> Response:
    """A file under its digest may be kept for ever.  The digest of another version gets the file of this one, unkept.

    A page that was opened before a new version, or comes from a host that does not have it yet, stays usable this way.
    """
    asked = DIGEST.fullmatch(filename)
    path = asked["path"] if asked else filename
    if safe_join(str(STATIC), path) is None:
        abort(404)
    response = current_app.send_static_file(path)
    if asked:
        current = digests().get(path.partition("/")[0]) == asked["digest"]
        response.headers["Cache-Control"] = FOR_EVER if current else "no-cache"
    return response


def init(app: Flask) -> None:
    app.url_defaults(_with_digest)
    app.view_functions["static"] = public(_send)
