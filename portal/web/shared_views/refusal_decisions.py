"""Refusals that wait for a second person, for the desks of a kindergarten and of an area or the city."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from enrollment.ground import audit
from enrollment.ground.accounts import Account
from enrollment.ground.vault import mask
from enrollment.people.person_rows import Child
from enrollment.review import notes, refusal_grounds, refusals, support_cases
from enrollment.review.scope import SECOND_PEOPLE
from portal.text.facts import item_words
from portal.web.forms import PageForm, refusals_in
from portal.web.unit_of_work import actor, clock, db


class RefusalDecisionForm(PageForm):
    """`upheld` is yes or no; `why` is for the first person, where the second does not agree."""

    upheld = HiddenField()
    why = StringField(_l("为什么不同意（只给老师看）"), [Length(max=notes.LONGEST_TEXT // 2)])

    def note(self) -> str:
        why = (self.why.data or "").strip()
        return _("没有同意不予通过：%(why)s", why=why) if why else ""


def refusals_page(desk: str, form: PageForm | None = None, decided: uuid.UUID | None = None) -> ResponseReturnValue:
    """The proposals in the reader's scope; `decided` is the one whose form is shown with its faults."""
    waiting = refusals.open_refusals(db(), by=actor())
    for _proposal, application in waiting:
        audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="refusal")
    lapsed = refusals.lapsed_refusals(db(), by=actor(), now=clock())
    values: dict[str, Any] = {
        "children": {application.id: db().get_one(Child, application.child_id) for _proposal, application in waiting},
        "proposers": {proposal.id: db().get_one(Account, proposal.proposed_by).name for proposal, _a in waiting},
        "masked": mask,
        "supports": {one.id: support_cases.of_application(db(), one.id) for _proposal, one in waiting},
    }
    return render_template(
        f"{desk}/refusals.html", form=form or RefusalDecisionForm(formdata=None), waiting=waiting, lapsed=lapsed, decided=decided,
        basis_words=_basis_words, may_decide=actor().is_any(*SECOND_PEOPLE), me=actor().account_id, **values,
    )  # fmt: skip


def decide(desk: str, proposal_id: uuid.UUID) -> ResponseReturnValue:
    form = RefusalDecisionForm()
    if form.validate_on_submit():
        upheld = form.upheld.data == "yes"
        with refusals_in(form):
            refusals.decide_refusal(db(), proposal_id, upheld=upheld, note=form.note(), by=actor(), now=clock())
            flash(_("已确认不予通过，家长会收到通知。") if upheld else _("没有同意不予通过，申请交还审核员继续审核。"))
            return redirect(url_for(f"{desk}.refusal_list"), 303)
    return refusals_page(desk, form, proposal_id)


def _basis_words(fact: str | None) -> str:
    """What a refusal rests on, in words."""
    if fact is None or fact == refusal_grounds.IDENTITY:
        return _("身份") if fact else ""
    return item_words(fact)
