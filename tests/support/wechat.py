"""A test service account 测试服务号: a stand-in for WeChat's interface, over real HTTP, for tests.

It issues access tokens that end, knows followers, sends each `client_msg_id` once, has a quota of the day, and authorises a
browser as one of its followers.  It can be slow, wrong or down, and can refuse the token or the receiver.
"""

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME = "测试服务号"


class TestWechat:
    """`mood` is well, slow, wrong or down; `errors` maps openids to the error of their messages."""

    __test__ = False

    def __init__(self, app_id: str = "wx-test", secret: str = "secret-of-the-test-account", template: str = "T1"):
        self.app_id, self.secret, self.template = app_id, secret, template
        self.mood, self.delay = "well", 0.0
        self.followers: set[str] = set()
        self.errors: dict[str, int] = {}
        self.quota = 1_000_000
        self.tokens: list[str] = []
        self.codes: dict[str, str] = {}
        self.delivered: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name=NAME)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "TestWechat":
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def code_for(self, openid: str) -> str:
        """A code as WeChat's browser brings it back."""
        code = secrets.token_hex(8)
        self.codes[code] = openid
        return code

    def end_tokens(self) -> None:
        self.tokens.clear()

    def answer(self, path: str, asked: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls.append(path)
            if path == "/cgi-bin/stable_token":
                return self._token(body)
            if path == "/sns/oauth2/access_token":
                return self._openid(asked)
            return self._send(asked, body)

    def _token(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body.get("appid"), body.get("secret")) != (self.app_id, self.secret):
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        self.tokens.append(secrets.token_hex(16))
        return {"access_token": self.tokens[-1], "expires_in": 7200}

    def _openid(self, asked: dict[str, str]) -> dict[str, Any]:
        openid = self.codes.pop(asked.get("code", ""), None)
        if openid is None or asked.get("secret") != self.secret:
            return {"errcode": 40029, "errmsg": "invalid code"}
        return {"access_token": secrets.token_hex(8), "expires_in": 7200, "openid": openid, "scope": "snsapi_base"}

    def _send(self, asked: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if asked.get("access_token") not in self.tokens:
            return {"errcode": 40001, "errmsg": "invalid credential"}
        if body["template_id"] != self.template:
            return {"errcode": 40037, "errmsg": "invalid template_id"}
        if body["touser"] in self.errors:
            return {"errcode": self.errors[body["touser"]], "errmsg": "refused"}
        if body["touser"] not in self.followers:
            return {"errcode": 43004, "errmsg": "require subscribe"}
        if len(self.delivered) >= self.quota and body["client_msg_id"] not in self.delivered:
            return {"errcode": 45009, "errmsg": "reach max api daily quota limit"}
        self.delivered.setdefault(body["client_msg_id"], body)
        return {"errcode": 0, "errmsg": "ok", "msgid": list(self.delivered).index(body["client_msg_id"]) + 1}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        account = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if account.mood == "slow":
                    time.sleep(account.delay)
                if account.mood == "down":
                    self._say(503, b"")
                elif account.mood == "wrong":
                    self._say(200, b"<!doctype html><title>Sign in to the network</title>")
                else:
                    self._say(200, json.dumps(account.answer(parts.path, asked, body)).encode())

            def _say(self, status: int, content: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except BrokenPipeError:
                    pass  # the client has closed the connection

            def log_message(self, *_args: object) -> None:
                pass  # addresses contain tokens

        return Handler
