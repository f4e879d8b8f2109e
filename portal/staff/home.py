"""The staff's home page: open tasks."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.corrections import request_list
from enrollment.review import refusals, review_queue, workload
from portal.staff import pages
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("", strict_slashes=False)
@desk("staff")
def home() -> ResponseReturnValue:
    counts = workload.counts(db(), by=actor(), now=clock())
    mine = review_queue.queue(db(), by=actor(), now=clock(), state="mine").items
    return render_template(
        "staff/home.html",
        counts=counts,
        mine=mine,
        kindergartens=own_kindergartens(),
        opens=review_queue.opens_at(db(), now=clock()),
        corrections=request_list.count_undecided(db(), by=actor()),
        refusals=len(refusals.open_refusals(db(), by=actor())),
        workload=workload.workload(db(), by=actor(), now=clock()),
    )
