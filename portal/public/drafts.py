"""What a page asks before it sends what it keeps: is the server there, is the reader still signed in, what has arrived."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from portal.public import pages
from portal.web.csrf import masked_token
from portal.web.drafts import arrived, draft_owner
from portal.web.guards import public


@pages.get("/drafts/state")
@public
def draft_state() -> ResponseReturnValue:
    owner = draft_owner()
    state = {"owner": owner, "arrived": arrived(request.args.getlist("key"))}
    # a photo that waited is sent without a page around it
    answer = jsonify(state | ({"token": masked_token()} if owner is not None else {}))
    answer.headers["Cache-Control"] = "no-store"
    return answer
