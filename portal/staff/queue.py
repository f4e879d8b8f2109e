"""The review queue: filters, and taking the next application."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.review import review_queue, workload
from portal.staff import pages
from portal.web.forms import ActForm, PageForm
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


def _query_value(name: str, known: tuple[str, ...]) -> str:
    value = request.values.get(name, known[0])
    return value if value in known else known[0]


def queue_page(form: PageForm) -> ResponseReturnValue:
    state, only = _query_value("state", review_queue.STATES), _query_value("only", review_queue.ONLY)
    return render_template(
        "staff/queue.html",
        form=form,
        state=state,
        only=only,
        states=review_queue.STATES,
        filters=review_queue.ONLY,
        counts=workload.counts(db(), by=actor(), now=clock()),
        found=review_queue.queue(
            db(), by=actor(), now=clock(), state=state, only=only, page=request.args.get("page", 1, int)
        ),
        opens=review_queue.opens_at(db(), now=clock()),
        workload=workload.workload(db(), by=actor(), now=clock()),
    )


@pages.get("/queue")
@desk("staff")
def queue() -> ResponseReturnValue:
    return queue_page(ActForm())


def redirect_to_next(only: str = "all") -> ResponseReturnValue:
    """Take the next application and redirect to it; redirect to the queue if it is empty."""
    taken = review_queue.take_next(db(), by=actor(), now=clock(), only=only)
    if taken is None:
        flash(_("现在没有待审核的申请了。"))
        return redirect(url_for("staff.queue"), 303)
    return redirect(url_for("staff.application", application_id=taken.id), 303)


@pages.post("/queue/next")
@desk("staff")
def next_in_queue() -> ResponseReturnValue:
    return redirect_to_next(_query_value("only", review_queue.ONLY))
