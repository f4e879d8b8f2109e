"""Messages of a family, newest first; opening the page reads them."""

from flask import render_template

from enrollment.families import applications
from enrollment.ground import notices
from portal.guards import desk
from portal.parents import pages
from portal.words import word
from portal.work import actor, clock, db


@pages.get("/messages")
@desk("parents")
def messages_page():
    mine = notices.of_account(db(), actor().account_id)
    names = {each.id: each.child.name for each in applications.list_own(db(), by=actor())}
    listed = [
        {
            "text": word("notice", notice.kind, **notice.params) if notice.params else word("notice", notice.kind),
            "at": notice.created_at,
            "fresh": notice.read_at is None,
            "child": names.get(notice.application_id),
            "application_id": notice.application_id if notice.application_id in names else None,
        }
        for notice in mine
    ]
    notices.mark_read(db(), actor().account_id, now=clock())
    return render_template("parents/messages.html", listed=listed)
