"""The gateway reports here what became of the messages (`docs/messages.md`).  Its signature is the guard of this address."""

from flask import abort, jsonify, request
from flask.typing import ResponseReturnValue

from enrollment.delivery import receipts as delivery_receipts
from portal.gateways import receipts
from portal.public import pages
from portal.web.csrf import csrf
from portal.web.guards import signed_by_gateway
from portal.web.unit_of_work import clock, db


@pages.post("/gateway/receipts")
@csrf.exempt
@signed_by_gateway
def store_receipts() -> ResponseReturnValue:
    """Store signed receipts.  The same receipts again, in any order, change nothing."""
    try:
        found = receipts.read(request.get_data())
    except receipts.Malformed:
        abort(400)
    return jsonify(stored=delivery_receipts.store(db(), found, now=clock()))
