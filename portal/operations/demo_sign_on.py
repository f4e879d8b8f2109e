"""The demo's own provider of the single sign-on: a process beside the portal, with invented people."""

import secrets
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from portal.config import OF_SINGLE_SIGN_ON
from portal.operations.child_processes import Child

LOCAL = ("127.0.0.1", "localhost")


def wanted(environ: dict[str, str]) -> bool:
    """In the demo on this machine, unless a provider is configured or switched off (`OIDC_ISSUER` empty)."""
    local = urlsplit(environ["PUBLIC_URL"]).hostname in LOCAL
    return environ["DEMO"] == "1" and local and not any(name in environ for name in OF_SINGLE_SIGN_ON)


def settings() -> dict[str, str]:
    """The settings of the portal for a provider on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = (f"http://127.0.0.1:{port}", "portal", secrets.token_urlsafe(24))
    return dict(zip(OF_SINGLE_SIGN_ON, values, strict=True)) | {
        "OIDC_NAME": "测试统一身份认证（模拟）",
        "OIDC_NAME_ENGLISH": "the simulated single sign-on",
    }


def process(environ: dict[str, str], log: Path, folder: Path) -> Child:
    issuer = urlsplit(environ["OIDC_ISSUER"])
    command = [
        *(sys.executable, "-m", "portal.gateways.stand_ins.single_sign_on"),
        *("--port", str(issuer.port), "--client", environ["OIDC_CLIENT_ID"]),
        *("--redirect", f"{environ['PUBLIC_URL']}/sign-in/sso/back"),
    ]
    return Child("sign-on", command, log=log, env=environ, folder=folder)
