"""What a page asks before it sends what it keeps: is the server there, is the reader still signed in, what has arrived.

Also the page that tells what a phone keeps, and the worker that shows it without a network.
"""

from flask import jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from enrollment.season import current_step, seasons
from portal.public import pages
from portal.text.words import word
from portal.web.csrf import masked_token
from portal.web.drafts import arrived, draft_owner
from portal.web.front.static_files import STATIC
from portal.web.guards import public
from portal.web.unit_of_work import clock, db

PAGES_WITH_DRAFTS = ("consent", "guardian", "child", "household", "grounds", "evidence", "together", "wishes", "check")
WHERE = {"children": "child"}
"""Where the last part of an address is not the code of the page of the form."""


@pages.get("/drafts/state")
@public
def draft_state() -> ResponseReturnValue:
    owner = draft_owner()
    state = {"owner": owner, "arrived": arrived(request.args.getlist("key"))}
    # a photo that waited is sent without a page around it
    answer = jsonify(state | ({"token": masked_token()} if owner is not None else {}))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/offline")
@public
def offline() -> ResponseReturnValue:
    """What this phone keeps. The worker keeps a copy that was fetched without a session, so it may show nothing of a person."""
    season = seasons.main_season(db(), clock())
    registering = current_step.registration_now(current_step.steps(db(), season, now=clock())) if season else None
    names = {page: word("page", page) for page in PAGES_WITH_DRAFTS}
    return render_template(
        "public/offline.html",
        names=names | {part: names[page] for part, page in WHERE.items()},
        closes_at=registering.ends_at if registering is not None else None,
    )


@pages.get("/offline-worker.js")
@public
def offline_worker() -> ResponseReturnValue:
    """The script of the worker, at an address from which it sees every page."""
    answer = make_response((STATIC / "js" / "offline_worker.js").read_text())
    answer.mimetype = "text/javascript"
    answer.headers["Cache-Control"] = "no-cache"
    return answer
