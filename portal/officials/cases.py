"""Cases 争议 of the official's areas with their deadlines, and settling one."""

import datetime as dt
import uuid
from collections.abc import Callable

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.applications.applications import Application
from enrollment.corrections import reinstatements
from enrollment.eligibility import tiers
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import Refused
from enrollment.ground.phones import mask_phone
from enrollment.offers import revocations
from enrollment.people import invitations
from enrollment.reports import case_desk
from enrollment.results import dispute_facts
from enrollment.review import case_officers, case_reassignment, cases, guardian_requests
from enrollment.review.case_rows import ABOUT_THE_CHILD, Case, CaseKind
from enrollment.season.facts import Fact
from portal.officials import pages
from portal.officials.casework.reinstatements import after_settling, leads_to_reinstatement
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.text.audit_acts import act_words
from portal.text.facts import names_for
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web import phone_messages
from portal.web.evidence_files import SANDBOX
from portal.web.forms import coded_choices, page_of, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.duplicate_views import RevealForm
from portal.web.unit_of_work import actor, clock, db

ABOUT_GUARDIANS = (CaseKind.GUARDIANS_DISPUTE, CaseKind.ADD_GUARDIAN, CaseKind.REMOVE_GUARDIAN)
"""The cases in which the official talks to the guardians of the child."""


class SettleForm(OfficialForm):
    outcome = RadioField(_l("结论"), validate_choice=False)
    reason = TextAreaField(_l("依据和经过"), [Length(max=cases.LONGEST_TEXT)])
    answer = TextAreaField(_l("给家庭的理由"), [Length(max=cases.LONGEST_TEXT)])
    sure = BooleanField(_l("我已听取各方，结论不再改变"), [InputRequired(_l("请确认后再办结。"))])

    def set_choices(self) -> None:
        self.outcome.choices = coded_choices("case_outcome", cases.OUTCOMES)


class DecisionForm(OfficialForm):
    reason = TextAreaField(_l("理由"), [Length(max=cases.LONGEST_TEXT)])


class ReassignForm(OfficialForm):
    """`seen` is the officer whom the page showed."""

    officer = RadioField(_l("新的负责人"), validate_choice=False)
    seen = HiddenField()

    def offer(self, case: Case, area: str | None) -> None:
        found = case_reassignment.candidates(db(), area)
        self.officer.choices = [(str(each), name) for each, name in found if each != case.officer_id]
        self.seen.data = str(case.officer_id or "")

    def take_newer(self) -> bool:
        case = cases.find(db(), (request.view_args or {})["case_id"], by=actor()).case
        officer = case_officers.officer_of(db(), case)
        self.newer = [(_("负责人"), officer.name if officer else "—")]
        return True


class DeskPhoneForm(OfficialForm):
    desk_phone = StringField(_l("我的办公电话"), [Length(max=case_officers.LONGEST_DESK_PHONE)])


@pages.get("/cases", endpoint="cases")
@desk("officials", *READERS)
def case_list() -> ResponseReturnValue:
    return _case_list()


def _case_list(desk_phone_form: DeskPhoneForm | None = None) -> ResponseReturnValue:
    asked = {name: request.args.get(name) or None for name in ("kind", "clock", "area")}
    known = {"kind": set(case_desk.KINDS), "clock": set(case_desk.Clock), "area": set(area_names())}
    kept = {name: value for name, value in asked.items() if value in known[name]}
    owner = parse_uuid(request.args.get("owner"))
    page = request.args.get("page", 1, type=whole_number)
    return render_template(
        "officials/cases.html",
        found=case_desk.listing(
            db(),
            by=actor(),
            now=clock(),
            owner=owner,
            page=page,
            kind=kept.get("kind"),
            clock=kept.get("clock"),
            area=kept.get("area"),
        ),
        asked=dict.fromkeys(known) | kept | {"owner": owner},
        kinds=case_desk.KINDS,
        clocks=tuple(case_desk.Clock),
        settled=cases.listing(db(), by=actor(), settled=True, page=request.args.get("settled", 1, type=whole_number)),
        revocations=len(revocations.waiting(db(), by=actor())),
        reinstatements=len(reinstatements.waiting(db(), by=actor())),
        may_decide=actor().is_any(*DECIDERS),
        me=actor().account_id,
        area_names=area_names(),
        desk_phone_form=desk_phone_form or DeskPhoneForm(formdata=None, desk_phone=_own_desk_phone()),
    )


def _own_desk_phone() -> str:
    return db().get_one(Account, actor().account_id).desk_phone or ""


@pages.post("/cases/desk-phone")
@desk("officials", *DECIDERS, step_up=True)
def save_desk_phone() -> ResponseReturnValue:
    form = DeskPhoneForm()
    if form.validate_on_submit():
        with refusals_in(form):
            case_officers.save_desk_phone(db(), form.desk_phone.data or "", by=actor(), now=clock())
            flash(_("办公电话已保存，有关的家庭会看到。"))
            return redirect(url_for("officials.cases"), 303)
    return _case_list(form)


def _case_page(
    case_id: uuid.UUID,
    form: SettleForm,
    decision: DecisionForm | None = None,
    reveal: RevealForm | None = None,
    reassigning: ReassignForm | None = None,
    *,
    open_text: bool = False,
) -> ResponseReturnValue:
    """One case.  Telephone numbers are masked unless the reader said why they are needed."""
    filed = cases.find(db(), case_id, by=actor())
    form.set_choices()
    case = filed.case
    opener = db().get_one(Account, case.account_id)
    application = db().get(Application, case.application_id) if case.application_id else None
    audit.record(db(), "view", "case_file", case.id, by=actor(), now=clock())
    reassigning = reassigning or ReassignForm(formdata=None)
    reassigning.offer(case, filed.area_code)
    wanted = cases.request_of(db(), case)
    shown = render_template(
        "officials/case.html",
        form=form,
        reassigning=reassigning,
        act_words=act_words,
        history=case_reassignment.history_of(db(), case.id),
        to_family=case.kind in ABOUT_THE_CHILD,
        filed=filed,
        case=case,
        application=application,
        facts=dispute_facts.facts_of(db(), case, application) if application and case.kind in ABOUT_GUARDIANS else None,
        disputed=_disputed(case) if case.kind == CaseKind.REGISTER_DISPUTE else (),
        opener=opener.name,
        phone=opener.phone or "",
        shown_phone=(lambda number: number) if open_text else mask_phone,
        open_text=open_text,
        reveal=reveal or RevealForm(formdata=None),
        area_names=area_names(),
        officer=case_officers.officer_of(db(), case),
        wanted=wanted,
        is_proposed=wanted is not None and guardian_requests.is_proposed(db(), case, wanted),
        decision=decision or DecisionForm(formdata=None, prefix="decision-"),
        me=actor().account_id,
        may_reinstate=leads_to_reinstatement(case, application),
    )
    return page_of(reassigning, shown)


def _disputed(case: Case) -> list[tuple[str, str, str, str, dt.datetime]]:
    """What the family claims, what the register answered, which register, and when, of each disputed fact."""
    claimed = tiers.claimed_facts(db(), case.application_id) if case.application_id else {}
    answers = dispute_facts.disputed_answers(db(), case)
    values = [(each.fact, each.value) for each in answers] + list(claimed.items())
    names = names_for(db(), values)
    return [
        (
            word("fact", each.fact),
            names.value_words(each.fact, claimed.get(Fact(each.fact))) if each.fact in tuple(Fact) else "—",
            names.value_words(each.fact, each.value)
            if each.value is not None
            else word("register_answer", each.answer),
            word("register", each.register),
            each.at,
        )
        for each in answers
    ]


@pages.post("/cases/<uuid:case_id>/officer")
@desk("officials", *DECIDERS)
def reassign_case(case_id: uuid.UUID) -> ResponseReturnValue:
    cases.find(db(), case_id, by=actor())
    form = ReassignForm()
    form.officer.choices = []
    if form.validate_on_submit():
        with refusals_in(form):
            to, seen = parse_uuid(form.officer.data), parse_uuid(form.seen.data)
            case_reassignment.reassign(db(), case_id, to, seen=seen, by=actor(), now=clock())
            flash(_("已转交，家庭会看到新的负责人。"))
            return redirect(url_for("officials.case_page", case_id=case_id), 303)
    return _case_page(case_id, SettleForm(formdata=None), reassigning=form)


@pages.post("/cases/<uuid:case_id>/unmask")
@desk("officials", *DECIDERS, step_up=True)
def unmask_case(case_id: uuid.UUID) -> ResponseReturnValue:
    """The same page with full telephone numbers; the reason stands in the audit trail."""
    cases.find(db(), case_id, by=actor())
    form = RevealForm()
    why = (form.why.data or "").strip()
    if form.validate_on_submit() and not why:
        form.refuse(Refused("say_why", field="why"))
    if form.errors:
        return _case_page(case_id, SettleForm(formdata=None), reveal=form)
    audit.record(db(), "unmask", "case_file", case_id, by=actor(), now=clock(), reason=why)
    return _case_page(case_id, SettleForm(formdata=None), open_text=True)


Act = Callable[..., object]


def _approve_addition(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> None:
    case = guardian_requests.approve_addition(session, case_id, reason=reason, by=by, now=now)
    wanted, invitation = cases.request_of(session, case), invitations.of_case(session, case.id)
    if wanted is not None and wanted.phone and invitation is not None:
        phone_messages.send_invitation(session, invitation, wanted.phone)


DECISIONS: dict[str, tuple[Act, LazyString]] = {
    "hold": (cases.impose_hold, _l("已暂停，各方会收到消息。")),
    "lift": (cases.lift_hold, _l("暂停已结束，各方会收到消息。")),
    "approve": (_approve_addition, _l("已同意，对方会收到邀请。")),
    "propose": (guardian_requests.propose_removal, _l("您已签署，还需要另一位工作人员签署。")),
    "remove": (guardian_requests.confirm_removal, _l("已移除，从现在起对方看不到孩子的任何内容。")),
}
"""What an official can decide in an open case, besides settling it."""


@pages.post("/cases/<uuid:case_id>/<decision>")
@desk("officials", *DECIDERS)
def decide_case(case_id: uuid.UUID, decision: str) -> ResponseReturnValue:
    cases.find(db(), case_id, by=actor())
    if decision not in DECISIONS:
        abort(404)
    form = DecisionForm(prefix="decision-")
    act, done = DECISIONS[decision]
    if form.validate_on_submit():
        with refusals_in(form):
            act(db(), case_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(str(done))
            return redirect(url_for("officials.case_page", case_id=case_id), 303)
    return _case_page(case_id, SettleForm(formdata=None), form)


@pages.get("/cases/<uuid:case_id>/paper")
@desk("officials", *DECIDERS)
def case_paper(case_id: uuid.UUID) -> ResponseReturnValue:
    """The paper of a request about guardians; each look is recorded."""
    page = guardian_requests.read_paper(db(), case_id, by=actor(), now=clock())
    ending = "webp" if page.media_type.startswith("image/") else "pdf"
    return Response(
        page.content,
        mimetype=page.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="paper.{ending}"',
            "Content-Security-Policy": SANDBOX,
            "Cache-Control": "no-store",
        },
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
            settled = cases.settle(
                db(),
                case_id,
                outcome=form.outcome.data or "",
                reason=form.reason.data or "",
                answer=form.answer.data or "",
                by=actor(),
                now=clock(),
            )
            return after_settling(settled)
    return _case_page(case_id, form)
