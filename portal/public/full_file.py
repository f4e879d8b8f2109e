"""The full file of a run for the recipient to whom two officials granted it: a link, and a code that came another way."""

import uuid

from flask import Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.results import full_files
from portal.public import pages
from portal.web.forms import PageForm
from portal.web.guards import public
from portal.web.rate_limits import attempts_of_an_address, browser_key, limiter
from portal.web.unit_of_work import clock, db


class FullFileForm(PageForm):
    code = StringField(_l("取件码"), [InputRequired(_l("请填写取件码。")), Length(max=40)])


@pages.get("/full-file/<uuid:grant_id>")
@public
def full_file(grant_id: uuid.UUID) -> ResponseReturnValue:
    """The same page for every number, so that nobody learns which grants there are."""
    return render_template("public/full_file.html", form=FullFileForm())


@pages.post("/full-file/<uuid:grant_id>")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit("20 per hour", key_func=browser_key)
def download_full_file(grant_id: uuid.UUID) -> ResponseReturnValue:
    form = FullFileForm()
    if form.validate_on_submit():
        if full_files.code_is_right(db(), grant_id, form.code.data or "", now=clock()):
            return Response(
                full_files.issue(db(), grant_id, now=clock()),
                mimetype="application/zip",
                headers={
                    "Content-Disposition": 'attachment; filename="full-draw.zip"',
                    "Cache-Control": "no-store",
                },
            )
        form.code.errors = [_("取件码不对，或者这个链接已经不能用。请联系交给您链接的工作人员。")]
    return render_template("public/full_file.html", form=form)
