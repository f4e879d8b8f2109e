"""Binding the family's WeChat, to which messages then also go, and ending that.

The pages open in WeChat's own browser, which tells who it is; elsewhere WeChat shows how to come there.
"""

import hmac
import logging
import secrets

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment.delivery import wechat
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from portal.config import Wechat
from portal.gateways.wechat import WechatUnavailable, authorize_address, openid_of
from portal.parents import pages
from portal.text.words import word
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services

log = logging.getLogger(__name__)
STATE = "wechat_state"


def _settings() -> Wechat:
    settings = services().config.wechat
    if settings is None:
        raise NotFound
    return settings


@pages.get("/messages/wechat")
@desk("parents", Role.GUARDIAN)
def bind_wechat() -> ResponseReturnValue:
    """To WeChat, which asks nothing: `snsapi_base` tells the openid alone."""
    settings = _settings()
    session[STATE] = secrets.token_urlsafe(16)
    back = f"{services().config.public_url}{url_for('parents.wechat_bound')}"
    return redirect(authorize_address(settings, back, session[STATE]), 303)


@pages.get("/messages/wechat/back")
@desk("parents", Role.GUARDIAN)
def wechat_bound() -> ResponseReturnValue:
    settings, kept = _settings(), session.pop(STATE, "")
    given, code = request.args.get("state", ""), request.args.get("code", "")
    done = "failed"
    if kept and code and hmac.compare_digest(kept.encode(), given.encode()):
        db().commit()  # while WeChat answers, no connection to the database is held
        try:
            wechat.bind(db(), openid_of(settings, code), by=actor(), now=clock())
            done = "bound"
        except WechatUnavailable as fault:
            log.warning("WeChat: %s", fault)
    flash(word("wechat_done", done), "" if done == "bound" else "warn")
    return redirect(url_for("parents.message_choices_page", _anchor="wechat"), 303)


@pages.post("/messages/wechat/end")
@desk("parents", Role.GUARDIAN)
def unbind_wechat() -> ResponseReturnValue:
    wechat.unbind(db(), by=actor(), now=clock())
    flash(word("wechat_done", "ended"))
    return redirect(url_for("parents.message_choices_page", _anchor="wechat"), 303)
