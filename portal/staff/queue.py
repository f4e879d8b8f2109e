"""The review queue: groups by what must be done, search, filters, and taking the next application."""

import uuid
from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length

from enrollment.places.areas import LEVELS
from enrollment.review import leases
from enrollment.review.queue import saved_filters, search, task_groups
from enrollment.review.queue.filters import Filter, Group, codes_of, filter_of
from enrollment.review.scope import SECOND_PEOPLE
from enrollment.season.facts import Ground
from portal.staff import pages
from portal.staff.queue_lines import queue_lines
from portal.text.numbers import whole_number
from portal.web.forms import ActForm, PageForm, parse_uuid, refusals_in, refusals_told
from portal.web.guards import desk
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.unit_of_work import actor, clock, db


class SaveFilterForm(PageForm):
    name = StringField(_l("筛选的名字"), [Length(max=saved_filters.LONGEST_NAME)])


def _asked_filter() -> tuple[Filter, Group | None]:
    """The filter of the address or of the form that was sent."""
    return filter_of({name: request.values.get(name, "") for name in ("group", "ground", "level", "mine")})


def queue_page(form: PageForm, saving: SaveFilterForm | None = None) -> ResponseReturnValue:
    limited, group = _asked_filter()
    query = request.args.get("q", "").strip()[: search.LONGEST_QUERY]
    hits = search.find(db(), query, by=actor()) if query else None
    if hits is not None:
        limited, group = replace(limited, only=hits.ids), None
    about: dict[str, Any] = {"by": actor(), "now": clock(), "limited": limited}
    listed = None
    if group is not None:
        overview, listed = task_groups.listed(db(), group, page=request.args.get("page", 1, whole_number), **about)
        lines = listed.items
    else:
        per_group = search.MOST_HITS if query else task_groups.FIRST_LINES
        overview = task_groups.overview(db(), per_group=per_group, **about)
        lines = [line for some in overview.lines.values() for line in some]
    return render_template(
        "staff/queue.html",
        form=form,
        saving=saving or SaveFilterForm(formdata=None),
        query=query,
        more_hits=max(hits.total - len(hits.ids), 0) if hits is not None else 0,
        overview=overview,
        listed=listed,
        group=group,
        told=queue_lines(lines),
        codes=codes_of(limited, None),
        saved=saved_filters.of(db(), by=actor()),
        opens=task_groups.opens_at(db(), now=clock()),
        me=actor().account_id,
        may_release=actor().is_any(*SECOND_PEOPLE),
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    return {"groups": task_groups.GROUPS, "to_open": task_groups.TO_OPEN, "grounds": tuple(Ground), "levels": LEVELS}


@pages.get("/queue")
@desk("staff")
def queue() -> ResponseReturnValue:
    attach_catalogue()
    return queue_page(ActForm())


def redirect_to_next(group: Group | None = None) -> ResponseReturnValue:
    """Take the next application of the group, else of the whole queue, and go to it; to the queue if none waits."""
    taken = task_groups.take_next(db(), by=actor(), now=clock(), group=group) if group is not None else None
    taken = taken or task_groups.take_next(db(), by=actor(), now=clock())
    if taken is None:
        flash(_("现在没有待审核的申请了。"))
        return redirect(url_for("staff.queue"), 303)
    return redirect(url_for("staff.application", application_id=taken.id), 303)


@pages.post("/queue/next")
@desk("staff")
def next_in_queue() -> ResponseReturnValue:
    return redirect_to_next(_asked_filter()[1])


@pages.post("/queue/filters")
@desk("staff")
def save_filter() -> ResponseReturnValue:
    form = SaveFilterForm()
    limited, group = _asked_filter()
    if form.validate_on_submit():
        with refusals_in(form):
            saved = saved_filters.save(db(), form.name.data or "", limited, group=group, by=actor(), now=clock())
            return redirect(url_for("staff.queue", **saved.query), 303)
    return queue_page(form, saving=form)


@pages.post("/queue/filters/<uuid:filter_id>/forget")
@desk("staff")
def forget_filter(filter_id: uuid.UUID) -> ResponseReturnValue:
    saved_filters.forget(db(), filter_id, by=actor())
    return redirect(url_for("staff.queue"), 303)


@pages.post("/queue/<uuid:application_id>/put-back")
@desk("staff")
def put_back(application_id: uuid.UUID) -> ResponseReturnValue:
    """A head puts an application back that a clerk has."""
    with refusals_told():
        holder = parse_uuid(request.form.get("holder"))
        leases.release(db(), application_id, holder=holder, by=actor(), now=clock())
        flash(_("已放回待审队列。"))
    return redirect((request.form.get("next") == "home" and url_for("staff.home")) or url_for("staff.queue"), 303)
