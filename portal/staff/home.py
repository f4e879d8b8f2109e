"""What waits today, and the next thing to do."""

from flask import render_template

from enrollment.families import refusals, review_figures, review_queue
from portal.guards import desk
from portal.staff import pages
from portal.staff.own import own_kindergartens
from portal.work import actor, clock, db


@pages.get("", strict_slashes=False)
@desk("staff")
def home():
    counts = review_figures.counts(db(), by=actor(), now=clock())
    mine = review_queue.queue(db(), by=actor(), now=clock(), state="mine").items
    return render_template(
        "staff/home.html",
        counts=counts,
        mine=mine,
        kindergartens=own_kindergartens(),
        opens=review_queue.opens_at(db(), now=clock()),
        refusals=len(refusals.open_refusals(db(), by=actor())),
        workload=review_figures.workload(db(), by=actor(), now=clock()),
    )
