"""Messages of a family, newest first; opening the page reads them."""

from flask import render_template

from enrollment.applications import applications
from enrollment.ground import outbox
from portal.parents import pages
from portal.text.messages import notice_words
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/messages")
@desk("parents")
def messages_page():
    mine = outbox.of_account(db(), actor().account_id)
    names = {each.id: each.child.name for each in applications.list_own(db(), by=actor())}
    listed = [
        {
            "text": notice_words(notice.kind, notice.params),
            "at": notice.created_at,
            "fresh": notice.read_at is None,
            "child": names.get(notice.application_id),
            "application_id": notice.application_id if notice.application_id in names else None,
        }
        for notice in mine
    ]
    outbox.mark_read(db(), actor().account_id, now=clock())
    return render_template("parents/messages.html", listed=listed)
