"""The configuration files of nginx and of Caddy, written from one `Front`."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.operations.proxy.front import Front

KINDS = {"nginx": "nginx.txt", "caddy": "Caddyfile.txt"}

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  a configuration file, written from the portal's own settings
)


def configuration(kind: str, front: Front) -> str:
    """The text of the configuration of this kind of proxy.  Raises ValueError for a path that could change its meaning."""
    for path in (front.folder, front.sockets.folder, front.static, front.certificate):
        if path is not None and not re.fullmatch(r"[\w./+@,=~-]+", str(path)):
            raise ValueError(f"the path {path} has characters that a configuration of the proxy cannot hold")
    return _templates.get_template(KINDS[kind]).render(front.values())
