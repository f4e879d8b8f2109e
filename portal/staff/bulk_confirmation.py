"""Bulk confirmation of applications whose facts all agree with the registers, after showing the list."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import HiddenField

from enrollment.review import bulk_confirmation, review_queue
from portal.staff import pages
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.forms import PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class MatchedForm(PageForm):
    listed = HiddenField()
    """The ids that the page showed; only these are confirmed."""

    @property
    def ids(self) -> list:
        return [found for found in map(parse_uuid, (self.listed.data or "").split()) if found is not None]


def _page(form: PageForm) -> ResponseReturnValue:
    found = review_queue.queue(
        db(), by=actor(), now=clock(), state="waiting", only="matched", per_page=bulk_confirmation.MOST_AT_ONCE
    )
    form.listed.data = " ".join(str(line.application_id) for line in found.items)
    return render_template("staff/bulk_confirmation.html", form=form, found=found)


@pages.get("/queue/matched")
@desk("staff")
def matched_page() -> ResponseReturnValue:
    return _page(MatchedForm())


@pages.post("/queue/matched")
@desk("staff")
def confirm_matched() -> ResponseReturnValue:
    form, confirmed = MatchedForm(), 0
    if form.validate_on_submit():
        with refusals_in(form):
            for kindergarten in own_kindergartens():
                confirmed += bulk_confirmation.confirm_matched(
                    db(), kindergarten.id, by=actor(), now=clock(), application_ids=form.ids
                )
            flash(_("已批量确认 %(n)s 份部门数据全部一致的申请。", n=confirmed))
            return redirect(url_for("staff.queue"), 303)
    return _page(form)
