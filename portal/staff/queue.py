"""The review queue: filters, the next one, and in bulk those on whom all registers agree."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from enrollment.families import register_matched, review_figures, review_queue
from portal.forms import ActForm, PageForm, refusals_in
from portal.guards import desk
from portal.staff import pages
from portal.staff.own import own_kindergartens
from portal.work import actor, clock, db


def _asked(name: str, known: tuple[str, ...]) -> str:
    value = request.values.get(name, known[0])
    return value if value in known else known[0]


def queue_page(form: PageForm):
    state, only = _asked("state", review_queue.STATES), _asked("only", review_queue.ONLY)
    return render_template(
        "staff/queue.html",
        form=form,
        state=state,
        only=only,
        states=review_queue.STATES,
        filters=review_queue.ONLY,
        counts=review_figures.counts(db(), by=actor(), now=clock()),
        found=review_queue.queue(
            db(), by=actor(), now=clock(), state=state, only=only, page=request.args.get("page", 1, int)
        ),
        opens=review_queue.opens_at(db(), now=clock()),
        workload=review_figures.workload(db(), by=actor(), now=clock()),
    )


@pages.get("/queue")
@desk("staff")
def queue():
    return queue_page(ActForm())


def to_next(only: str = "all"):
    """Take the next application and go to it, or back to an empty queue."""
    taken = review_queue.take_next(db(), by=actor(), now=clock(), only=only)
    if taken is None:
        flash(_("现在没有待审核的申请了。"))
        return redirect(url_for("staff.queue"), 303)
    return redirect(url_for("staff.application", application_id=taken.id), 303)


@pages.post("/queue/next")
@desk("staff")
def next_in_queue():
    return to_next(_asked("only", review_queue.ONLY))


@pages.post("/queue/matched")
@desk("staff")
def confirm_matched():
    form, confirmed = ActForm(), 0
    if form.validate_on_submit():
        with refusals_in(form):
            for kindergarten in own_kindergartens():
                confirmed += register_matched.confirm_matched(db(), kindergarten.id, by=actor(), now=clock())
            flash(_("已批量确认 %(n)s 份部门数据全部一致的申请。", n=confirmed))
            return redirect(url_for("staff.queue"), 303)
    return queue_page(form)
