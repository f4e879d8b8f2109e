"""Messages of a family, the newest first; a page marks as read what it shows."""

import uuid
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import applications
from enrollment.applications.bonds import bond_notices
from enrollment.delivery import wechat
from enrollment.ground import outbox
from enrollment.ground.accounts import Account
from enrollment.ground.outbox import DeliveryError, MessageState
from enrollment.places.kindergartens import Page
from portal.parents import pages
from portal.parents.people.unreachable import unreachable_number
from portal.text.messages import ACTS, RESULT, TASKS, WISHES, notice_words
from portal.text.numbers import whole_number
from portal.web.authentication import unread_messages
from portal.web.guards import desk
from portal.web.unit_of_work import account_id, actor, clock, db, services

PER_PAGE = 100
MOST_PAGES = 10_000


@pages.get("/messages")
@desk("parents")
def messages_page() -> ResponseReturnValue:
    page = _page(request.args.get("page", 1, whole_number))
    mine = page.items
    in_wechat = wechat.fates(db(), [each.id for each in mine]) if services().config.wechat is not None else {}
    over = bond_notices.outdated(db(), mine)
    own = applications.list_own(db(), by=actor())
    names = {each.id: each.child.name for each in own}
    years = {each.id: each.year for each in own} if len({each.year for each in own}) > 1 else {}
    listed = [
        {
            "text": notice_words(
                notice.kind, notice.params, season=years.get(notice.application_id) if notice.application_id else None
            ),
            "at": notice.created_at,
            "fresh": notice.read_at is None,
            "child": _children(notice, names),
            "href": _act_of(notice) if notice.application_id in names else None,
            "over": notice.id in over,
            "delivery": _delivery(notice),
            "wechat": _wechat_state(in_wechat.get(notice.id)),
        }
        for notice in mine
    ]
    fresh = [each.id for each in mine if each.read_at is None]
    if fresh:
        outbox.mark_read(db(), account_id(), fresh, now=clock())
    return render_template(
        "parents/messages.html",
        listed=listed,
        page=page,
        unread=max(unread_messages() - len(fresh), 0),
        has_phone=bool(db().get_one(Account, account_id()).phone),
        unreachable=unreachable_number(),
    )


def _page(asked: int) -> Page:
    """The messages of a page; a number beyond the end gives the first page."""
    number = min(max(asked, 1), MOST_PAGES)
    mine, total = outbox.notices_of_account(db(), account_id(), skip=(number - 1) * PER_PAGE, most=PER_PAGE)
    if not mine and number > 1:
        return _page(1)
    return Page(mine, number, max(-(-total // PER_PAGE), 1), total)


@pages.get("/to/<uuid:message_id>")
@desk("parents")
def act_of_message(message_id: uuid.UUID) -> ResponseReturnValue:
    """From the link in a text message to the page where the act is done; another family's message leads to one's own list."""
    notice = db().get(outbox.Notice, message_id)
    mine = {each.id for each in applications.list_own(db(), by=actor())}
    if notice is None or notice.account_id != account_id() or notice.application_id not in mine:
        return redirect(url_for("parents.messages_page"), 303)
    return redirect(_act_of(notice), 303)


PAGES = {RESULT: "parents.result_page", WISHES: "parents.wishes_page", TASKS: "parents.tasks"}


def _act_of(notice: outbox.Notice) -> str:
    page = PAGES.get(ACTS.get(notice.kind, ""), "parents.application_page")
    return url_for(page, application_id=notice.application_id)


def _delivery(notice: outbox.Notice) -> dict[str, Any] | None:
    """What became of the text message: a code of `text_delivery`, its time, and whether it needs attention."""
    failed = notice.state in (MessageState.UNDELIVERABLE, MessageState.GIVEN_UP)
    if notice.last_error == DeliveryError.NO_NUMBER:
        return None
    if notice.last_error == DeliveryError.BY_CHOICE:
        return {"code": "by_choice", "at": None, "failed": False}
    if notice.state in (MessageState.WAITING, MessageState.SENDING):
        later = notice.next_try_at > clock()
        return {"code": "later" if later else "waiting", "at": notice.next_try_at if later else None, "failed": False}
    at = notice.delivered_at or notice.sent_at
    code = "failed" if failed else "delivered" if notice.state == MessageState.DELIVERED else "sent"
    return {"code": code, "at": None if failed else at, "failed": failed}


def _wechat_state(fate: wechat.WechatNotice | None) -> str | None:
    """A code of `wechat_delivery`; None for a message that does not go to WeChat."""
    return None if fate is None or fate.state == MessageState.WITHHELD else fate.state


def _children(notice: outbox.Notice, names: dict[uuid.UUID, str]) -> str:
    """The names of the children that a message is about, as far as they are in this person's care."""
    if "together" in notice.params:
        about = [uuid.UUID(each) for each in notice.params["together"]]
    else:
        about = [notice.application_id] if notice.application_id else []
    return _("、").join(names[each] for each in about if each in names)
