"""Messages of a family, the newest first; opening the page marks them as read."""

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import applications
from enrollment.ground import outbox
from enrollment.ground.accounts import Account
from portal.parents import pages
from portal.parents.people.unreachable import unreachable_number
from portal.text.messages import notice_words
from portal.web.authentication import unread_messages
from portal.web.guards import desk
from portal.web.unit_of_work import account_id, actor, clock, db


@pages.get("/messages")
@desk("parents")
def messages_page() -> ResponseReturnValue:
    mine = outbox.notices_of_account(db(), account_id())
    names = {each.id: each.child.name for each in applications.list_own(db(), by=actor())}
    listed = [
        {
            "text": notice_words(notice.kind, notice.params),
            "at": notice.created_at,
            "fresh": notice.read_at is None,
            "child": _children(notice, names),
            "application_id": notice.application_id if notice.application_id in names else None,
        }
        for notice in mine
    ]
    if unread_messages():
        outbox.mark_read(db(), account_id(), now=clock())
    return render_template(
        "parents/messages.html",
        listed=listed,
        unread=0,
        has_phone=bool(db().get_one(Account, account_id()).phone),
        unreachable=unreachable_number(),
    )


def _children(notice: outbox.Notice, names: dict[uuid.UUID, str]) -> str:
    """The names of the children that a message is about, as far as they are in this person's care."""
    if "together" in notice.params:
        about = [uuid.UUID(each) for each in notice.params["together"]]
    else:
        about = [notice.application_id] if notice.application_id else []
    return _("、").join(names[each] for each in about if each in names)
