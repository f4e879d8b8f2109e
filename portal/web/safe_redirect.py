"""Redirect targets: only paths of this portal are allowed."""

from urllib.parse import urlsplit


def local_path(target: str | None) -> str | None:
    """The target if it is a path of this portal; None for another site, a script or control characters."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(sign.isspace() or not sign.isprintable() for sign in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
