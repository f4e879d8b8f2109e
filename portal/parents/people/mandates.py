"""A guardian's decisions about community helpers: ending a mandate, and taking over an application entered on paper."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from enrollment.applications import mandates
from enrollment.applications.guardian_access import guardian_takeover
from enrollment.ground.errors import NotFound
from portal.parents import pages
from portal.parents.form_pages import Required
from portal.text.words import contact
from portal.web.evidence_files import file_response
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class TakeOverForm(PageForm):
    id_number = StringField(_l("您的证件号码"), [Required("id_empty")])


@pages.post("/account/mandates/<uuid:mandate_id>/end")
@desk("parents")
def end_mandate(mandate_id: uuid.UUID) -> ResponseReturnValue:
    mandates.end(db(), mandate_id, by=actor(), now=clock())
    flash(_("代办已结束。协办员不能再看到或修改您家的申请，已经填写的内容都在。"))
    return redirect(url_for("parents.account"), 303)


@pages.get("/account/mandates/<uuid:mandate_id>/paper")
@desk("parents")
def own_mandate(mandate_id: uuid.UUID) -> ResponseReturnValue:
    safe = mandates.read_paper(db(), mandate_id, by=actor(), now=clock())
    return file_response(safe.media_type, safe.content, "mandate")


@pages.get("/papers/<uuid:mandate_id>")
@desk("parents")
def paper_page(mandate_id: uuid.UUID) -> ResponseReturnValue:
    return _view(mandate_id, TakeOverForm())


@pages.post("/papers/<uuid:mandate_id>")
@desk("parents")
def take_over(mandate_id: uuid.UUID) -> ResponseReturnValue:
    form = TakeOverForm()
    if form.validate_on_submit():
        with refusals_in(form):
            if guardian_takeover.take_over(db(), mandate_id, form.id_number.data or "", by=actor(), now=clock()):
                flash(_("核对无误，这份申请现在由您管理。"))
                return redirect(url_for("parents.home"), 303)
            form.id_number.errors = [_("与委托书上的监护人不符。请检查证件号码，错 5 次后只能由工作人员办理。")]
            if mandate_id not in {each.mandate_id for each in guardian_takeover.waiting_for_me(db(), by=actor())}:
                flash(_("已经错了 5 次。请%(contact)s，由工作人员核实。", contact=contact()), "stop")
                return redirect(url_for("parents.home"), 303)
    return _view(mandate_id, form)


@pages.post("/papers/<uuid:mandate_id>/disown")
@desk("parents")
def disown_paper(mandate_id: uuid.UUID) -> ResponseReturnValue:
    guardian_takeover.disown(db(), mandate_id, by=actor(), now=clock())
    flash(_("已停止。协办员不能再用这份委托书办理。"))
    return redirect(url_for("parents.home"), 303)


def _view(mandate_id: uuid.UUID, form: TakeOverForm) -> ResponseReturnValue:
    for waiting in guardian_takeover.waiting_for_me(db(), by=actor()):
        if waiting.mandate_id == mandate_id:
            return render_template("parents/guardian_takeover.html", form=form, waiting=waiting)
    raise NotFound
