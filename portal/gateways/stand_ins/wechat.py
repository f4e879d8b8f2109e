"""A test service account 测试服务号: a stand-in for WeChat's interface, over real HTTP, for the demo and tests.

It issues access tokens that end, knows followers, sends each `client_msg_id` once, has a quota of the day, and authorises a
browser as one of its people, whom its page lets choose.  It can be slow, wrong or down, and can refuse the token or the
receiver.

    python -m portal.gateways.stand_ins.wechat --port 8092 --back http://127.0.0.1:8000/parents/messages/wechat/back

Its settings are read from `WECHAT_APP_ID`, `WECHAT_SECRET` and `WECHAT_TEMPLATE`; `GET /` shows the messages that came.
"""

import argparse
import json
import os
import secrets
import threading
import time
from html import escape
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from portal.gateways.stand_ins.http_server import StandInHandler, StandInServer

NAME = "测试服务号"
JSON = "application/json"
PEOPLE = {"o-demo-0001": "李建国", "o-demo-0002": "王芳", "o-demo-0003": "张新（没有关注服务号）"}
FOLLOWERS = {"o-demo-0001", "o-demo-0002"}
"""Simulated people; the third does not follow the account, so that its messages are refused."""


class TestWechat(StandInServer):
    """`mood` is well, slow, wrong or down; `errors` maps openids to the error of their messages.

    `back` is the address of the portal to which a browser may be led back.
    """

    def __init__(
        self,
        app_id: str = "wx-test",
        secret: str | None = None,
        template: str = "T1",
        *,
        back: str = "",
        port: int = 0,
    ):
        self.app_id, self.template, self.back = app_id, template, back
        self.secret = secret or secrets.token_urlsafe(16)
        self.mood, self.delay = "well", 0.0
        self.followers: set[str] = set()
        self.errors: dict[str, int] = {}
        self.quota = 1_000_000
        self.tokens: list[str] = []
        self.codes: dict[str, str] = {}
        self.delivered: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self._lock = threading.Lock()
        super().__init__(NAME, port)

    def code_for(self, openid: str) -> str:
        """A code as WeChat's browser brings it back."""
        code = secrets.token_hex(8)
        self.codes[code] = openid
        return code

    def inbox(self) -> str:
        """What came to each person, the newest first."""
        with self._lock:
            newest = list(self.delivered.values())[::-1]
        shown = "".join(
            f"<li><b>{escape(PEOPLE.get(message['touser'], message['touser']))}</b> "
            f"{escape('，'.join(str(part.get('value', '')) for part in message['data'].values()))} "
            f'<a href="{escape(message["url"])}">{escape(message["url"])}</a></li>'
            for message in newest
        )
        return page(f"<p>收到的消息。Messages that came.</p><ul>{shown}</ul>")

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

    def handler(self) -> type[BaseHTTPRequestHandler]:
        account = self

        class Handler(StandInHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if parts.path == "/":
                    self.say(200, account.inbox().encode(), "text/html")
                elif parts.path == "/connect/oauth2/authorize":
                    self._authorize(asked)
                else:
                    self._answer({})

            def _authorize(self, asked: dict[str, str]) -> None:
                if asked.get("appid") != account.app_id or asked.get("redirect_uri") != account.back:
                    self.say(400, page("<p>这个请求不能用。This request cannot be used.</p>").encode(), "text/html")
                elif asked.get("person") in PEOPLE:
                    code = account.code_for(asked["person"])
                    self.send_response(303)
                    self.send_header(
                        "Location", f"{account.back}?{urlencode({'code': code, 'state': asked.get('state', '')})}"
                    )
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.say(200, people_page(asked).encode(), "text/html")

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if account.mood == "slow":
                    time.sleep(account.delay)
                if account.mood == "down":
                    self.say(503, b"", JSON)
                elif account.mood == "wrong":
                    self.say(200, b"<!doctype html><title>Sign in to the network</title>", "text/html")
                else:
                    self.say(200, json.dumps(account.answer(parts.path, asked, body)).encode(), JSON)

        return Handler


def page(content: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{NAME}</title></head>'
        f"<body><main><p>模拟数据 · Simulated data</p><h1>{NAME}</h1>{content}</main></body></html>"
    )


def people_page(asked: dict[str, str]) -> str:
    """Instead of WeChat's own browser, which knows whose it is: the invented people to choose from."""
    links = "".join(
        f'<li><a href="?{escape(urlencode(asked | {"person": openid}))}">{escape(name)}</a></li>'
        for openid, name in PEOPLE.items()
    )
    return page(f"<p>选一个人的微信。Choose whose WeChat this is.</p><ul>{links}</ul>")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--back", required=True, help="the address of the portal (…/parents/messages/wechat/back)")
    options = parser.parse_args()
    known = (os.environ[name] for name in ("WECHAT_APP_ID", "WECHAT_SECRET", "WECHAT_TEMPLATE"))
    with TestWechat(*known, back=options.back, port=options.port) as account:
        account.followers |= FOLLOWERS
        print(account.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
