"""What a page asks before it sends what it keeps: is the server there, is the reader still signed in, what has arrived."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from portal.public import pages
from portal.web.drafts import arrived, draft_owner
from portal.web.guards import public


@pages.get("/drafts/state")
@public
def draft_state() -> ResponseReturnValue:
    answer = jsonify({"owner": draft_owner(), "arrived": arrived(request.args.getlist("key"))})
    answer.headers["Cache-Control"] = "no-store"
    return answer
