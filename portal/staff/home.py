"""The staff's home page: open tasks."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.corrections import request_list
from enrollment.draw.vacancies import next_child
from enrollment.review import leases
from enrollment.review.queue import task_groups, workload
from enrollment.review.queue.filters import Filter, Group
from enrollment.review.scope import SECOND_PEOPLE
from portal.staff import pages
from portal.staff.errands import errands
from portal.staff.own_kindergartens import own_kindergartens
from portal.staff.queue_lines import queue_lines
from portal.web.admission_year import shown_year
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

MOST_IN_HAND = 10


@pages.get("", strict_slashes=False)
@desk("staff")
def home() -> ResponseReturnValue:
    overview = task_groups.overview(db(), by=actor(), now=clock(), per_group=1)
    mine = task_groups.overview(db(), by=actor(), now=clock(), limited=Filter(mine=True), per_group=MOST_IN_HAND)
    to_decide = task_groups.page_of(db(), Group.SECOND, by=actor(), now=clock()).items
    held = leases.held(db(), by=actor())
    return render_template(
        "staff/home.html",
        to_decide=queue_lines(to_decide).get(Group.SECOND, []),
        errands=errands(),
        today=city_day(),
        vacancies=next_child.vacancies(db(), shown_year(), by=actor(), now=clock()),
        held=[one for one in held if one.reviewer_id != actor().account_id],
        in_hand=len(held),
        may_release=actor().is_any(*SECOND_PEOPLE),
        overview=overview,
        mine=[line for lines in mine.lines.values() for line in lines],
        kindergartens=own_kindergartens(),
        opens=task_groups.opens_at(db(), now=clock()),
        corrections=request_list.count_undecided(db(), by=actor()),
        corrections_past_half=request_list.count_past_half(db(), by=actor(), now=clock()),
        workload=workload.workload(db(), by=actor(), now=clock()),
    )
