"""The demo's own single sign-on and WeChat service account: processes beside the portal, with invented people."""

import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from portal.config import OF_SINGLE_SIGN_ON, OF_WECHAT
from portal.operations.child_processes import Child

LOCAL = ("127.0.0.1", "localhost")


def settings(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The settings of the portal for each stand-in on a free port, by the name of its process.

    In the demo on this machine, each unless a real one is configured or it is switched off (its first setting empty).
    """
    if environ["DEMO"] != "1" or urlsplit(environ["PUBLIC_URL"]).hostname not in LOCAL:
        return {}
    found = {}
    if not any(name in environ for name in OF_SINGLE_SIGN_ON):
        values = (_free_address(), "portal", secrets.token_urlsafe(24))
        found["sign-on"] = dict(zip(OF_SINGLE_SIGN_ON, values, strict=True)) | {
            "OIDC_NAME": "测试统一身份认证（模拟）",
            "OIDC_NAME_ENGLISH": "the simulated single sign-on",
        }
    if not any(name in environ for name in OF_WECHAT):
        address = _free_address()
        values = ("wx-demo", secrets.token_urlsafe(24), "T-demo")
        found["wechat"] = dict(zip(OF_WECHAT, values, strict=True)) | {"WECHAT_API": address, "WECHAT_OPEN": address}
    return found


def process(name: str, environ: dict[str, str], log: Path, folder: Path) -> Child:
    """The process of a stand-in; `environ` has its settings."""
    more: tuple[str, ...]
    if name == "wechat":
        port, module = urlsplit(environ["WECHAT_API"]).port, "wechat"
        more = ("--back", f"{environ['PUBLIC_URL']}/parents/messages/wechat/back")
    else:
        port, module = urlsplit(environ["OIDC_ISSUER"]).port, "single_sign_on"
        more = ("--client", environ["OIDC_CLIENT_ID"], "--redirect", f"{environ['PUBLIC_URL']}/sign-in/sso/back")
    command = [sys.executable, "-m", f"portal.gateways.stand_ins.{module}", "--port", str(port), *more]
    return Child(name, command, log=log, env=environ, folder=folder)


def _free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
