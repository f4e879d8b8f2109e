"""The client of a WeChat service account 微信服务号: template messages, and the openid of a person who binds it.

The documented interface: `/cgi-bin/stable_token` for an access token, which other processes do not invalidate;
`/cgi-bin/message/template/send` with `client_msg_id`, so that a repeated request is not a second message; OAuth with
`snsapi_base`, which tells the openid and nothing else of the person.  WeChat answers errors with status 200 and `errcode`.
"""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from enrollment.delivery.settlement import Verdict
from enrollment.ground.outbox import DeliveryError
from portal.config import Wechat
from portal.gateways.deadline import open_within
from portal.gateways.messages import Attempt

TIMEOUT = 5
LARGEST_ANSWER = 64 * 1024
TOKEN_MARGIN = 300
"""Seconds before its end from which a token is not used any more."""

BAD_TOKEN = (40001, 40014, 42001)
NOT_FOLLOWING = (43004, 40003)
"""The person does not follow the service account (any more), or this openid is none of its followers."""

DECLINED = (43101,)
MESSAGE_REFUSED = (47003, 41028, 41029, 41030, 45007)
NOT_CONFIGURED = (40013, 40125, 40164, 40037, 48001)
"""The account, its secret, this machine's address or the template is not the one that WeChat knows."""

OF_THE_DAY, OF_THE_MINUTE = (45009,), (45011, 45047)
PAUSE_OF_THE_DAY, PAUSE_OF_THE_MINUTE = 60.0, 20.0
"""Seconds without an attempt when a quota is used up; a new day's quota is found by asking from time to time."""


class WechatUnavailable(Exception):
    """WeChat gave no usable answer; the text holds neither a secret nor an openid."""


class AccessToken:
    """The token of this process, shared by the threads of the sender."""

    def __init__(self, settings: Wechat, monotonic: Callable[[], float] = time.monotonic):
        self._settings, self._monotonic = settings, monotonic
        self._lock = threading.Lock()
        self._value, self._until = "", 0.0

    def value(self) -> str:
        """A token that is valid for some minutes.  Raises WechatUnavailable, or Unfit for settings that WeChat refuses."""
        with self._lock:
            if not self._value or self._monotonic() >= self._until:
                asked = {
                    "grant_type": "client_credential",
                    "appid": self._settings.app_id,
                    "secret": self._settings.secret,
                }
                found = ask(f"{self._settings.api}/cgi-bin/stable_token", asked)
                if not isinstance(found.get("access_token"), str):
                    raise Unfit if found.get("errcode") in NOT_CONFIGURED else WechatUnavailable("no access token")
                lasts = found.get("expires_in")
                lasts = lasts if isinstance(lasts, int) else 600
                self._value = found["access_token"]
                self._until = self._monotonic() + max(lasts - TOKEN_MARGIN, 1)
            return self._value

    def forget(self, value: str) -> None:
        """WeChat does not accept this one any more; another thread may have a newer one already."""
        with self._lock:
            if self._value == value:
                self._value = ""


class Unfit(WechatUnavailable):
    """WeChat does not know the settings."""


def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON object that WeChat answers.  Raises WechatUnavailable."""
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})  # noqa: S310  the operator's
    try:
        with open_within(TIMEOUT, request) as answer:
            found = json.loads(answer.read(LARGEST_ANSWER))
    except (urllib.error.URLError, http.client.HTTPException, OSError) as fault:
        raise WechatUnavailable(type(fault).__name__) from None
    except ValueError as fault:
        raise WechatUnavailable("the answer is no JSON") from fault
    if not isinstance(found, dict):
        raise WechatUnavailable("the answer is no JSON object")
    return found


class WechatConnection:
    """Sends template messages; `body` is the JSON that the lane wrote: `url` and `data`."""

    def __init__(self, settings: Wechat, token: AccessToken):
        self._settings, self._token = settings, token

    def send(self, key: str, to: str, body: str) -> Attempt:
        try:
            token = self._token.value()
        except Unfit:
            return Attempt(Verdict.PUT_BACK, DeliveryError.NOT_AUTHORISED, down=True)
        except WechatUnavailable:
            return Attempt(Verdict.PUT_BACK, DeliveryError.NO_ANSWER, down=True)
        message = {"touser": to, "template_id": self._settings.template, "client_msg_id": key.replace("-", "")}
        try:
            address = f"{self._settings.api}/cgi-bin/message/template/send?{urlencode({'access_token': token})}"
            found = ask(address, message | json.loads(body))
        except WechatUnavailable:
            return Attempt(Verdict.UNCERTAIN, DeliveryError.NO_ANSWER, down=True)
        if found.get("errcode") in BAD_TOKEN:
            self._token.forget(token)
        return read_answer(found)

    def close(self) -> None:
        """It holds nothing open."""


def read_answer(found: dict[str, Any]) -> Attempt:
    """What an answer to a template message means."""
    code = found.get("errcode")
    if code == 0:
        number = found.get("msgid")
        return Attempt(Verdict.ACCEPTED, provider_id=str(number)[:100] if number is not None else None)
    if code in BAD_TOKEN:  # a new token at the next try, which comes soon
        return Attempt(Verdict.PUT_BACK, DeliveryError.NOT_AUTHORISED, pause=0.1)
    if code in NOT_FOLLOWING:
        return Attempt(Verdict.REFUSED, DeliveryError.NOT_FOLLOWING)
    if code in DECLINED:
        return Attempt(Verdict.REFUSED, DeliveryError.DECLINED)
    if code in MESSAGE_REFUSED:
        return Attempt(Verdict.REFUSED, DeliveryError.MESSAGE_REFUSED)
    if code in OF_THE_DAY:
        return Attempt(Verdict.PUT_BACK, DeliveryError.TOO_FAST, pause=PAUSE_OF_THE_DAY)
    if code in OF_THE_MINUTE:
        return Attempt(Verdict.PUT_BACK, DeliveryError.TOO_FAST, pause=PAUSE_OF_THE_MINUTE)
    if code in NOT_CONFIGURED:
        return Attempt(Verdict.PUT_BACK, DeliveryError.NOT_AUTHORISED, down=True)
    return Attempt(Verdict.FAILED, DeliveryError.GATEWAY_FAULT, down=True)


def authorize_address(settings: Wechat, back: str, state: str) -> str:
    """Where WeChat's browser is sent to tell who it is."""
    asked = {
        "appid": settings.app_id,
        "redirect_uri": back,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": state,
    }
    return f"{settings.open}/connect/oauth2/authorize?{urlencode(asked)}#wechat_redirect"


def openid_of(settings: Wechat, code: str) -> str:
    """The openid of the person whom a code stands for.  Raises WechatUnavailable, also for a code that is used or old."""
    asked = {
        "appid": settings.app_id,
        "secret": settings.secret,
        "code": code,
        "grant_type": "authorization_code",
    }
    found = ask(f"{settings.api}/sns/oauth2/access_token?{urlencode(asked)}")
    if not isinstance(found.get("openid"), str):
        raise WechatUnavailable("no openid")
    openid: str = found["openid"]
    return openid
