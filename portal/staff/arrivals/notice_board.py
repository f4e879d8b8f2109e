"""The notice board for print: registration codes only, no personal data."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.offers.arrivals import board
from enrollment.review.queue import workload
from portal.staff import pages
from portal.staff.arrivals.door import year_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.guards import desk
from portal.web.unit_of_work import actor, db


@pages.get("/notice-board")
@desk("staff")
def notice_board() -> ResponseReturnValue:
    year = year_of_page()
    boards = [
        (
            kindergarten,
            workload.confirmed_codes(db(), kindergarten.id, year, by=actor()),
            board.admitted_codes(db(), kindergarten.id, year, by=actor()),
        )
        for kindergarten in own_kindergartens()
    ]
    return render_template("staff/notice_board.html", boards=boards, year=year)
