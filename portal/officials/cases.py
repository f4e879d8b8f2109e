"""Cases 争议 of the official's areas with their deadlines, and settling one."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.applications.applications import Application
from enrollment.ground import audit
from enrollment.ground.accounts import Account
from enrollment.ground.phones import mask_phone
from enrollment.offers import revocations
from enrollment.review import cases
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.web.forms import coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class SettleForm(OfficialForm):
    outcome = RadioField(_l("结论"), validate_choice=False)
    reason = TextAreaField(_l("依据和经过"), [Length(max=cases.LONGEST_TEXT)])
    sure = BooleanField(_l("我已听取各方，结论不再改变"), [InputRequired(_l("请确认后再办结。"))])

    def set_choices(self) -> None:
        self.outcome.choices = coded_choices("case_outcome", cases.OUTCOMES)


@pages.get("/cases", endpoint="cases")
@desk("officials", *READERS)
def case_list() -> ResponseReturnValue:
    return render_template(
        "officials/cases.html",
        open_cases=cases.listing(db(), by=actor()),
        settled=cases.listing(db(), by=actor(), settled=True, limit=50),
        revocations=len(revocations.waiting(db(), by=actor())),
        may_decide=actor().is_any(*DECIDERS),
        area_names=area_names(),
    )


def _case_page(case_id: uuid.UUID, form: SettleForm) -> ResponseReturnValue:
    filed = cases.find(db(), case_id, by=actor())
    form.set_choices()
    case = filed.case
    opener = db().get_one(Account, case.account_id)
    audit.record(db(), "view", "case_file", case.id, by=actor(), now=clock())
    return render_template(
        "officials/case.html",
        form=form,
        filed=filed,
        case=case,
        application=db().get(Application, case.application_id) if case.application_id else None,
        opener=opener.name,
        phone=mask_phone(opener.phone or ""),
        area_names=area_names(),
    )


@pages.get("/cases/<uuid:case_id>")
@desk("officials", *DECIDERS)
def case_page(case_id: uuid.UUID) -> ResponseReturnValue:
    return _case_page(case_id, SettleForm())


@pages.post("/cases/<uuid:case_id>")
@desk("officials", *DECIDERS)
def settle_case(case_id: uuid.UUID) -> ResponseReturnValue:
    cases.find(db(), case_id, by=actor())
    form = SettleForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            cases.settle(
                db(), case_id, outcome=form.outcome.data or "", reason=form.reason.data or "", by=actor(), now=clock()
            )
            flash(_("已办结。提出的人会收到结论；申请如曾暂停，现在恢复。"))
            return redirect(url_for("officials.cases"), 303)
    return _case_page(case_id, form)
