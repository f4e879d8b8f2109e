"""Where a reader may be led: to a path of this portal, and nowhere else."""

from urllib.parse import urlsplit


def inside(target: str | None) -> str | None:
    """The target if it is a path of ours; None for another site, a script, or what no address bar would hold."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(sign.isspace() or not sign.isprintable() for sign in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
