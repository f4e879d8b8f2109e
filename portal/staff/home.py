"""The staff's home page: open tasks."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.draw.vacancies import next_child
from enrollment.reports.staff_worklist import staff_worklist
from enrollment.review.queue import task_groups, workload
from enrollment.review.queue.filters import Group
from enrollment.review.scope import SECOND_PEOPLE
from enrollment.season import current_step
from portal.staff import pages
from portal.staff.errands import errands
from portal.staff.own_kindergartens import own_kindergartens
from portal.staff.queue_lines import queue_lines
from portal.web.admission_year import shown_season, shown_year
from portal.web.guards import desk
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.unit_of_work import actor, city_day, clock, db

MOST_IN_HAND = 10


@pages.get("", strict_slashes=False)
@desk("staff")
def home() -> ResponseReturnValue:
    attach_catalogue()
    glance = task_groups.glance(db(), by=actor(), now=clock())
    mine, year = own_kindergartens(), shown_year()
    work = staff_worklist(db(), mine, year, by=actor(), now=clock())
    season, me = shown_season(), actor().account_id
    return render_template(
        "staff/home.html",
        to_decide=queue_lines(glance.second).get(Group.SECOND, []),
        errands=errands(work, year),
        today=city_day(),
        steps=current_step.steps(db(), season, now=clock()) if season is not None else [],
        autumn=year,
        work=work,
        vacancies=next_child.vacancies(db(), year, by=actor(), now=clock()),
        held=[one for one in glance.held if one.reviewer_id != me],
        in_hand=len(glance.held),
        may_release=actor().is_any(*SECOND_PEOPLE),
        overview=glance.overview,
        mine=[glance.in_review[one.application_id] for one in glance.held if one.reviewer_id == me][:MOST_IN_HAND],
        kindergartens=mine,
        opens=task_groups.opens_at(db(), now=clock()),
        workload=workload.workload(db(), by=actor(), now=clock()),
    )
