"""Place plans that wait for approval: one kindergarten at a time, or all valid plans of an area."""

import datetime as dt
import uuid
from collections.abc import Iterable

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from enrollment.ground.errors import Stale
from enrollment.places import ledger, place_plans, plan_decisions, scope
from enrollment.places.plans import class_loss
from enrollment.places.roll_changes import counts
from portal.officials import pages
from portal.officials.scope import DECIDERS, READERS, area_name, my_area_or_404, my_areas
from portal.officials.years import chosen_year
from portal.text import ledger_entries
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web.forms import ActForm, CivilDate, PageForm, page_of, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import places_of_a_day as ledger_of_a_day
from portal.web.shared_views.approval_papers import approval_file
from portal.web.unit_of_work import actor, clock, db


class AreaForm(PageForm):
    """Approve the plans of an area that the page shows, after confirming that they were reviewed; `seen` are their proposals."""

    area = HiddenField()
    seen = HiddenField()
    looked = BooleanField(_l("我已看过这些计划的班数、在园人数和可派学位"), [InputRequired(_l("请先核对再整区同意"))])


class LossForm(PageForm):
    """The decision about a lost class: the last day of the exception, or why the report goes back."""

    until_day = CivilDate(_l("保留到哪天"), [Optional()])
    remark = TextAreaField(_l("退回原因"), [Length(max=300)])


class ApprovalForm(PageForm):
    """The word that the whole plan of a kindergarten is approved; `seen` are the proposals that the page shows."""

    seen = HiddenField()


class SendBackForm(PageForm):
    """Why the plan of a kindergarten goes back; `seen` are the proposals that the page shows."""

    seen = HiddenField()
    remark = TextAreaField(_l("退回原因"), [InputRequired(_l("请写明要改什么")), Length(max=300)])

    def take_newer(self) -> bool:
        kindergarten_id = (request.view_args or {})["kindergarten_id"]
        plan = place_plans.place_plan(db(), kindergarten_id, chosen_year(), by=actor(), now=clock())
        self.newer = [
            (
                f"{word('level', line.level)} · {word('plan_number', number)}",
                str(getattr(line.wanted, number)),
            )
            for line in plan.lines
            if line.proposal
            for number in ("planned_classes", "staffed_classes", "continuing", "withheld", "places")
        ] or [(_("等待审批的申请"), "—")]
        self.seen.data = _ids_text(plan.open_ids)
        return True


def _ids_text(proposal_ids: Iterable[uuid.UUID]) -> str:
    return " ".join(sorted(map(str, proposal_ids)))


def _ids_of(field: HiddenField) -> set[uuid.UUID]:
    """The proposals that a page showed; an unreadable id is none of them."""
    return {found for text in (field.data or "").split() if (found := parse_uuid(text)) is not None}


@pages.get("/places")
@desk("officials", *READERS)
def places() -> ResponseReturnValue:
    return _places_page(AreaForm())


@pages.post("/places/approve-area")
@desk("officials", *DECIDERS)
def approve_area() -> ResponseReturnValue:
    form = AreaForm()
    area = my_area_or_404(form.area.data or "")
    if form.validate_on_submit():
        with refusals_in(form):
            done = plan_decisions.approve_area(
                db(), area.code, chosen_year(), seen=_ids_of(form.seen), by=actor(), now=clock()
            )
            flash(_("%(area)s：已同意 %(n)s 所。", area=area_name(area), n=done.kindergartens))
            for kindergarten, refused in done.refused:
                flash(f"{kindergarten.name}：{word('error', refused.code, **refused.details)}", "warn")
            return redirect(url_for("officials.places", area=area.code), 303)
    return _places_page(form)


def _places_page(form: AreaForm) -> ResponseReturnValue:
    year = chosen_year()
    code = request.values.get("area") or ""
    area = my_area_or_404(code) if code else None
    waiting = place_plans.count_waiting_by_area(db(), year, by=actor())
    if area is None and len(my_areas()) == 1:
        area = my_areas()[0]
    found = place_plans.waiting_plans(
        db(),
        year,
        by=actor(),
        now=clock(),
        area=area.code if area else None,
        page=request.args.get("page", 1, whole_number),
    )
    form.area.data = area.code if area else ""
    form.seen.data = _ids_text(each for plan in found.items for each in plan.open_ids)
    return render_template(
        "officials/places.html",
        year=year,
        areas=[(each, area_name(each), waiting.get(each.code, 0)) for each in my_areas()],
        area=area,
        area_name=area_name,
        open_counts=counts.open_counts(
            db(), by=actor(), area=area.code if area else None, page=request.args.get("counts", 1, whole_number)
        ),
        losses=class_loss.open_losses(db(), year, by=actor(), area=area.code if area else None),
        found=found,
        form=form,
        may_decide=actor().is_any(*DECIDERS),
    )


@pages.get("/places/<uuid:kindergarten_id>")
@desk("officials", *READERS)
def place_plan(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    return _plan_page(kindergarten_id, SendBackForm())


@pages.get("/places/<uuid:kindergarten_id>/day")
@desk("officials", *READERS)
def places_of_a_day(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    """The ledger of a kindergarten as it was at the end of a day, as the kindergarten reads it."""
    kindergarten = scope.kindergarten_in_scope(db(), kindergarten_id, by=actor())
    shown = ledger_of_a_day.context(kindergarten, chosen_year())
    return render_template("officials/places_of_a_day.html", **shown)


@pages.post("/places/<uuid:kindergarten_id>/approve")
@desk("officials", *DECIDERS)
def approve_plan(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    form = ApprovalForm()
    if form.validate_on_submit():
        try:
            with refusals_in(form):
                plan = place_plans.place_plan(db(), kindergarten_id, chosen_year(), by=actor(), now=clock())
                ledger.approve_kindergarten(
                    db(), kindergarten_id, plan.year, seen=_ids_of(form.seen), by=actor(), now=clock()
                )
                flash(_("已同意 %(name)s 的学位计划。", name=plan.kindergarten.name))
                return redirect(url_for("officials.places", area=plan.kindergarten.area_code), 303)
        except Stale:  # nothing was typed: the page with the numbers of now is what is needed
            g.rollback_only = True
            changed = word("error", "plan_changed_meanwhile")
            return _plan_page(kindergarten_id, SendBackForm(formdata=None), on_top=[changed]), 409
    return _plan_page(kindergarten_id, SendBackForm(formdata=None), on_top=form.form_errors)


@pages.post("/places/<uuid:kindergarten_id>/send-back")
@desk("officials", *DECIDERS)
def send_back_plan(kindergarten_id: uuid.UUID) -> ResponseReturnValue:
    form = SendBackForm()
    if form.validate_on_submit():
        with refusals_in(form):
            plan_decisions.send_back_kindergarten(
                db(), kindergarten_id, chosen_year(), seen=_ids_of(form.seen), by=actor(), now=clock(),
                remark=form.remark.data,
            )  # fmt: skip
            flash(_("已退回，园方会看到原因。"))
            return redirect(url_for("officials.places"), 303)
    return page_of(form, _plan_page(kindergarten_id, form))


@pages.get("/approval-papers/<uuid:paper_id>")
@desk("officials", *READERS)
def approval_paper(paper_id: uuid.UUID) -> ResponseReturnValue:
    return approval_file(paper_id)


@pages.post("/places/counts/<int:number>")
@desk("officials", *DECIDERS)
def decide_count(number: int) -> ResponseReturnValue:
    """The area as the second person of a large change of a class's number: `act=agree` or `act=refuse`."""
    form = ActForm()
    counts.class_of(db(), number, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            done = counts.decide(db(), number, agree=request.form.get("act") == "agree", by=actor(), now=clock())
            flash(word("count_state", done.state))
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("officials.places"), 303)


@pages.post("/places/class-losses/<uuid:loss_id>")
@desk("officials", *DECIDERS)
def decide_class_loss(loss_id: uuid.UUID) -> ResponseReturnValue:
    """`act=sign` with a last day keeps every placed child; `act=back` with a remark changes nothing."""
    form = LossForm(prefix="loss")
    kindergarten_id = class_loss.in_scope(db(), loss_id, by=actor()).programme.kindergarten_id
    if form.validate_on_submit():
        with refusals_in(form):
            if request.form.get("act") == "sign":
                class_loss.sign(db(), loss_id, until_day=form.until_day.data, by=actor(), now=clock())
                flash(_("已签字：已录取的幼儿都保留学位。"))
            else:
                class_loss.send_back(db(), loss_id, remark=form.remark.data or "", by=actor(), now=clock())
                flash(_("已退回，园方会看到原因。"))
            return redirect(url_for("officials.place_plan", kindergarten_id=kindergarten_id), 303)
    return _plan_page(kindergarten_id, SendBackForm(formdata=None), loss_form=form)


def _plan_page(
    kindergarten_id: uuid.UUID, form: SendBackForm, on_top: Iterable[str] = (), loss_form: LossForm | None = None
) -> str:
    year = chosen_year()
    plan = place_plans.place_plan(db(), kindergarten_id, year, by=actor(), now=clock())
    form.seen.data = _ids_text(plan.open_ids)
    return render_template(
        "officials/place_plan.html",
        plan=plan,
        history=place_plans.history(
            db(), kindergarten_id, year, by=actor(), page=request.args.get("page", 1, whole_number)
        ),
        proposals=place_plans.proposals(db(), kindergarten_id, year, by=actor()),
        losses=class_loss.losses(db(), kindergarten_id, year, by=actor()),
        loss_form=loss_form or LossForm(formdata=None, prefix="loss", data={"until_day": dt.date(year + 1, 8, 31)}),
        form=form,
        on_top=on_top,
        words=ledger_entries,
        may_decide=actor().is_any(*DECIDERS),
    )
